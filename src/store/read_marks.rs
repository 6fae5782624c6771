//! Messages in Maildirs that nobody was seen to read yet. Mailboxes of other kinds tell by themselves.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::{
    Error, Store, Transaction,
    columns::{Columns, millis},
    error::Doing,
    message_events::{self, Told},
    reprocess::message_id,
};
use crate::domain::{BatchId, MessageEvent, MessageId, RecipientId};

/// A message that lies unread in a Maildir, as far as anybody knows.
#[derive(Debug, Clone)]
pub struct AwaitedRead {
    pub id: MessageId,
    /// `None` where the row says nothing of people any more.
    pub recipient: Option<RecipientId>,
    /// Of its batch's file, in hexadecimal digits.
    pub sha256: String,
    /// How often its delivery was repeated because an operator asked for it.
    pub again: u32,
    pub is_test: bool,
    pub delivered_at: Timestamp,
    /// It goes on paper if nobody reads it in time.
    pub has_timer: bool,
    /// As the last look noted it ([`ReadMarks::unread`]).
    pub changed: Option<i64>,
    /// As the last look noted it ([`ReadMarks::missed`]).
    pub missed_for: Option<String>,
}

/// What a look at some messages found.
#[derive(Debug, Clone, Default)]
pub struct ReadMarks {
    /// Those that were read, and when.
    pub read: Vec<(MessageId, Timestamp)>,
    /// Those that were not, each with what its mailbox is known by until it changes.
    pub unread: Vec<(MessageId, i64)>,
    /// Those whose mailbox could not be looked into, each with the reason. Nothing goes on paper for want of a
    /// reading that nobody could see.
    pub missed: Vec<(MessageId, String)>,
    /// Those that had been missed, and were looked at.
    pub found: Vec<MessageId>,
    /// Those that nobody looks after any more.
    pub given_up: Vec<MessageId>,
}

impl ReadMarks {
    fn is_empty(&self) -> bool {
        self.read.is_empty()
            && self.unread.is_empty()
            && self.missed.is_empty()
            && self.found.is_empty()
            && self.given_up.is_empty()
    }
}

impl Store {
    /// A page of the messages that are awaited to be read, in the order of their ids, after `after`.
    pub fn awaited_reads(
        &self,
        after: Option<MessageId>,
        limit: u32,
    ) -> Result<Vec<AwaitedRead>, Error> {
        let doing = "list messages that nobody has read";
        let sql =
            "SELECT r.batch, r.position, r.since, r.changed, r.missed_for, m.recipient_kind, m.recipient_id,
                m.again, b.sha256, b.is_test,
                EXISTS (SELECT 1 FROM timers t WHERE t.batch = r.batch AND t.position = r.position)
                    AS has_timer
             FROM read_marks r
             JOIN messages m ON m.batch = r.batch AND m.position = r.position
             JOIN batches b ON b.id = r.batch
             WHERE (r.batch, r.position) > (?1, ?2) ORDER BY r.batch, r.position LIMIT ?3";
        let (batch, position) = after.map_or((0, 0), |id| (id.batch.0, id.position));
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing(doing)?;
            let rows = query.query_map(params![batch, position, limit], awaited);
            rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)
        })
    }

    /// Records what a look found; senders are told of what was read. Each delivery is read once.
    /// Returns how many messages were read that nobody knew of.
    pub fn record_read_marks(&self, marks: &ReadMarks, now: Timestamp) -> Result<u64, Error> {
        if marks.is_empty() {
            return Ok(0);
        }
        self.write("record what was read", |tx| {
            note_unread(tx, &marks.unread)?;
            note_missed(tx, marks)?;
            for id in &marks.given_up {
                end(tx, *id)?;
            }
            note_read(tx, &marks.read, now)
        })
    }
}

/// From now on it is looked whether these messages are read, in the transaction that delivers them.
pub(super) fn begin(
    tx: &Transaction<'_>,
    batch: BatchId,
    positions: &[u32],
    now: Timestamp,
) -> Result<(), Error> {
    let doing = "await that a message is read";
    let sql = "INSERT OR REPLACE INTO read_marks (batch, position, since) VALUES (?1, ?2, ?3)";
    let mut insert = tx.prepare_cached(sql).doing(doing)?;
    for position in positions {
        insert
            .execute(params![batch.0, position, millis(now)])
            .doing(doing)?;
    }
    Ok(())
}

