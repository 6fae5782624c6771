//! What is due if nobody reads or confirms a message in time.
//!
//! A timer is a row that begins in the transaction that records a delivery, and ends in the one that
//! records that the message was read or confirmed ([`hanging`]), or that makes it go on paper
//! ([`firing`]). So each of its messages goes one of these ways, once. None is over before it was seen
//! what is read in its mailbox ([`looks`]).

mod firing;
mod hanging;
mod looks;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

pub use firing::{DueTimers, FiredTimer, FiredTimers, TimerEnd};
pub(super) use hanging::{end_all, follow};
pub(super) use looks::note as note_look;

use super::{
    Error, NewEvent, Queue, Store,
    columns::{Columns, millis},
    error::Doing,
    events,
    reprocess::message_id,
};
use crate::domain::{BatchId, MessageEvent, MessageId, Reason, SenderId, ServiceName};

/// What a sender's settings say of timers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimerRule {
    pub sender: SenderId,
    /// For verifiable messages.
    pub acknowledge_within_days: u32,
    /// For ordinary ones; `None` where they never go on paper for that.
    pub print_if_unread_days: Option<u32>,
}

/// A message that goes on paper if nobody reads or confirms it in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimerRow {
    pub message: MessageId,
    pub sender: SenderId,
    /// What its sender is told when it is over.
    pub what: MessageEvent,
    /// Where it would be read; `None` for a Maildir.
    pub service: Option<ServiceName>,
    pub begun_at: Timestamp,
    pub due_at: Timestamp,
    /// It was over then, and the message could not go on paper.
    pub stuck: Option<(Timestamp, Reason)>,
}

/// Which timers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TimerFilter {
    pub sender: Option<SenderId>,
    pub batch: Option<BatchId>,
    pub due_before: Option<Timestamp>,
    /// Only those whose messages cannot go on paper.
    pub stuck: bool,
}

/// How many timers there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TimerNumbers {
    pub waiting: u64,
    pub next_due_at: Option<Timestamp>,
    /// Of `waiting`: due within a day, those that are due already counted.
    pub due_within_a_day: u64,
    /// Over, and not on paper for want of a look into the mailbox, since the oldest was due.
    pub unwatched: Queue,
    /// The first of those whose Maildir cannot be looked into, and why.
    pub first_missed: Option<(MessageId, String)>,
    /// Since when nobody can look into any Maildir, and why.
    pub away: Option<(Timestamp, String)>,
    /// Over, and their messages cannot go on paper.
    pub stuck: Queue,
}

/// Timers `t` with their messages `m` and batches `b`; a row whose message has gone another way since
/// is none.
const LIVE: &str = "timers t
     JOIN messages m ON m.batch = t.batch AND m.position = t.position
       AND m.state = 'delivered' AND m.channel = 'mailbox'
     JOIN batches b ON b.id = t.batch";

impl Store {
    /// What the senders of the settings want of messages that are delivered from now on.
    pub fn know_timers(&self, rules: &[TimerRule]) -> Result<(), Error> {
        let doing = "know the senders' timers";
        let sql = "INSERT INTO timer_rules (sender, acknowledge_within_days, print_if_unread_days)
             VALUES (?1, ?2, ?3)";
        self.write(doing, |tx| {
            tx.execute("DELETE FROM timer_rules", []).doing(doing)?;
            let mut insert = tx.prepare_cached(sql).doing(doing)?;
            for rule in rules {
                let days = (rule.acknowledge_within_days, rule.print_if_unread_days);
                let given = params![rule.sender.as_str(), days.0, days.1];
                insert.execute(given).doing(doing)?;
            }
            Ok(())
        })
    }

