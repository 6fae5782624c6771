//! What must be true of rows at any moment, between any two transactions.

use super::{BatchState, Breach, BundleState, Channel, MessageState, OutgoingState};

/// What a message has to do with a mailbox service, beside lying in a mailbox of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtService {
    Nothing,
    /// It waits in the service's queue.
    Waits,
    /// The service has it, to print it.
    Prints,
}

/// What the rows say of one message.
#[derive(Debug, Clone, Copy)]
pub struct MessageFacts {
    pub state: MessageState,
    pub channel: Option<Channel>,
    /// Its delivery to a mailbox is recorded.
    pub is_in_mailbox: bool,
    /// The bundle that its row names.
    pub bundle: Option<BundleState>,
    /// It is a letter of that bundle.
    pub is_in_bundle: bool,
    /// Letters of it in other bundles that have not left the house.
    pub in_other_bundles: usize,
    pub at_service: AtService,
}

/// What the rows say of one batch.
#[derive(Debug, Clone, Copy)]
pub struct BatchFacts {
    pub state: BatchState,
    /// A step of it is due, now or later.
    pub is_due: bool,
    /// Messages that nothing but a step of the batch moves on.
    pub under_way: u64,
    /// Of those: they wait for their mailbox status.
    pub waiting: u64,
    /// Messages that wait for a mailbox service.
    pub queued: u64,
    /// It comes due for messages that left that queue, once more of them have.
    pub is_to_settle: bool,
    /// Bundles whose files are still to be made.
    pub planned: u64,
}

/// What the rows say of one bundle.
#[derive(Debug, Clone, Copy)]
pub struct BundleFacts {
    pub state: BundleState,
    /// How often it is handed over, or is to be; and the state of one of those.
    pub hand_overs: u64,
    pub hand_over: Option<OutgoingState>,
    /// Its envelopes are numbered 1, 2, … without a gap.
    pub is_unbroken: bool,
    /// Letters of it that belong to another batch than its own.
    pub strangers: u64,
    /// As its row counts them, and as they are: envelopes, letters, pages, sheets.
    pub counted: [u64; 4],
    pub found: [u64; 4],
}

/// What the rows say of one hand-over.
#[derive(Debug, Clone, Copy)]
pub struct HandOverFacts {
    pub state: OutgoingState,
    pub is_due: bool,
    /// It waits for an operator.
    pub is_held: bool,
    pub was_handed_over: bool,
    pub files: u64,
}

