//! Timers that are over: their messages go on paper, or it is told why not.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{named_params, params};

use super::{LIVE, hanging, looks::OVER};
use crate::{
    domain::{BatchId, BatchState, MessageEvent, MessageId, Reason, SenderId},
    store::{
        BatchRow, Error, MessageRow, Store, Transaction, batches,
        columns::{Columns, Word, millis},
        error::Doing,
        events,
        matter_addresses::OF_MESSAGE,
        message_events,
        messages::{message_row, select},
    },
};

/// When a message that cannot go on paper is due again: somebody may have mended the cause. It is looked
/// at in its sender's next hour after that, the day after: a whole day from this look is a moment past it,
/// and on the day on which clocks are set forward an hour.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_hours(12);

/// A batch with timers that are over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueTimers {
    pub batch: BatchId,
    pub sender: SenderId,
    pub timers: u64,
    /// Since when the first of them is.
    pub since: Timestamp,
}

/// How the timer of one message ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FiredTimer {
    pub position: u32,
    /// What its sender is told.
    pub what: MessageEvent,
    pub end: TimerEnd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimerEnd {
    /// The message goes on paper too.
    Print { registered: bool },
    /// Its sender wants no paper, and is only told.
    Tell(Reason),
    /// It cannot go on paper: its sender is told once, and it is looked at again each day.
    Stuck(Reason),
}

/// What came of timers that were over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FiredTimers {
    pub printed: u64,
    pub told: u64,
    /// Of those, new ones.
    pub stuck: u64,
}

