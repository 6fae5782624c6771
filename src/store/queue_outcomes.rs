//! How messages leave the queue of a mailbox service, and when their batch goes on for them.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    Door, Error, Store, Transaction,
    columns::{Columns, millis},
    error::Doing,
    events, findings, message_deeds, message_events, service_events,
};
use crate::domain::{BatchId, Finding, MessageEvent, MessageId, ServiceName};

/// A message that the service has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentRow {
    pub position: u32,
    /// The service's own.
    pub number: i64,
    /// An earlier try had reached it.
    pub was_sent_before: bool,
}

/// How many messages a service has now that it had not before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Arrived {
    /// In mailboxes.
    pub delivered: u64,
    /// By a door behind which it prints.
    pub handed_over: u64,
}

/// A message as a service has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentPost {
    pub service: ServiceName,
    pub door: Door,
    /// By which we name it to the service.
    pub external_id: String,
    /// The service's own.
    pub number: i64,
    pub sent_at: Timestamp,
}

/// A batch goes on for its messages that have a step to come once its queue is empty, or the first
/// of them has waited for so long: each time means another pass over the batch, and another bundle.
const UNSETTLED_AT_MOST: SignedDuration = SignedDuration::from_mins(10);

impl Store {
    /// Records that the service has messages, in one transaction: those of its first door lie in
    /// mailboxes now, and the others are handed over. Returns how many of both are new.
    pub fn record_sent(
        &self,
        batch: BatchId,
        sent: &[SentRow],
        now: Timestamp,
    ) -> Result<Arrived, Error> {
        self.write("record what was sent", |tx| {
            let mut arrived = Vec::with_capacity(sent.len());
            for row in sent {
                arrived.extend(record_one(tx, batch, row, now)?);
            }
            let note = |what: MessageEvent| -> Result<u64, Error> {
                let these = arrived.iter().filter(|(_, event)| *event == what);
                let positions: Vec<_> = these.map(|(position, _)| *position).collect();
                let number = positions.len() as u64;
                message_events::note(tx, batch, positions, what, now)?;
                Ok(number)
            };
            Ok(Arrived {
                delivered: note(MessageEvent::Delivered)?,
                handed_over: note(MessageEvent::HandedOver)?,
            })
        })
    }

    /// Records that recipients have no mailbox in use, by what is known at send time: their messages are
    /// routed anew, and that is remembered as the last answer about them.
    pub fn record_no_mailbox(
        &self,
        batch: BatchId,
        positions: &[u32],
        now: Timestamp,
    ) -> Result<(), Error> {
        let doing = "record who has no mailbox";
        let sql = "UPDATE messages SET state = 'accepted', channel = NULL, reason = NULL,
                asked_status = 'inactive', asked_at = ?3
             WHERE batch = ?1 AND position = ?2 AND state = 'routed'";
        self.write(doing, |tx| {
            for &position in positions {
                unsettle(tx, batch, position, now)?;
                let given = params![batch.0, position, millis(now)];
                if tx.execute(sql, given).doing(doing)? == 1 {
                    let what = "no mailbox in use: routed again";
                    events::note(tx, now, batch, Some(position), what)?;
                }
            }
            Ok(())
        })
    }

    /// Records that recipients have withdrawn at send time, or want letters of their matter on paper: their
    /// messages are routed anew, by what the register says then.
    pub fn record_not_wanted(
        &self,
        batch: BatchId,
        positions: &[u32],
        now: Timestamp,
    ) -> Result<(), Error> {
        let doing = "record who wants paper";
        let sql = "UPDATE messages SET state = 'accepted', channel = NULL, reason = NULL
             WHERE batch = ?1 AND position = ?2 AND state = 'routed'";
        self.write(doing, |tx| {
            for &position in positions {
                unsettle(tx, batch, position, now)?;
                if tx.execute(sql, params![batch.0, position]).doing(doing)? == 1 {
                    let what = "consent changed: routed again";
                    events::note(tx, now, batch, Some(position), what)?;
                }
            }
            Ok(())
        })
    }

