//! Single messages that an operator holds, releases or cancels, until they have left the house.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::{
    BatchRow, Error, NewEvent, Store, Transaction, batches, bundles,
    columns::{Columns, Word, millis},
    error::Doing,
    events, letter_ids,
    mailbox_queue::{IN_QUEUE, IS_QUEUED, InQueue},
    message_events, reprocess,
};
use crate::domain::{
    BatchId, BatchState, BundleId, Channel, IllegalMove, MessageEvent, MessageId, MessageState,
};

/// What an operator does to messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageDeed {
    Hold,
    /// Ends a hold of an operator's: the message is routed again, for a consent may have changed.
    Release,
    /// For good: its letter id is free, so that the sender can send the letter anew.
    Cancel,
}

impl MessageDeed {
    /// `held`, `released`, `cancelled`.
    pub fn done(self) -> &'static str {
        match self {
            Self::Hold => "held",
            Self::Release => "released",
            Self::Cancel => "cancelled",
        }
    }
}

/// Exactly what is done to messages, or why nothing is.
#[derive(Debug, Clone)]
pub struct MessagePlan {
    pub moves: Vec<MessageMove>,
    /// Bundles taken back before hand-over; their other letters are planned again.
    pub withdrawn: Vec<BundleId>,
    /// Not empty: nothing is done.
    pub blocked: Vec<CannotMove>,
}

/// What becomes of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageMove {
    pub message: MessageId,
    pub was: MessageState,
    pub to: MessageState,
}

/// Why nothing is done to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotMove {
    #[error("batch {0} is being worked on at this moment")]
    Working(BatchId),
    #[error("bundle {0} is being handed over at this moment")]
    HandingOver(BundleId),
    #[error("delivery of batch {0} has begun and not ended, and some of it may lie in mailboxes")]
    DeliveryBegun(BatchId),
    #[error("message {0} is being sent to a mailbox service at this moment")]
    Sending(MessageId),
    #[error("a mailbox service may have message {0}: it was sent, and no answer came")]
    MayBeSent(MessageId),
    #[error("message {0} is in bundle {1}, which the print house has")]
    HandedOver(MessageId, BundleId),
    #[error("message {0} is in the recipient's mailbox")]
    Delivered(MessageId),
    #[error("message {0} is held already")]
    Already(MessageId),
    #[error("message {0} is held because something failed, not by an operator")]
    NotByOperator(MessageId),
    #[error("message {0} is {word}, not held", word = .1.as_str())]
    NotHeld(MessageId, MessageState),
    #[error("message {0} is {word}, and goes nowhere", word = .1.as_str())]
    AtRest(MessageId, MessageState),
    #[error("batch {0} is {word}, and nothing of it goes anywhere", word = .1.as_str())]
    BatchAtRest(BatchId, BatchState),
    #[error("message {0} cannot be moved: {1}")]
    Illegal(MessageId, IllegalMove),
    #[error("there is no message {0}")]
    Unknown(MessageId),
}

impl Store {
    /// What [`Store::move_messages`] would do.
    pub fn plan_message_deed(
        &self,
        deed: MessageDeed,
        messages: &[MessageId],
        now: Timestamp,
    ) -> Result<MessagePlan, Error> {
        self.read(|db| plan(db, deed, messages, now))
    }

    /// Holds, releases or cancels messages, all of them or none, in one transaction. What stands in a
    /// bundle is taken out: the bundle is withdrawn, and its other letters are planned again.
    pub fn move_messages(
        &self,
        deed: MessageDeed,
        messages: &[MessageId],
        action: &NewEvent,
    ) -> Result<MessagePlan, Error> {
        let plan = self.write("move messages", |tx| {
            let plan = plan(tx, deed, messages, action.at)?;
            if plan.blocked.is_empty() {
                carry_out(tx, deed, &plan, action)?;
            }
            Ok(plan)
        })?;
        if plan.blocked.is_empty() {
            self.remove_files_of(&plan.withdrawn)?;
        }
        Ok(plan)
    }

    /// Why an operator holds a message; `None` where none does.
    pub fn message_hold(&self, id: MessageId) -> Result<Option<String>, Error> {
        let doing = "look at a message";
        let sql = "SELECT held_why FROM messages WHERE batch = ?1 AND position = ?2";
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing(doing)?;
            let found = query.query_row(params![id.batch.0, id.position], |row| row.get(0));
            Ok(found.optional().doing(doing)?.flatten())
        })
    }
}

