use std::fmt;

use crate::{
    domain::Disposition,
    store::{self, Place},
    transport::{self, InvalidPath, RemoteFile},
};

/// Why a hand-over did not work this time.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the settings name no folder for {0}")]
    NoFolder(Place),
    #[error("`{path}` is not a path that can be written")]
    Path { path: String, source: InvalidPath },
    #[error("cannot write `{path}` for {place}")]
    Upload {
        path: String,
        place: Place,
        source: transport::Error,
    },
    /// What the other side has there is never replaced.
    #[error("another file stands at `{path}` of {place}{}", Standing(found.as_ref()))]
    Taken {
        path: String,
        place: Place,
        found: Option<RemoteFile>,
    },
    /// The spooled file is not what was recorded; no marker follows it.
    #[error("`{path}` is not sent: its spooled file is damaged")]
    Damaged { path: String, source: store::Error },
    /// It was sound when it was looked at, and not what was sent then.
    #[error("what was sent as `{path}` is not what its row says: the spooled file has changed")]
    Changed { path: String },
    #[error("cannot remove `{path}` of {place}, which is withdrawn")]
    Remove {
        path: String,
        place: Place,
        source: transport::Error,
    },
    #[error("cannot look into `{folder}` of {place}")]
    Look {
        folder: String,
        place: Place,
        source: transport::Error,
    },
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Error {
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::NoFolder(_)
            | Self::Path { .. }
            | Self::Taken { .. }
            | Self::Damaged { .. }
            | Self::Changed { .. } => Disposition::Hold,
            // A folder that is missing may be a mount that is not there yet.
            Self::Upload { source, .. }
            | Self::Remove { source, .. }
            | Self::Look { source, .. } => match source {
                transport::Error::Missing { .. } => Disposition::Retry,
                source => source.disposition(),
            },
            Self::Store(error) => error.disposition(),
        }
    }

    /// Whether everything that goes to this place would fail alike: the line, the login, the host
    /// key, a missing folder. What is known to lie in one file does not.
    pub(super) fn is_of_place(&self) -> bool {
        match self {
            Self::NoFolder(_) | Self::Look { .. } => true,
            Self::Upload { source, .. } | Self::Remove { source, .. } => !is_of_file(source),
            Self::Path { .. }
            | Self::Taken { .. }
            | Self::Damaged { .. }
            | Self::Changed { .. }
            | Self::Store(_) => false,
        }
    }
}

/// A refusal about a path (permission denied) is a file's; trouble on the way to it is the place's.
fn is_of_file(error: &transport::Error) -> bool {
    use transport::Error as E;
    match error {
        E::Taken { .. }
        | E::SizeDiffers { .. }
        | E::DigestDiffers { .. }
        | E::Local { .. }
        | E::Write { .. }
        | E::Path(_) => true,
        E::Sftp { .. } | E::Io { .. } => error.disposition() == Disposition::Hold,
        E::Connect { .. }
        | E::ConnectTimeout { .. }
        | E::HostKeyUnknown { .. }
        | E::HostKeyChanged { .. }
        | E::HostKeys { .. }
        | E::PrivateKey { .. }
        | E::MakeKey { .. }
        | E::PasswordFile { .. }
        | E::KeyOpenToOthers { .. }
        | E::KeyEncrypted { .. }
        | E::Agent { .. }
        | E::NoAgentKey
        | E::LoginRefused { .. }
        | E::NotYet { .. }
        | E::NoSftp { .. }
        | E::Missing { .. }
        | E::TooManyEntries { .. } => false,
    }
}

/// `: 12 bytes, of 2026-03-01T06:12:09Z`, as far as that is known.
struct Standing<'f>(Option<&'f RemoteFile>);

impl fmt::Display for Standing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(file) = self.0 else { return Ok(()) };
        write!(f, ": {} bytes", file.bytes)?;
        match file.modified {
            Some(at) => write!(f, ", of {at}"),
            None => Ok(()),
        }
    }
}