    /// Records that messages are larger than the service takes: they are routed anew, and go on
    /// paper if they may.
    pub fn record_too_large(
        &self,
        messages: &[(MessageId, Finding)],
        now: Timestamp,
    ) -> Result<(), Error> {
        let doing = "record what is too large";
        let sql = "UPDATE messages SET state = 'accepted', fit_mailbox = 0, channel = NULL,
                reason = NULL
             WHERE batch = ?1 AND position = ?2 AND state = 'routed'";
        self.write(doing, |tx| {
            for (MessageId { batch, position }, finding) in messages {
                unsettle(tx, *batch, *position, now)?;
                if tx.execute(sql, params![batch.0, position]).doing(doing)? == 1 {
                    findings::insert(tx, *batch, std::slice::from_ref(finding))?;
                }
            }
            Ok(())
        })
    }

    /// Sets messages aside for the operator that the service refuses, or that cannot be sent to it.
    /// Their sender reads what the findings say.
    pub fn record_refused_by_service(
        &self,
        messages: &[(MessageId, Finding)],
        now: Timestamp,
    ) -> Result<(), Error> {
        let doing = "record what a service refuses";
        let sql = "UPDATE messages SET state = 'held'
             WHERE batch = ?1 AND position = ?2 AND state IN ('routed', 'delivered')";
        self.write(doing, |tx| {
            for (MessageId { batch, position }, finding) in messages {
                if tx.execute(sql, params![batch.0, position]).doing(doing)? == 1 {
                    findings::insert(tx, *batch, std::slice::from_ref(finding))?;
                    let held = MessageEvent::Held;
                    message_events::note(tx, *batch, [*position], held, now)?;
                }
            }
            Ok(())
        })
    }

    /// Lets batches go on whose messages have a step to come since they left the queue; it is time
    /// where none of theirs waits any more, or the first has waited for ten minutes. A batch that a
    /// step has in hand is left for the next call. Returns those that are due now.
    pub fn settle_queues(&self, now: Timestamp) -> Result<Vec<BatchId>, Error> {
        if self.read(|db| unsettled(db, now))?.is_empty() {
            return Ok(Vec::new());
        }
        self.write("settle a queue", |tx| {
            let batches = unsettled(tx, now)?;
            for &batch in &batches {
                settle(tx, batch, now)?;
            }
            Ok(batches)
        })
    }

    /// Under which ids mailbox services have the message, the first one first.
    pub fn posts_of(&self, message: MessageId) -> Result<Vec<SentPost>, Error> {
        let doing = "look for a message at services";
        let sql = "SELECT service, door, external_id, number, sent_at FROM sent_posts
             WHERE batch = ?1 AND position = ?2 ORDER BY sent_at, number";
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing(doing)?;
            let given = params![message.batch.0, message.position];
            let rows = query.query_map(given, sent_post).doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }

    /// Whether a mailbox service has the message, or has had it.
    pub fn is_at_service(&self, message: MessageId) -> Result<bool, Error> {
        let doing = "look for a message at a service";
        let sql = "SELECT 1 FROM sent_posts WHERE batch = ?1 AND position = ?2";
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing(doing)?;
            let given = params![message.batch.0, message.position];
            query.exists(given).doing(doing)
        })
    }
}

/// What has happened to the message; `None` where nothing new has, or it was not in hand.
fn record_one(
    tx: &Transaction<'_>,
    batch: BatchId,
    sent: &SentRow,
    now: Timestamp,
) -> Result<Option<(u32, MessageEvent)>, Error> {
    let doing = "record what was sent";
    let Some(door) = note_post(tx, batch, sent, now)? else {
        return Ok(None);
    };
    let in_mailbox = "UPDATE messages SET state = 'delivered', delivered_at = ?3,
            mailbox_reference = ?4
         WHERE batch = ?1 AND position = ?2 AND state = 'routed' RETURNING channel";
    let on_its_way = "UPDATE messages SET state = 'handed-over',
            mailbox_reference = COALESCE(mailbox_reference, ?4)
         WHERE batch = ?1 AND position = ?2 AND state IN ('routed', 'delivered') AND ?3 IS NOT NULL
         RETURNING channel";
    let (sql, what) = match door {
        Door::Electronic => (in_mailbox, MessageEvent::Delivered),
        Door::Multichannel | Door::Paper => (on_its_way, MessageEvent::HandedOver),
    };
    if door == Door::Electronic {
        unsettle_paper_half(tx, batch, sent.position, now)?;
    }
    let given = params![batch.0, sent.position, millis(now), sent.number.to_string()];
    let mut update = tx.prepare_cached(sql).doing(doing)?;
    let has_moved = update.exists(given).doing(doing)?;
    if has_moved && door == Door::Multichannel {
        let position = sent.position;
        service_events::heed_what_came_before(tx, MessageId { batch, position }, now)?;
    }
    Ok(has_moved.then_some((sent.position, what)))
}