/// A message as far as it matters here.
struct Candidate {
    message: MessageId,
    state: MessageState,
    channel: Option<Channel>,
    bundle: Option<BundleId>,
    is_in_mailbox: bool,
    /// It was in a mailbox once, and an operator had it sent there again.
    has_been_in_mailbox: bool,
    is_held_by_operator: bool,
    /// A bundle that the print house has or had it in.
    printed_in: Option<BundleId>,
    in_queue: Option<InQueue>,
}

fn plan(
    db: &Connection,
    deed: MessageDeed,
    messages: &[MessageId],
    now: Timestamp,
) -> Result<MessagePlan, Error> {
    let mut plan = MessagePlan {
        moves: Vec::new(),
        withdrawn: Vec::new(),
        blocked: Vec::new(),
    };
    let mut of_batches: BTreeMap<BatchId, BTreeSet<u32>> = BTreeMap::new();
    for message in messages {
        let positions = of_batches.entry(message.batch).or_default();
        positions.insert(message.position);
    }
    for (batch, positions) in of_batches {
        let row = batches::by_id(db, batch)?;
        if let Some(blocked) = batch_hindrance(&row, now) {
            plan.blocked.push(blocked);
            continue;
        }
        for position in positions {
            consider(db, deed, MessageId { batch, position }, &mut plan)?;
        }
    }
    plan.withdrawn.sort_unstable();
    plan.withdrawn.dedup();
    Ok(plan)
}

fn batch_hindrance(row: &BatchRow, now: Timestamp) -> Option<CannotMove> {
    if row.lease_until.is_some_and(|until| until > now) {
        return Some(CannotMove::Working(row.id));
    }
    match row.state {
        BatchState::Refused | BatchState::Cancelled => {
            Some(CannotMove::BatchAtRest(row.id, row.state))
        }
        _ => None,
    }
}

fn consider(
    db: &Connection,
    deed: MessageDeed,
    message: MessageId,
    plan: &mut MessagePlan,
) -> Result<(), Error> {
    let Some(candidate) = candidate(db, message)? else {
        plan.blocked.push(CannotMove::Unknown(message));
        return Ok(());
    };
    if let Some(blocked) = hindrance(db, deed, &candidate)? {
        plan.blocked.push(blocked);
        return Ok(());
    }
    let to = candidate.goes_to(deed);
    if let Err(illegal) = candidate.state.move_to(to) {
        plan.blocked.push(CannotMove::Illegal(message, illegal));
        return Ok(());
    }
    plan.withdrawn.extend(candidate.bundle);
    let was = candidate.state;
    plan.moves.push(MessageMove { message, was, to });
    Ok(())
}

impl Candidate {
    fn goes_to(&self, deed: MessageDeed) -> MessageState {
        match deed {
            MessageDeed::Hold => MessageState::Held,
            MessageDeed::Cancel => MessageState::Cancelled,
            // Only its paper half was held.
            MessageDeed::Release if self.is_in_mailbox => MessageState::Delivered,
            MessageDeed::Release => MessageState::Accepted,
        }
    }

    /// Whether it may lie in a mailbox that no row tells of, where a delivery broke off.
    fn may_be_in_mailbox(&self) -> bool {
        let uses_mailbox = self.channel.is_some_and(Channel::uses_mailbox);
        self.state == MessageState::Routed && uses_mailbox && !self.is_in_mailbox
    }
}

fn hindrance(
    db: &Connection,
    deed: MessageDeed,
    candidate: &Candidate,
) -> Result<Option<CannotMove>, Error> {
    let (message, state) = (candidate.message, candidate.state);
    Ok(match deed {
        MessageDeed::Release => match state {
            MessageState::Held if candidate.is_held_by_operator => None,
            MessageState::Held => Some(CannotMove::NotByOperator(message)),
            _ => Some(CannotMove::NotHeld(message, state)),
        },
        MessageDeed::Hold if state == MessageState::Held => Some(CannotMove::Already(message)),
        MessageDeed::Hold => on_its_way(db, candidate)?,
        MessageDeed::Cancel => {
            has_gone(candidate).map_or_else(|| on_its_way(db, candidate), |gone| Ok(Some(gone)))?
        }
    })
}

/// Once is enough, also where an operator had it sent again since.
fn has_gone(candidate: &Candidate) -> Option<CannotMove> {
    let message = candidate.message;
    if candidate.is_in_mailbox || candidate.has_been_in_mailbox {
        return Some(CannotMove::Delivered(message));
    }
    let printed_in = candidate.printed_in?;
    Some(CannotMove::HandedOver(message, printed_in))
}

