//! Batches that the gate holds, and what lets them go on.

use jiff::Timestamp;
use rusqlite::{Connection, Row, named_params, params};

use super::{
    BatchRow, Error, NewEvent, Store, Transaction, batches,
    columns::{Columns, Word, millis},
    error::Doing,
    events,
};
use crate::domain::{BatchId, BatchState, HoldCause};

/// Why a batch is held before it is routed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub cause: HoldCause,
    /// In words, for the operator and the sender.
    pub why: String,
    pub held_at: Timestamp,
}

/// What approving a batch does, or why it would not.
#[derive(Debug, Clone)]
pub struct Approval {
    pub batch: BatchId,
    /// The causes that hold it no more.
    pub holds: Vec<Hold>,
    /// Nothing is done.
    pub blocked: Option<CannotApprove>,
}

/// Why a batch cannot be approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotApprove {
    #[error("batch {0} is {word}, not held", word = .1.as_str())]
    NotHeld(BatchId, BatchState),
    #[error("batch {0} is held because a step failed")]
    StepFailed(BatchId),
}

impl Store {
    /// Why the gate holds a batch; nothing where it does not.
    pub fn holds(&self, batch: BatchId) -> Result<Vec<Hold>, Error> {
        self.read(|db| open_holds(db, batch))
    }

    /// What approving would do, without doing it.
    pub fn plan_approval(&self, batch: BatchId) -> Result<Approval, Error> {
        self.read(|db| plan(db, batch))
    }

    /// Lets a batch that the gate holds go on to be routed. What held it holds it no more.
    pub fn approve(&self, batch: BatchId, action: &NewEvent) -> Result<Approval, Error> {
        self.write("approve a batch", |tx| {
            let approval = plan(tx, batch)?;
            if approval.blocked.is_none() {
                carry_out(tx, &approval, action)?;
            }
            Ok(approval)
        })
    }
}

fn plan(db: &Connection, id: BatchId) -> Result<Approval, Error> {
    let row = batches::by_id(db, id)?;
    let holds = open_holds(db, id)?;
    Ok(Approval {
        batch: id,
        blocked: hindrance(&row, &holds),
        holds,
    })
}

fn hindrance(row: &BatchRow, holds: &[Hold]) -> Option<CannotApprove> {
    if row.state != BatchState::Held {
        Some(CannotApprove::NotHeld(row.id, row.state))
    } else if holds.is_empty() {
        Some(CannotApprove::StepFailed(row.id))
    } else {
        None
    }
}

fn carry_out(tx: &Transaction<'_>, approval: &Approval, action: &NewEvent) -> Result<(), Error> {
    let sql = "UPDATE holds SET approved_at = ?2 WHERE batch = ?1 AND approved_at IS NULL";
    let given = params![approval.batch.0, millis(action.at)];
    tx.execute(sql, given).doing("approve a batch")?;
    events::note_action(tx, action, approval.batch, None, "approved")?;
    let_go_on(tx, approval.batch, action.at)
}

/// Makes a held batch due to be routed. Its lease stays: while the sender is being told that it is
/// held, nobody else takes it.
pub(super) fn let_go_on(tx: &Transaction<'_>, batch: BatchId, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE batches SET state = 'opened', due_at = ?2, reason = NULL, attempts = 0,
            last_error = NULL
         WHERE id = ?1 AND state = 'held'";
    tx.execute(sql, params![batch.0, millis(now)])
        .doing("let a batch go on")?;
    Ok(())
}

/// Holds a batch for these causes, where it is held: [`batches::finish`] has set its state.
pub(super) fn insert(
    tx: &Transaction<'_>,
    batch: BatchId,
    holds: &[super::NewHold],
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "INSERT INTO holds (batch, cause, why, held_at)
         SELECT id, :cause, :why, :now FROM batches WHERE id = :batch AND state = 'held'";
    for hold in holds {
        let given = named_params! {
            ":batch": batch.0,
            ":cause": hold.cause.word(),
            ":why": hold.why,
            ":now": millis(now),
        };
        tx.execute(sql, given).doing("hold a batch")?;
    }
    Ok(())
}

/// Forgets the causes that were not approved: they are asked for anew when the batch is routed.
pub(super) fn forget_open(tx: &Transaction<'_>, batch: BatchId) -> Result<(), Error> {
    let sql = "DELETE FROM holds WHERE batch = ? AND approved_at IS NULL";
    tx.execute(sql, [batch.0]).doing("forget holds")?;
    Ok(())
}

/// What has been approved and holds the batch no more.
pub(super) fn approved(db: &Connection, batch: BatchId) -> Result<Vec<HoldCause>, Error> {
    let sql = "SELECT cause FROM holds WHERE batch = ? AND approved_at IS NOT NULL";
    let mut query = db.prepare_cached(sql).doing("list approvals")?;
    let rows = query.query_map([batch.0], |row| row.word("cause"));
    rows.doing("list approvals")?
        .collect::<Result<_, _>>()
        .doing("list approvals")
}

pub(super) fn open_holds(db: &Connection, batch: BatchId) -> Result<Vec<Hold>, Error> {
    let sql = "SELECT cause, why, held_at FROM holds WHERE batch = ? AND approved_at IS NULL
         ORDER BY cause";
    let mut query = db.prepare_cached(sql).doing("list holds")?;
    let rows = query.query_map([batch.0], hold).doing("list holds")?;
    rows.collect::<Result<_, _>>().doing("list holds")
}

fn hold(row: &Row<'_>) -> rusqlite::Result<Hold> {
    Ok(Hold {
        cause: row.word("cause")?,
        why: row.get("why")?,
        held_at: row.time("held_at")?,
    })
}