/// By which door it went; `None` where it was not in the queue.
fn note_post(
    tx: &Transaction<'_>,
    batch: BatchId,
    sent: &SentRow,
    now: Timestamp,
) -> Result<Option<Door>, Error> {
    let doing = "record what was sent";
    let sql = "INSERT INTO sent_posts
            (service, external_id, number, batch, position, door, sent_at, was_sent_before)
         SELECT service, external_id, ?3, batch, position, door, ?4, ?5 FROM mailbox_queue
          WHERE batch = ?1 AND position = ?2
         ON CONFLICT (service, external_id) DO UPDATE SET number = excluded.number
         RETURNING door";
    let mut insert = tx.prepare_cached(sql).doing(doing)?;
    let (position, number) = (sent.position, sent.number);
    let given = params![batch.0, position, number, millis(now), sent.was_sent_before];
    let door = insert.query_row(given, |row| row.word("door"));
    door.optional().doing(doing)
}

/// Its batch prints it too, now that it lies in its mailbox.
fn unsettle_paper_half(
    tx: &Transaction<'_>,
    batch: BatchId,
    position: u32,
    now: Timestamp,
) -> Result<(), Error> {
    let doing = "look at a message";
    let sql = "SELECT 1 FROM messages
         WHERE batch = ?1 AND position = ?2 AND channel = 'mailbox-and-print'";
    let mut query = tx.prepare_cached(sql).doing(doing)?;
    if query.exists(params![batch.0, position]).doing(doing)? {
        unsettle(tx, batch, position, now)?;
    }
    Ok(())
}

/// Remembers, before a message leaves the queue, that its batch has something to do for it.
fn unsettle(
    tx: &Transaction<'_>,
    batch: BatchId,
    position: u32,
    now: Timestamp,
) -> Result<(), Error> {
    let doing = "remember that a batch is to go on";
    let sql = "UPDATE queued_batches SET unsettled_since = COALESCE(unsettled_since, ?3)
         WHERE batch = ?1 AND service = (SELECT service FROM mailbox_queue
                                          WHERE batch = ?1 AND position = ?2)";
    let mut update = tx.prepare_cached(sql).doing(doing)?;
    update
        .execute(params![batch.0, position, millis(now)])
        .doing(doing)?;
    Ok(())
}

fn unsettled(db: &Connection, now: Timestamp) -> Result<Vec<BatchId>, Error> {
    let doing = "list queues to be settled";
    let sql = "SELECT DISTINCT q.batch FROM queued_batches q JOIN batches b ON b.id = q.batch
         WHERE q.unsettled_since IS NOT NULL
           AND (q.waiting + q.sending = 0 OR q.unsettled_since <= ?2)
           AND (b.lease_until IS NULL OR b.lease_until <= ?1)
         ORDER BY q.batch";
    let long_ago = now.saturating_sub(UNSETTLED_AT_MOST).unwrap_or(now);
    let mut query = db.prepare_cached(sql).doing(doing)?;
    let given = params![millis(now), millis(long_ago)];
    let rows = query.query_map(given, |row| row.batch("batch"));
    rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)
}

/// One that is held goes on with its release.
fn settle(tx: &Transaction<'_>, batch: BatchId, now: Timestamp) -> Result<(), Error> {
    let doing = "settle a queue";
    let forget = "UPDATE queued_batches SET unsettled_since = NULL WHERE batch = ?";
    tx.execute(forget, [batch.0]).doing(doing)?;
    let drained = "DELETE FROM queued_batches
         WHERE batch = ? AND waiting = 0 AND sending = 0 AND unsettled_since IS NULL";
    tx.execute(drained, [batch.0]).doing(doing)?;
    message_deeds::go_on(tx, batch, now)
}

fn sent_post(row: &Row<'_>) -> rusqlite::Result<SentPost> {
    Ok(SentPost {
        service: row.parsed("service")?,
        door: row.word("door")?,
        external_id: row.get("external_id")?,
        number: row.get("number")?,
        sent_at: row.time("sent_at")?,
    })
}
