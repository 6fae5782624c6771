use super::{DeliveryLine, MessageLine, ProcessingHeader};

/// How much a sender wants to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Level {
    #[default]
    All,
    /// Only what needs the sender's hand: no acknowledgement, no message that went well.
    Errors,
    None,
}

impl Level {
    pub fn wants_acknowledgement(self) -> bool {
        self == Self::All
    }

    pub fn wants_report(self, header: &ProcessingHeader) -> bool {
        match self {
            Self::All => true,
            Self::Errors => header.has_trouble(),
            Self::None => false,
        }
    }

    /// Whether this message is to be in the report.
    pub fn wants_message(self, line: &MessageLine) -> bool {
        match self {
            Self::All => true,
            Self::Errors => line.has_trouble(),
            Self::None => false,
        }
    }

    /// Whether this message is to be in a delivery report. One without messages is not wanted.
    pub fn wants_delivery(self, line: &DeliveryLine) -> bool {
        match self {
            Self::All => true,
            Self::Errors => line.has_trouble(),
            Self::None => false,
        }
    }
}
