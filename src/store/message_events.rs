//! What happened to messages: rows that delivery reports are made of.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::{
    Error, Store, Transaction,
    columns::{Columns, Word, millis},
    delivery_reports::DeliveryReportRow,
    error::Doing,
    reprocess::message_id,
    timers,
};
use crate::domain::{BatchId, BundleId, Channel, MessageEvent, MessageId, MessageState, Private};

/// Something that happened to one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageEventRow {
    pub what: MessageEvent,
    pub at: Timestamp,
    /// The bundle that it happened in.
    pub bundle: Option<BundleId>,
    /// 1-based sequence of its piece in that bundle.
    pub piece: Option<u32>,
    /// Why a letter was returned, or an operator stopped it.
    pub reason: Option<String>,
}

/// A message with all that has happened to it, oldest first; at least one event.
#[derive(Debug, Clone)]
pub struct MessageHistory {
    pub message: MessageId,
    pub sender_letter_id: Option<Private<String>>,
    pub channel: Option<Channel>,
    pub state: MessageState,
    pub events: Vec<MessageEventRow>,
}

impl Store {
    /// A page of the messages that something has happened to which the sender was not told, in the
    /// order of position, after position `after`: each with its whole history as `row` saw it.
    pub fn untold_messages(
        &self,
        row: &DeliveryReportRow,
        after: u32,
        limit: u32,
    ) -> Result<Vec<MessageHistory>, Error> {
        let sql = "SELECT e.*, m.sender_letter_id, m.channel, m.state, p.sequence
             FROM message_events e
             JOIN messages m ON m.batch = e.batch AND m.position = e.position
             LEFT JOIN pieces p
               ON p.batch = e.batch AND p.position = e.position AND p.bundle = e.bundle
             WHERE e.batch = ?1 AND e.change <= ?4 AND e.position IN
                (SELECT DISTINCT position FROM message_events
                  WHERE batch = ?1 AND position > ?2 AND change > ?3 AND change <= ?4
                  ORDER BY position LIMIT ?5)
             ORDER BY e.position, e.change";
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing("list events of messages")?;
            let given = params![row.batch.0, after, row.told, row.newest, limit];
            let mut rows = query.query(given).doing("list events of messages")?;
            let mut histories: Vec<MessageHistory> = Vec::new();
            while let Some(row) = rows.next().doing("list events of messages")? {
                add(&mut histories, row).doing("read an event of a message")?;
            }
            Ok(histories)
        })
    }
}

fn add(histories: &mut Vec<MessageHistory>, row: &Row<'_>) -> rusqlite::Result<()> {
    let message = message_id(row)?;
    let event = event(row)?;
    match histories.last_mut() {
        Some(last) if last.message == message => last.events.push(event),
        _ => histories.push(MessageHistory {
            message,
            sender_letter_id: row
                .get::<_, Option<String>>("sender_letter_id")?
                .map(Private::new),
            channel: row.maybe_word("channel")?,
            state: row.word("state")?,
            events: vec![event],
        }),
    }
    Ok(())
}

fn event(row: &Row<'_>) -> rusqlite::Result<MessageEventRow> {
    Ok(MessageEventRow {
        what: row.word("what")?,
        at: row.time("at")?,
        bundle: row.maybe_bundle("bundle")?,
        piece: row.get("sequence")?,
        reason: row.get("reason")?,
    })
}

/// Notes what happened to some messages of a batch, in the transaction that does it.
pub(super) fn note(
    tx: &Transaction<'_>,
    batch: BatchId,
    positions: impl IntoIterator<Item = u32>,
    what: MessageEvent,
    now: Timestamp,
) -> Result<(), Error> {
    note_because(tx, batch, positions, what, None, now)
}

/// Something that happened outside the house, which it hears of later.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    pub(super) what: MessageEvent,
    /// By the clock of who tells.
    pub(super) at: Timestamp,
    pub(super) reason: Option<&'static str>,
}

/// Notes what happened to one message outside the house, in the transaction that hears of it.
pub(super) fn note_told(
    tx: &Transaction<'_>,
    message: MessageId,
    told: Told,
    now: Timestamp,
) -> Result<(), Error> {
    note_of_before(tx, message, told, now)?;
    timers::follow(tx, message, told.what, now)
}

/// As [`note_told`], of a delivery that was repeated since: whoever waits for the new one to be read goes on
/// waiting.
pub(super) fn note_of_before(
    tx: &Transaction<'_>,
    message: MessageId,
    told: Told,
    now: Timestamp,
) -> Result<(), Error> {
    let change = next_change(tx, message.batch)?;
    insert(tx, message, change, (told.what, told.reason, told.at))?;
    count_change(tx, message.batch, 1, now)
}

