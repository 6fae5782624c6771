use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{
    BatchRow, Counts, Error, SenderHold, StepOutcome, Store, Transaction, columns::millis, counts,
    error::Doing, holds, messages::REOPENED, senders, steps,
};
use crate::domain::{BatchId, BatchState, HoldCause};

/// What is asked before a batch is routed, as of one moment.
#[derive(Debug, Clone)]
pub struct GateFacts {
    /// A message that is fit for neither channel counts as refused, whatever its state.
    pub counts: Counts,
    /// No other batch of the sender has passed the gate.
    pub is_first: bool,
    /// The batch has passed it before.
    pub has_passed: bool,
    pub sender_hold: Option<SenderHold>,
}

/// A cause for which a batch is to be held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHold {
    pub cause: HoldCause,
    /// In words, for the operator and the sender.
    pub why: String,
}

impl Store {
    /// Lets a batch through to be routed, or holds it, in one transaction. Returns the causes that
    /// hold it: those that `judge` finds and that nobody has approved.
    ///
    /// Its messages are counted before that: the batch is leased, so none of them moves meanwhile.
    pub fn pass_gate(
        &self,
        row: &BatchRow,
        judge: impl FnOnce(&GateFacts) -> Vec<NewHold>,
        now: Timestamp,
    ) -> Result<Vec<NewHold>, Error> {
        let own = self.read(|db| own_facts(db, row.id))?;
        self.write("pass the gate", |tx| {
            let facts = GateFacts {
                is_first: is_first(tx, row)?,
                sender_hold: senders::hold_of(tx, &row.sender)?,
                ..own
            };
            let mut found = judge(&facts);
            let approved = holds::approved(tx, row.id)?;
            found.retain(|hold| !approved.contains(&hold.cause));
            if found.is_empty() {
                record_passed(tx, row, &facts, now)?;
            } else {
                hold(tx, row, &found, now)?;
            }
            Ok(found)
        })
    }
}

impl Store {
    /// Holds a batch whose sender is on hold; `false` where it is not, or this batch was approved.
    pub fn hold_for_sender(
        &self,
        row: &BatchRow,
        why: impl FnOnce(&SenderHold) -> NewHold,
        now: Timestamp,
    ) -> Result<bool, Error> {
        // Asked before each delivery, and mostly in vain.
        if self.read(|db| standing_hold(db, row))?.is_none() {
            return Ok(false);
        }
        self.write("hold a batch of a sender on hold", |tx| {
            let Some(standing) = standing_hold(tx, row)? else {
                return Ok(false);
            };
            hold(tx, row, &[why(&standing)], now)?;
            Ok(true)
        })
    }
}

fn standing_hold(db: &Connection, row: &BatchRow) -> Result<Option<SenderHold>, Error> {
    if holds::approved(db, row.id)?.contains(&HoldCause::Sender) {
        return Ok(None);
    }
    senders::hold_of(db, &row.sender)
}

fn own_facts(db: &Connection, batch: BatchId) -> Result<GateFacts, Error> {
    let sql = "SELECT gate_passed_at IS NOT NULL FROM batches WHERE id = ?";
    let has_passed: rusqlite::Result<bool> = db.query_row(sql, [batch.0], |row| row.get(0));
    let has_passed = has_passed.doing("look at the gate")?;
    let mut counts = counts::of_batch(db, batch)?;
    if !has_passed {
        let unfit = unfit(db, batch)?;
        counts.in_progress = counts.in_progress.saturating_sub(unfit);
        counts.refused += unfit;
    }
    Ok(GateFacts {
        counts,
        is_first: false,
        has_passed,
        sender_hold: None,
    })
}

/// Messages that are as good as refused: set back by an operator to be routed again, and fit for
/// neither channel.
fn unfit(db: &Connection, batch: BatchId) -> Result<u64, Error> {
    let sql = format!(
        "SELECT COUNT(*) FROM messages
          WHERE batch = ? AND state IN {REOPENED} AND fit_mailbox = 0 AND fit_print = 0"
    );
    db.query_row(&sql, [batch.0], |row| row.get(0))
        .doing("count messages")
}

fn is_first(db: &Connection, row: &BatchRow) -> Result<bool, Error> {
    let sql = "SELECT NOT EXISTS (SELECT 1 FROM batches
         WHERE sender = ?1 AND id <> ?2 AND gate_passed_at IS NOT NULL)";
    let given = params![row.sender.as_str(), row.id.0];
    db.query_row(sql, given, |row| row.get(0))
        .doing("look at the gate")
}

/// A batch of which nothing goes has shown nothing of its sender, and neither has a test.
fn record_passed(
    tx: &Transaction<'_>,
    row: &BatchRow,
    facts: &GateFacts,
    now: Timestamp,
) -> Result<(), Error> {
    if facts.has_passed || facts.counts.in_progress == 0 || row.is_test {
        return Ok(());
    }
    let sql = "UPDATE batches SET gate_passed_at = ?2 WHERE id = ?1";
    tx.execute(sql, params![row.id.0, millis(now)])
        .doing("pass the gate")?;
    Ok(())
}

fn hold(
    tx: &Transaction<'_>,
    row: &BatchRow,
    found: &[NewHold],
    now: Timestamp,
) -> Result<(), Error> {
    let held = StepOutcome {
        reason: Some(reason(found.iter().map(|hold| hold.why.as_str()))),
        ..StepOutcome::next(BatchState::Held, now)
    };
    steps::finish(tx, row, &held, now)?;
    holds::insert(tx, row.id, found, now)
}

/// Several causes in one line.
pub(super) fn reason<'a>(whys: impl Iterator<Item = &'a str>) -> String {
    whys.collect::<Vec<_>>().join("; ")
}
