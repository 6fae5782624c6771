//! Notices by e-mail: what is due, what was sent, and what a try came to.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, Row, named_params, params};

use super::{
    Error, NoticeAddress, NoticeServer, Queue, Store, Transaction,
    columns::{Columns, maybe_millis, millis},
    error::Doing,
    message_events, notice_server,
};
use crate::domain::{BatchId, MessageEvent, MessageId, SenderId};

/// A notice: the message it tells of, and which delivery of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NoticeId {
    pub message: MessageId,
    /// How often an operator had asked for the message to be delivered again.
    pub repeat: u32,
}

/// A notice that is to go now, with all that it needs.
#[derive(Debug, Clone)]
pub struct DueNotice {
    pub id: NoticeId,
    pub sender: SenderId,
    /// SHA-256 of the batch, in hexadecimal digits.
    pub sha256: String,
    pub to: NoticeAddress,
    /// The recipient was told before and has not read the message.
    pub is_reminder: bool,
    /// When it came due first. The same at each try.
    pub since: Timestamp,
    /// Which try this is, from 1.
    pub tries: u32,
    /// When the mail server first put this notice off.
    pub put_off_since: Option<Timestamp>,
}

/// What a try came to. Nobody's address stands in the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeOutcome {
    /// The mail server has taken it; the recipient is reminded at that time.
    Sent { remind_at: Option<Timestamp> },
    /// For good: the sender is told.
    Failed { why: String },
    /// Not now.
    Later { why: String, at: Timestamp },
    /// Nothing was tried.
    PutBack,
}

/// How many notices wait and failed, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NoticeQueue {
    /// To be sent, or being sent; reminders to come are not among them.
    pub waiting: Queue,
    /// In the last 24 hours.
    pub failed: u64,
    pub server: NoticeServer,
}

/// Words of the column `state`.
const DUE: &str = "due";
const SENT: &str = "sent";

impl Store {
    /// Takes the notices that have been due longest into the hand of the only sender there is, in one
    /// transaction, before any of them goes: at most `limit`. What nobody needs any more (the message was
    /// read, or there is no address) is dropped; reminders too, unless they are wanted.
    pub fn begin_notices(
        &self,
        limit: u32,
        with_reminders: bool,
        now: Timestamp,
    ) -> Result<Vec<DueNotice>, Error> {
        let doing = "begin notices";
        self.write(doing, |tx| {
            let found = candidates(tx, limit, now)?;
            let mut begun = Vec::with_capacity(found.len());
            for candidate in found {
                match candidate.to_begin(with_reminders, now) {
                    Some(notice) => begun.push(begin(tx, notice)?),
                    None => drop_candidate(tx, &candidate)?,
                }
            }
            Ok(begun)
        })
    }

    /// Records what a try came to. One that failed for good is told to its sender; one that went shows
    /// that the mail server works.
    pub fn record_notice(
        &self,
        id: NoticeId,
        outcome: &NoticeOutcome,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.write("record a notice", |tx| record(tx, id, outcome, now))
    }

    /// Records that a mail that was sent came back: the recipient was not told, and is not reminded. Of a
    /// message that was erased since nothing is recorded.
    ///
    /// Returns whether that was news.
    pub fn record_bounced_notice(
        &self,
        id: NoticeId,
        why: &str,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let doing = "record a bounced notice";
        let sql = "UPDATE notices SET state = 'failed', due_at = NULL, failed_at = ?4, why = ?5
             WHERE batch = ?1 AND position = ?2 AND repeat = ?3
               AND (state IN ('sent', 'reminded') OR (state = 'due' AND is_reminder))
               AND EXISTS (SELECT 1 FROM messages m JOIN batches b ON b.id = m.batch
                    WHERE m.batch = ?1 AND m.position = ?2 AND m.erased_at IS NULL
                      AND b.messages_purged_at IS NULL)";
        self.write(doing, |tx| {
            let MessageId { batch, position } = id.message;
            let given = params![batch.0, position, id.repeat, millis(now), why];
            let is_news = tx.execute(sql, given).doing(doing)? == 1;
            if is_news {
                note_failed(tx, id.message, why, now)?;
            }
            Ok(is_news)
        })
    }

    /// At a start nothing is in anybody's hand: what was is due again, and the mail server is asked
    /// at once. Returns how many notices may go a second time.
    pub fn resume_notices(&self, now: Timestamp) -> Result<usize, Error> {
        let doing = "resume notices";
        let back = "UPDATE notices SET state = 'due', due_at = ?1 WHERE state = 'sending'";
        let ask = "UPDATE notice_server SET retry_at = NULL WHERE retry_at IS NOT NULL";
        self.write(doing, |tx| {
            tx.execute(ask, []).doing(doing)?;
            tx.execute(back, [millis(now)]).doing(doing)
        })
    }
}

