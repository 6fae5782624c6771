//! Which moves are legal.
//!
//! The steps of the pipeline make only moves of this table. A move that an operator asks for is
//! checked against it first.

use super::Channel;

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
        match self {
            Self::Received => Step::Open,
            Self::Opened | Self::Reported => Step::Route,
            Self::Routed => Step::Deliver,
            Self::Delivered => Step::Compose,
            Self::Composed | Self::Refused | Self::Held | Self::Cancelled => Step::Report,
        }
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
        if self == to || self.may_become(to) {
            Ok(to)
        } else {
            Err(IllegalMove { from: self, to })
        }
    }

    fn may_become(self, to: Self) -> bool {
        use MessageState::{
            Accepted, Cancelled, Composed, Delivered, HandedOver, Held, Refused, Routed, Waiting,
        };
        match self {
            Accepted | Waiting => {
                matches!(to, Accepted | Waiting | Routed | Refused | Held | Cancelled)
            }
            Routed => matches!(
                to,
                Accepted | Delivered | Composed | Held | Refused | Cancelled
            ),
            // Refused where it was to be printed too and fits no bundle. Back to a state before it
            // only by an operator who says `--deliver-again`.
            Delivered => matches!(to, Composed | Accepted | Routed | Held | Refused),
            // Back when its bundle is withdrawn.
            Composed => matches!(
                to,
                HandedOver | Accepted | Routed | Delivered | Held | Cancelled
            ),
            // Back only by an operator who says `--print-again`.
            HandedOver => matches!(to, Accepted | Routed | Delivered),
            Refused | Held => matches!(
                to,
                Accepted | Routed | Delivered | Refused | Held | Cancelled
            ),
            Cancelled => false,
        }
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

/// A move that the lifecycle does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message that is {} cannot become {}", from.as_str(), to.as_str())]
pub struct IllegalMove {
    pub from: MessageState,
    pub to: MessageState,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_but_cancelled_has_a_way_out() {
        for from in MessageState::ALL {
            let ways = MessageState::ALL
                .into_iter()
                .filter(|&to| to != from && from.may_become(to));
            assert_eq!(
                ways.count() == 0,
                from == MessageState::Cancelled,
                "{from:?}"
            );
        }
    }

    #[test]
    fn a_message_may_stay_where_it_is_and_a_cancelled_one_can_do_nothing_else() {
        for state in MessageState::ALL {
            assert_eq!(state.move_to(state), Ok(state));
        }
        let cancelled = MessageState::Cancelled;
        let refused = cancelled.move_to(MessageState::Accepted).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "a message that is cancelled cannot become accepted"
        );
    }

    #[test]
    fn only_what_has_left_the_house_cannot_be_cancelled() {
        for from in MessageState::ALL {
            let has_left = matches!(from, MessageState::Delivered | MessageState::HandedOver);
            let cancelled = from.move_to(MessageState::Cancelled);
            assert_eq!(cancelled.is_err(), has_left, "{from:?}");
        }
    }

    #[test]
    fn setting_a_batch_back_makes_that_step_its_next_one() {
        for step in Step::ALL {
            assert_eq!(BatchState::before(step).next_step(), step);
        }
    }

    #[test]
    fn a_message_for_both_channels_is_not_settled_by_the_mailbox_alone() {
        assert!(MessageState::Delivered.is_settled(Some(Channel::Mailbox)));
        assert!(!MessageState::Delivered.is_settled(Some(Channel::MailboxAndPrint)));
    }
}
