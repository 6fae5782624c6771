/// Why a batch is held: by the gate before it is routed, which an operator approves, or by an operator,
/// who releases it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HoldCause {
    /// Its sender never had a batch that passed the gate.
    FirstBatch,
    /// The share of refused messages is over the sender's limit.
    RefusedShare,
    /// More messages are to go than the sender's limit.
    ManyLetters,
    /// An operator put the sender on hold.
    Sender,
    /// An operator put the batch itself on hold.
    Operator,
}

impl HoldCause {
    pub const ALL: [Self; 5] = [
        Self::FirstBatch,
        Self::RefusedShare,
        Self::ManyLetters,
        Self::Sender,
        Self::Operator,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::FirstBatch => "first-batch",
            Self::RefusedShare => "refused-share",
            Self::ManyLetters => "many-letters",
            Self::Sender => "sender",
            Self::Operator => "operator",
        }
    }
}

/// What becomes of a message whose id of the sender's belongs to a message of an earlier batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum DuplicateLetterIds {
    #[default]
    Refuse,
    /// It goes on, with a warning.
    Accept,
}
