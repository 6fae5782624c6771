use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{
    BatchRow, Error, NewEvent, Store, Transaction, batches, bundles,
    columns::{Columns, Word, millis},
    error::Doing,
    events, holds, letter_ids, mailbox_queue, message_deeds, reprocess,
};
use crate::domain::{BatchId, BatchState, BundleId, BundleState};

/// How much of a batch is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it, as long as nothing has left the house.
    Whole,
    /// What has not left the house; the rest stays what it is.
    Rest,
}

/// Exactly what cancelling does, or why it would not.
#[derive(Debug, Clone)]
pub struct CancelPlan {
    pub batch: BatchId,
    /// How many messages are called off.
    pub messages: u64,
    /// How many have left the house and stay what they are.
    pub gone: u64,
    /// How many went once and were to go again: those are held, since they were not called off.
    pub repeats: u64,
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
    #[error("letters that were printed and are in no bundle of the batch: {messages}")]
    Printed { messages: u64 },
    #[error("delivery has begun and not ended, and some of it may lie in mailboxes")]
    DeliveryBegun(BatchId),
    #[error("messages that are being sent to a mailbox service, or that it may have: {messages}")]
    Sending { messages: u64 },
    #[error("batch {0} was cancelled before")]
    Already(BatchId),
    #[error("batch {0} is at its end, and its letters are kept no more")]
    Purged(BatchId),
    #[error("nothing of batch {0} is left to be cancelled")]
    NothingLeft(BatchId),
}

impl Store {
    /// What [`Store::cancel_of`] would do.
    pub fn plan_cancel_of(
        &self,
        batch: BatchId,
        extent: Extent,
        now: Timestamp,
    ) -> Result<CancelPlan, Error> {
        self.read(|db| plan(db, batch, extent, now))
    }

    /// Calls a batch off for good, in one transaction: nothing of it goes, its bundles are
    /// withdrawn, its letter ids are free, and the sender is to be told. Where the plan is blocked,
    /// nothing is done.
    pub fn cancel(&self, batch: BatchId, action: &NewEvent) -> Result<CancelPlan, Error> {
        self.cancel_of(batch, Extent::Whole, action)
    }