/// As [`note`], with a reason that the sender reads.
pub(super) fn note_because(
    tx: &Transaction<'_>,
    batch: BatchId,
    positions: impl IntoIterator<Item = u32>,
    what: MessageEvent,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<(), Error> {
    let change = next_change(tx, batch)?;
    let mut noted = 0;
    for position in positions {
        let message = MessageId { batch, position };
        insert(tx, message, change, (what, reason, now))?;
        timers::follow(tx, message, what, now)?;
        noted += 1;
    }
    count_change(tx, batch, noted, now)
}

fn insert(
    tx: &Transaction<'_>,
    message: MessageId,
    change: i64,
    (what, reason, at): (MessageEvent, Option<&str>, Timestamp),
) -> Result<(), Error> {
    let doing = "note what happened to a message";
    let sql = "INSERT INTO message_events (batch, position, change, what, at, reason)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut insert = tx.prepare_cached(sql).doing(doing)?;
    let given = params![
        message.batch.0,
        message.position,
        change,
        what.word(),
        millis(at),
        reason
    ];
    insert.execute(given).doing(doing)?;
    Ok(())
}

/// Notes what happened to all messages of a bundle that are in the state of that name.
pub(super) fn note_bundle(
    tx: &Transaction<'_>,
    batch: BatchId,
    bundle: BundleId,
    what: MessageEvent,
    now: Timestamp,
) -> Result<(), Error> {
    let doing = "note what happened to a bundle's messages";
    let sql = "INSERT INTO message_events (batch, position, change, what, at, bundle)
         SELECT batch, position, ?3, ?4, ?5, bundle FROM messages
          WHERE bundle = ?2 AND batch = ?1 AND state = ?4";
    let change = next_change(tx, batch)?;
    let given = params![batch.0, bundle.0, change, what.word(), millis(now)];
    let noted = tx.execute(sql, given).doing(doing)?;
    count_change(tx, batch, noted, now)
}

/// Notes which messages of a batch have come to a stop: refused, held or cancelled, and that was not
/// the last thing noted of them.
pub(super) fn note_stopped(
    tx: &Transaction<'_>,
    batch: BatchId,
    now: Timestamp,
) -> Result<(), Error> {
    let doing = "note which messages have stopped";
    // The words of these states are those of their events.
    let sql = "INSERT INTO message_events (batch, position, change, what, at)
         SELECT batch, position, ?2, state, ?3 FROM messages m
          WHERE batch = ?1 AND state IN ('refused', 'held', 'cancelled')
            AND state IS DISTINCT FROM (SELECT what FROM message_events e
                 WHERE e.batch = m.batch AND e.position = m.position ORDER BY change DESC LIMIT 1)";
    let change = next_change(tx, batch)?;
    let given = params![batch.0, change, millis(now)];
    let noted = tx.execute(sql, given).doing(doing)?;
    count_change(tx, batch, noted, now)
}

/// Notes that a batch has come to rest: a report that was put off in the middle of its steps is looked
/// at again, for it may be the last one. A change of its own, so that a look at this moment sees it.
pub(super) fn note_rest(tx: &Transaction<'_>, batch: BatchId, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE delivery_reports SET newest = newest + 1, due_at = ?2
         WHERE batch = ?1 AND untold_since IS NOT NULL AND is_final = 0";
    tx.execute(sql, params![batch.0, millis(now)])
        .doing("note that a batch rests")?;
    Ok(())
}

fn next_change(db: &Connection, batch: BatchId) -> Result<i64, Error> {
    let sql = "SELECT COALESCE(MAX(newest), 0) + 1 FROM delivery_reports WHERE batch = ?";
    let mut query = db.prepare_cached(sql).doing("number a change")?;
    query
        .query_row([batch.0], |row| row.get(0))
        .doing("number a change")
}

/// Counts a change in which something happened; the batch's report comes due to be looked at.
///
/// One that was put off to its hour already stays so while messages of the batch wait for a mailbox service: it
/// cannot be the last one, and a look for each of a hundred thousand messages counts all of them.
fn count_change(
    tx: &Transaction<'_>,
    batch: BatchId,
    noted: usize,
    now: Timestamp,
) -> Result<(), Error> {
    if noted == 0 {
        return Ok(());
    }
    let sql = "INSERT INTO delivery_reports (batch, newest, untold_since, due_at)
         VALUES (?1, 1, ?2, ?2)
         ON CONFLICT (batch) DO UPDATE SET newest = newest + 1,
            due_at = CASE WHEN untold_since IS NOT NULL AND due_at > ?2
                           AND EXISTS (SELECT 1 FROM mailbox_queue q WHERE q.batch = ?1)
                     THEN due_at ELSE ?2 END,
            untold_since = COALESCE(untold_since, ?2)";
    let mut count = tx.prepare_cached(sql).doing("count a change")?;
    count
        .execute(params![batch.0, millis(now)])
        .doing("count a change")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::store::{
        SentRow,
        service_events::tests::{House, at, service},
    };

    #[test]
    fn a_report_that_was_put_off_is_looked_at_again_with_the_last_of_a_queue() {
        let house = House::new("ordinary", 3);
        let store = &house.store;
        store.begin_sending(house.batch, &service(), 3).unwrap();
        let due_after = |position, secs| {
            let sent = SentRow {
                position,
                number: 1_000 + i64::from(position),
                was_sent_before: false,
            };
            store.record_sent(house.batch, &[sent], at(secs)).unwrap();
            store.next_delivery_report_due().unwrap()
        };
        assert_eq!(due_after(1, 5), Some(at(5)));
        let row = store.claim_due_delivery_report(at(5), at(60)).unwrap();
        let (row, morning) = (row.unwrap(), at(9_000));
        store
            .put_off_delivery_report(&row, Some(morning), at(5))
            .unwrap();
        assert_eq!(due_after(2, 6), Some(morning));
        assert_eq!(due_after(3, 7), Some(at(7)), "it may be the last one");
    }
}
