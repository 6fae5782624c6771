use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::{
    Error, NewEvent, SpoolKey, Store, Transaction, batches, bundles,
    columns::{Columns, Word, millis},
    error::Doing,
    events, holds, letter_ids,
    messages::in_states,
};
use crate::domain::{
    BatchId, BatchState, BundleId, Channel, IllegalMove, MessageId, MessageState, Step,
};

/// What an operator wants done again.
#[derive(Debug, Clone)]
pub struct Selection {
    pub batch: BatchId,
    /// Positions; empty means all that failed (refused or held), or all with `from`.
    pub positions: Vec<u32>,
    /// Absent means from the first step.
    pub from: Option<Step>,
    pub again: Again,
}

/// Which of the effects that have left the house may happen a second time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Again {
    pub print: bool,
    pub deliver: bool,
}

/// Exactly what reprocessing would do, or why it would not.
#[derive(Debug, Clone)]
pub struct ReprocessPlan {
    pub batch: BatchId,
    pub from: Step,
    pub moves: Vec<Move>,
    /// Bundles taken back before hand-over; their other letters are planned again.
    pub withdrawn: Vec<BundleId>,
    /// Not empty: nothing is done.
    pub blocked: Vec<Blocked>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    pub message: MessageId,
    pub was: MessageState,
    pub to: MessageState,
    /// It lies in a mailbox and is to be delivered once more.
    pub delivers_again: bool,
}

/// Why a message, or the batch, cannot be set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Blocked {
    #[error("message {0} is in the recipient's mailbox")]
    Delivered(MessageId),
    #[error("message {0} is in bundle {1}, which the print house has")]
    HandedOver(MessageId, BundleId),
    #[error("bundle {0} is being handed over at this moment")]
    HandingOver(BundleId),
    #[error("batch {0} is being worked on at this moment")]
    Working(BatchId),
    #[error("batch {0} was cancelled")]
    Cancelled(BatchId),
    #[error("the sender has sent the letter of message {0} again, as {1}")]
    SentAnew(MessageId, MessageId),
    #[error("message {0} cannot be set back: {1}")]
    Illegal(MessageId, IllegalMove),
    #[error("there is no message {0}")]
    Unknown(MessageId),
}

impl Store {
    /// What reprocessing would do, without doing it.
    pub fn plan_reprocess(
        &self,
        selection: &Selection,
        now: Timestamp,
    ) -> Result<ReprocessPlan, Error> {
        self.read(|db| plan(db, selection, now))
    }

