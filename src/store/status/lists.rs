//! What waits, and for what.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};

use super::{
    BatchNote, HeldBy, LISTED, SenderBatches, SenderMessages, SenderOnHold, SenderReports, list,
    queue,
};
use crate::store::{Error, columns::Columns, error::Doing};

/// Batches with a step to be done that did not come to its end, by sender.
pub(super) fn unfinished(db: &Connection) -> Result<Vec<SenderBatches>, Error> {
    // Of the bare columns SQLite takes the row that MIN found.
    let sql = "SELECT sender, COUNT(*) AS count, MIN(received_at) AS since, id, state FROM batches
         WHERE state IN ('received', 'opened', 'routed', 'delivered', 'composed')
         GROUP BY sender ORDER BY since, sender";
    list(db, "count unfinished batches", sql, [], |row| {
        Ok(SenderBatches {
            sender: row.parsed("sender")?,
            batches: queue(row)?,
            first: row.batch("id")?,
            state: row.word("state")?,
        })
    })
}

/// When a batch came into its state stands in its history.
const NOTE: &str = "SELECT b.*,
        COALESCE((SELECT MAX(at) FROM events e WHERE e.batch = b.id AND e.position IS NULL
                   AND (e.what = b.state OR b.state = 'held' AND e.what = 'put on hold')),
                 b.received_at) AS since,
        COALESCE((SELECT MAX(CASE h.cause WHEN 'operator' THEN 3 WHEN 'sender' THEN 1 ELSE 2 END)
                    FROM holds h WHERE h.batch = b.id AND h.approved_at IS NULL), 0) AS held_by
      FROM batches b";

/// Of a batch that the gate holds too, the gate is told before the sender's hold.
fn held_by(row: &Row<'_>) -> rusqlite::Result<HeldBy> {
    Ok(match row.get("held_by")? {
        0 => HeldBy::Failure,
        1 => HeldBy::Sender,
        2 => HeldBy::Gate,
        _ => HeldBy::Operator,
    })
}

pub(super) fn held(db: &Connection) -> Result<Vec<BatchNote>, Error> {
    let sql = format!(
        "{NOTE} WHERE state = 'held'
         ORDER BY held_by IN (1, 3), received_at, id LIMIT ?1"
    );
    list(db, "list held batches", &sql, [LISTED], |row| {
        note(row, "reason")
    })
}

pub(super) fn failing(db: &Connection) -> Result<Vec<BatchNote>, Error> {
    let sql = format!(
        "{NOTE} WHERE due_at IS NOT NULL AND last_error IS NOT NULL
         ORDER BY received_at, id LIMIT ?1"
    );
    list(db, "list failing batches", &sql, [LISTED], |row| {
        note(row, "last_error")
    })
}

fn note(row: &Row<'_>, why: &str) -> rusqlite::Result<BatchNote> {
    Ok(BatchNote {
        batch: row.batch("id")?,
        sender: row.parsed("sender")?,
        state: row.word("state")?,
        received_at: row.time("received_at")?,
        since: row.time("since")?,
        why: row.get::<_, Option<String>>(why)?.unwrap_or_default(),
        held_by: held_by(row)?,
        attempts: row.get("attempts")?,
        next_try: row.maybe_time("due_at")?,
    })
}

pub(super) fn held_messages(db: &Connection) -> Result<Vec<SenderMessages>, Error> {
    let sql = format!(
        "SELECT b.sender, h.is_on_purpose, SUM(h.messages) AS count,
            MIN(MAX(h.since, b.received_at)) AS since, COUNT(*) AS batches, MIN(b.id) AS first
          FROM (SELECT batch, held_why IS NOT NULL AS is_on_purpose, COUNT(*) AS messages,
                       MIN({HELD_AT}) AS since
                  FROM messages m INDEXED BY messages_held WHERE state = 'held'
                 GROUP BY batch, is_on_purpose) h
          CROSS JOIN batches b ON b.id = h.batch
          GROUP BY b.sender, h.is_on_purpose ORDER BY since, b.sender"
    );
    list(db, "count held messages", &sql, [], sender_messages)
}

/// When a message `m` was held; the beginning of time where nobody has written that down.
pub(super) const HELD_AT: &str = "COALESCE((SELECT MAX(e.at) FROM message_events e
         WHERE e.batch = m.batch AND e.position = m.position AND e.what = 'held'), 0)";

pub(super) fn waiting_messages(db: &Connection) -> Result<Vec<SenderMessages>, Error> {
    let sql = "SELECT b.sender, 0 AS is_on_purpose, SUM(w.messages) AS count, MIN(w.since) AS since,
            COUNT(*) AS batches, MIN(b.id) AS first
          FROM (SELECT batch, COUNT(*) AS messages, MIN(waiting_since) AS since
                  FROM messages INDEXED BY messages_waiting WHERE state = 'waiting' GROUP BY batch) w
          CROSS JOIN batches b ON b.id = w.batch GROUP BY b.sender ORDER BY since, b.sender";
    list(db, "count waiting messages", sql, [], sender_messages)
}

fn sender_messages(row: &Row<'_>) -> rusqlite::Result<SenderMessages> {
    Ok(SenderMessages {
        sender: row.parsed("sender")?,
        is_on_purpose: row.get("is_on_purpose")?,
        messages: queue(row)?,
        batches: row.get("batches")?,
        first: row.batch("first")?,
    })
}

pub(super) fn untold(db: &Connection) -> Result<Vec<SenderReports>, Error> {
    let sql = "SELECT b.sender, COUNT(*) AS count, MIN(d.untold_since) AS since,
            SUM(d.last_error IS NOT NULL) AS failing, MIN(b.id) AS first,
            MAX(d.last_error) AS last_error
          FROM delivery_reports d JOIN batches b ON b.id = d.batch
         WHERE d.due_at IS NOT NULL AND d.untold_since IS NOT NULL
         GROUP BY b.sender ORDER BY since, b.sender";
    list(db, "count delivery reports", sql, [], |row| {
        Ok(SenderReports {
            sender: row.parsed("sender")?,
            untold: queue(row)?,
            failing: row.get("failing")?,
            first: row.batch("first")?,
            error: row.get("last_error")?,
        })
    })
}

pub(super) fn senders_on_hold(db: &Connection) -> Result<Vec<SenderOnHold>, Error> {
    let sql = "SELECT * FROM senders WHERE held_at IS NOT NULL ORDER BY held_at, name";
    list(db, "list senders on hold", sql, [], |row| {
        Ok(SenderOnHold {
            sender: row.parsed("name")?,
            since: row.time("held_at")?,
            why: row
                .get::<_, Option<String>>("held_why")?
                .unwrap_or_default(),
        })
    })
}

pub(super) fn last_deed(db: &Connection) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT at FROM events WHERE actor = 'kuori' ORDER BY id DESC LIMIT 1";
    let found = db.query_row(sql, [], |row| row.time("at"));
    found.optional().doing("find the last deed")
}
