//! Batches that are held, by the gate or by an operator, and what lets them go on.

use jiff::Timestamp;
use rusqlite::{Connection, Row, named_params, params};

use super::{
    BatchRow, Error, NewEvent, Store, Transaction, batches,
    columns::{Columns, Word, millis},
    error::Doing,
    events, gate,
    held_back::{self, HeldFor, Which},
};
use crate::domain::{BatchId, BatchState, HoldCause};

/// Why a batch is held: by the gate, or by an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub cause: HoldCause,
    /// In words, for the operator and the sender.
    pub why: String,
    pub held_at: Timestamp,
    /// Who holds it; `None`: the gate.
    pub actor: Option<String>,
    /// What a failed step held it for before, in words: that comes back when this hold ends.
    pub before: Option<String>,
}

impl Hold {
    /// Whether an operator ends it by `kuori batch release`.
    pub fn is_by_operator(&self) -> bool {
        self.cause == HoldCause::Operator
    }
}

/// What approving a batch does, or why it would not.
#[derive(Debug, Clone)]
pub struct Approval {
    pub batch: BatchId,
    /// The causes that hold it no more.
    pub holds: Vec<Hold>,
    /// An operator holds it too, and still does.
    pub still: Option<Hold>,
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
    #[error("batch {0} is held by an operator, not by the gate")]
    OnHold(BatchId),
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
    let (mut by_operator, holds): (Vec<_>, Vec<_>) = open_holds(db, id)?
        .into_iter()
        .partition(Hold::is_by_operator);
    let still = by_operator.pop();
    Ok(Approval {
        batch: id,
        blocked: hindrance(&row, &holds, still.as_ref()),
        holds,
        still,
    })
}

fn hindrance(row: &BatchRow, holds: &[Hold], still: Option<&Hold>) -> Option<CannotApprove> {
    if row.state != BatchState::Held {
        Some(CannotApprove::NotHeld(row.id, row.state))
    } else if !holds.is_empty() {
        None
    } else if still.is_some() {
        Some(CannotApprove::OnHold(row.id))
    } else {
        Some(CannotApprove::StepFailed(row.id))
    }
}

fn carry_out(tx: &Transaction<'_>, approval: &Approval, action: &NewEvent) -> Result<(), Error> {
    let sql = "UPDATE holds SET approved_at = ?2
         WHERE batch = ?1 AND approved_at IS NULL AND cause <> 'operator'";
    let given = params![approval.batch.0, millis(action.at)];
    tx.execute(sql, given).doing("approve a batch")?;
    events::note_action(tx, action, approval.batch, None, "approved")?;
    let its = Which::Batch(approval.batch);
    held_back::let_go(tx, HeldFor::Sender, its, action.at)?;
    go_on_or_tell_what_is_left(tx, approval.batch, action.at)
}

/// Lets a held batch go on, unless something still holds it: then its reason names only that.
pub(super) fn go_on_or_tell_what_is_left(
    tx: &Transaction<'_>,
    batch: BatchId,
    now: Timestamp,
) -> Result<(), Error> {
    if open_holds(tx, batch)?.is_empty() {
        return let_go_on(tx, batch, now);
    }
    let sql = "UPDATE batches SET reason = ?2 WHERE id = ?1";
    tx.execute(sql, params![batch.0, reason(tx, batch)?])
        .doing("tell what holds a batch")?;
    Ok(())
}

/// Why a batch is held, all in one line.
pub(super) fn reason(db: &Connection, batch: BatchId) -> Result<String, Error> {
    let holds = open_holds(db, batch)?;
    let before = holds.iter().filter_map(|hold| hold.before.as_deref());
    let whys = holds.iter().map(|hold| hold.why.as_str());
    Ok(gate::reason(whys.chain(before)))
}

/// Makes a held batch due to be routed, or to be opened where it is not. Its lease stays: while the sender is being told that it is
/// held, nobody else takes it.
fn let_go_on(tx: &Transaction<'_>, batch: BatchId, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE batches SET due_at = ?2, reason = NULL, attempts = 0, last_error = NULL,
            state = CASE WHEN shape IS NULL THEN 'received' ELSE 'opened' END
         WHERE id = ?1 AND state = 'held'";
    tx.execute(sql, params![batch.0, millis(now)])
        .doing("let a batch go on")?;
    Ok(())
}

/// Holds a batch for these causes, where it is held: `steps::finish` has set its state.
pub(super) fn insert(
    tx: &Transaction<'_>,
    batch: BatchId,
    holds: &[super::NewHold],
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "INSERT INTO holds (batch, cause, why, held_at)
         SELECT id, :cause, :why, :now FROM batches WHERE id = :batch AND state = 'held'
         ON CONFLICT DO NOTHING";
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

/// Whether an operator holds the batch.
pub(super) fn is_on_hold(db: &Connection, batch: BatchId) -> Result<bool, Error> {
    Ok(open_holds(db, batch)?.iter().any(Hold::is_by_operator))
}

pub(super) fn open_holds(db: &Connection, batch: BatchId) -> Result<Vec<Hold>, Error> {
    let sql = "SELECT * FROM holds WHERE batch = ? AND approved_at IS NULL
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
        actor: row.get("held_by")?,
        before: row.get("held_before")?,
    })
}
