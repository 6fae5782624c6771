use jiff::Timestamp;

use crate::domain::{Asked, Channel, ChannelWish, Fitness, Message, ServiceKind, StatedRecipient};

/// All that is known about one message when its way is chosen.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub message: &'a Message,
    /// What the content is fit for. A wrong recipient id is no matter of content: it has its rule.
    pub fitness: Fitness,
    /// What was last answered about the recipient's mailbox.
    pub status: Option<Asked>,
    /// The whole batch is for print (`_suoratulostus` in its name).
    pub batch_print_only: bool,
    /// The recipient, or the settings, want letters of this matter on paper.
    pub matter_is_print_only: bool,
    /// When the message first had to wait for its mailbox status.
    pub waiting_since: Option<Timestamp>,
    /// The channel that an operator chose: this one or none.
    pub forced: Option<Channel>,
}

impl Question<'_> {
    /// Paper always goes, and no electronic copy beside it: that leaves paper.
    pub(super) fn sender_wants_print(&self) -> bool {
        let denies_electronic =
            self.message.deny_electronic_only && self.message.deny_electronic_copy;
        self.batch_print_only || denies_electronic || self.message.wish == ChannelWish::PrintOnly
    }

    pub(super) fn sender_wants_mailbox(&self) -> bool {
        self.message.wish == ChannelWish::MailboxOnly
    }

    pub(super) fn recipient(&self) -> &StatedRecipient {
        &self.message.recipient.id
    }

    pub(super) fn address_is_complete(&self) -> bool {
        self.message.recipient.address.gap().is_none()
    }

    pub(super) fn is_verifiable(&self) -> bool {
        self.message.service == ServiceKind::Verifiable
    }
}