/// Makes a notice due for each of these messages whose recipient wants to be told, in the transaction
/// that records their delivery.
pub(super) fn make_due(
    tx: &Transaction<'_>,
    batch: BatchId,
    positions: &[u32],
    now: Timestamp,
) -> Result<(), Error> {
    let doing = "make a notice due";
    let sql = "INSERT INTO notices (batch, position, repeat, state, since, due_at)
         SELECT m.batch, m.position, m.again, 'due', ?3, ?3
           FROM messages m JOIN notice_addresses a ON a.recipient_id = m.recipient_id
          WHERE m.batch = ?1 AND m.position = ?2
         ON CONFLICT DO NOTHING";
    let mut insert = tx.prepare_cached(sql).doing(doing)?;
    for position in positions {
        let given = params![batch.0, position, millis(now)];
        insert.execute(given).doing(doing)?;
    }
    Ok(())
}

/// Lets go of what is still to be told of these messages: nobody is known to tell it to.
pub(super) fn forget(
    tx: &Transaction<'_>,
    batch: BatchId,
    (from, to): (u32, u32),
) -> Result<(), Error> {
    let sql = "UPDATE notices SET due_at = NULL,
            state = CASE WHEN state IN ('due', 'sending') THEN 'dropped' ELSE state END
         WHERE batch = ?1 AND position BETWEEN ?2 AND ?3";
    tx.execute(sql, params![batch.0, from, to])
        .doing("forget notices")?;
    Ok(())
}

pub(super) fn queue(db: &Connection, now: Timestamp) -> Result<NoticeQueue, Error> {
    let doing = "count notices";
    let waiting = "SELECT COUNT(*) AS count, MIN(since) AS since FROM notices
         WHERE state IN ('due', 'sending')";
    let failed = "SELECT COUNT(*) FROM notices WHERE failed_at IS NOT NULL AND failed_at > ?";
    let yesterday = now.saturating_sub(SignedDuration::from_hours(24));
    let yesterday = millis(yesterday.unwrap_or(now));
    Ok(NoticeQueue {
        waiting: db.query_row(waiting, [], in_queue).doing(doing)?,
        failed: db
            .query_row(failed, [yesterday], |row| row.get(0))
            .doing(doing)?,
        server: notice_server::server(db)?,
    })
}

fn in_queue(row: &Row<'_>) -> rusqlite::Result<Queue> {
    Ok(Queue {
        count: row.get("count")?,
        since: row.maybe_time("since")?,
    })
}

/// A notice whose time has come, whether or not anybody needs it.
struct Candidate {
    id: NoticeId,
    is_sent: bool,
    is_reminder: bool,
    since: Timestamp,
    tries: u32,
    put_off_since: Option<Timestamp>,
    sender: SenderId,
    sha256: String,
    to: Option<NoticeAddress>,
    is_wanted: bool,
}

/// Read, or confirmed, or sent on paper instead, since it was delivered; or delivered once more since. What
/// should have gone on paper and did not, for a reason, lies in its mailbox alone: it is wanted still.
const CANDIDATES: &str = "SELECT n.*, b.sender, b.sha256, a.address, a.language,
        NOT EXISTS (SELECT 1 FROM notices x WHERE x.batch = n.batch AND x.position = n.position
                     AND x.repeat > n.repeat)
        AND NOT EXISTS (SELECT 1 FROM message_events e
             WHERE e.batch = n.batch AND e.position = n.position
               AND (e.what IN ('read', 'acknowledged')
                    OR (e.what IN ('unread', 'unacknowledged') AND e.reason IS NULL))
               AND e.change > COALESCE((SELECT MAX(d.change) FROM message_events d
                     WHERE d.batch = n.batch AND d.position = n.position
                       AND d.what = 'delivered'), 0)) AS is_wanted
      FROM notices n
      JOIN batches b ON b.id = n.batch
      JOIN messages m ON m.batch = n.batch AND m.position = n.position
      LEFT JOIN notice_addresses a ON a.recipient_id = m.recipient_id
     WHERE n.due_at <= ?1 ORDER BY n.due_at LIMIT ?2";

fn candidates(tx: &Transaction<'_>, limit: u32, now: Timestamp) -> Result<Vec<Candidate>, Error> {
    let doing = "look for notices";
    let mut query = tx.prepare_cached(CANDIDATES).doing(doing)?;
    let given = params![millis(now), limit];
    let rows = query.query_map(given, candidate).doing(doing)?;
    rows.collect::<Result<_, _>>().doing(doing)
}

fn candidate(row: &Row<'_>) -> rusqlite::Result<Candidate> {
    let address: Option<String> = row.get("address")?;
    let to = match address {
        None => None,
        Some(_) => Some(NoticeAddress {
            address: row.parsed("address")?,
            language: row.maybe_word("language")?,
        }),
    };
    Ok(Candidate {
        id: NoticeId {
            message: MessageId {
                batch: row.batch("batch")?,
                position: row.get("position")?,
            },
            repeat: row.get("repeat")?,
        },
        is_sent: row.get::<_, String>("state")? == SENT,
        is_reminder: row.get("is_reminder")?,
        since: row.time("since")?,
        tries: row.get("tries")?,
        put_off_since: row.maybe_time("put_off_since")?,
        sender: row.parsed("sender")?,
        sha256: row.get("sha256")?,
        to,
        is_wanted: row.get("is_wanted")?,
    })
}

