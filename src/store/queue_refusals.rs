//! Messages that a service does not take while it takes others: they wait by themselves.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::{
    Error, QueuedRow, Store, Transaction,
    columns::{Columns, millis},
    error::Doing,
};
use crate::domain::{BatchId, MessageId, ServiceName};

/// One that was refused so often, and nothing else was taken by its door since, waits by itself.
const REFUSALS_ALONE: u32 = 8;

/// How often a service was to take a message in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Refusals {
    pub all: u32,
    /// Of them: it had taken others, by the same door, since the one before.
    pub apart: u32,
    /// When the first of those was.
    pub apart_since: Option<Timestamp>,
    /// Whether the last one is among them.
    pub is_apart: bool,
}

impl Store {
    /// Counts that the service has not taken a message that is in hand, with its words, which have no
    /// personal data. `None` where it is not in hand any more.
    pub fn count_refusal(
        &self,
        row: &QueuedRow,
        words: &str,
        now: Timestamp,
    ) -> Result<Option<Refusals>, Error> {
        let doing = "count a refusal";
        let sql = "UPDATE mailbox_queue SET refusals = refusals + 1, last_refusal = ?5,
                refusals_apart = refusals_apart + COALESCE(refused_after <> ?3, 0),
                apart_since = CASE WHEN refused_after <> ?3 THEN COALESCE(apart_since, ?4)
                                   ELSE apart_since END,
                refused_after = ?3
             WHERE batch = ?1 AND position = ?2 AND is_sending = 1
             RETURNING refusals, refusals_apart, apart_since";
        self.write(doing, |tx| {
            let MessageId { batch, position } = row.id;
            let before = apart(tx, row.id)?;
            let taken = taken(tx, row)?;
            let given = params![batch.0, position, taken, millis(now), words];
            let counted = tx.query_row(sql, given, |row| refusals(row, before));
            counted.optional().doing(doing)
        })
    }

    /// Lets the others go without messages that are in hand, until the times beside them.
    pub fn put_messages_off(
        &self,
        batch: BatchId,
        messages: &[(u32, Timestamp)],
    ) -> Result<(), Error> {
        let doing = "put messages off";
        let sql = "UPDATE mailbox_queue SET retry_at = ?3
             WHERE batch = ?1 AND position = ?2 AND is_sending = 1";
        self.write(doing, |tx| {
            let mut update = tx.prepare_cached(sql).doing(doing)?;
            for (position, until) in messages {
                let given = params![batch.0, position, millis(*until)];
                update.execute(given).doing(doing)?;
            }
            Ok(())
        })
    }

    /// Lets those go with the others again whose time has come.
    pub fn end_put_offs(&self, service: &ServiceName, now: Timestamp) -> Result<(), Error> {
        let doing = "look for messages that are put off";
        let due = "SELECT 1 FROM mailbox_queue
             WHERE service = ?1 AND retry_at IS NOT NULL AND retry_at <= ?2";
        let given = params![service.as_str(), millis(now)];
        // Asked often, and mostly in vain.
        let is_any_due = self.read(|db| {
            let mut query = db.prepare_cached(due).doing(doing)?;
            query.exists(given).doing(doing)
        })?;
        if !is_any_due {
            return Ok(());
        }
        self.write("try messages again", |tx| {
            let sql = "UPDATE mailbox_queue SET retry_at = NULL
                 WHERE service = ?1 AND retry_at IS NOT NULL AND retry_at <= ?2";
            tx.execute(sql, given).doing(doing)?;
            Ok(())
        })
    }
}

/// Lets those go in their places again of which nobody knows that the service takes others and not them.
/// What was refused over and over waits on by itself where nothing else has gone by its door.
pub(super) fn try_unsuspected(tx: &Transaction<'_>, service: &ServiceName) -> Result<(), Error> {
    let sql = "UPDATE mailbox_queue SET retry_at = NULL
         WHERE service = ?1 AND retry_at IS NOT NULL AND refusals_apart = 0
           AND (refusals < ?2 OR refused_after IS NOT COALESCE(
                (SELECT t.taken FROM taken_by_services t
                  WHERE t.service = mailbox_queue.service AND t.door = mailbox_queue.door), 0))";
    tx.execute(sql, params![service.as_str(), REFUSALS_ALONE])
        .doing("try messages again")?;
    Ok(())
}

/// Lets all go with the others again, as an operator wants it.
pub(super) fn try_all_again(tx: &Transaction<'_>, service: &ServiceName) -> Result<(), Error> {
    let sql = "UPDATE mailbox_queue SET retry_at = NULL
         WHERE service = ? AND retry_at IS NOT NULL";
    tx.execute(sql, [service.as_str()])
        .doing("try messages again")?;
    Ok(())
}

/// What has gone by the door of the message.
fn taken(tx: &Transaction<'_>, row: &QueuedRow) -> Result<i64, Error> {
    let doing = "count what a service has taken";
    let sql = "SELECT taken FROM taken_by_services WHERE service = ?1 AND door = ?2";
    let given = params![row.service.as_str(), row.door.as_str()];
    let taken = tx.query_row(sql, given, |row| row.get(0)).optional();
    Ok(taken.doing(doing)?.unwrap_or(0))
}

fn apart(tx: &Transaction<'_>, message: MessageId) -> Result<u32, Error> {
    let doing = "count a refusal";
    let sql = "SELECT refusals_apart FROM mailbox_queue WHERE batch = ?1 AND position = ?2";
    let given = params![message.batch.0, message.position];
    let apart = tx.query_row(sql, given, |row| row.get(0)).optional();
    Ok(apart.doing(doing)?.unwrap_or(0))
}

fn refusals(row: &Row<'_>, apart_before: u32) -> rusqlite::Result<Refusals> {
    let apart = row.get("refusals_apart")?;
    Ok(Refusals {
        all: row.get("refusals")?,
        apart,
        apart_since: row.maybe_time("apart_since")?,
        is_apart: apart > apart_before,
    })
}
