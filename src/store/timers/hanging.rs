//! Where timers begin and end: beside the events of their messages, whoever records these.

use jiff::Timestamp;
use rusqlite::{named_params, params};

use crate::{
    domain::{BatchId, MessageEvent, MessageId},
    store::{Error, Transaction, columns::millis, error::Doing},
};

/// Of a sender that the settings do not know: a verifiable message is to be confirmed within so many
/// days (`senders.NAME.acknowledge_within_days`).
const ACKNOWLEDGE_WITHIN_DAYS: u32 = 7;

/// Begins or ends the timer of a message that something has happened to, in its transaction.
pub(in crate::store) fn follow(
    tx: &Transaction<'_>,
    message: MessageId,
    what: MessageEvent,
    now: Timestamp,
) -> Result<(), Error> {
    match what {
        MessageEvent::Delivered => begin(tx, message, now),
        MessageEvent::Read
        | MessageEvent::Acknowledged
        | MessageEvent::Held
        | MessageEvent::Cancelled
        | MessageEvent::Refused => end(tx, message),
        MessageEvent::Unacknowledged
        | MessageEvent::Unread
        | MessageEvent::NoticeFailed
        | MessageEvent::Composed
        | MessageEvent::HandedOver
        | MessageEvent::Printed
        | MessageEvent::Dispatched
        | MessageEvent::Returned
        | MessageEvent::Unresolved => Ok(()),
    }
}

/// Not for one that goes on paper anyway, nor for a test, which nobody reads. What was read or
/// confirmed before its delivery is recorded, by a service that tells so first, has no timer; what was
/// read of an earlier delivery does not count. One that a service had, and that lies in a Maildir since, is
/// read there.
fn begin(tx: &Transaction<'_>, message: MessageId, now: Timestamp) -> Result<(), Error> {
    let doing = "begin a timer";
    let sql = "INSERT OR REPLACE INTO timers (batch, position, what, mailbox, begun_at, due_at, look_at)
         SELECT batch, position, what, mailbox, :now, :now + days * 86400000, :now + days * 86400000
           FROM (SELECT m.batch, m.position, COALESCE((SELECT p.service FROM sent_posts p
                         WHERE p.batch = m.batch AND p.position = m.position
                           AND NOT EXISTS (SELECT 1 FROM read_marks d
                                WHERE d.batch = p.batch AND d.position = p.position
                                  AND d.since >= p.sent_at)
                         ORDER BY p.sent_at DESC LIMIT 1), '') AS mailbox,
                    CASE m.service WHEN 'verifiable' THEN 'unacknowledged' ELSE 'unread' END AS what,
                    CASE m.service WHEN 'verifiable' THEN COALESCE(r.acknowledge_within_days, :usual)
                         ELSE r.print_if_unread_days END AS days
                   FROM messages m JOIN batches b ON b.id = m.batch
                   LEFT JOIN timer_rules r ON r.sender = b.sender
                  WHERE m.batch = :batch AND m.position = :position AND m.state = 'delivered'
                    AND m.channel = 'mailbox' AND b.is_test = 0
                    AND NOT EXISTS (SELECT 1 FROM message_events e
                         WHERE e.batch = m.batch AND e.position = m.position
                           AND e.what IN ('read', 'acknowledged')
                           AND (m.again_at IS NULL OR e.at >= m.again_at)))
          WHERE days IS NOT NULL";
    let given = named_params! {
        ":batch": message.batch.0,
        ":position": message.position,
        ":now": millis(now),
        ":usual": ACKNOWLEDGE_WITHIN_DAYS,
    };
    let mut insert = tx.prepare_cached(sql).doing(doing)?;
    insert.execute(given).doing(doing)?;
    Ok(())
}

/// Where there is none, nothing is done.
pub(super) fn end(tx: &Transaction<'_>, message: MessageId) -> Result<(), Error> {
    let doing = "end a timer";
    let sql = "DELETE FROM timers WHERE batch = ?1 AND position = ?2";
    let mut delete = tx.prepare_cached(sql).doing(doing)?;
    delete
        .execute(params![message.batch.0, message.position])
        .doing(doing)?;
    Ok(())
}

/// Ends the timers of the messages at these positions, both included.
pub(in crate::store) fn end_all(
    tx: &Transaction<'_>,
    batch: BatchId,
    (from, to): (u32, u32),
) -> Result<(), Error> {
    let sql = "DELETE FROM timers WHERE batch = ?1 AND position BETWEEN ?2 AND ?3";
    tx.execute(sql, params![batch.0, from, to])
        .doing("end timers")?;
    Ok(())
}