    /// Plans and carries out in one transaction, so that nothing moves in between. Where the plan
    /// is blocked, nothing is done.
    pub fn reprocess(
        &self,
        selection: &Selection,
        action: &NewEvent,
    ) -> Result<ReprocessPlan, Error> {
        let plan = self.write("reprocess", |tx| {
            let plan = plan(tx, selection, action.at)?;
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

    /// Removes the files of withdrawn bundles, now that no row needs them.
    pub(super) fn remove_files_of(&self, withdrawn: &[BundleId]) -> Result<(), Error> {
        let sql = "SELECT f.spool FROM outgoing_files f JOIN outgoing o ON o.id = f.outgoing
             WHERE o.bundle = ?";
        for bundle in withdrawn {
            let keys: Vec<SpoolKey> = self.read(|db| {
                let mut query = db.prepare_cached(sql).doing("list files")?;
                let rows = query.query_map([bundle.0], |row| Ok(SpoolKey(row.get(0)?)));
                rows.doing("list files")?
                    .collect::<Result<_, _>>()
                    .doing("list files")
            })?;
            for key in keys {
                self.spool().remove(&key)?;
            }
        }
        Ok(())
    }
}

struct Candidate {
    message: MessageId,
    state: MessageState,
    channel: Option<Channel>,
    bundle: Option<BundleId>,
    is_in_mailbox: bool,
}

impl Candidate {
    /// Whatever its state is by now: one that was held or printed later lies in its mailbox still.
    fn would_be_delivered_again(&self, from: Step) -> bool {
        self.is_in_mailbox && from < Step::Compose
    }
}

fn plan(db: &Connection, selection: &Selection, now: Timestamp) -> Result<ReprocessPlan, Error> {
    let batch = batches::by_id(db, selection.batch)?;
    // A batch that is refused as a whole has to be opened again before anything of it goes on.
    let is_refused = batch.state == BatchState::Refused;
    let from = selection.from.filter(|_| !is_refused).unwrap_or(Step::Open);
    let mut plan = ReprocessPlan {
        batch: batch.id,
        from,
        moves: Vec::new(),
        withdrawn: Vec::new(),
        blocked: Vec::new(),
    };
    if batch.lease_until.is_some_and(|until| until > now) {
        plan.blocked.push(Blocked::Working(batch.id));
    }
    if batch.state == BatchState::Cancelled {
        plan.blocked.push(Blocked::Cancelled(batch.id));
        return Ok(plan);
    }
    for candidate in candidates(db, selection)? {
        consider(db, &candidate, from, selection.again, &mut plan)?;
    }
    report_unknown(selection, &mut plan, db)?;
    plan.withdrawn.sort_unstable();
    plan.withdrawn.dedup();
    Ok(plan)
}

fn consider(
    db: &Connection,
    candidate: &Candidate,
    from: Step,
    again: Again,
    plan: &mut ReprocessPlan,
) -> Result<(), Error> {
    let Some(to) = state_before(from, candidate) else {
        return Ok(());
    };
    if let Some(blocked) = hindrance(db, candidate, from, again)? {
        plan.blocked.push(blocked);
        return Ok(());
    }
    if let Err(illegal) = candidate.state.move_to(to) {
        let blocked = Blocked::Illegal(candidate.message, illegal);
        plan.blocked.push(blocked);
        return Ok(());
    }
    let live = matches!(
        candidate.state,
        MessageState::Composed | MessageState::Routed | MessageState::Delivered
    );
    plan.withdrawn.extend(candidate.bundle.filter(|_| live));
    plan.moves.push(Move {
        message: candidate.message,
        was: candidate.state,
        to,
        delivers_again: candidate.would_be_delivered_again(from),
    });
    Ok(())
}

/// The state in which `step` is next for this message; `None` where the step is not for it.
fn state_before(step: Step, candidate: &Candidate) -> Option<MessageState> {
    let uses = |of: fn(Channel) -> bool| candidate.channel.is_some_and(of);
    match step {
        Step::Open | Step::Route => Some(MessageState::Accepted),
        Step::Deliver => uses(Channel::uses_mailbox).then_some(MessageState::Routed),
        // Before its mailbox half is done, composing is not the next step for it anyway.
        Step::Compose if candidate.channel == Some(Channel::MailboxAndPrint) => {
            candidate.is_in_mailbox.then_some(MessageState::Delivered)
        }
        Step::Compose => uses(Channel::uses_print).then_some(MessageState::Routed),
        Step::Report => None,
    }
}

/// What has left the house is not sent again unless the operator says so by name.
fn hindrance(
    db: &Connection,
    candidate: &Candidate,
    from: Step,
    again: Again,
) -> Result<Option<Blocked>, Error> {
    let message = candidate.message;
    if candidate.would_be_delivered_again(from) && !again.deliver {
        return Ok(Some(Blocked::Delivered(message)));
    }
    if let Some(other) = letter_ids::other_owner(db, message)? {
        return Ok(Some(Blocked::SentAnew(message, other)));
    }
    match (candidate.state, candidate.bundle) {
        (MessageState::HandedOver, Some(bundle)) if !again.print => {
            Ok(Some(Blocked::HandedOver(message, bundle)))
        }
        (MessageState::Composed, Some(bundle)) if is_handing_over(db, bundle)? => {
            Ok(Some(Blocked::HandingOver(bundle)))
        }
        _ => Ok(None),
    }
}

/// Whether the outbox has the bundle in its hands: claimed, or past the point of no return.
pub(super) fn is_handing_over(db: &Connection, bundle: BundleId) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM outgoing WHERE bundle = ?
         AND (state = 'handing-over' OR lease_until IS NOT NULL)";
    let mut query = db.prepare_cached(sql).doing("look at a hand-over")?;
    query.exists([bundle.0]).doing("look at a hand-over")
}

fn carry_out(tx: &Transaction<'_>, plan: &ReprocessPlan, action: &NewEvent) -> Result<(), Error> {
    for &bundle in &plan.withdrawn {
        bundles::withdraw(tx, bundle)?;
        events::note_action(tx, action, plan.batch, None, &format!("withdrew {bundle}"))?;
    }
    for step in &plan.moves {
        set_back(tx, step)?;
        let what = format!("reprocess from {}", plan.from.as_str());
        events::note_action(tx, action, plan.batch, Some(step.message.position), &what)?;
    }
    let what = format!("reprocess from {}", plan.from.as_str());
    events::note_action(tx, action, plan.batch, None, &what)?;
    let state = earliest(tx, plan.batch, BatchState::before(plan.from))?;
    make_due(tx, plan.batch, state, action.at)
}

/// The state that skips nothing: `wanted`, or an earlier one where a message of the batch, perhaps
/// one that nobody named, has a step before that still to come.
fn earliest(tx: &Transaction<'_>, batch: BatchId, wanted: BatchState) -> Result<BatchState, Error> {
    let sql = "SELECT CASE
            WHEN shape IS NULL THEN 'open'
            WHEN EXISTS (SELECT 1 FROM messages WHERE batch = b.id
                 AND state IN ('accepted', 'waiting')) THEN 'route'
            WHEN EXISTS (SELECT 1 FROM messages WHERE batch = b.id
                 AND state = 'routed' AND channel <> 'print') THEN 'deliver'
            WHEN EXISTS (SELECT 1 FROM messages WHERE batch = b.id
                 AND (state = 'routed' OR (state = 'delivered' AND channel = 'mailbox-and-print')))
                 THEN 'compose'
            ELSE 'report' END
         FROM batches b WHERE id = ?";
    let doing = "find the first step to do";
    let due: String = tx
        .query_row(sql, [batch.0], |row| row.get(0))
        .doing(doing)?;
    let due = Step::ALL.into_iter().find(|step| step.as_str() == due);
    let due = due.map_or(BatchState::Received, BatchState::before);
    Ok(if due.next_step() < wanted.next_step() {
        due
    } else {
        wanted
    })
}

/// `again` grows with every repeat that was asked for by name, so that the mailbox can tell a
/// second delivery that is wanted from one that is a crash's echo.
fn set_back(tx: &Transaction<'_>, step: &Move) -> Result<(), Error> {
    let sql = "UPDATE messages SET state = ?3, bundle = NULL, again = again + ?4,
            delivered_at = CASE WHEN ?4 THEN NULL ELSE delivered_at END,
            channel = CASE WHEN ?3 = 'accepted' THEN NULL ELSE channel END
         WHERE batch = ?1 AND position = ?2";
    let MessageId { batch, position } = step.message;
    let given = params![batch.0, position, step.to.word(), step.delivers_again];
    tx.execute(sql, given).doing("set a message back")?;
    letter_ids::claim_again(tx, step.message)
}

fn make_due(
    tx: &Transaction<'_>,
    batch: BatchId,
    state: BatchState,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "UPDATE batches SET state = ?2, due_at = ?3, lease_until = NULL, attempts = 0,
            last_error = NULL, reason = NULL
         WHERE id = ?1";
    let given = params![batch.0, state.word(), millis(now)];
    tx.execute(sql, given).doing("set a batch back")?;
    holds::forget_open(tx, batch)
}

fn candidates(db: &Connection, selection: &Selection) -> Result<Vec<Candidate>, Error> {
    let failed = [MessageState::Refused, MessageState::Held];
    let all = selection.from.is_some() || !selection.positions.is_empty();
    let states = if all { &[][..] } else { &failed[..] };
    let sql = format!(
        "SELECT batch, position, state, channel, bundle, delivered_at FROM messages WHERE batch = ?1{} ORDER BY position",
        in_states(" AND state", states)
    );
    let mut query = db.prepare_cached(&sql).doing("select messages")?;
    let rows = query
        .query_map([selection.batch.0], candidate)
        .doing("select messages")?;
    let mut found: Vec<_> = rows.collect::<Result<_, _>>().doing("select messages")?;
    if !selection.positions.is_empty() {
        found.retain(|candidate| selection.positions.contains(&candidate.message.position));
    }
    Ok(found)
}

fn report_unknown(
    selection: &Selection,
    plan: &mut ReprocessPlan,
    db: &Connection,
) -> Result<(), Error> {
    let sql = "SELECT 1 FROM messages WHERE batch = ?1 AND position = ?2";
    let mut query = db.prepare_cached(sql).doing("look for a message")?;
    for &position in &selection.positions {
        let message = MessageId {
            batch: selection.batch,
            position,
        };
        if !query
            .exists(params![message.batch.0, position])
            .doing("look for a message")?
        {
            plan.blocked.push(Blocked::Unknown(message));
        }
    }
    Ok(())
}

pub(super) fn message_id(row: &Row<'_>) -> rusqlite::Result<MessageId> {
    Ok(MessageId {
        batch: row.batch("batch")?,
        position: row.get("position")?,
    })
}

fn candidate(row: &Row<'_>) -> rusqlite::Result<Candidate> {
    Ok(Candidate {
        message: message_id(row)?,
        state: row.word("state")?,
        channel: row.maybe_word("channel")?,
        bundle: row.maybe_bundle("bundle")?,
        is_in_mailbox: row.maybe_time("delivered_at")?.is_some(),
    })
}