fn note_unread(tx: &Transaction<'_>, unread: &[(MessageId, i64)]) -> Result<(), Error> {
    let doing = "note that a message is not read";
    let sql = "UPDATE read_marks SET changed = ?3 WHERE batch = ?1 AND position = ?2";
    let mut update = tx.prepare_cached(sql).doing(doing)?;
    for (id, changed) in unread {
        update
            .execute(params![id.batch.0, id.position, changed])
            .doing(doing)?;
    }
    Ok(())
}

fn note_missed(tx: &Transaction<'_>, marks: &ReadMarks) -> Result<(), Error> {
    let doing = "note that a mailbox could not be looked into";
    let sql = "UPDATE read_marks SET missed_for = ?3 WHERE batch = ?1 AND position = ?2";
    let mut update = tx.prepare_cached(sql).doing(doing)?;
    let missed = marks.missed.iter().map(|(id, why)| (id, Some(why)));
    for (id, why) in missed.chain(marks.found.iter().map(|id| (id, None))) {
        update
            .execute(params![id.batch.0, id.position, why])
            .doing(doing)?;
    }
    Ok(())
}

/// Each reading has its own time. It is news since `now` all the same: its sender is told at the usual
/// hour, and not at once because it was read yesterday.
fn note_read(
    tx: &Transaction<'_>,
    read: &[(MessageId, Timestamp)],
    now: Timestamp,
) -> Result<u64, Error> {
    let mut noted = 0;
    for &(message, at) in read {
        if !end(tx, message)? {
            continue;
        }
        let told = Told {
            what: MessageEvent::Read,
            at: at.min(now),
            reason: None,
        };
        message_events::note_told(tx, message, told, now)?;
        noted += 1;
    }
    Ok(noted)
}

/// Whether it was awaited.
fn end(tx: &Transaction<'_>, id: MessageId) -> Result<bool, Error> {
    let doing = "await a message no more";
    let sql = "DELETE FROM read_marks WHERE batch = ?1 AND position = ?2";
    let mut delete = tx.prepare_cached(sql).doing(doing)?;
    let ended = delete
        .execute(params![id.batch.0, id.position])
        .doing(doing)?;
    Ok(ended == 1)
}

fn awaited(row: &Row<'_>) -> rusqlite::Result<AwaitedRead> {
    let kind: String = row.get("recipient_kind")?;
    let recipient = match kind.as_str() {
        "person" => Some(RecipientId::Person(row.parsed("recipient_id")?)),
        "business" => Some(RecipientId::Business(row.parsed("recipient_id")?)),
        _ => None,
    };
    Ok(AwaitedRead {
        id: message_id(row)?,
        recipient,
        sha256: row.get("sha256")?,
        again: row.get("again")?,
        is_test: row.get("is_test")?,
        delivered_at: row.time("since")?,
        has_timer: row.get("has_timer")?,
        changed: row.get("changed")?,
        missed_for: row.get("missed_for")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::service_events::tests::{House, at};

    #[test]
    fn a_reading_keeps_its_time_and_is_news_since_it_was_seen() {
        let house = House::new("ordinary", 2);
        house.sql("INSERT INTO read_marks (batch, position, since) VALUES (1, 1, 0), (1, 2, 0)");
        let read = |position, secs| {
            let batch = house.batch;
            (MessageId { batch, position }, at(secs))
        };
        let marks = ReadMarks {
            // The second by a clock that is ahead of ours.
            read: vec![read(1, 10), read(2, 20_000)],
            ..ReadMarks::default()
        };
        let recorded = |secs| house.store.record_read_marks(&marks, at(secs)).unwrap();
        assert_eq!((recorded(9_000), recorded(9_001)), (2, 0));
        assert_eq!(house.history(), ["1 read 10000", "2 read 9000000"]);
        let (due, _, _) = house.store.delivery_standing(house.batch).unwrap();
        assert_eq!(due.untold_since, Some(at(9_000)));
    }
}
