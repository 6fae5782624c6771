use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{
    BatchRow, Error, NewEvent, Store, Transaction, batches, bundles,
    columns::{Columns, Word, millis},
    error::Doing,
    events, holds, letter_ids, reprocess,
};
use crate::domain::{BatchId, BatchState, BundleId, BundleState};

/// Exactly what cancelling does, or why it would not.
#[derive(Debug, Clone)]
pub struct CancelPlan {
    pub batch: BatchId,
    /// How many messages are called off.
    pub messages: u64,
    /// Bundles taken back before hand-over.
    pub withdrawn: Vec<BundleId>,
    /// Not empty: nothing is done.
    pub blocked: Vec<CannotCancel>,
}

/// Why a batch cannot be cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotCancel {
    #[error("batch {0} is being worked on at this moment")]
    Working(BatchId),
    #[error("bundle {0} is being handed over at this moment")]
    HandingOver(BundleId),
    #[error("bundle {0} is at the print house")]
    HandedOver(BundleId),
    #[error("messages in recipients' mailboxes: {messages}")]
    Delivered { messages: u64 },
    #[error("delivery has begun and not ended, and some of it may lie in mailboxes")]
    DeliveryBegun(BatchId),
    #[error("batch {0} was cancelled before")]
    Already(BatchId),
}

impl Store {
    /// What cancelling would do, without doing it.
    pub fn plan_cancel(&self, batch: BatchId, now: Timestamp) -> Result<CancelPlan, Error> {
        self.read(|db| plan(db, batch, now))
    }

    /// Calls a batch off for good, in one transaction: nothing of it goes, its bundles are
    /// withdrawn, its letter ids are free, and the sender is to be told. Where the plan is blocked,
    /// nothing is done.
    pub fn cancel(&self, batch: BatchId, action: &NewEvent) -> Result<CancelPlan, Error> {
        let plan = self.write("cancel a batch", |tx| {
            let plan = plan(tx, batch, action.at)?;
            if plan.blocked.is_empty() {
                carry_out(tx, &plan, action)?;
            }
            Ok(plan)
        })?;
        if plan.blocked.is_empty() {
            self.remove_files_of(&plan.withdrawn)?;
        }
        Ok(plan)
    }
}

fn plan(db: &Connection, id: BatchId, now: Timestamp) -> Result<CancelPlan, Error> {
    let row = batches::by_id(db, id)?;
    let mut plan = CancelPlan {
        batch: id,
        messages: 0,
        withdrawn: Vec::new(),
        blocked: standing(&row, now),
    };
    if plan.blocked.is_empty() {
        consider_bundles(db, &mut plan)?;
        consider_messages(db, &mut plan)?;
    }
    Ok(plan)
}

fn standing(row: &BatchRow, now: Timestamp) -> Vec<CannotCancel> {
    let mut blocked = Vec::new();
    if row.state == BatchState::Cancelled {
        blocked.push(CannotCancel::Already(row.id));
    } else if row.lease_until.is_some_and(|until| until > now) {
        blocked.push(CannotCancel::Working(row.id));
    }
    blocked
}

fn consider_bundles(db: &Connection, plan: &mut CancelPlan) -> Result<(), Error> {
    let sql = "SELECT id, state FROM bundles WHERE batch = ? ORDER BY id";
    let mut query = db.prepare_cached(sql).doing("list bundles")?;
    let rows = query.query_map([plan.batch.0], |row| {
        Ok((BundleId(row.get("id")?), row.word("state")?))
    });
    for row in rows.doing("list bundles")? {
        let (bundle, state) = row.doing("list bundles")?;
        match state {
            BundleState::Withdrawn => {}
            BundleState::HandedOver => plan.blocked.push(CannotCancel::HandedOver(bundle)),
            BundleState::Planned | BundleState::Composed => {
                if reprocess::is_handing_over(db, bundle)? {
                    plan.blocked.push(CannotCancel::HandingOver(bundle));
                } else {
                    plan.withdrawn.push(bundle);
                }
            }
        }
    }
    Ok(())
}

/// Once in a mailbox is enough, also where an operator had it delivered again since. Messages in
/// bundles that were handed over are told by their bundles.
fn consider_messages(db: &Connection, plan: &mut CancelPlan) -> Result<(), Error> {
    let sql = "SELECT COUNT(*), COUNT(CASE WHEN delivered_at IS NOT NULL OR again > 0 THEN 1 END)
         FROM messages WHERE batch = ?";
    let counted = db.query_row(sql, [plan.batch.0], |row| Ok((row.get(0)?, row.get(1)?)));
    let (all, delivered) = counted.doing("count messages")?;
    plan.messages = all;
    if delivered > 0 {
        let messages = delivered;
        plan.blocked.push(CannotCancel::Delivered { messages });
    } else if is_delivering(db, plan.batch)? {
        plan.blocked.push(CannotCancel::DeliveryBegun(plan.batch));
    }
    Ok(())
}

fn is_delivering(db: &Connection, batch: BatchId) -> Result<bool, Error> {
    let sql = "SELECT delivery_begun_at IS NOT NULL FROM batches WHERE id = ?";
    db.query_row(sql, [batch.0], |row| row.get(0))
        .doing("look at a delivery")
}

fn carry_out(tx: &Transaction<'_>, plan: &CancelPlan, action: &NewEvent) -> Result<(), Error> {
    let doing = "cancel a batch";
    for &bundle in &plan.withdrawn {
        bundles::withdraw(tx, bundle)?;
        events::note_action(tx, action, plan.batch, None, &format!("withdrew {bundle}"))?;
    }
    tx.execute(
        "UPDATE messages SET state = 'cancelled' WHERE batch = ?",
        [plan.batch.0],
    )
    .doing(doing)?;
    letter_ids::release_all(tx, plan.batch)?;
    holds::forget_open(tx, plan.batch)?;
    let sql =
        "UPDATE batches SET state = ?2, due_at = ?3, reason = ?4, lease_until = NULL, lease = 0,
            attempts = 0, last_error = NULL
         WHERE id = ?1";
    let given = params![
        plan.batch.0,
        BatchState::Cancelled.word(),
        millis(action.at),
        action.why
    ];
    tx.execute(sql, given).doing(doing)?;
    events::note_action(tx, action, plan.batch, None, "cancelled")
}
