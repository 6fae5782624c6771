//! What each state means, for people.

use super::{BatchState, MessageState};
use crate::domain::{BundleState, OutgoingState};

/// A state in words. Sentences without a full stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    pub what: &'static str,
    /// What it waits for; `None` at rest.
    pub waits_for: Option<&'static str>,
    /// What an operator can do, with the command.
    pub way_out: &'static str,
}

const fn meaning(
    what: &'static str,
    waits_for: Option<&'static str>,
    way_out: &'static str,
) -> Meaning {
    Meaning {
        what,
        waits_for,
        way_out,
    }
}

const CANCEL: &str = "`kuori batch cancel`, while nothing of it has left the house";

impl BatchState {
    pub fn meaning(self) -> Meaning {
        match self {
            Self::Received => meaning(
                "its file is stored, and its sender gets an acknowledgement",
                Some("the step `open`"),
                CANCEL,
            ),
            Self::Opened => meaning(
                "its messages are read and checked",
                Some("the step `route`, which asks the gate first"),
                CANCEL,
            ),
            Self::Routed => meaning(
                "each message has its channel and the reason for it",
                Some("the step `deliver`"),
                CANCEL,
            ),
            Self::Delivered => meaning(
                "what goes to mailboxes lies there, or waits in the queue of a mailbox service",
                Some("the step `compose`"),
                "`kuori reprocess` of what is still here",
            ),
            Self::Composed => meaning(
                "its bundles are written, and go out by themselves",
                Some("the step `report`"),
                "`kuori reprocess`; bundles that have not gone are withdrawn",
            ),
            Self::Reported => meaning(
                "its sender was told what became of each message; or its messages wait for their mailbox status",
                Some("nothing; or the step `route`, while messages wait"),
                "`kuori reprocess`, if something is to be done again",
            ),
            Self::Refused => meaning(
                "as a whole it is unusable; its file is in quarantine, and its sender is told once",
                None,
                "`kuori reprocess`, from the first step, where the fault was ours",
            ),
            Self::Held => meaning(
                "the gate holds it, or a step failed; its sender is told once",
                Some("an operator"),
                "`kuori batch approve` at the gate, `kuori reprocess` after a fault, `kuori batch cancel`",
            ),
            Self::Cancelled => meaning(
                "called off for good; its sender is told once",
                None,
                "none: the sender sends what is still to go in another file",
            ),
        }
    }
}

impl MessageState {
    pub fn meaning(self) -> Meaning {
        match self {
            Self::Accepted => meaning(
                "read and found usable, not routed yet",
                Some("the step `route` of its batch"),
                "`kuori batch cancel`",
            ),
            Self::Waiting => meaning(
                "nobody could say whether its recipient's mailbox is active",
                Some(
                    "another answer, or the end of the sender's patience, after which it is printed",
                ),
                "`kuori consent set`, if you know the answer; `kuori batch cancel`",
            ),
            Self::Routed => meaning(
                "its channel is chosen",
                Some(
                    "the step `deliver` or `compose` of its batch, or its turn in the queue of a mailbox service",
                ),
                "`kuori reprocess`, to route it anew; `kuori batch cancel`",
            ),
            Self::Delivered => meaning(
                "in its recipient's mailbox; it is printed too where its channel says both",
                None,
                "`kuori reprocess` with `--deliver-again`, and nothing less: it would be there twice",
            ),
            Self::Composed => meaning(
                "in a bundle whose files are written",
                Some("the outbox, which hands the bundle over"),
                "`kuori reprocess`, which withdraws the bundle",
            ),
            Self::HandedOver => meaning(
                "in a bundle that the print house has",
                None,
                "`kuori reprocess` with `--print-again`, and nothing less: it would be posted twice",
            ),
            Self::Refused => meaning(
                "not sent, and its sender is told why; its letter id is free, so that it can be sent again, corrected",
                None,
                "`kuori reprocess`, where the fault was ours",
            ),
            Self::Held => meaning(
                "set aside for an operator, with a finding that says why",
                Some("an operator"),
                "`kuori reprocess`, or a new letter from the sender",
            ),
            Self::Cancelled => meaning(
                "called off for good; its letter id is free",
                None,
                "none: the sender sends it in another file",
            ),
        }
    }
}

impl BundleState {
    pub fn meaning(self) -> Meaning {
        match self {
            Self::Planned => meaning(
                "its letters and their order are chosen; its files may be half written",
                Some("the step `compose` of its batch"),
                "`kuori reprocess` of one of its letters withdraws it",
            ),
            Self::Composed => meaning(
                "its files stand in the spool",
                Some("the outbox"),
                "`kuori outbox retry`; `kuori reprocess` of one of its letters withdraws it",
            ),
            Self::HandedOver => meaning(
                "the print house has it; it never changes again",
                None,
                "`kuori reprocess` with `--print-again` makes a new bundle",
            ),
            Self::Withdrawn => meaning(
                "taken back before its hand-over; its letters are free, and may lie in another bundle",
                None,
                "none is needed",
            ),
        }
    }
}

impl OutgoingState {
    pub fn meaning(self) -> Meaning {
        match self {
            Self::Due => meaning(
                "its files stand in the spool",
                Some("its turn, its place to work, or an operator where it is held"),
                "`kuori outbox list` says what it waits for, `kuori outbox retry` tries it now",
            ),
            Self::HandingOver => meaning(
                "all files but the marker stand at the place, and the marker may",
                Some("the outbox, which looks whether it was taken and places the marker"),
                "`kuori outbox retry`, where it is held",
            ),
            Self::HandedOver => meaning(
                "all files stood at the place",
                None,
                "none is needed; a receipt goes again where its sender sends the same file again",
            ),
            Self::Withdrawn => meaning(
                "taken back with its bundle; what was written of it is removed from its place",
                None,
                "none is needed",
            ),
        }
    }
}