/// A broken rule, and how it is broken.
pub type Broken = (Breach, &'static str);

fn broken(rules: impl IntoIterator<Item = (bool, Breach, &'static str)>) -> Vec<Broken> {
    let broken = rules.into_iter().filter(|(is_broken, _, _)| *is_broken);
    broken.map(|(_, breach, how)| (breach, how)).collect()
}

impl MessageFacts {
    /// Whether nothing but a step of its batch moves it on.
    pub fn is_under_way(&self) -> bool {
        match self.state {
            _ if self.at_service == AtService::Waits => false,
            MessageState::Accepted | MessageState::Waiting | MessageState::Routed => true,
            MessageState::Delivered => self.channel == Some(Channel::MailboxAndPrint),
            MessageState::Composed
            | MessageState::HandedOver
            | MessageState::Refused
            | MessageState::Held
            | MessageState::Cancelled => false,
        }
    }

    pub fn broken(&self) -> Vec<Broken> {
        use Breach::{LetterInNoBundle, LetterInTwoBundles, MailboxAndBundle, MessageInconsistent};
        broken([
            (
                self.channel.is_some() != self.is_decided() && !self.is_stopped(),
                MessageInconsistent,
                "its channel does not go with its state",
            ),
            (
                !self.is_where_its_bundle_is(),
                MessageInconsistent,
                "its bundle does not go with its state",
            ),
            (
                self.is_delivered() && !self.is_in_mailbox,
                MessageInconsistent,
                "no delivery of it is recorded",
            ),
            (
                self.is_not_sent() && self.is_in_mailbox,
                MessageInconsistent,
                "it lies in a mailbox",
            ),
            (
                self.bundle.is_some() && !self.is_in_bundle,
                LetterInNoBundle,
                "the bundle that it names has no such letter",
            ),
            (
                self.in_other_bundles > 0,
                LetterInTwoBundles,
                "a bundle that it does not name has it too",
            ),
            (
                self.is_in_mailbox && self.bundle.is_some() && self.channel == Some(Channel::Print),
                MailboxAndBundle,
                "it lies in a mailbox, and its channel is print alone",
            ),
            (
                self.at_service == AtService::Waits && !self.may_wait_for_service(),
                MessageInconsistent,
                "it waits for a mailbox service, which does not go with its state",
            ),
        ])
    }

    /// Whether a channel has been chosen for it.
    fn is_decided(&self) -> bool {
        match self.state {
            MessageState::Accepted | MessageState::Waiting => false,
            MessageState::Delivered => self.uses(Channel::uses_mailbox),
            MessageState::Composed | MessageState::HandedOver => self.uses(Channel::uses_print),
            MessageState::Routed
            | MessageState::Refused
            | MessageState::Held
            | MessageState::Cancelled => true,
        }
    }

    /// A message that has stopped keeps the channel that it had, or has none.
    fn is_stopped(&self) -> bool {
        matches!(
            self.state,
            MessageState::Refused | MessageState::Held | MessageState::Cancelled
        )
    }

    fn may_wait_for_service(&self) -> bool {
        let may_wait = matches!(self.state, MessageState::Routed | MessageState::Delivered);
        may_wait && self.bundle.is_none()
    }

    fn is_where_its_bundle_is(&self) -> bool {
        let expected: &[_] = match self.state {
            MessageState::HandedOver if self.at_service == AtService::Prints => &[None],
            MessageState::Composed => &[Some(BundleState::Composed)],
            MessageState::HandedOver => &[Some(BundleState::HandedOver)],
            MessageState::Routed | MessageState::Delivered if self.uses(Channel::uses_print) => {
                &[None, Some(BundleState::Planned)]
            }
            MessageState::Accepted
            | MessageState::Waiting
            | MessageState::Routed
            | MessageState::Delivered
            | MessageState::Refused
            | MessageState::Held
            | MessageState::Cancelled => &[None],
        };
        expected.contains(&self.bundle)
    }

    /// By its state and channel it lies in a mailbox.
    fn is_delivered(&self) -> bool {
        let is_past = matches!(
            self.state,
            MessageState::Composed | MessageState::HandedOver
        );
        self.state == MessageState::Delivered
            || is_past && self.channel == Some(Channel::MailboxAndPrint)
    }

    /// By its state it has never reached a mailbox, or is to be put there once more.
    fn is_not_sent(&self) -> bool {
        match self.state {
            MessageState::Accepted
            | MessageState::Waiting
            | MessageState::Refused
            | MessageState::Cancelled => true,
            MessageState::Routed => self.uses(Channel::uses_mailbox),
            MessageState::Delivered
            | MessageState::Composed
            | MessageState::HandedOver
            | MessageState::Held => false,
        }
    }

    fn uses(&self, of: fn(Channel) -> bool) -> bool {
        self.channel.is_some_and(of)
    }
}

impl BatchFacts {
    pub fn broken(&self) -> Vec<Broken> {
        use Breach::{BatchStuck, MessageStuck};
        let is_at_work = !self.state.is_stopped() && self.state != BatchState::Reported;
        let is_reported = self.state == BatchState::Reported;
        // A held batch waits for an operator with all that it has.
        let has_ended = matches!(self.state, BatchState::Refused | BatchState::Cancelled);
        broken([
            (
                is_at_work && !self.is_due,
                BatchStuck,
                "the step that its state names is not due",
            ),
            (
                is_reported && self.waiting > 0 && !self.is_due,
                BatchStuck,
                "messages wait for their mailbox status, and nobody asks",
            ),
            (
                is_reported && self.under_way > self.waiting && !self.is_to_settle,
                MessageStuck,
                "its messages are under way, and all its steps are behind it",
            ),
            (
                has_ended && self.under_way + self.queued > 0,
                MessageStuck,
                "its messages are under way, and it has stopped for good",
            ),
            (
                self.planned > 0 && (is_reported || has_ended),
                BatchStuck,
                "a bundle of it is planned, and nobody composes it",
            ),
        ])
    }
}

impl BundleFacts {
    pub fn broken(&self) -> Vec<Broken> {
        let expected: &[_] = match self.state {
            BundleState::Planned => &[None],
            BundleState::Composed => &[Some(OutgoingState::Due), Some(OutgoingState::HandingOver)],
            BundleState::HandedOver => &[Some(OutgoingState::HandedOver)],
            BundleState::Withdrawn => &[None, Some(OutgoingState::Withdrawn)],
        };
        broken([
            (
                !expected.contains(&self.hand_over),
                Breach::BundleInconsistent,
                "its hand-over does not go with its state",
            ),
            (
                self.hand_overs > 1,
                Breach::BundleInconsistent,
                "it has more than one hand-over",
            ),
            (
                self.strangers > 0,
                Breach::BundleInconsistent,
                "it has letters of another batch",
            ),
            (
                !self.is_unbroken,
                Breach::BundleMiscounted,
                "its envelopes are not numbered from 1 without a gap",
            ),
            (
                self.counted != self.found,
                Breach::BundleMiscounted,
                "its row counts other envelopes, letters, pages or sheets than it has",
            ),
        ])
    }
}

impl HandOverFacts {
    pub fn broken(&self) -> Vec<Broken> {
        let is_open = matches!(self.state, OutgoingState::Due | OutgoingState::HandingOver);
        let is_done = self.state == OutgoingState::HandedOver;
        broken([
            (
                is_open && !self.is_due && !self.is_held,
                Breach::HandOverStuck,
                "it is neither due nor held",
            ),
            (
                is_done && (self.is_due || self.is_held || !self.was_handed_over),
                Breach::HandOverInconsistent,
                "it is handed over, and its row does not say when, or that more is to come",
            ),
            (
                self.files == 0,
                Breach::HandOverInconsistent,
                "it has no files",
            ),
        ])
    }
}

#[cfg(test)]
mod tests;
