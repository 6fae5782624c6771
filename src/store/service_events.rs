//! What mailboxes tell of messages, after these were delivered.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::{
    Error, Store, Transaction,
    error::Doing,
    message_events::{self, Told},
};
use crate::domain::{MessageEvent, MessageId};

impl Store {
    /// Records that a message was seen to have been read, at `at`: once for each delivery. Returns
    /// whether that is new; nothing is recorded of a message that there is not, or that was erased.
    pub fn record_read(
        &self,
        message: MessageId,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write("record what was read", |tx| {
            if !may_be_told_of(tx, message)? || is_read(tx, message)? {
                return Ok(false);
            }
            let told = Told {
                what: MessageEvent::Read,
                at,
                reason: None,
            };
            message_events::note_told(tx, message, told, now)?;
            Ok(true)
        })
    }
}

/// Whether there is such a message, and nobody has wanted nothing kept of it.
fn may_be_told_of(tx: &Transaction<'_>, message: MessageId) -> Result<bool, Error> {
    let doing = "look for a message";
    let sql = "SELECT m.erased_at IS NULL AND b.messages_purged_at IS NULL
         FROM messages m JOIN batches b ON b.id = m.batch WHERE m.batch = ?1 AND m.position = ?2";
    let mut query = tx.prepare_cached(sql).doing(doing)?;
    let given = params![message.batch.0, message.position];
    let found = query.query_row(given, |row| row.get(0)).optional();
    Ok(found.doing(doing)?.unwrap_or(false))
}

/// Since it was delivered the last time.
fn is_read(tx: &Transaction<'_>, message: MessageId) -> Result<bool, Error> {
    let doing = "see whether a message was read";
    let sql = "SELECT 1 FROM message_events
         WHERE batch = ?1 AND position = ?2 AND what = 'read' AND change >
            (SELECT COALESCE(MAX(change), 0) FROM message_events
              WHERE batch = ?1 AND position = ?2 AND what = 'delivered')";
    let mut query = tx.prepare_cached(sql).doing(doing)?;
    query
        .exists(params![message.batch.0, message.position])
        .doing(doing)
}
