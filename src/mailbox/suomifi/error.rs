use std::{io, path::PathBuf};

use jiff::SignedDuration;

use crate::domain::Disposition;

/// A request that came to nothing. No variant says whose message it was, and no text has a password,
/// a token, or anything of a message.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No answer, or not a whole one: the connection, the certificate, the time that it may take.
    #[error("the mailbox service cannot be reached")]
    Unreachable {
        /// The request may have reached it all the same; not where no connection came about.
        may_have_arrived: bool,
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// HTTP 5xx or 429: the same request can work later.
    #[error("the mailbox service answers {status}: {reason}")]
    Busy {
        status: u16,
        /// What it asks for, in seconds.
        retry_after: Option<u64>,
        /// The service's own words, with the number that its support asks for.
        reason: String,
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
        /// The service's own words, without identity codes or anything else that was sent.
        reason: String,
    },

    /// An answer that is none of what the API describes.
    #[error("the mailbox service answers something else than its description says: {what}")]
    Answer { what: String },

    /// An answer to a question for events that is no page of them, and does not say where to go on.
    #[error("the mailbox service answers no page of events: {what}")]
    NoPage { what: String },

    #[error("cannot {doing} the password file `{path}`")]
    PasswordFile {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },

    /// A password that the service would not take.
    #[error("the new password will not do: {what}")]
    Password { what: &'static str },

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
            | Self::NoPage { .. }
            | Self::PasswordFile { .. } => Disposition::Retry,
            Self::Settings { .. } => Disposition::Hold,
            Self::NoMailbox
            | Self::TooLarge { .. }
            | Self::Refused { .. }
            | Self::Password { .. } => Disposition::Reject,
        }
    }

    /// Whether it is a matter of this one message, and the service works for others.
    pub fn is_of_message(&self) -> bool {
        matches!(
            self,
            Self::NoMailbox | Self::TooLarge { .. } | Self::Refused { .. }
        )
    }

    /// Whether the service may be answering like this to one message alone, though it does not say so, while
    /// it takes others: a guard before it that dislikes a text, a file that it chokes on, a slow line.
    pub fn may_be_of_message(&self) -> bool {
        match self {
            Self::Unreachable {
                may_have_arrived, ..
            } => *may_have_arrived,
            Self::Busy { status, .. } => *status != 429,
            Self::NotLetIn { .. } | Self::Answer { .. } => true,
            Self::NoMailbox
            | Self::TooLarge { .. }
            | Self::Refused { .. }
            | Self::NoPage { .. }
            | Self::PasswordFile { .. }
            | Self::Password { .. }
            | Self::Settings { .. } => false,
        }
    }

    /// How long the service wants to be left alone, by its own words: a day at most.
    pub fn wanted_wait(&self) -> SignedDuration {
        let secs = match self {
            Self::Busy { retry_after, .. } => retry_after.unwrap_or(0),
            _ => 0,
        };
        SignedDuration::from_secs(i64::try_from(secs).unwrap_or(0))
    }

    /// What an operator can do, where it is more than to wait.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { source, .. } if is_of_certificate(source.as_ref()) => Some(
                "the certificate is not trusted: is `base_url` the service's own, the clock right, \
                 `ca-certificates` installed, and `ca_file` the issuer's?",
            ),
            Self::Unreachable { .. } => Some("is `base_url` right, and may this machine reach it?"),
            Self::NotLetIn { .. } => Some(
                "are `user` and the password file right, and is the address of this machine on the \
                 service's list? Once they are, `kuori queue retry` has it tried at once",
            ),
            Self::PasswordFile { .. } => Some(
                "`password_file` has to be there, and readable for the user that kuori runs as",
            ),
            Self::Password { .. } => Some("leave out `--from-stdin`, and Kuori makes one"),
            Self::Settings { .. } => Some("see docs/settings.md"),
            Self::Answer { .. } | Self::NoPage { .. } => {
                Some("is `base_url` that of the API, and nothing between that answers instead?")
            }
            Self::Busy { .. } => {
                Some("it is tried again by itself; where that lasts, its support wants the traceId")
            }
            Self::NoMailbox | Self::TooLarge { .. } | Self::Refused { .. } => None,
        }
    }

    /// A refusal of what is no message: then something of the settings or the service is wrong.
    pub(super) fn of_no_message(self) -> Self {
        if self.is_of_message() {
            return Self::Answer { what: self.what() };
        }
        self
    }

    /// The same of a request that another one was made for, which may have arrived or was not begun.
    pub(super) fn of_another(self, may_have_arrived: bool) -> Self {
        match self {
            Self::Unreachable { source, .. } => Self::Unreachable {
                may_have_arrived,
                source,
            },
            other => other,
        }
    }

    fn what(&self) -> String {
        match self {
            Self::Answer { what } => what.clone(),
            other => other.to_string(),
        }
    }

    /// The same once more, for others who waited for the same thing.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::Unreachable {
                may_have_arrived,
                source,
            } => Self::Unreachable {
                may_have_arrived: *may_have_arrived,
                source: in_one_line(source.as_ref()).into(),
            },
            Self::Busy {
                status,
                retry_after,
                reason,
            } => Self::Busy {
                status: *status,
                retry_after: *retry_after,
                reason: reason.clone(),
            },
            Self::NotLetIn { reason } => Self::NotLetIn {
                reason: reason.clone(),
            },
            Self::PasswordFile {
                doing,
                path,
                source,
            } => Self::PasswordFile {
                doing,
                path: path.clone(),
                source: io::Error::new(source.kind(), source.to_string()),
            },
            Self::Settings { what } => Self::Settings { what: what.clone() },
            Self::NoMailbox
            | Self::TooLarge { .. }
            | Self::Refused { .. }
            | Self::Answer { .. }
            | Self::NoPage { .. }
            | Self::Password { .. } => Self::Answer { what: self.what() },
        }
    }
}

fn in_one_line(error: &(dyn std::error::Error + 'static)) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    told
}

/// Text, since the library that checks certificates is wrapped in two others by then.
fn is_of_certificate(error: &(dyn std::error::Error + 'static)) -> bool {
    in_one_line(error).contains("invalid peer certificate")
}