    /// The timers that will be over first, at most `limit`.
    pub fn timers(&self, filter: &TimerFilter, limit: u32) -> Result<Vec<TimerRow>, Error> {
        let doing = "list timers";
        let sql = format!(
            "SELECT t.*, b.sender FROM {LIVE}
              WHERE (:sender IS NULL OR b.sender = :sender) AND (:batch IS NULL OR t.batch = :batch)
                AND (:before IS NULL OR t.due_at < :before)
                AND (:stuck = 0 OR t.stuck_at IS NOT NULL)
              ORDER BY t.due_at, t.batch, t.position LIMIT :limit"
        );
        self.read(|db| {
            let mut query = db.prepare_cached(&sql).doing(doing)?;
            let given = named_params! {
                ":sender": filter.sender.as_ref().map(SenderId::as_str),
                ":batch": filter.batch.map(|batch| batch.0),
                ":before": filter.due_before.map(millis),
                ":stuck": filter.stuck,
                ":limit": limit,
            };
            let rows = query.query_map(given, timer_row).doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }

    /// The timer of one message, if it has one.
    pub fn timer(&self, message: MessageId) -> Result<Option<TimerRow>, Error> {
        self.read(|db| of_message(db, message))
    }

    /// Ends the timer of one message: it stays in its mailbox, and does not go on paper. Returns what
    /// was ended.
    pub fn stop_timer(
        &self,
        message: MessageId,
        action: &NewEvent,
    ) -> Result<Option<TimerRow>, Error> {
        let doing = "stop a timer";
        self.write(doing, |tx| {
            let timer = of_message(tx, message)?;
            if timer.is_some() {
                hanging::end(tx, message)?;
                let (batch, position) = (message.batch, message.position);
                events::note_action(tx, action, batch, Some(position), "timer stopped")?;
                let what = format!("timer of {message} stopped");
                events::note_action(tx, action, batch, None, &what)?;
            }
            Ok(timer)
        })
    }
}

fn of_message(db: &Connection, message: MessageId) -> Result<Option<TimerRow>, Error> {
    let doing = "look at a timer";
    let sql = format!("SELECT t.*, b.sender FROM {LIVE} WHERE t.batch = ?1 AND t.position = ?2");
    let mut query = db.prepare_cached(&sql).doing(doing)?;
    let found = query.query_row(params![message.batch.0, message.position], timer_row);
    found.optional().doing(doing)
}

fn timer_row(row: &Row<'_>) -> rusqlite::Result<TimerRow> {
    let stuck_at = row.maybe_time("stuck_at")?;
    let mailbox: String = row.get("mailbox")?;
    Ok(TimerRow {
        message: message_id(row)?,
        sender: row.parsed("sender")?,
        what: row.word("what")?,
        service: (!mailbox.is_empty())
            .then(|| row.parsed("mailbox"))
            .transpose()?,
        begun_at: row.time("begun_at")?,
        due_at: row.time("due_at")?,
        stuck: stuck_at.zip(row.maybe_word("stuck_for")?),
    })
}

/// How many timers there are, for a look at the whole house. Each number has an index of its own.
pub(super) fn numbers(db: &Connection, now: Timestamp) -> Result<TimerNumbers, Error> {
    let doing = "count timers";
    let sql = format!(
        "SELECT (SELECT COUNT(*) FROM timers) AS waiting,
                (SELECT MIN(look_at) FROM timers) AS next,
                (SELECT COUNT(*) FROM timers WHERE look_at <= :soon) AS soon,
                (SELECT COUNT(*) FROM timers t WHERE {unwatched}) AS unwatched,
                (SELECT MIN(t.look_at) FROM timers t WHERE {unwatched}) AS unwatched_since,
                (SELECT COUNT(*) FROM timers WHERE stuck_at IS NOT NULL) AS stuck,
                (SELECT MIN(stuck_at) FROM timers WHERE stuck_at IS NOT NULL) AS stuck_since",
        unwatched = looks::UNWATCHED
    );
    let given = named_params! {
        ":soon": millis(now.saturating_add(DAY).unwrap_or(Timestamp::MAX)),
        ":now": millis(now),
    };
    let mut query = db.prepare_cached(&sql).doing(doing)?;
    let read = |row: &Row<'_>| {
        Ok(TimerNumbers {
            waiting: row.get("waiting")?,
            next_due_at: row.maybe_time("next")?,
            due_within_a_day: row.get("soon")?,
            unwatched: Queue {
                count: row.get("unwatched")?,
                since: row.maybe_time("unwatched_since")?,
            },
            first_missed: None,
            away: None,
            stuck: Queue {
                count: row.get("stuck")?,
                since: row.maybe_time("stuck_since")?,
            },
        })
    };
    let mut numbers = query.query_row(given, read).doing(doing)?;
    numbers.away = looks::failing(db)?;
    if numbers.unwatched.count > 0 {
        numbers.first_missed = first_missed(db, now)?;
    }
    Ok(numbers)
}

fn first_missed(db: &Connection, now: Timestamp) -> Result<Option<(MessageId, String)>, Error> {
    let doing = "look for a mailbox that cannot be looked into";
    let sql = "SELECT t.batch, t.position, r.missed_for FROM timers t
         JOIN read_marks r ON r.batch = t.batch AND r.position = t.position
         WHERE t.mailbox = '' AND t.look_at <= ? AND r.missed_for IS NOT NULL
         ORDER BY t.look_at, t.batch, t.position LIMIT 1";
    let mut query = db.prepare_cached(sql).doing(doing)?;
    let read = |row: &Row<'_>| Ok((message_id(row)?, row.get("missed_for")?));
    query.query_row([millis(now)], read).optional().doing(doing)
}

const DAY: SignedDuration = SignedDuration::from_hours(24);