impl Candidate {
    /// `None` where nobody is to be told. One that was sent becomes its own reminder.
    fn to_begin(&self, with_reminders: bool, now: Timestamp) -> Option<DueNotice> {
        let is_reminder = self.is_sent || self.is_reminder;
        if !self.is_wanted || is_reminder && !with_reminders {
            return None;
        }
        let is_first = self.is_sent;
        Some(DueNotice {
            id: self.id,
            sender: self.sender.clone(),
            sha256: self.sha256.clone(),
            to: self.to.clone()?,
            is_reminder,
            since: if is_first { now } else { self.since },
            tries: if is_first { 1 } else { self.tries + 1 },
            put_off_since: self.put_off_since.filter(|_| !is_first),
        })
    }
}

fn begin(tx: &Transaction<'_>, notice: DueNotice) -> Result<DueNotice, Error> {
    let doing = "begin a notice";
    let sql = "UPDATE notices SET state = 'sending', due_at = NULL, is_reminder = :reminder,
            since = :since, tries = :tries, put_off_since = :put_off_since
         WHERE batch = :batch AND position = :position AND repeat = :repeat";
    let mut update = tx.prepare_cached(sql).doing(doing)?;
    update
        .execute(named_params! {
            ":reminder": notice.is_reminder,
            ":since": millis(notice.since),
            ":tries": notice.tries,
            ":put_off_since": maybe_millis(notice.put_off_since),
            ":batch": notice.id.message.batch.0,
            ":position": notice.id.message.position,
            ":repeat": notice.id.repeat,
        })
        .doing(doing)?;
    Ok(notice)
}

/// Of one that has gone nothing but its reminder is dropped.
fn drop_candidate(tx: &Transaction<'_>, candidate: &Candidate) -> Result<(), Error> {
    let doing = "drop a notice";
    let sql = "UPDATE notices SET due_at = NULL,
            state = CASE WHEN state = 'due' AND NOT is_reminder THEN 'dropped' ELSE 'sent' END
         WHERE batch = ?1 AND position = ?2 AND repeat = ?3";
    let MessageId { batch, position } = candidate.id.message;
    let mut update = tx.prepare_cached(sql).doing(doing)?;
    let given = params![batch.0, position, candidate.id.repeat];
    update.execute(given).doing(doing)?;
    Ok(())
}

fn record(
    tx: &Transaction<'_>,
    id: NoticeId,
    outcome: &NoticeOutcome,
    now: Timestamp,
) -> Result<(), Error> {
    let doing = "record a notice";
    let (state, due_at, why) = match outcome {
        NoticeOutcome::Sent { remind_at } => (SENT, *remind_at, None),
        NoticeOutcome::Failed { why } => ("failed", None, Some(why)),
        NoticeOutcome::Later { why, at } => (DUE, Some(*at), Some(why)),
        NoticeOutcome::PutBack => (DUE, Some(now), None),
    };
    let mut update = tx.prepare_cached(RECORD).doing(doing)?;
    let changed = update.execute(named_params! {
        ":batch": id.message.batch.0,
        ":position": id.message.position,
        ":repeat": id.repeat,
        ":state": state,
        ":due": maybe_millis(due_at),
        ":why": why,
        ":was_tried": *outcome != NoticeOutcome::PutBack,
        ":now": millis(now),
    });
    if changed.doing(doing)? == 0 {
        return Ok(());
    }
    match outcome {
        NoticeOutcome::Sent { .. } => works(tx),
        NoticeOutcome::Failed { why } => note_failed(tx, id.message, why, now),
        NoticeOutcome::Later { .. } | NoticeOutcome::PutBack => Ok(()),
    }
}

const RECORD: &str = "UPDATE notices SET
        state = CASE WHEN :state = 'sent' AND is_reminder THEN 'reminded' ELSE :state END,
        due_at = CASE WHEN :state = 'sent' AND is_reminder THEN NULL ELSE :due END,
        sent_at = CASE WHEN :state = 'sent' THEN :now ELSE sent_at END,
        failed_at = CASE WHEN :state = 'failed' THEN :now END,
        put_off_since = CASE WHEN :state = 'due' AND :was_tried
            THEN COALESCE(put_off_since, :now) ELSE put_off_since END,
        tries = CASE WHEN :was_tried THEN tries ELSE MAX(tries - 1, 0) END,
        why = CASE WHEN :was_tried THEN :why ELSE why END
     WHERE batch = :batch AND position = :position AND repeat = :repeat AND state = 'sending'";

fn note_failed(
    tx: &Transaction<'_>,
    message: MessageId,
    why: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let what = MessageEvent::NoticeFailed;
    message_events::note_because(tx, message.batch, [message.position], what, Some(why), now)
}

/// The mail server has taken something.
fn works(tx: &Transaction<'_>) -> Result<(), Error> {
    let sql = "UPDATE notice_server SET failing_since = NULL, retry_at = NULL, attempts = 0,
            error = NULL
         WHERE failing_since IS NOT NULL";
    tx.execute(sql, [])
        .doing("note that the mail server works")?;
    Ok(())
}

#[cfg(test)]
mod tests;