impl Store {
    /// Batches with timers that are over and whose mailbox was looked into since, the longest first. Not
    /// those that a step has in its hands, or that are on hold: these are for a later look.
    pub fn due_timers(&self, now: Timestamp) -> Result<Vec<DueTimers>, Error> {
        let doing = "look for timers that are over";
        let sql = format!(
            "SELECT t.batch, b.sender, COUNT(*) AS timers, MIN(t.look_at) AS since
               FROM timers t JOIN batches b ON b.id = t.batch
              WHERE {OVER} AND b.state NOT IN ('held', 'refused', 'cancelled')
                AND (b.lease_until IS NULL OR b.lease_until <= :now)
              GROUP BY t.batch ORDER BY since, t.batch"
        );
        self.read(|db| {
            let mut query = db.prepare_cached(&sql).doing(doing)?;
            let rows = query.query_map(named_params! {":now": millis(now)}, |row| {
                Ok(DueTimers {
                    batch: row.batch("batch")?,
                    sender: row.parsed("sender")?,
                    timers: row.get("timers")?,
                    since: row.time("since")?,
                })
            });
            rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)
        })
    }

    /// A page of a batch's messages whose timers are over, in the order of position, after `after`.
    pub fn timed_out_messages(
        &self,
        batch: BatchId,
        after: u32,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<MessageRow>, Error> {
        let doing = "list messages whose time is over";
        let sql = select(&format!(
            "JOIN timers t ON t.batch = m.batch AND t.position = m.position
              WHERE t.batch = :batch AND t.position > :after AND {OVER}
              ORDER BY t.position LIMIT :limit"
        ));
        self.read(|db| {
            let mut query = db.prepare_cached(&sql).doing(doing)?;
            let given = named_params! {
                ":batch": batch.0,
                ":after": after,
                ":limit": limit,
                ":now": millis(now),
            };
            let rows = query.query_map(given, message_row).doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }

    /// Ends timers of one batch, in one transaction: messages that go on paper are told and planned
    /// together. What was read or confirmed at the last moment, or has gone another way, is left alone;
    /// so is all of it where the batch is on hold or in a step's hands by now.
    pub fn fire_timers(
        &self,
        batch: BatchId,
        fired: &[FiredTimer],
        now: Timestamp,
    ) -> Result<FiredTimers, Error> {
        self.write("end timers", |tx| {
            let row = batches::by_id(tx, batch)?;
            if row.state.is_stopped() || row.lease_until.is_some_and(|until| until > now) {
                return Ok(FiredTimers::default());
            }
            let mut ends = Ends::default();
            for &timer in fired {
                let position = timer.position;
                ends.add(tx, MessageId { batch, position }, timer, now)?;
            }
            ends.tell(tx, batch, now)?;
            if ends.counts.printed > 0 {
                compose_again(tx, &row, now)?;
            }
            Ok(ends.counts)
        })
    }
}

/// An event, and why it is all that happens.
type WhatIsTold = (MessageEvent, Option<Reason>);

/// Messages of which the same is told.
#[derive(Default)]
struct Ends {
    counts: FiredTimers,
    told: Vec<(WhatIsTold, Vec<u32>)>,
}

impl Ends {
    fn add(
        &mut self,
        tx: &Transaction<'_>,
        message: MessageId,
        timer: FiredTimer,
        now: Timestamp,
    ) -> Result<(), Error> {
        if !is_over(tx, message, now)? {
            return end_stale(tx, message);
        }
        match timer.end {
            TimerEnd::Print { registered } => {
                print(tx, message, registered)?;
                hanging::end(tx, message)?;
                self.counts.printed += 1;
                self.note(timer, None);
            }
            TimerEnd::Tell(reason) => {
                hanging::end(tx, message)?;
                self.counts.told += 1;
                self.note(timer, Some(reason));
            }
            TimerEnd::Stuck(reason) => {
                if stick(tx, message, reason, now)? {
                    self.counts.stuck += 1;
                    self.note(timer, Some(reason));
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, timer: FiredTimer, reason: Option<Reason>) {
        let key = (timer.what, reason);
        match self.told.iter_mut().find(|(of, _)| *of == key) {
            Some((_, positions)) => positions.push(timer.position),
            None => self.told.push((key, vec![timer.position])),
        }
    }

    fn tell(&self, tx: &Transaction<'_>, batch: BatchId, now: Timestamp) -> Result<(), Error> {
        for ((what, reason), positions) in &self.told {
            let reason = reason.map(Word::word);
            let of = positions.iter().copied();
            message_events::note_because(tx, batch, of, *what, reason, now)?;
            let (number, word) = (positions.len(), what.word());
            let told = match reason {
                None => format!("{word}, so that they go on paper: {number}"),
                Some(_) => format!("{word}, and not on paper: {number}"),
            };
            events::note_because(tx, now, batch, &told, reason)?;
        }
        Ok(())
    }
}

/// Asked in the transaction that ends it: it may have been read a moment ago, or sent anew.
fn is_over(tx: &Transaction<'_>, message: MessageId, now: Timestamp) -> Result<bool, Error> {
    let doing = "look at a timer";
    let sql = format!(
        "SELECT 1 FROM {LIVE} WHERE t.batch = ?1 AND t.position = ?2 AND t.look_at <= ?3
            AND m.erased_at IS NULL"
    );
    let mut query = tx.prepare_cached(&sql).doing(doing)?;
    let given = params![message.batch.0, message.position, millis(now)];
    query.exists(given).doing(doing)
}

/// Ends a timer whose message lies in its mailbox no more, or is to go on paper already.
fn end_stale(tx: &Transaction<'_>, message: MessageId) -> Result<(), Error> {
    let doing = "end a timer";
    let sql = "DELETE FROM timers WHERE batch = ?1 AND position = ?2
         AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.batch = ?1 AND m.position = ?2
              AND m.state = 'delivered' AND m.channel = 'mailbox' AND m.erased_at IS NULL)";
    let mut delete = tx.prepare_cached(sql).doing(doing)?;
    delete
        .execute(params![message.batch.0, message.position])
        .doing(doing)?;
    Ok(())
}

/// Its paper half is composed as that of any message that goes both ways.
fn print(tx: &Transaction<'_>, message: MessageId, registered: bool) -> Result<(), Error> {
    let doing = "send a delivered message on paper too";
    let sql = format!(
        "UPDATE messages SET channel = 'mailbox-and-print', registered = ?3, other_address = {OF_MESSAGE}
         WHERE batch = ?1 AND position = ?2"
    );
    let mut update = tx.prepare_cached(&sql).doing(doing)?;
    update
        .execute(params![message.batch.0, message.position, registered])
        .doing(doing)?;
    Ok(())
}

/// Whether that is new.
fn stick(
    tx: &Transaction<'_>,
    message: MessageId,
    reason: Reason,
    now: Timestamp,
) -> Result<bool, Error> {
    let doing = "put a timer off";
    let again = now.saturating_add(LOOK_AGAIN).unwrap_or(Timestamp::MAX);
    let sql = "UPDATE timers SET look_at = ?3, stuck_for = ?4, stuck_at = COALESCE(stuck_at, ?5)
         WHERE batch = ?1 AND position = ?2 RETURNING stuck_at = ?5";
    let mut update = tx.prepare_cached(sql).doing(doing)?;
    let given = params![
        message.batch.0,
        message.position,
        millis(again),
        reason.word(),
        millis(now)
    ];
    update.query_row(given, |row| row.get(0)).doing(doing)
}

/// One that has its steps behind it composes once more, for all of these messages together; another one
/// comes to that by itself.
fn compose_again(tx: &Transaction<'_>, row: &BatchRow, now: Timestamp) -> Result<(), Error> {
    let doing = "set a batch back for its timers";
    let sql = "UPDATE batches SET state = ?2, due_at = ?3, attempts = 0, crashes = 0,
            resume_after = 0, last_error = NULL
         WHERE id = ?1 AND state IN ('composed', 'reported')";
    let state = BatchState::Delivered.word();
    tx.execute(sql, params![row.id.0, state, millis(now)])
        .doing(doing)?;
    Ok(())
}