/// Where it is now, and whether it can still be stopped there.
fn on_its_way(db: &Connection, candidate: &Candidate) -> Result<Option<CannotMove>, Error> {
    let (message, state) = (candidate.message, candidate.state);
    let both = candidate.channel == Some(Channel::MailboxAndPrint);
    match candidate.in_queue {
        Some(InQueue::Sending) => return Ok(Some(CannotMove::Sending(message))),
        Some(InQueue::InDoubt) => return Ok(Some(CannotMove::MayBeSent(message))),
        Some(InQueue::Waits) | None => {}
    }
    Ok(match (state, candidate.bundle) {
        // Handed over in no bundle: a service prints it.
        (MessageState::Refused | MessageState::Cancelled, _) | (MessageState::HandedOver, None) => {
            Some(CannotMove::AtRest(message, state))
        }
        (MessageState::HandedOver, Some(bundle)) => Some(CannotMove::HandedOver(message, bundle)),
        (MessageState::Delivered, _) if !both => Some(CannotMove::Delivered(message)),
        (_, Some(bundle)) if reprocess::is_handing_over(db, bundle)? => {
            Some(CannotMove::HandingOver(bundle))
        }
        _ if candidate.may_be_in_mailbox() && is_delivering(db, message.batch)? => {
            Some(CannotMove::DeliveryBegun(message.batch))
        }
        _ => None,
    })
}

pub(super) fn is_delivering(db: &Connection, batch: BatchId) -> Result<bool, Error> {
    let sql = "SELECT delivery_begun_at IS NOT NULL FROM batches WHERE id = ?";
    let mut query = db.prepare_cached(sql).doing("look at a delivery")?;
    query
        .query_row([batch.0], |row| row.get(0))
        .doing("look at a delivery")
}

fn carry_out(
    tx: &Transaction<'_>,
    deed: MessageDeed,
    plan: &MessagePlan,
    action: &NewEvent,
) -> Result<(), Error> {
    let mut of_batches: BTreeMap<BatchId, Vec<MessageMove>> = BTreeMap::new();
    for step in &plan.moves {
        let batch = of_batches.entry(step.message.batch).or_default();
        batch.push(*step);
    }
    for &bundle in &plan.withdrawn {
        let batch = batch_of(tx, bundle)?;
        bundles::withdraw(tx, bundle)?;
        events::note_action(tx, action, batch, None, &format!("withdrew {bundle}"))?;
    }
    for (batch, moves) in of_batches {
        move_all(tx, deed, batch, &moves, action)?;
        go_on(tx, batch, action.at)?;
    }
    Ok(())
}

fn move_all(
    tx: &Transaction<'_>,
    deed: MessageDeed,
    batch: BatchId,
    moves: &[MessageMove],
    action: &NewEvent,
) -> Result<(), Error> {
    for step in moves {
        set(tx, deed, step, action)?;
        let position = Some(step.message.position);
        events::note_action(tx, action, batch, position, deed.done())?;
    }
    let positions = || moves.iter().map(|step| step.message.position);
    let what = format!("messages {}: {}", deed.done(), ranges(positions()));
    events::note_action(tx, action, batch, None, &what)?;
    let event = match deed {
        MessageDeed::Hold => MessageEvent::Held,
        MessageDeed::Cancel => MessageEvent::Cancelled,
        MessageDeed::Release => return Ok(()),
    };
    let why = Some(action.why.as_str());
    message_events::note_because(tx, batch, positions(), event, why, action.at)
}

fn set(
    tx: &Transaction<'_>,
    deed: MessageDeed,
    step: &MessageMove,
    action: &NewEvent,
) -> Result<(), Error> {
    let doing = "move a message";
    let MessageId { batch, position } = step.message;
    let why = (deed == MessageDeed::Hold).then_some(&action.why);
    // What is routed again has neither channel nor reason.
    let sql = "UPDATE messages SET state = :to, bundle = NULL, held_why = :why,
            channel = CASE WHEN :to = 'accepted' THEN NULL ELSE channel END,
            reason = CASE WHEN :to = 'accepted' THEN NULL ELSE reason END
         WHERE batch = :batch AND position = :position";
    let mut update = tx.prepare_cached(sql).doing(doing)?;
    let given = named_params! {
        ":to": step.to.word(),
        ":why": why,
        ":batch": batch.0,
        ":position": position,
    };
    update.execute(given).doing(doing)?;
    match deed {
        MessageDeed::Cancel => letter_ids::release(tx, step.message),
        MessageDeed::Hold | MessageDeed::Release => Ok(()),
    }
}

