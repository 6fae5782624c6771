//! Batches as operators list them.

use jiff::Timestamp;
use rusqlite::{Row, named_params};

use super::{
    BatchRow, Error, Store,
    batches::batch_row,
    columns::{Word, maybe_millis},
    error::Doing,
};
use crate::domain::{BatchId, BatchState, SenderId};

/// Which batches are listed; by default all.
#[derive(Debug, Clone, Default)]
pub struct BatchFilter {
    pub state: Option<BatchState>,
    pub sender: Option<SenderId>,
    /// Received then or later.
    pub since: Option<Timestamp>,
    /// Received before then.
    pub until: Option<Timestamp>,
    pub is_test: Option<bool>,
    /// Only batches that came before this one: the next page.
    pub before: Option<BatchId>,
}

impl Store {
    /// Some batches, the newest first.
    pub fn list_batches(&self, filter: &BatchFilter, limit: u32) -> Result<Vec<BatchRow>, Error> {
        let sql = "SELECT * FROM batches
             WHERE (:state IS NULL OR state = :state) AND (:sender IS NULL OR sender = :sender)
               AND (:since IS NULL OR received_at >= :since)
               AND (:until IS NULL OR received_at < :until)
               AND (:test IS NULL OR is_test = :test) AND (:before IS NULL OR id < :before)
             ORDER BY id DESC LIMIT :limit";
        let given = named_params! {
            ":state": filter.state.map(Word::word),
            ":sender": filter.sender.as_ref().map(SenderId::as_str),
            ":since": maybe_millis(filter.since),
            ":until": maybe_millis(filter.until),
            ":test": filter.is_test,
            ":before": filter.before.map(|id| id.0),
            ":limit": limit,
        };
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing("list batches")?;
            let rows = query.query_map(given, |row: &Row<'_>| batch_row(row));
            rows.doing("list batches")?
                .collect::<Result<_, _>>()
                .doing("list batches")
        })
    }
}
