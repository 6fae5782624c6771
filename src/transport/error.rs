use std::{fmt, io, path::PathBuf};

use russh_sftp::{client::error::Error as SftpError, protocol::StatusCode};

use super::{InvalidPath, RemotePath};
use crate::domain::Disposition;

/// What was being done when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    List,
    Stat,
    Download,
    Upload,
    Rename,
    Remove,
    MakeDir,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::List => "list",
            Self::Stat => "look at",
            Self::Download => "download",
            Self::Upload => "upload",
            Self::Rename => "rename",
            Self::Remove => "remove",
            Self::MakeDir => "make the folder",
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot connect to `{server}`")]
    Connect {
        server: String,
        source: russh::Error,
    },
    #[error("`{server}` did not answer in time")]
    ConnectTimeout { server: String },
    #[error(
        "the host key of `{server}` is not known\n\nhint: if its operator confirms the \
         fingerprint, pin it: `{fingerprint}`"
    )]
    HostKeyUnknown { server: String, fingerprint: String },
    #[error(
        "the host key of `{server}` is not the one that is pinned: somebody may be listening in\
         \n\nhint: ask its operator whether the key was changed to `{fingerprint}`"
    )]
    HostKeyChanged { server: String, fingerprint: String },
    #[error("cannot read the pinned host keys in `{path}`")]
    HostKeys {
        path: PathBuf,
        source: russh::keys::Error,
    },
    #[error("cannot read the private key `{path}`")]
    PrivateKey {
        path: PathBuf,
        source: russh::keys::Error,
    },
    #[error("cannot make a key pair in `{path}`")]
    MakeKey {
        path: PathBuf,
        source: russh::keys::ssh_key::Error,
    },
    #[error("cannot read the password file `{path}`")]
    PasswordFile { path: PathBuf, source: io::Error },
    #[error("`{server}` refused the login of `{user}`")]
    LoginRefused { server: String, user: String },
    #[error("`{server}` has no SFTP service for us")]
    NoSftp { server: String, source: SftpError },
    #[error("cannot {action} `{path}`: no such file or folder")]
    Missing { action: Action, path: RemotePath },
    #[error("another file stands at `{path}`")]
    Taken { path: RemotePath },
    #[error("`{path}` has {found} bytes, not {expected}")]
    SizeDiffers {
        path: RemotePath,
        expected: u64,
        found: u64,
    },
    #[error("`{path}` does not hold what was sent to it")]
    DigestDiffers { path: RemotePath },
    #[error("cannot {action} `{path}`")]
    Sftp {
        action: Action,
        path: RemotePath,
        source: SftpError,
    },
    #[error("cannot {action} `{path}`")]
    Io {
        action: Action,
        path: RemotePath,
        source: io::Error,
    },
    #[error("cannot read the local file `{path}`")]
    Local { path: PathBuf, source: io::Error },
    #[error("cannot write what was downloaded from `{path}`")]
    Write { path: RemotePath, source: io::Error },
    #[error(transparent)]
    Path(#[from] InvalidPath),
}

impl Error {
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Connect { .. }
            | Self::ConnectTimeout { .. }
            | Self::NoSftp { .. }
            | Self::SizeDiffers { .. }
            | Self::DigestDiffers { .. }
            | Self::Write { .. } => Disposition::Retry,
            Self::Sftp { source, .. } => of_sftp(source),
            Self::Io { source, .. } | Self::Local { source, .. } => of_io(source),
            Self::HostKeyUnknown { .. }
            | Self::HostKeyChanged { .. }
            | Self::HostKeys { .. }
            | Self::PrivateKey { .. }
            | Self::MakeKey { .. }
            | Self::PasswordFile { .. }
            | Self::LoginRefused { .. }
            | Self::Missing { .. }
            | Self::Taken { .. }
            | Self::Path(_) => Disposition::Hold,
        }
    }

    pub(super) fn sftp(action: Action, path: &RemotePath, source: SftpError) -> Self {
        let path = path.clone();
        match source {
            SftpError::Status(status) if status.status_code == StatusCode::NoSuchFile => {
                Self::Missing { action, path }
            }
            source => Self::Sftp {
                action,
                path,
                source,
            },
        }
    }

    pub(super) fn io(action: Action, path: &RemotePath, source: io::Error) -> Self {
        let path = path.clone();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { action, path },
            _ => Self::Io {
                action,
                path,
                source,
            },
        }
    }
}

fn of_sftp(error: &SftpError) -> Disposition {
    match error {
        SftpError::Status(status) => match status.status_code {
            StatusCode::PermissionDenied
            | StatusCode::OpUnsupported
            | StatusCode::BadMessage
            | StatusCode::NoSuchFile => Disposition::Hold,
            // A plain failure can be a full disk.
            StatusCode::Failure
            | StatusCode::NoConnection
            | StatusCode::ConnectionLost
            | StatusCode::Ok
            | StatusCode::Eof => Disposition::Retry,
        },
        SftpError::IO(_)
        | SftpError::Timeout
        | SftpError::Limited(_)
        | SftpError::UnexpectedPacket
        | SftpError::UnexpectedBehavior(_) => Disposition::Retry,
    }
}

fn of_io(error: &io::Error) -> Disposition {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => Disposition::Hold,
        _ => Disposition::Retry,
    }
}
