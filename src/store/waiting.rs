//! What goes out, as operators see it and have it tried again.

use jiff::Timestamp;
use rusqlite::{Connection, named_params, params_from_iter, types::Value};

use super::{
    Error, NewEvent, Outgoing, Place, PlaceTrouble, Standing, Store, Transaction, columns::millis,
    error::Doing, events, outgoing::outgoing_row, places,
};
use crate::domain::{BatchId, BundleId};

/// Which rows are listed; by default all that waits for us, and what is overdue at its place.
#[derive(Debug, Clone, Default)]
pub struct WaitingFilter {
    pub place: Option<Waiting>,
    /// `HandedOver` are those that wait to be picked up.
    pub standing: Option<Standing>,
    /// Only what has waited too long to be picked up.
    pub overdue: bool,
}

/// What an operator names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiting {
    Bundle(BundleId),
    Batch(BatchId),
    /// `sender:<name>`, `print-house:<name>`, `test-shelf`, or only the name.
    Place(String),
}

/// What trying again does.
#[derive(Debug, Clone)]
pub struct OutgoingRetry {
    /// Due at once.
    pub rows: Vec<Outgoing>,
    /// Places that are asked at once.
    pub places: Vec<PlaceTrouble>,
    /// What waits because its batch or sender is on hold: nothing is done to it.
    pub on_hold: Vec<Outgoing>,
}

impl Store {
    /// What waits, oldest first; the files are left out.
    pub fn waiting(
        &self,
        filter: &WaitingFilter,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Outgoing>, Error> {
        let doing = "list what waits";
        let (whose, named) = of(filter.place.as_ref());
        let sql = list(filter, whose, now, limit);
        self.read(|db| {
            let mut query = db.prepare(&sql).doing(doing)?;
            let rows = query.query_map(params_from_iter(named), outgoing_row);
            rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)
        })
    }

    /// What [`Store::retry_waiting`] would do.
    pub fn plan_retry_waiting(
        &self,
        what: Option<&Waiting>,
        now: Timestamp,
    ) -> Result<OutgoingRetry, Error> {
        let troubles = self.places_in_trouble()?;
        self.read(|db| plan(db, what, troubles, now))
    }

    /// Makes due what is held or put off, and has the places asked that it goes to. What is in the
    /// daemon's hands at this moment is left alone.
    pub fn retry_waiting(
        &self,
        what: Option<&Waiting>,
        action: &NewEvent,
    ) -> Result<OutgoingRetry, Error> {
        let troubles = self.places_in_trouble()?;
        self.write("try hand-overs again", |tx| {
            let plan = plan(tx, what, troubles, action.at)?;
            carry_out(tx, &plan, action)?;
            Ok(plan)
        })
    }
}

impl Store {
    /// Whether something was ever to be handed over to a place of that name, or is waited for there.
    pub fn has_place(&self, named: &str) -> Result<bool, Error> {
        let doing = "look for a place";
        let sql = "SELECT 1 FROM outgoing WHERE place IN (?1, ?2, ?3) LIMIT 1";
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing(doing)?;
            query.exists(names(named)).doing(doing)
        })
    }
}

impl Outgoing {
    /// `P-0031`, or `processing of B-0007`.
    pub fn what(&self) -> String {
        match self.bundle {
            Some(bundle) => bundle.to_string(),
            None => format!("{} of {}", self.kind.as_str(), self.batch),
        }
    }

    /// Whether it has waited too long to be picked up.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.awaits_pickup && self.overdue_at.is_some_and(|at| at <= now)
    }
}

impl Waiting {
    /// Whether it names this place.
    pub fn is_at(&self, place: &Place) -> bool {
        match self {
            Self::Bundle(_) | Self::Batch(_) => false,
            Self::Place(named) => names(named).contains(&place.to_string()),
        }
    }
}

/// All that one name may stand for.
fn names(named: &str) -> [String; 3] {
    [
        named.to_owned(),
        format!("sender:{named}"),
        format!("print-house:{named}"),
    ]
}

fn list(filter: &WaitingFilter, whose: &str, now: Timestamp, limit: u32) -> String {
    format!(
        "SELECT * FROM outgoing WHERE ({}){whose}
         ORDER BY COALESCE(waits_since, handed_over_at), id LIMIT {limit}",
        wanted(filter, now)
    )
}

