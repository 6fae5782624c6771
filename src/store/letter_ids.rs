//! Which message a sender's own letter id belongs to, so that no letter is sent twice.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{Error, Store, error::Doing, reprocess::message_id};
use crate::domain::{BatchId, Message, MessageId, SenderId};

impl Store {
    /// Lets go of every letter id that a batch's messages claimed.
    pub fn release_letter_ids(&self, batch: BatchId) -> Result<(), Error> {
        let sql = "DELETE FROM letter_ids WHERE batch = ?1";
        self.write("release letter ids", |tx| {
            tx.execute(sql, [batch.0]).doing("release letter ids")?;
            Ok(())
        })
    }
}

/// Whether the sender's letter id is this message's own: free until now, or its already.
pub(super) fn claim(
    tx: &Transaction<'_>,
    batch: BatchId,
    sender: &SenderId,
    message: &Message,
) -> Result<bool, Error> {
    let Some(letter_id) = &message.sender_letter_id else {
        return Ok(true);
    };
    let doing = "claim a letter id";
    let mut claim = tx
        .prepare_cached("INSERT OR IGNORE INTO letter_ids VALUES (?1, ?2, ?3, ?4)")
        .doing(doing)?;
    let given = params![
        sender.as_str(),
        letter_id.expose(),
        batch.0,
        message.position
    ];
    if claim.execute(given).doing(doing)? == 1 {
        return Ok(true);
    }
    let sql = "SELECT 1 FROM letter_ids
         WHERE sender = ?1 AND letter_id = ?2 AND batch = ?3 AND position = ?4";
    let mut own = tx.prepare_cached(sql).doing(doing)?;
    own.exists(given).doing(doing)
}

/// Claims the id of a message that is set back, where it is free. A test batch claims none.
pub(super) fn claim_again(tx: &Transaction<'_>, message: MessageId) -> Result<(), Error> {
    let sql = "INSERT OR IGNORE INTO letter_ids
         SELECT b.sender, m.sender_letter_id, m.batch, m.position
           FROM messages m JOIN batches b ON b.id = m.batch
          WHERE m.batch = ?1 AND m.position = ?2 AND m.sender_letter_id IS NOT NULL
            AND b.is_test = 0";
    let given = params![message.batch.0, message.position];
    tx.execute(sql, given).doing("claim a letter id")?;
    Ok(())
}

/// A refused message lets go of its id, so that the sender can send the letter again, corrected.
/// In any other state it keeps it.
pub(super) fn release_if_refused(
    tx: &Transaction<'_>,
    batch: BatchId,
    position: u32,
) -> Result<(), Error> {
    let sql = "DELETE FROM letter_ids WHERE batch = ?1 AND position = ?2
         AND EXISTS (SELECT 1 FROM messages
                      WHERE batch = ?1 AND position = ?2 AND state = 'refused')";
    let mut release = tx.prepare_cached(sql).doing("release a letter id")?;
    let released = release.execute(params![batch.0, position]);
    released.doing("release a letter id")?;
    Ok(())
}

/// As [`release_if_refused`], for a whole batch.
pub(super) fn release_refused(tx: &Transaction<'_>, batch: BatchId) -> Result<(), Error> {
    let sql = "DELETE FROM letter_ids WHERE batch = ?1 AND position IN
        (SELECT position FROM messages WHERE batch = ?1 AND state = 'refused')";
    tx.execute(sql, [batch.0]).doing("release letter ids")?;
    Ok(())
}

/// The other message that has this one's letter id by now: a refused letter that came again.
pub(super) fn other_owner(db: &Connection, message: MessageId) -> Result<Option<MessageId>, Error> {
    let sql = "SELECT l.batch, l.position FROM messages m
         JOIN batches b ON b.id = m.batch
         JOIN letter_ids l ON l.sender = b.sender AND l.letter_id = m.sender_letter_id
         WHERE m.batch = ?1 AND m.position = ?2 AND b.is_test = 0";
    let mut query = db.prepare_cached(sql).doing("look for a letter id")?;
    let given = params![message.batch.0, message.position];
    let owner = query.query_row(given, message_id).optional();
    let owner = owner.doing("look for a letter id")?;
    Ok(owner.filter(|owner| *owner != message))
}
