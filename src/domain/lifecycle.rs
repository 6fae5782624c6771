//! The states of things, and which moves between them are legal.
//!
//! The moves are data ([`table`]): the store is held to them, operators' deeds are checked against them
//! first, and docs/lifecycle.md is drawn from them.

mod meaning;
mod table;
#[cfg(test)]
mod tests;

pub use meaning::Meaning;
pub use table::{By, Deed, IllegalMove, Lifecycle, Moves, may_become};

use super::Channel;

/// A move of a batch that the lifecycle does not know.
pub type IllegalBatchMove = IllegalMove<BatchState>;

/// One stage of the pipeline, as `kuori reprocess --from` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    Open,
    Route,
    Deliver,
    Compose,
    Report,
}

impl Step {
    pub const ALL: [Self; 5] = [
        Self::Open,
        Self::Route,
        Self::Deliver,
        Self::Compose,
        Self::Report,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Route => "route",
            Self::Deliver => "deliver",
            Self::Compose => "compose",
            Self::Report => "report",
        }
    }
}

/// Where a batch is: the last step that is behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BatchState {
    Received,
    Opened,
    Routed,
    Delivered,
    Composed,
    Reported,
    /// The whole batch is unusable; its file is in quarantine.
    Refused,
    /// It waits for an operator: before it is routed ([`HoldCause`](super::HoldCause)), or because a
    /// step failed.
    Held,
    /// Called off for good; nothing of it has left the house.
    Cancelled,
}

impl BatchState {
    pub const ALL: [Self; 9] = [
        Self::Received,
        Self::Opened,
        Self::Routed,
        Self::Delivered,
        Self::Composed,
        Self::Reported,
        Self::Refused,
        Self::Held,
        Self::Cancelled,
    ];

    /// The step that is due for a batch in this state.
    ///
    /// A reported batch comes due again only while messages wait for their mailbox status. A
    /// refused, held or cancelled one comes due once, to tell the sender.
    pub fn next_step(self) -> Step {
        let own = Self::MOVES.iter().filter(|row| row.from.contains(&self));
        let step = own.filter_map(|row| match row.by {
            By::Step(step) => Some(step),
            _ => None,
        });
        // Each state has its row with a step: a test holds the table to that.
        step.min().unwrap_or(Step::Report)
    }

    /// Refuses a move that the lifecycle does not know. To stay is no move, and always allowed.
    ///
    /// # Errors
    ///
    /// [`IllegalBatchMove`] names both ends.
    pub fn move_to(self, to: Self) -> Result<Self, IllegalBatchMove> {
        table::move_to(self, to)
    }

    /// The state in which `step` is the next one: where `kuori reprocess --from` sets a batch.
    pub fn before(step: Step) -> Self {
        match step {
            Step::Open => Self::Received,
            Step::Route => Self::Opened,
            Step::Deliver => Self::Routed,
            Step::Compose => Self::Delivered,
            Step::Report => Self::Composed,
        }
    }

    /// Whether it stands still, and its sender is told why.
    pub fn is_stopped(self) -> bool {
        match self {
            Self::Refused | Self::Held | Self::Cancelled => true,
            Self::Received
            | Self::Opened
            | Self::Routed
            | Self::Delivered
            | Self::Composed
            | Self::Reported => false,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Opened => "opened",
            Self::Routed => "routed",
            Self::Delivered => "delivered",
            Self::Composed => "composed",
            Self::Reported => "reported",
            Self::Refused => "refused",
            Self::Held => "held",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Where a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageState {
    /// Read from the batch and found usable; not routed yet.
    Accepted,
    /// Its mailbox status was not known when it was asked for.
    Waiting,
    Routed,
    /// In the recipient's mailbox.
    Delivered,
    /// In a bundle that waits for the print house.
    Composed,
    /// In a bundle that the print house has.
    HandedOver,
    Refused,
    /// An operator has to look.
    Held,
    Cancelled,
}

impl MessageState {
    pub const ALL: [Self; 9] = [
        Self::Accepted,
        Self::Waiting,
        Self::Routed,
        Self::Delivered,
        Self::Composed,
        Self::HandedOver,
        Self::Refused,
        Self::Held,
        Self::Cancelled,
    ];

    /// Whether nothing more happens to a message of this channel by itself.
    pub fn is_settled(self, channel: Option<Channel>) -> bool {
        match self {
            Self::Delivered => channel != Some(Channel::MailboxAndPrint),
            Self::HandedOver | Self::Refused | Self::Held | Self::Cancelled => true,
            Self::Accepted | Self::Waiting | Self::Routed | Self::Composed => false,
        }
    }

    /// Refuses a move that the lifecycle does not know. To stay is no move, and always allowed.
    ///
    /// # Errors
    ///
    /// [`IllegalMove`] names both ends.
    pub fn move_to(self, to: Self) -> Result<Self, IllegalMove> {
        table::move_to(self, to)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Waiting => "waiting",
            Self::Routed => "routed",
            Self::Delivered => "delivered",
            Self::Composed => "composed",
            Self::HandedOver => "handed-over",
            Self::Refused => "refused",
            Self::Held => "held",
            Self::Cancelled => "cancelled",
        }
    }
}