fn wanted(filter: &WaitingFilter, now: Timestamp) -> String {
    let overdue = format!("(awaits_pickup = 1 AND overdue_at <= {})", millis(now));
    if filter.overdue {
        return overdue;
    }
    let due = |state: &str| format!("due_at IS NOT NULL AND state = '{state}'");
    match filter.standing {
        // One by one, each has an index; of all together the whole table would be read.
        None => format!(
            "id IN (SELECT id FROM outgoing WHERE due_at IS NOT NULL
                    UNION ALL SELECT id FROM outgoing WHERE held_at IS NOT NULL
                    UNION ALL SELECT id FROM outgoing WHERE {overdue})"
        ),
        Some(Standing::Due) => due("due"),
        Some(Standing::HandingOver) => due("handing-over"),
        Some(Standing::Held) => "held_at IS NOT NULL".to_owned(),
        Some(Standing::HandedOver) => "awaits_pickup = 1".to_owned(),
        Some(Standing::Withdrawing) => due("withdrawn"),
        Some(Standing::Withdrawn) => "state = 'withdrawn' AND due_at IS NULL".to_owned(),
    }
}

/// A condition, and what its marks stand for.
fn of(what: Option<&Waiting>) -> (&'static str, Vec<Value>) {
    let number = |id: u64| vec![Value::Integer(i64::try_from(id).unwrap_or(i64::MAX))];
    match what {
        None => ("", Vec::new()),
        Some(Waiting::Bundle(id)) => (" AND bundle = ?1", number(id.0)),
        Some(Waiting::Batch(id)) => (" AND batch = ?1", number(id.0)),
        Some(Waiting::Place(named)) => {
            let places = names(named).map(Value::Text);
            (" AND place IN (?1, ?2, ?3)", places.to_vec())
        }
    }
}

fn plan(
    db: &Connection,
    what: Option<&Waiting>,
    troubles: Vec<PlaceTrouble>,
    now: Timestamp,
) -> Result<OutgoingRetry, Error> {
    let doing = "list what can be tried again";
    let (whose, named) = of(what);
    let mut query = db.prepare(&retryable(whose, now)).doing(doing)?;
    let rows = query.query_map(params_from_iter(named), outgoing_row);
    let mut rows: Vec<Outgoing> = rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)?;
    let mut places = troubles;
    places.retain(|trouble| {
        what.is_none_or(|what| what.is_at(&trouble.place))
            || rows.iter().any(|row| row.place == trouble.place)
    });
    rows.retain(|row| row.held_at.is_some() || row.due_at.is_none_or(|due| due > now));
    let (on_hold, rows) = rows.into_iter().partition(|row| row.is_held_back);
    Ok(OutgoingRetry {
        rows,
        places,
        on_hold,
    })
}

/// Also what is due by now, where its place is put off.
fn retryable(whose: &str, now: Timestamp) -> String {
    format!(
        "SELECT * FROM outgoing
          WHERE id IN (SELECT id FROM outgoing WHERE held_at IS NOT NULL
                       UNION ALL SELECT id FROM outgoing WHERE due_at IS NOT NULL)
            AND (lease_until IS NULL OR lease_until <= {}){whose} ORDER BY id",
        millis(now)
    )
}

fn carry_out(tx: &Transaction<'_>, plan: &OutgoingRetry, action: &NewEvent) -> Result<(), Error> {
    let doing = "try a hand-over again";
    let sql = "UPDATE outgoing SET due_at = :now, held_at = NULL, attempts = 0 WHERE id = :id";
    let mut update = tx.prepare_cached(sql).doing(doing)?;
    for row in &plan.rows {
        let given = named_params! {":now": millis(action.at), ":id": row.id};
        update.execute(given).doing(doing)?;
        let what = format!("try the hand-over of {} again", row.what());
        events::note_action(tx, action, row.batch, None, &what)?;
    }
    plan.places
        .iter()
        .try_for_each(|trouble| places::answered(tx, &trouble.place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_out_long_ago_is_not_read_to_see_what_waits() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let place = Waiting::Place("example-print".to_owned());
        let now = Timestamp::UNIX_EPOCH;
        for what in [None, Some(&place), Some(&Waiting::Batch(BatchId(1)))] {
            let (whose, named) = of(what);
            let list = list(&WaitingFilter::default(), whose, now, 100);
            for sql in [list, retryable(whose, now)] {
                let plan = plan_of(&store, &sql, &named);
                let reads_all = |line: &&String| *line == "SCAN outgoing";
                assert_eq!(plan.iter().find(reads_all), None, "{plan:#?}");
            }
        }
    }

    fn plan_of(store: &Store, sql: &str, named: &[Value]) -> Vec<String> {
        let plan = store.read(|db| {
            let query = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}"));
            let mut query = query.doing("explain")?;
            let rows = query.query_map(params_from_iter(named), |row| row.get("detail"));
            rows.doing("explain")?
                .collect::<Result<_, _>>()
                .doing("explain")
        });
        plan.unwrap()
    }
}
