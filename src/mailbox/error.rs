use std::{io, path::PathBuf};

use crate::domain::{Disposition, MessageId};

/// A mailbox that could not be used. No variant says whose it is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read or make the folder key `{path}`")]
    Key { path: PathBuf, source: io::Error },

    #[error("the folder key `{path}` has {bytes} bytes, not 32")]
    KeyLength { path: PathBuf, bytes: usize },

    #[error("the mailboxes in `{root}` were made with another folder key")]
    KeyChanged { root: PathBuf },

    #[error("cannot open the mailboxes in `{root}`")]
    Root { root: PathBuf, source: io::Error },

    #[error("cannot read or make `{path}`, which tells whose the mailboxes are")]
    Known { path: PathBuf, source: io::Error },

    #[error(
        "the mailboxes in `{root}` are not the ones that this house has delivered into: is their disk \
         mounted? If they are gone for good, remove `{known}` and start kuori again"
    )]
    Elsewhere {
        root: PathBuf,
        /// The house's file with their id.
        known: PathBuf,
    },

    #[error("cannot look for message `{message}` in its mailbox")]
    Find {
        message: MessageId,
        source: io::Error,
    },

    #[error("cannot write message `{message}` into its mailbox")]
    Write {
        message: MessageId,
        source: io::Error,
    },

    #[error("cannot clear away what is left of message `{message}`")]
    Discard {
        message: MessageId,
        source: io::Error,
    },

    #[error("cannot make message `{message}` visible in its mailbox")]
    Publish {
        message: MessageId,
        source: io::Error,
    },

    #[error("cannot make the mailboxes in `{root}` durable")]
    Sync { root: PathBuf, source: io::Error },

    #[error("the work on a page of mailboxes stopped before its end")]
    Stopped { source: tokio::task::JoinError },
}

impl Error {
    /// Whether all mailboxes are away, or cannot be got at: no message is at fault, and nothing can be
    /// done with another one.
    pub fn is_of_all(&self) -> bool {
        matches!(self, Self::Root { .. } | Self::Elsewhere { .. })
    }

    pub fn disposition(&self) -> Disposition {
        match self {
            // With another key every recipient would get a second mailbox: a person has to look.
            Self::Key { .. } | Self::KeyLength { .. } | Self::KeyChanged { .. } => {
                Disposition::Hold
            }
            Self::Known { .. }
            | Self::Elsewhere { .. }
            | Self::Root { .. }
            | Self::Find { .. }
            | Self::Write { .. }
            | Self::Discard { .. }
            | Self::Publish { .. }
            | Self::Sync { .. }
            | Self::Stopped { .. } => Disposition::Retry,
        }
    }
}
