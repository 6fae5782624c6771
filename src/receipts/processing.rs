use jiff::Timestamp;

use crate::domain::{
    Asked, BatchId, BatchState, BundleId, Channel, Finding, Fitness, Language, MessageId,
    MessageState, Private, Reason, SenderId,
};

/// Messages of a batch by where they stand. Each message is counted once; of those delivered,
/// `also_printed` went on paper too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub received: u64,
    /// In the mailbox.
    pub delivered: u64,
    /// On paper only.
    pub printed: u64,
    pub also_printed: u64,
    pub refused: u64,
    pub held: u64,
    pub waiting: u64,
    pub cancelled: u64,
}

/// Why a batch stands still, and what the sender can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    pub why: String,
    pub what_to_do: String,
}

/// What the report says of the batch as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessingHeader {
    pub batch: BatchId,
    pub sender: SenderId,
    /// As the sender named it.
    pub file_name: String,
    pub state: BatchState,
    pub reported_at: Timestamp,
    /// The one that the sender is told in what to do. Details are English.
    pub language: Language,
    /// For a batch that is held or refused.
    pub stopped: Option<Stopped>,
    pub counts: Counts,
    /// Those of the whole batch; a message's own are on its line.
    pub findings: Vec<Finding>,
}

impl ProcessingHeader {
    /// Whether something did not go out as the sender wanted and will not by itself.
    pub fn has_trouble(&self) -> bool {
        let counts = &self.counts;
        self.stopped.is_some()
            || counts.refused + counts.held + counts.cancelled > 0
            || self.findings.iter().any(Finding::is_error)
    }
}

/// What the report says of one message. No field names the recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageLine {
    pub message: MessageId,
    pub sender_letter_id: Option<Private<String>>,
    pub state: MessageState,
    /// What its content is fit for, after everything that was found.
    pub fitness: Fitness,
    /// `None` where it goes nowhere, or nobody knows yet.
    pub channel: Option<Channel>,
    pub reason: Option<Reason>,
    /// What the mailbox service answered.
    pub asked: Option<Asked>,
    pub decided_at: Option<Timestamp>,
    /// When it lay in the mailbox.
    pub delivered_at: Option<Timestamp>,
    pub bundle: Option<BundleId>,
    /// 1-based sequence of its piece in the bundle.
    pub piece: Option<u32>,
    pub findings: Vec<Finding>,
}

impl MessageLine {
    /// Whether the message did not go out and will not by itself.
    pub fn has_trouble(&self) -> bool {
        use MessageState::{Cancelled, Held, Refused};
        matches!(self.state, Refused | Held | Cancelled)
    }
}
