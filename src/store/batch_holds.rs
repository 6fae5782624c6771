//! Batches that an operator puts on hold, at any time until all of them has been handed over.

use jiff::Timestamp;
use rusqlite::{Connection, named_params, params};

use super::{
    BatchRow, Error, Hold, NewEvent, Store, Transaction, batches,
    columns::{Word, millis},
    error::Doing,
    events,
    held_back::{self, HeldFor, Which},
    holds,
};
use crate::domain::{BatchId, BatchState, BundleId, HoldCause};

/// What putting a batch on hold does, or why it would not.
#[derive(Debug, Clone)]
pub struct BatchHolding {
    pub batch: BatchId,
    /// Where it is.
    pub state: BatchState,
    /// A step has it in hand, and stops at its next page.
    pub is_worked_on: bool,
    /// What holds it besides.
    pub others: Vec<Hold>,
    /// Bundles that wait for the print house, and wait on.
    pub bundles: Vec<BundleId>,
    /// Bundles on their way out at this moment: these are not stopped.
    pub going: Vec<BundleId>,
    /// Nothing is done.
    pub blocked: Option<CannotHold>,
}

/// Why a batch cannot be put on hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotHold {
    #[error("batch {0} is on hold already")]
    Already(BatchId, Hold),
    #[error("batch {0} is {word}, and nothing of it goes anywhere", word = .1.as_str())]
    AtRest(BatchId, BatchState),
    #[error("all of batch {0} has left the house")]
    AllGone(BatchId),
    #[error("all that is left of batch {0} is on its way out at this moment")]
    HandingOver(BatchId),
}

/// What releasing a batch does, or why it would not.
#[derive(Debug, Clone)]
pub struct BatchRelease {
    pub batch: BatchId,
    /// The hold that ends.
    pub hold: Option<Hold>,
    /// What still holds it.
    pub left: Vec<Hold>,
    /// Bundles that go on to the print house, unless the sender is on hold.
    pub bundles: Vec<BundleId>,
    /// Nothing is done.
    pub blocked: Option<CannotRelease>,
}

/// Why a batch cannot be released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotRelease {
    #[error("batch {0} is {word}, not held", word = .1.as_str())]
    NotHeld(BatchId, BatchState),
    #[error("batch {0} is held by the gate, not by an operator")]
    ByGate(BatchId),
    #[error("batch {0} is held because its sender is on hold")]
    ForSender(BatchId),
    #[error("batch {0} is held because a step failed")]
    StepFailed(BatchId),
}

impl Store {
    /// What [`Store::hold_batch`] would do.
    pub fn plan_batch_hold(&self, batch: BatchId, now: Timestamp) -> Result<BatchHolding, Error> {
        self.read(|db| plan_hold(db, batch, now))
    }

    /// Puts a batch on hold, whatever step it is in: from here on nothing of it goes but what the
    /// outbox has in its hands, and the page that a step has. Its sender is to be told.
    pub fn hold_batch(&self, batch: BatchId, action: &NewEvent) -> Result<BatchHolding, Error> {
        self.write("hold a batch", |tx| {
            let plan = plan_hold(tx, batch, action.at)?;
            if plan.blocked.is_none() {
                hold(tx, batch, action)?;
            }
            Ok(plan)
        })
    }

    /// What [`Store::release_batch`] would do.
    pub fn plan_batch_release(&self, batch: BatchId) -> Result<BatchRelease, Error> {
        self.read(|db| plan_release(db, batch))
    }

    /// Ends an operator's hold, and no other. The batch goes on with the first step that is to be
    /// done, and is routed again: what was routed stays so.
    pub fn release_batch(&self, batch: BatchId, action: &NewEvent) -> Result<BatchRelease, Error> {
        self.write("release a batch", |tx| {
            let plan = plan_release(tx, batch)?;
            if plan.blocked.is_none() {
                release(tx, &plan, action)?;
            }
            Ok(plan)
        })
    }
}

fn plan_hold(db: &Connection, id: BatchId, now: Timestamp) -> Result<BatchHolding, Error> {
    let row = batches::by_id(db, id)?;
    let (by_operator, others): (Vec<_>, Vec<_>) = holds::open_holds(db, id)?
        .into_iter()
        .partition(Hold::is_by_operator);
    let (bundles, going) = held_back::waiting_and_going(db, Which::Batch(id), now)?;
    let mut plan = BatchHolding {
        batch: id,
        state: row.state,
        is_worked_on: row.lease_until.is_some_and(|until| until > now),
        others,
        bundles,
        going,
        blocked: None,
    };
    plan.blocked = match by_operator.into_iter().next() {
        Some(already) => Some(CannotHold::Already(id, already)),
        None => nothing_to_hold(db, &row, &plan)?,
    };
    Ok(plan)
}

