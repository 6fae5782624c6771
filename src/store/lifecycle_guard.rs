//! Holds what this program writes to the lifecycle, in builds with debug assertions: the database
//! refuses a move that the table of the domain does not have.

use rusqlite::Connection;

use super::{Error, error::Doing};
use crate::domain::{BatchState, BundleState, Lifecycle, MessageState, OutgoingState, may_become};

/// Makes triggers that last as long as the connection does, and that no other one sees.
pub(super) fn hold_to_lifecycle(writer: &Connection) -> Result<(), Error> {
    let rules = [
        rules::<BatchState>("batches"),
        rules::<MessageState>("messages"),
        rules::<BundleState>("bundles"),
        rules::<OutgoingState>("outgoing"),
    ];
    writer
        .execute_batch(&rules.concat())
        .doing("hold the writer to the lifecycle")
}

fn rules<S: Lifecycle>(table: &str) -> String {
    let (of, born, moves) = (S::OF, words(S::BORN), moves::<S>());
    format!(
        "CREATE TEMP TRIGGER {table}_are_born BEFORE INSERT ON main.{table}
         WHEN NEW.state NOT IN ({born}) BEGIN
            SELECT RAISE(ABORT, 'a {of} does not begin as ' || NEW.state);
         END;
         CREATE TEMP TRIGGER {table}_move BEFORE UPDATE OF state ON main.{table}
         WHEN NEW.state <> OLD.state AND (OLD.state || ' ' || NEW.state) NOT IN ({moves}) BEGIN
            SELECT RAISE(ABORT, 'a {of} that is ' || OLD.state || ' cannot become ' || NEW.state);
         END;"
    )
}

/// `'due handing-over', 'due handed-over', …`
fn moves<S: Lifecycle>() -> String {
    let pairs = S::STATES.iter().flat_map(|&from| {
        let to = S::STATES.iter().filter(move |&&to| may_become(from, to));
        to.map(move |to| format!("'{} {}'", from.name(), to.name()))
    });
    pairs.collect::<Vec<_>>().join(", ")
}

fn words<S: Lifecycle>(states: &[S]) -> String {
    let words = states.iter().map(|state| format!("'{}'", state.name()));
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use crate::store::{Error, Store, error::Doing};

    /// What the database says to a statement of the writer.
    fn told(store: &Store, sql: &str) -> String {
        let written = store.write("try", |tx| tx.execute_batch(sql).doing("try"));
        match written {
            Err(Error::Sql { source, .. }) => source.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_writer_refuses_a_move_that_the_lifecycle_does_not_know() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let batch = |state: &str| {
            format!(
                "INSERT INTO batches (sender, file_name, bytes, sha256, spool, received_at, state)
                 VALUES ('example-city', 'a.zip', 1, 'a', 'batches/a.zip', 1, '{state}')"
            )
        };
        let refused = told(&store, &batch("reported"));
        assert_eq!(refused, "a batch does not begin as reported");
        assert_eq!(told(&store, &batch("received")), "Ok(())");
        let into = |state: &str| format!("UPDATE batches SET state = '{state}'");
        assert_eq!(told(&store, &into("cancelled")), "Ok(())");
        assert_eq!(told(&store, &into("cancelled")), "Ok(())");
        assert_eq!(
            told(&store, &into("opened")),
            "a batch that is cancelled cannot become opened"
        );
    }
}