    /// As [`Store::cancel`], or only what has not left the house: then the batch is reported with what
    /// has, and what was cancelled.
    pub fn cancel_of(
        &self,
        batch: BatchId,
        extent: Extent,
        action: &NewEvent,
    ) -> Result<CancelPlan, Error> {
        let plan = self.write("cancel a batch", |tx| {
            let plan = plan(tx, batch, extent, action.at)?;
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

fn plan(db: &Connection, id: BatchId, extent: Extent, now: Timestamp) -> Result<CancelPlan, Error> {
    let row = batches::by_id(db, id)?;
    let mut plan = CancelPlan {
        batch: id,
        messages: 0,
        gone: 0,
        repeats: 0,
        withdrawn: Vec::new(),
        blocked: standing(&row, now),
    };
    if plan.blocked.is_empty() {
        consider_bundles(db, extent, &mut plan)?;
        consider_messages(db, extent, &mut plan)?;
    }
    Ok(plan)
}

fn standing(row: &BatchRow, now: Timestamp) -> Vec<CannotCancel> {
    let mut blocked = Vec::new();
    if row.state == BatchState::Cancelled {
        blocked.push(CannotCancel::Already(row.id));
    } else if row.payload_purged_at.is_some() || row.messages_purged_at.is_some() {
        blocked.push(CannotCancel::Purged(row.id));
    } else if row.lease_until.is_some_and(|until| until > now) {
        blocked.push(CannotCancel::Working(row.id));
    }
    blocked
}

fn consider_bundles(db: &Connection, extent: Extent, plan: &mut CancelPlan) -> Result<(), Error> {
    let sql = "SELECT id, state FROM bundles WHERE batch = ? ORDER BY id";
    let mut query = db.prepare_cached(sql).doing("list bundles")?;
    let rows = query.query_map([plan.batch.0], |row| {
        Ok((BundleId(row.get("id")?), row.word("state")?))
    });
    for row in rows.doing("list bundles")? {
        let (bundle, state) = row.doing("list bundles")?;
        match state {
            BundleState::Withdrawn => {}
            BundleState::HandedOver if extent == Extent::Rest => {}
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

/// Once in a mailbox is enough, also where an operator had it delivered again since. Of a whole batch,
/// messages in bundles that were handed over are told by their bundles.
fn consider_messages(db: &Connection, extent: Extent, plan: &mut CancelPlan) -> Result<(), Error> {
    let doing = "count messages";
    let sql = format!(
        "SELECT COUNT(*) AS messages,
            COUNT(CASE WHEN delivered_at IS NOT NULL OR again > 0 THEN 1 END) AS delivered,
            COUNT(CASE WHEN {IS_HERE} AND NOT {HAS_GONE} THEN 1 END) AS here,
            COUNT(CASE WHEN {IS_HERE} AND {HAS_GONE} THEN 1 END) AS repeats,
            COUNT(CASE WHEN state = 'delivered' AND channel = 'mailbox-and-print' THEN 1 END)
            AS halves,
            COUNT(CASE WHEN state = 'handed-over' AND bundle IS NULL THEN 1 END) AS printed,
            COUNT(CASE WHEN {HAS_GONE} THEN 1 END) AS gone
         FROM messages m WHERE batch = ?"
    );
    let counted = db.query_row(&sql, [plan.batch.0], |row| {
        let count = |column| row.get::<_, u64>(column);
        plan.messages = count("messages")?;
        plan.repeats = count("repeats")?;
        plan.gone = count("gone")?;
        let here = count("here")?;
        Ok((
            count("delivered")?,
            here,
            count("halves")?,
            count("printed")?,
        ))
    });
    let (delivered, here, halves, printed) = counted.doing(doing)?;
    let has_left = plan.gone > 0;
    if extent == Extent::Rest && has_left {
        plan.messages = here;
        if here + plan.repeats + halves == 0 && plan.withdrawn.is_empty() {
            plan.blocked.push(CannotCancel::NothingLeft(plan.batch));
        }
    } else {
        let delivered = CannotCancel::Delivered {
            messages: delivered,
        };
        // Of a mailbox service that prints there are no bundles.
        let printed = CannotCancel::Printed { messages: printed };
        let gone = [delivered, printed].into_iter();
        plan.blocked.extend(gone.filter(|it| !it.is_of_none()));
    }
    if delivered == 0 || extent == Extent::Rest {
        let begun = message_deeds::is_delivering(db, plan.batch)?;
        let blocked = begun.then_some(CannotCancel::DeliveryBegun(plan.batch));
        plan.blocked.extend(blocked);
        let messages = mailbox_queue::doubtful(db, plan.batch)?;
        let sending = Some(CannotCancel::Sending { messages });
        let blocked = sending.filter(|it| !it.is_of_none());
        plan.blocked.extend(blocked);
    }
    Ok(())
}

impl CannotCancel {
    /// It counts messages, and there are none.
    fn is_of_none(&self) -> bool {
        matches!(
            self,
            Self::Delivered { messages: 0 }
                | Self::Printed { messages: 0 }
                | Self::Sending { messages: 0 }
        )
    }
}

/// It has not left the house, or is to leave it once more.
const IS_HERE: &str = "(m.state IN ('accepted', 'waiting', 'routed', 'composed', 'held')
        AND m.delivered_at IS NULL)";
/// It lies in a mailbox or is at the print house, or did before an operator had it sent again.
const HAS_GONE: &str = "(m.delivered_at IS NOT NULL OR m.again > 0 OR m.state = 'handed-over'
        OR EXISTS (SELECT 1 FROM pieces p JOIN bundles b ON b.id = p.bundle
                    WHERE p.batch = m.batch AND p.position = m.position
                      AND b.state = 'handed-over'))";

fn carry_out(tx: &Transaction<'_>, plan: &CancelPlan, action: &NewEvent) -> Result<(), Error> {
    for &bundle in &plan.withdrawn {
        bundles::withdraw(tx, bundle)?;
        events::note_action(tx, action, plan.batch, None, &format!("withdrew {bundle}"))?;
    }
    holds::forget_open(tx, plan.batch)?;
    if plan.gone == 0 {
        cancel_all(tx, plan.batch)?;
        end_in(tx, plan.batch, BatchState::Cancelled, action)?;
        return events::note_action(tx, action, plan.batch, None, "cancelled");
    }
    cancel_rest(tx, plan.batch, action)?;
    end_in(tx, plan.batch, BatchState::Composed, action)?;
    let (messages, gone) = (plan.messages, plan.gone);
    let what = format!("cancelled what had not gone: {messages} messages; {gone} had");
    events::note_action(tx, action, plan.batch, None, &what)
}

fn cancel_all(tx: &Transaction<'_>, batch: BatchId) -> Result<(), Error> {
    let sql = "UPDATE messages SET state = 'cancelled', held_why = NULL WHERE batch = ?";
    tx.execute(sql, [batch.0]).doing("cancel a batch")?;
    letter_ids::release_all(tx, batch)
}

/// A message for both channels that lies in its mailbox keeps to that. One that went once and was to go
/// again is held: to say that it was cancelled would not be true.
fn cancel_rest(tx: &Transaction<'_>, batch: BatchId, action: &NewEvent) -> Result<(), Error> {
    let doing = "cancel the rest of a batch";
    let halves = "UPDATE messages SET state = 'delivered', channel = 'mailbox', held_why = NULL,
            reason = 'operator-chose'
         WHERE batch = ?1 AND delivered_at IS NOT NULL AND channel = 'mailbox-and-print'
           AND state IN ('delivered', 'held')";
    tx.execute(halves, [batch.0]).doing(doing)?;
    // The paper half of one that lies in its mailbox: it stays in its state, and would be printed.
    mailbox_queue::leave_paper_halves(tx, batch)?;
    let repeats = format!(
        "UPDATE messages AS m SET state = 'held', held_why = ?2
         WHERE batch = ?1 AND {IS_HERE} AND {HAS_GONE}"
    );
    tx.execute(&repeats, params![batch.0, action.why])
        .doing(doing)?;
    let rest = format!(
        "UPDATE messages AS m SET state = 'cancelled', held_why = NULL
         WHERE batch = ?1 AND {IS_HERE} AND NOT {HAS_GONE}"
    );
    tx.execute(&rest, [batch.0]).doing(doing)?;
    letter_ids::release_cancelled(tx, batch)
}

/// The sender reads the reason in the report that is due.
fn end_in(
    tx: &Transaction<'_>,
    batch: BatchId,
    state: BatchState,
    action: &NewEvent,
) -> Result<(), Error> {
    let sql = "UPDATE batches SET state = ?2, due_at = ?3, reason = ?4, lease_until = NULL,
            attempts = 0, last_error = NULL
         WHERE id = ?1";
    let given = params![batch.0, state.word(), millis(action.at), action.why];
    tx.execute(sql, given).doing("cancel a batch")?;
    Ok(())
}
