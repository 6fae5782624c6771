use jiff::Timestamp;

use super::Counts;
use crate::domain::{
    BatchId, BundleId, Channel, Finding, Language, MessageEvent, MessageId, Private, SenderId,
};

/// What a delivery report says of the batch as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryHeader {
    pub batch: BatchId,
    pub sender: SenderId,
    /// As the sender named it.
    pub file_name: String,
    pub reported_at: Timestamp,
    /// Of what is to be done about findings.
    pub language: Language,
    /// Nothing is under way any more: no message has a step to come by itself.
    pub is_final: bool,
    pub counts: Counts,
}

/// A message that something has happened to since the last delivery report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryLine {
    pub message: MessageId,
    pub sender_letter_id: Option<Private<String>>,
    pub channel: Option<Channel>,
    /// All that has happened to it, oldest first.
    pub events: Vec<DeliveryEvent>,
    /// It is held, refused or cancelled by now, whatever was heard of it later: that may be of a delivery
    /// before.
    pub is_stopped: bool,
    pub findings: Vec<Finding>,
}

impl DeliveryLine {
    /// Whether the recipient does not have the message, or nobody has read it in time, and nothing more
    /// happens by itself.
    pub fn has_trouble(&self) -> bool {
        self.is_stopped || self.events.last().is_some_and(DeliveryEvent::is_trouble)
    }
}

/// Something that happened to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryEvent {
    pub what: MessageEvent,
    pub at: Timestamp,
    /// The bundle that it happened in.
    pub bundle: Option<BundleId>,
    /// 1-based sequence of its piece in that bundle.
    pub piece: Option<u32>,
    /// Why a letter was returned: `R01` to `R10`.
    pub reason: Option<String>,
    /// Why an operator held or cancelled it, in words; or why what nobody has read cannot go on paper.
    pub why: Option<String>,
}

impl DeliveryEvent {
    /// One that nobody has read or confirmed goes on paper, unless it is said why not.
    fn is_trouble(&self) -> bool {
        let is_unread = matches!(
            self.what,
            MessageEvent::Unread | MessageEvent::Unacknowledged
        );
        self.what.is_trouble() || is_unread && self.why.is_some()
    }
}
