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
    #[error("this folder is there already")]
    FolderIsThere,
    #[error(
        "an upload of this name broke off or was not renamed; go on with it, start it over, or remove it"
    )]
    Unfinished,
    #[error("this name is being uploaded; try again in a minute if that was you")]
    Busy,
    #[error("another connection of this account goes on with this upload")]
    TakenOver,
    #[error("the account's quota is used up")]
    Quota,
    #[error("the folder has as many files as it may; try again when some were taken")]
    FolderFull,
    #[error("the file is larger than is taken here")]
    TooLarge,
    #[error("the server's disk is full; try again later")]
    DiskFull,
    #[error("the server is stopping; try again in a minute")]
    Stopping,
    #[error("what was sent could not be stored; send it again from the start")]
    Damaged,
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
            Self::FolderIsThere
            | Self::Unfinished
            | Self::Busy
            | Self::TakenOver
            | Self::Quota
            | Self::FolderFull
            | Self::TooLarge
            | Self::DiskFull
            | Self::Stopping
            | Self::Damaged
            | Self::Handle
            | Self::TooManyHandles
            | Self::Io(_) => StatusCode::Failure,
        }
    }

    /// The same refusal once more, at the close of a file of which a part was refused.
    pub(super) fn at_close(&self) -> Self {
        match self {
            Self::Quota => Self::Quota,
            Self::FolderFull => Self::FolderFull,
            Self::TooLarge => Self::TooLarge,
            Self::DiskFull => Self::DiskFull,
            Self::TakenOver => Self::TakenOver,
            _ => Self::Damaged,
        }
    }

    /// Whether the operator wants to see it: a client asks for what is not there, and makes
    /// folders that are there, all the time.
    pub(super) fn is_worth_auditing(&self) -> bool {
        !matches!(self, Self::End | Self::Missing | Self::FolderIsThere)
    }
}

impl From<Errno> for Refusal {
    fn from(error: Errno) -> Self {
        match error {
            // A symbolic link is not followed, and not shown either.
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV => Self::Missing,
            Errno::EXIST | Errno::NOTEMPTY => Self::Taken,
            Errno::NAMETOOLONG => Self::Denied("the name is too long"),
            Errno::NOSPC | Errno::DQUOT => Self::DiskFull,
            Errno::FBIG => Self::TooLarge,
            other => Self::Io(other.into()),
        }
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        match Errno::from_io_error(&error) {
            Some(Errno::NOSPC | Errno::DQUOT) => Self::DiskFull,
            Some(Errno::FBIG) => Self::TooLarge,
            _ => Self::Io(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_called_so() {
        for errno in [Errno::NOSPC, Errno::DQUOT] {
            assert!(matches!(Refusal::from(errno), Refusal::DiskFull));
            let error = io::Error::from(errno);
            assert!(matches!(Refusal::from(error), Refusal::DiskFull));
        }
    }
}