/// Makes the batch due for the first step that some message of it has to come. One that is held goes on
/// with its release, and one that is reported comes due only where there is something to do.
pub(super) fn go_on(tx: &Transaction<'_>, batch: BatchId, now: Timestamp) -> Result<(), Error> {
    let doing = "make a batch due";
    let row = batches::by_id(tx, batch)?;
    if row.state.is_stopped() || row.state == BatchState::Received {
        return Ok(());
    }
    let next = first_to_do(tx, batch)?;
    let is_earlier = |state: &BatchState| state.next_step() < row.state.next_step();
    let to = match next {
        Some(state) if row.state == BatchState::Reported || is_earlier(&state) => state,
        // The last one that waited for its mailbox status waits no more: the report can be written.
        None if row.state == BatchState::Reported && row.due_at.is_some() => {
            if waits(tx, batch)? {
                return Ok(());
            }
            row.state
        }
        _ => return Ok(()),
    };
    let sql = "UPDATE batches SET state = ?2, due_at = ?3, attempts = 0, last_error = NULL
         WHERE id = ?1";
    tx.execute(sql, params![batch.0, to.word(), millis(now)])
        .doing(doing)?;
    Ok(())
}

/// The state whose step comes first of all that messages have to come, but for those that wait for their
/// mailbox status or for a mailbox service.
fn first_to_do(tx: &Transaction<'_>, batch: BatchId) -> Result<Option<BatchState>, Error> {
    let doing = "find the first step to do";
    let sql = format!(
        "SELECT CASE
            WHEN EXISTS (SELECT 1 FROM messages WHERE batch = ?1 AND state = 'accepted')
                 THEN 'opened'
            WHEN EXISTS (SELECT 1 FROM messages m WHERE batch = ?1 AND state = 'routed'
                 AND channel <> 'print' AND NOT {IS_QUEUED}) THEN 'routed'
            WHEN EXISTS (SELECT 1 FROM messages m WHERE batch = ?1 AND (state = 'routed'
                 OR (state = 'delivered' AND channel = 'mailbox-and-print')) AND NOT {IS_QUEUED})
                 THEN 'delivered'
            END AS state"
    );
    tx.query_row(&sql, [batch.0], |row| row.maybe_word("state"))
        .doing(doing)
}

fn waits(tx: &Transaction<'_>, batch: BatchId) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM messages WHERE batch = ? AND state = 'waiting' LIMIT 1";
    let mut query = tx.prepare_cached(sql).doing("look for who waits")?;
    query.exists([batch.0]).doing("look for who waits")
}

fn batch_of(tx: &Transaction<'_>, bundle: BundleId) -> Result<BatchId, Error> {
    let sql = "SELECT batch FROM bundles WHERE id = ?";
    tx.query_row(sql, [bundle.0], |row| row.batch("batch"))
        .doing("read a bundle")
}

fn candidate(db: &Connection, id: MessageId) -> Result<Option<Candidate>, Error> {
    let doing = "read a message";
    let sql = format!(
        "SELECT batch, position, state, channel, bundle, delivered_at, again, held_why,
            (SELECT MAX(p.bundle) FROM pieces p JOIN bundles b ON b.id = p.bundle
              WHERE p.batch = m.batch AND p.position = m.position AND b.state = 'handed-over')
            AS printed_in, {IN_QUEUE} AS in_queue
         FROM messages m WHERE batch = ?1 AND position = ?2"
    );
    let mut query = db.prepare_cached(&sql).doing(doing)?;
    let found = query.query_row(params![id.batch.0, id.position], read);
    found.optional().doing(doing)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Candidate> {
    Ok(Candidate {
        message: reprocess::message_id(row)?,
        state: row.word("state")?,
        channel: row.maybe_word("channel")?,
        bundle: row.maybe_bundle("bundle")?,
        is_in_mailbox: row.maybe_time("delivered_at")?.is_some(),
        has_been_in_mailbox: row.get::<_, u32>("again")? > 0,
        is_held_by_operator: row.get::<_, Option<String>>("held_why")?.is_some(),
        printed_in: row.maybe_bundle("printed_in")?,
        in_queue: row.maybe_word("in_queue")?,
    })
}

/// `12`, or `3, 12-14`: positions that grow.
fn ranges(positions: impl Iterator<Item = u32>) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for position in positions {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == position => *last = position,
            _ => ranges.push((position, position)),
        }
    }
    let told = ranges.iter().map(|&(first, last)| match last - first {
        0 => first.to_string(),
        _ => format!("{first}-{last}"),
    });
    told.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_told_in_ranges() {
        assert_eq!(ranges([12].into_iter()), "12");
        assert_eq!(ranges([3, 12, 13, 14].into_iter()), "3, 12-14");
    }
}
