use std::io;

use russh_sftp::protocol::StatusCode;
use rustix::io::Errno;

/// Why a request is not done, in the words that the client gets.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("end of file")]
    End,
    #[error("no such file")]
    Missing,
    #[error("{0}")]
    Denied(&'static str),
    #[error("a file of this name is there already; choose another name")]
    Taken,
    #[error("the account's quota is used up")]
    Quota,
    #[error("the server is stopping; try again in a minute")]
    Stopping,
    #[error("{0}")]
    Unsupported(&'static str),
    #[error("no such handle")]
    Handle,
    #[error("too many open handles; close one first")]
    TooManyHandles,
    #[error("the server cannot do this now")]
    Io(#[source] io::Error),
}

impl Refusal {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::End => StatusCode::Eof,
            Self::Missing => StatusCode::NoSuchFile,
            Self::Denied(_) | Self::Taken => StatusCode::PermissionDenied,
            Self::Unsupported(_) => StatusCode::OpUnsupported,
            Self::Quota | Self::Stopping | Self::Handle | Self::TooManyHandles | Self::Io(_) => {
                StatusCode::Failure
            }
        }
    }

    /// Whether the operator wants to see it: a client asks for what is not there all the time.
    pub(super) fn is_worth_auditing(&self) -> bool {
        !matches!(self, Self::End | Self::Missing)
    }
}

impl From<Errno> for Refusal {
    fn from(error: Errno) -> Self {
        match error {
            // A symbolic link is not followed, and not shown either.
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV => Self::Missing,
            Errno::EXIST | Errno::NOTEMPTY => Self::Taken,
            Errno::NAMETOOLONG => Self::Denied("the name is too long"),
            other => Self::Io(other.into()),
        }
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
