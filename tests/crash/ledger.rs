//! What the rows of a house say, read beside it.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, types::FromSql};

/// A look at the database. Read only and for a moment: what a crash left of the log is for the house
/// to put in order.
pub(super) struct Ledger(Connection);

impl Ledger {
    /// `None` where there is no database yet, or none that can be read at this moment.
    pub(super) fn open(data: &Path) -> Option<Self> {
        let path = data.join("kuori.sqlite");
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
        db.busy_timeout(std::time::Duration::from_secs(5)).ok()?;
        Some(Self(db))
    }

    /// The first column of all rows; none where the table is not there yet.
    pub(super) fn column<T: FromSql>(&self, sql: &str) -> Vec<T> {
        let Ok(mut query) = self.0.prepare(sql) else {
            return Vec::new();
        };
        let rows = query.query_map([], |row| row.get(0)).unwrap();
        rows.filter_map(Result::ok).collect()
    }

    pub(super) fn count(&self, sql: &str) -> u64 {
        self.column(sql).first().copied().unwrap_or(0)
    }

    /// The batch that came as this file.
    pub(super) fn batch(&self, file: &str) -> Option<u64> {
        let sql = format!("SELECT id FROM batches WHERE file_name = '{file}'");
        self.column(&sql).first().copied()
    }

    /// Whether its steps are done for now, and it is in one of the states.
    pub(super) fn rests(&self, file: &str, state: &str) -> bool {
        let sql = format!(
            "SELECT COUNT(*) FROM batches
              WHERE file_name = '{file}' AND state = '{state}' AND due_at IS NULL"
        );
        self.count(&sql) == 1
    }

    /// Whether an operator did this to the batch.
    pub(super) fn was_done(&self, file: &str, what: &str) -> bool {
        let sql = format!(
            "SELECT COUNT(*) FROM events e JOIN batches b ON b.id = e.batch
              WHERE b.file_name = '{file}' AND e.position IS NULL AND e.what LIKE '{what}%'"
        );
        self.count(&sql) > 0
    }

    pub(super) fn was_done_to(&self, sender: &str, what: &str) -> bool {
        let sql =
            format!("SELECT COUNT(*) FROM events WHERE sender = '{sender}' AND what = '{what}'");
        self.count(&sql) > 0
    }

    pub(super) fn is_disabled(&self, account: &str) -> bool {
        let sql = format!(
            "SELECT COUNT(*) FROM accounts WHERE name = '{account}' AND disabled_at IS NOT NULL"
        );
        self.count(&sql) > 0
    }

    /// Nothing is to be done any more, here or on the other side.
    pub(super) fn is_done(&self, batches: u64) -> bool {
        let received = self.count("SELECT COUNT(*) FROM batches");
        received == batches && self.what_is_left().is_empty()
    }

    /// What is still to be done, in words.
    pub(super) fn what_is_left(&self) -> Vec<String> {
        self.column(
            "SELECT printf('step of B-%04d (%s)', id, state) FROM batches WHERE due_at IS NOT NULL
             UNION ALL
             SELECT printf('hand-over %d of B-%04d (%s, %s): %s', id, batch, kind, state, last_error)
               FROM outgoing
              WHERE due_at IS NOT NULL OR held_at IS NOT NULL
                 OR (awaits_pickup AND bundle IS NOT NULL)
             UNION ALL
             SELECT printf('delivery report of B-%04d, told %d of %d, %d reports', batch, told,
                    newest, reports) FROM delivery_reports
              WHERE due_at IS NOT NULL
             UNION ALL
             SELECT printf('arrival of %s (%s)', file_name, state) FROM arrivals",
        )
    }
}
