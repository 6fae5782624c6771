//! The legal moves, a row each: from where, by whom, to where.

use std::fmt;

use super::{BatchState, MessageState, Step};
use crate::domain::{BundleState, OutgoingState};

/// Who makes a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    Step(Step),
    /// The runner, where a step failed in a way that waiting does not cure.
    FailedStep,
    Operator(Deed),
    /// It lies in a bundle that is taken back, for another letter's sake.
    Withdrawal,
    Inbox,
    Outbox,
    /// Nobody has read or confirmed it in time: its message goes on paper too.
    Timer,
    /// Which sends what waits for a mailbox service, or learns there that it cannot, or where it went.
    Courier,
}

/// What an operator does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deed {
    Approve,
    Hold,
    Release,
    Cancel,
    Reprocess,
    /// `kuori reprocess --deliver-again`: what lies in a mailbox goes there once more.
    DeliverAgain,
    /// `kuori reprocess --print-again`: what the print house has goes there once more.
    PrintAgain,
}

/// Some legal moves: from each of these states to each of those. No end at all means that what is
/// done leaves the state as it is.
#[derive(Debug, Clone, Copy)]
pub struct Moves<S: 'static> {
    pub from: &'static [S],
    pub by: By,
    pub to: &'static [S],
}

/// Something whose states have legal moves.
pub trait Lifecycle: fmt::Debug + Copy + Eq + 'static {
    /// What it is called: `batch`.
    const OF: &'static str;
    const STATES: &'static [Self];
    /// The states in which it comes to be.
    const BORN: &'static [Self];
    const MOVES: &'static [Moves<Self>];

    fn name(self) -> &'static str;
}

/// A move that the lifecycle does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a {} that is {} cannot become {}", S::OF, from.name(), to.name())]
pub struct IllegalMove<S: Lifecycle = MessageState> {
    pub from: S,
    pub to: S,
}

/// Whether the table has the move. To stay is no move.
pub fn may_become<S: Lifecycle>(from: S, to: S) -> bool {
    let rows = S::MOVES.iter();
    rows.filter(|row| row.from.contains(&from))
        .any(|row| row.to.contains(&to))
}

pub(super) fn move_to<S: Lifecycle>(from: S, to: S) -> Result<S, IllegalMove<S>> {
    if from == to || may_become(from, to) {
        Ok(to)
    } else {
        Err(IllegalMove { from, to })
    }
}

const fn moves<S>(from: &'static [S], by: By, to: &'static [S]) -> Moves<S> {
    Moves { from, by, to }
}

