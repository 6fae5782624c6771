use crate::domain::Disposition;

/// A request that came to nothing. No variant says whose message it was, and no text has a password.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No answer, or not a whole one: the connection, the certificate, the time that it may take.
    #[error("the mailbox service cannot be reached")]
    Unreachable {
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// HTTP 5xx or 429.
    #[error("the mailbox service answers {status}")]
    Busy {
        status: u16,
        /// What it asks for, in seconds.
        retry_after: Option<u64>,
    },

    /// User or password is wrong, or the address of this machine is not on the service's list.
    #[error("the mailbox service does not let this house in: {reason}")]
    NotLetIn { reason: String },

    /// The recipient has no mailbox in use.
    #[error("the recipient has no mailbox in use")]
    NoMailbox,

    /// HTTP 413, or larger than the service takes.
    #[error("{bytes} bytes are more than the mailbox service takes")]
    TooLarge { bytes: u64 },

    /// Any other 4xx: there is something to be mended before it is sent again.
    #[error("the mailbox service refuses it ({status}): {reason}")]
    Refused {
        status: u16,
        /// The service's own words, without identity codes.
        reason: String,
    },

    /// An answer that is none of what the API describes.
    #[error("the mailbox service answers something else than its description says: {what}")]
    Answer { what: String },

    #[error("cannot read or write the password file of the mailbox service")]
    PasswordFile { source: std::io::Error },

    #[error("the settings of the mailbox service cannot be used: {what}")]
    Settings { what: String },
}

impl Error {
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Unreachable { .. }
            | Self::Busy { .. }
            | Self::NotLetIn { .. }
            | Self::Answer { .. }
            | Self::PasswordFile { .. } => Disposition::Retry,
            Self::Settings { .. } => Disposition::Hold,
            Self::NoMailbox | Self::TooLarge { .. } | Self::Refused { .. } => Disposition::Reject,
        }
    }

    /// Whether it is a matter of this one message, and the service works for others.
    pub fn is_of_message(&self) -> bool {
        matches!(
            self,
            Self::NoMailbox | Self::TooLarge { .. } | Self::Refused { .. }
        )
    }
}
