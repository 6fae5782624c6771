//! Which message a sender's own letter id belongs to, so that no letter is sent twice.

use rusqlite::{Connection, OptionalExtension, named_params, params};

use super::{
    BatchRow, Error, Store, Transaction, columns::Word, error::Doing, findings, messages::REOPENED,
    reprocess::message_id,
};
use crate::domain::{BatchId, Code, DuplicateLetterIds, Finding, MessageId, Place, Reason};

/// Positions whose ids are claimed in one transaction: nobody waits long for the database.
const PAGE: u32 = 20_000;

impl Store {
    /// Claims the letter ids of a batch that was just read, for the messages that are usable.
    ///
    /// A message whose id belongs to one of an earlier batch is refused with
    /// [`Code::MessageDuplicate`], or goes on with [`Code::MessageRepeated`]. Not for a test batch:
    /// it claims nothing, and what went in earnest is no duplicate of it.
    pub fn claim_letter_ids(
        &self,
        row: &BatchRow,
        duplicates: DuplicateLetterIds,
    ) -> Result<(), Error> {
        let last = self.last_position(row.id)?;
        let mut from = 1;
        while from <= last {
            let to = from.saturating_add(PAGE - 1);
            self.write("claim letter ids", |tx| {
                claim_between(tx, row, (from, to), duplicates)
            })?;
            from = to.saturating_add(1);
        }
        Ok(())
    }

    fn last_position(&self, batch: BatchId) -> Result<u32, Error> {
        let sql = "SELECT COALESCE(MAX(position), 0) FROM messages WHERE batch = ?";
        self.read(|db| {
            db.query_row(sql, [batch.0], |row| row.get(0))
                .doing("find the last message")
        })
    }
}

fn claim_between(
    tx: &Transaction<'_>,
    row: &BatchRow,
    (from, to): (u32, u32),
    duplicates: DuplicateLetterIds,
) -> Result<(), Error> {
    let claim = format!(
        "INSERT INTO letter_ids (sender, letter_id, batch, position)
         SELECT :sender, sender_letter_id, batch, position FROM messages
          WHERE batch = :batch AND position BETWEEN :from AND :to AND state IN {REOPENED}
            AND sender_letter_id IS NOT NULL
          ORDER BY position
         ON CONFLICT DO NOTHING"
    );
    let sender = row.sender.as_str();
    let given = named_params! {":sender": sender, ":batch": row.id.0, ":from": from, ":to": to};
    tx.execute(&claim, given).doing("claim letter ids")?;
    for position in unclaimed(tx, row, (from, to))? {
        match duplicates {
            DuplicateLetterIds::Refuse => refuse(tx, row.id, position)?,
            DuplicateLetterIds::Accept => warn(tx, row.id, position)?,
        }
    }
    Ok(())
}

/// Usable messages whose ids belong to others. `CROSS JOIN` looks each message's id up, and never
/// goes through all the ids of a sender.
fn unclaimed(
    tx: &Transaction<'_>,
    row: &BatchRow,
    (from, to): (u32, u32),
) -> Result<Vec<u32>, Error> {
    let sql = format!(
        "SELECT m.position FROM messages m
           CROSS JOIN letter_ids l ON l.sender = :sender AND l.letter_id = m.sender_letter_id
          WHERE m.batch = :batch AND m.position BETWEEN :from AND :to AND m.state IN {REOPENED}
            AND (l.batch <> m.batch OR l.position <> m.position)
          ORDER BY m.position"
    );
    let doing = "look for letter ids";
    let sender = row.sender.as_str();
    let given = named_params! {":sender": sender, ":batch": row.id.0, ":from": from, ":to": to};
    let mut query = tx.prepare_cached(&sql).doing(doing)?;
    let found = query.query_map(given, |row| row.get(0)).doing(doing)?;
    found.collect::<Result<_, _>>().doing(doing)
}

fn refuse(tx: &Transaction<'_>, batch: BatchId, position: u32) -> Result<(), Error> {
    let sql = "UPDATE messages SET state = 'refused', fit_mailbox = 0, fit_print = 0, reason = ?3
         WHERE batch = ?1 AND position = ?2";
    // What a message is refused for at opening that has the same id as another of its batch.
    let reason = Reason::ContentUnusable.word();
    tx.execute(sql, params![batch.0, position, reason])
        .doing("refuse a duplicate")?;
    let detail = "this `senderLetterId` belongs to a message received before";
    let finding = Finding::new(Code::MessageDuplicate, Place::message(position), detail);
    findings::insert(tx, batch, &[finding])
}

fn warn(tx: &Transaction<'_>, batch: BatchId, position: u32) -> Result<(), Error> {
    let detail = "this `senderLetterId` belongs to a message received before, and goes again";
    let finding = Finding::new(Code::MessageRepeated, Place::message(position), detail);
    findings::insert(tx, batch, &[finding])
}

/// Lets go of every letter id that a batch's messages claimed.
pub(super) fn release_all(tx: &Transaction<'_>, batch: BatchId) -> Result<(), Error> {
    tx.execute("DELETE FROM letter_ids WHERE batch = ?1", [batch.0])
        .doing("release letter ids")?;
    Ok(())
}

/// Lets go of the id of one message, which is cancelled.
pub(super) fn release(tx: &Transaction<'_>, message: MessageId) -> Result<(), Error> {
    let sql = "DELETE FROM letter_ids WHERE batch = ?1 AND position = ?2";
    let mut release = tx.prepare_cached(sql).doing("release a letter id")?;
    let released = release.execute(params![message.batch.0, message.position]);
    released.doing("release a letter id")?;
    Ok(())
}

/// Lets go of the ids of all messages of a batch that are cancelled.
pub(super) fn release_cancelled(tx: &Transaction<'_>, batch: BatchId) -> Result<(), Error> {
    let sql = "DELETE FROM letter_ids WHERE batch = ?1 AND position IN
        (SELECT position FROM messages WHERE batch = ?1 AND state = 'cancelled')";
    tx.execute(sql, [batch.0]).doing("release letter ids")?;
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

/// The other message that has this one's letter id by now: a refused letter that came again. Not
/// where this one was let through as a repeat of it.
pub(super) fn other_owner(db: &Connection, message: MessageId) -> Result<Option<MessageId>, Error> {
    let sql = "SELECT l.batch, l.position FROM messages m
         JOIN batches b ON b.id = m.batch
         JOIN letter_ids l ON l.sender = b.sender AND l.letter_id = m.sender_letter_id
         WHERE m.batch = ?1 AND m.position = ?2 AND b.is_test = 0
           AND NOT EXISTS (SELECT 1 FROM findings f WHERE f.batch = m.batch
                AND f.position = m.position AND f.code = ?3)";
    let mut query = db.prepare_cached(sql).doing("look for a letter id")?;
    let given = params![
        message.batch.0,
        message.position,
        Code::MessageRepeated.as_str()
    ];
    let owner = query.query_row(given, message_id).optional();
    let owner = owner.doing("look for a letter id")?;
    Ok(owner.filter(|owner| *owner != message))
}