impl Lifecycle for BatchState {
    const OF: &'static str = "batch";
    const STATES: &'static [Self] = &Self::ALL;
    const BORN: &'static [Self] = &[Self::Received];
    const MOVES: &'static [Moves<Self>] = {
        use BatchState::{
            Cancelled, Composed, Delivered, Held, Opened, Received, Refused, Reported, Routed,
        };
        const AT_WORK: &[BatchState] = &[Received, Opened, Routed, Delivered, Composed, Reported];
        &[
            moves(&[Received], By::Step(Step::Open), &[Opened, Refused]),
            // Held by the gate; refused where one message is, and the sender wants all or nothing.
            moves(&[Opened], By::Step(Step::Route), &[Routed, Held, Refused]),
            // Opened again where a consent was withdrawn since the message was routed.
            // Held where the sender was put on hold since.
            moves(
                &[Routed],
                By::Step(Step::Deliver),
                &[Delivered, Opened, Held],
            ),
            moves(&[Delivered], By::Step(Step::Compose), &[Composed]),
            moves(&[Composed], By::Step(Step::Report), &[Reported]),
            // Only while messages wait for their mailbox status.
            moves(&[Reported], By::Step(Step::Route), &[Routed, Held, Refused]),
            // The sender is told why it stopped.
            moves(&[Refused, Held, Cancelled], By::Step(Step::Report), &[]),
            moves(AT_WORK, By::FailedStep, &[Held]),
            // By its number, or with the release of its sender.
            moves(&[Held], By::Operator(Deed::Approve), &[Opened]),
            moves(AT_WORK, By::Operator(Deed::Hold), &[Held]),
            // Routed again, or opened where it was not; what was routed stays so.
            moves(&[Held], By::Operator(Deed::Release), &[Received, Opened]),
            moves(AT_WORK, By::Operator(Deed::Cancel), &[Cancelled]),
            moves(&[Refused, Held], By::Operator(Deed::Cancel), &[Cancelled]),
            // The rest of it is cancelled, and what has gone is reported.
            moves(
                &[Opened, Routed, Delivered, Reported, Held],
                By::Operator(Deed::Cancel),
                &[Composed],
            ),
            // For messages that left the queue of a mailbox service: routed anew, or to be printed too.
            moves(
                &[Routed, Delivered, Composed, Reported],
                By::Courier,
                &[Opened, Routed, Delivered],
            ),
            // For one of its messages, which goes on, or leaves a bundle whose others are planned again.
            moves(
                &[Routed, Delivered, Composed, Reported],
                By::Operator(Deed::Release),
                &[Opened, Routed, Delivered],
            ),
            moves(
                &[Composed, Reported],
                By::Operator(Deed::Hold),
                &[Delivered],
            ),
            moves(
                &[Composed, Reported],
                By::Operator(Deed::Cancel),
                &[Delivered],
            ),
            // Forward too: past steps that no message of it has still to come.
            moves(
                &[
                    Received, Opened, Routed, Delivered, Composed, Reported, Held,
                ],
                By::Operator(Deed::Reprocess),
                &[Received, Opened, Routed, Delivered, Composed],
            ),
            // Messages of it that nobody has read or confirmed in time, all of them together.
            moves(&[Composed, Reported], By::Timer, &[Delivered]),
            // As a whole it was unusable: nothing of it goes on before it is opened again.
            moves(&[Refused], By::Operator(Deed::Reprocess), &[Received]),
        ]
    };

    fn name(self) -> &'static str {
        self.as_str()
    }
}