fn nothing_to_hold(
    db: &Connection,
    row: &BatchRow,
    plan: &BatchHolding,
) -> Result<Option<CannotHold>, Error> {
    Ok(match row.state {
        BatchState::Refused | BatchState::Cancelled => Some(CannotHold::AtRest(row.id, row.state)),
        BatchState::Reported if plan.bundles.is_empty() && !has_steps_to_come(db, row.id)? => {
            Some(if plan.going.is_empty() {
                CannotHold::AllGone(row.id)
            } else {
                CannotHold::HandingOver(row.id)
            })
        }
        _ => None,
    })
}

fn has_steps_to_come(db: &Connection, batch: BatchId) -> Result<bool, Error> {
    // Paper may wait in a queue whose message lies in its mailbox.
    let sql = "SELECT 1 FROM messages
         WHERE batch = ?1 AND state IN ('accepted', 'waiting', 'routed')
         UNION ALL SELECT 1 FROM queued_batches WHERE batch = ?1 AND waiting + sending > 0
         LIMIT 1";
    let mut query = db.prepare_cached(sql).doing("look for steps to come")?;
    query.exists([batch.0]).doing("look for steps to come")
}

fn hold(tx: &Transaction<'_>, batch: BatchId, action: &NewEvent) -> Result<(), Error> {
    let doing = "hold a batch";
    let row = batches::by_id(tx, batch)?;
    let has_failed = row.state == BatchState::Held && holds::open_holds(tx, batch)?.is_empty();
    let insert = "INSERT INTO holds (batch, cause, why, held_at, held_by, held_before)
         VALUES (:batch, :cause, :why, :now, :by, :before)";
    let given = named_params! {
        ":batch": batch.0,
        ":cause": HoldCause::Operator.word(),
        ":why": action.why,
        ":now": millis(action.at),
        ":by": action.actor,
        ":before": row.reason.filter(|_| has_failed),
    };
    tx.execute(insert, given).doing(doing)?;
    // Its lease stays: the step that has it in hand lets go of it.
    let sql = "UPDATE batches SET state = 'held', due_at = ?2, reason = ?3, attempts = 0,
            last_error = NULL
         WHERE id = ?1";
    let reason = holds::reason(tx, batch)?;
    tx.execute(sql, params![batch.0, millis(action.at), reason])
        .doing(doing)?;
    held_back::hold_back(tx, Which::Batch(batch), action.at)?;
    events::note_action(tx, action, batch, None, "put on hold")
}

fn plan_release(db: &Connection, id: BatchId) -> Result<BatchRelease, Error> {
    let row = batches::by_id(db, id)?;
    let (mut by_operator, left): (Vec<_>, Vec<_>) = holds::open_holds(db, id)?
        .into_iter()
        .partition(Hold::is_by_operator);
    let hold = by_operator.pop();
    Ok(BatchRelease {
        batch: id,
        blocked: hold.is_none().then(|| not_on_hold(&row, &left)),
        hold,
        left,
        bundles: held_back::held(db, HeldFor::Batch, Which::Batch(id))?,
    })
}

fn not_on_hold(row: &BatchRow, left: &[Hold]) -> CannotRelease {
    let is_for_sender = |hold: &Hold| hold.cause == HoldCause::Sender;
    if row.state != BatchState::Held {
        CannotRelease::NotHeld(row.id, row.state)
    } else if left.is_empty() {
        CannotRelease::StepFailed(row.id)
    } else if left.iter().all(is_for_sender) {
        CannotRelease::ForSender(row.id)
    } else {
        CannotRelease::ByGate(row.id)
    }
}

fn release(tx: &Transaction<'_>, plan: &BatchRelease, action: &NewEvent) -> Result<(), Error> {
    let doing = "release a batch";
    let batch = plan.batch;
    let sql = "DELETE FROM holds WHERE batch = ?1 AND cause = ?2";
    tx.execute(sql, params![batch.0, HoldCause::Operator.word()])
        .doing(doing)?;
    held_back::let_go(tx, HeldFor::Batch, Which::Batch(batch), action.at)?;
    events::note_action(tx, action, batch, None, "released")?;
    let before = plan.hold.as_ref().and_then(|hold| hold.before.as_deref());
    match before.filter(|_| plan.left.is_empty()) {
        // A failed step holds it still.
        Some(before) => {
            let sql = "UPDATE batches SET reason = ?2 WHERE id = ?1";
            tx.execute(sql, params![batch.0, before]).doing(doing)?;
            Ok(())
        }
        None => holds::go_on_or_tell_what_is_left(tx, batch, action.at),
    }
}
