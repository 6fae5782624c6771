use std::{fmt, io, path::PathBuf};

use jiff::Timestamp;

use super::{InvalidPath, RemotePath, SftpFailure, StatusCode};
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
         fingerprint, pin it: `{fingerprint}`; `kuori sftp trust {server}` shows all of its keys"
    )]
    HostKeyUnknown { server: String, fingerprint: String },
    #[error(
        "the host key of `{server}` is not the one that is pinned: somebody may be listening in\
         \n\nhint: ask its operator whether the key was changed to `{fingerprint}`; \
         `kuori sftp trust {server}` shows all of its keys"
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
    #[error(
        "the private key `{path}` is open to others (mode {mode:04o})\n\nhint: \
         `chmod 600 {path}`"
    )]
    KeyOpenToOthers { path: PathBuf, mode: u32 },
    #[error(
        "the private key `{path}` is encrypted\n\nhint: name a file with its passphrase, \
         `passphrase_file`, or use an agent, `agent = true`"
    )]
    KeyEncrypted { path: PathBuf },
    #[error(
        "cannot use the SSH agent\n\nhint: the environment variable `SSH_AUTH_SOCK` has to name \
         its socket"
    )]
    Agent { source: russh::keys::Error },
    #[error(
        "the SSH agent has no key to log in with\n\nhint: `ssh-add` gives it one, and `ssh-add -l` \
         lists those that it has"
    )]
    NoAgentKey,
    #[error("`{server}` refused the login of `{user}`: {told}")]
    LoginRefused {
        server: String,
        user: String,
        /// What the server offers instead.
        told: String,
    },
    #[error("`{server}` is not asked again before {until:.0}: {told}")]
    NotYet {
        server: String,
        until: Timestamp,
        /// How the last try ended.
        told: String,
        disposition: Disposition,
    },
    #[error("`{server}` has no SFTP service for us")]
    NoSftp { server: String, source: SftpFailure },
    #[error("cannot {action} `{path}`: no such file or folder")]
    Missing { action: Action, path: RemotePath },
    #[error("another file stands at `{path}`")]
    Taken { path: RemotePath },
    #[error(
        "`{path}` has more than {most} entries\n\nhint: clear it, or raise `max_folder_entries`"
    )]
    TooManyEntries { path: RemotePath, most: usize },
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
        source: SftpFailure,
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
            Self::Sftp { source, .. } => source.disposition(),
            Self::NotYet { disposition, .. } => *disposition,
            Self::Io { source, .. } | Self::Local { source, .. } => of_io(source),
            Self::HostKeyUnknown { .. }
            | Self::HostKeyChanged { .. }
            | Self::HostKeys { .. }
            | Self::PrivateKey { .. }
            | Self::MakeKey { .. }
            | Self::PasswordFile { .. }
            | Self::KeyOpenToOthers { .. }
            | Self::KeyEncrypted { .. }
            | Self::Agent { .. }
            | Self::NoAgentKey
            | Self::LoginRefused { .. }
            | Self::TooManyEntries { .. }
            | Self::Missing { .. }
            | Self::Taken { .. }
            | Self::Path(_) => Disposition::Hold,
        }
    }

    /// Whether the other side said that we may not do this.
    pub fn is_denied(&self) -> bool {
        match self {
            Self::Sftp { source, .. } => source.code() == Some(StatusCode::PermissionDenied),
            Self::Io { source, .. } => source.kind() == io::ErrorKind::PermissionDenied,
            _ => false,
        }
    }

    pub(super) fn sftp(action: Action, path: &RemotePath, source: SftpFailure) -> Self {
        let path = path.clone();
        match source.code() {
            Some(StatusCode::NoSuchFile | StatusCode::NoSuchPath) => Self::Missing { action, path },
            Some(StatusCode::AlreadyExists) => Self::Taken { path },
            _ => Self::Sftp {
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

fn of_io(error: &io::Error) -> Disposition {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => Disposition::Hold,
        _ => Disposition::Retry,
    }
}