impl Lifecycle for MessageState {
    const OF: &'static str = "message";
    const STATES: &'static [Self] = &Self::ALL;
    const BORN: &'static [Self] = &[Self::Accepted, Self::Refused];
    const MOVES: &'static [Moves<Self>] = {
        use MessageState::{
            Accepted, Cancelled, Composed, Delivered, HandedOver, Held, Refused, Routed, Waiting,
        };
        const UNDECIDED: &[MessageState] = &[Accepted, Waiting];
        const HERE: &[MessageState] = &[Accepted, Waiting, Routed, Composed];
        &[
            // When its batch is opened again.
            moves(UNDECIDED, By::Step(Step::Open), &[Accepted, Refused]),
            moves(
                UNDECIDED,
                By::Step(Step::Route),
                &[Routed, Waiting, Refused],
            ),
            // With its whole batch.
            moves(&[Routed], By::Step(Step::Route), &[Refused]),
            // Accepted again where its consent was withdrawn since, or it is too large for a mailbox;
            // held where its pages cannot be cut out of the PDF.
            moves(
                &[Routed],
                By::Step(Step::Deliver),
                &[Delivered, Accepted, Held],
            ),
            // Refused where it fits no envelope; held where it cannot be composed.
            moves(
                &[Routed],
                By::Step(Step::Compose),
                &[Composed, Refused, Held],
            ),
            // What lies in a mailbox is never told to be refused: its sender would send it again.
            moves(&[Delivered], By::Step(Step::Compose), &[Composed, Held]),
            // Its channel is the mailbox and print from then on.
            moves(&[Delivered], By::Timer, &[]),
            moves(&[Composed], By::Outbox, &[HandedOver]),
            // Accepted again where the service says that its recipient has no mailbox in use, or that it
            // is too large; held where the service refuses it; handed over where the service prints it.
            moves(
                &[Routed],
                By::Courier,
                &[Delivered, HandedOver, Accepted, Held],
            ),
            // Its paper half, that the service prints.
            moves(&[Delivered], By::Courier, &[HandedOver, Held]),
            // Where the service chose the way, and tells later that it found a mailbox.
            moves(&[HandedOver], By::Courier, &[Delivered]),
            moves(&[Composed], By::Withdrawal, &[Routed, Delivered]),
            moves(HERE, By::Operator(Deed::Hold), &[Held]),
            // Its paper half: it lies in its mailbox.
            moves(&[Delivered], By::Operator(Deed::Hold), &[Held]),
            // To be routed again: a consent may have changed since. Only to be printed, where it lies in
            // its mailbox.
            moves(&[Held], By::Operator(Deed::Release), &[Accepted, Delivered]),
            // Its paper half is called off.
            moves(&[Held], By::Operator(Deed::Cancel), &[Delivered]),
            // A repeat is called off, of what went once: it is not told to be cancelled.
            moves(HERE, By::Operator(Deed::Cancel), &[Held]),
            moves(HERE, By::Operator(Deed::Cancel), &[Cancelled]),
            moves(&[Refused, Held], By::Operator(Deed::Cancel), &[Cancelled]),
            moves(
                &[Waiting, Routed],
                By::Operator(Deed::Reprocess),
                &[Accepted],
            ),
            moves(
                &[Composed, Refused, Held],
                By::Operator(Deed::Reprocess),
                &[Accepted, Routed, Delivered],
            ),
            moves(
                &[Delivered],
                By::Operator(Deed::DeliverAgain),
                &[Accepted, Routed],
            ),
            moves(
                &[HandedOver],
                By::Operator(Deed::PrintAgain),
                &[Accepted, Routed, Delivered],
            ),
        ]
    };

    fn name(self) -> &'static str {
        self.as_str()
    }
}

impl Lifecycle for BundleState {
    const OF: &'static str = "bundle";
    const STATES: &'static [Self] = &Self::ALL;
    const BORN: &'static [Self] = &[Self::Planned];
    const MOVES: &'static [Moves<Self>] = {
        use BundleState::{Composed, HandedOver, Planned, Withdrawn};
        const HERE: &[BundleState] = &[Planned, Composed];
        &[
            // Withdrawn where a letter of it cannot be composed, or it was planned under other settings.
            moves(&[Planned], By::Step(Step::Compose), &[Composed, Withdrawn]),
            moves(&[Composed], By::Outbox, &[HandedOver]),
            // For one of its letters.
            moves(HERE, By::Operator(Deed::Hold), &[Withdrawn]),
            moves(HERE, By::Operator(Deed::Cancel), &[Withdrawn]),
            moves(HERE, By::Operator(Deed::Reprocess), &[Withdrawn]),
        ]
    };

    fn name(self) -> &'static str {
        self.as_str()
    }
}

impl Lifecycle for OutgoingState {
    const OF: &'static str = "hand-over";
    const STATES: &'static [Self] = &Self::ALL;
    const BORN: &'static [Self] = &[Self::Due];
    const MOVES: &'static [Moves<Self>] = {
        use OutgoingState::{Due, HandedOver, HandingOver, Withdrawn};
        &[
            // At once where there is no marker: a receipt's.
            moves(&[Due], By::Outbox, &[HandingOver, HandedOver]),
            moves(&[HandingOver], By::Outbox, &[HandedOver]),
            // The same file came again, and its receipts go again.
            moves(&[HandedOver], By::Inbox, &[Due]),
            // With its bundle.
            moves(&[Due], By::Operator(Deed::Hold), &[Withdrawn]),
            moves(&[Due], By::Operator(Deed::Cancel), &[Withdrawn]),
            moves(&[Due], By::Operator(Deed::Reprocess), &[Withdrawn]),
        ]
    };

    fn name(self) -> &'static str {
        self.as_str()
    }
}
