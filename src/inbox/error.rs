use crate::{
    domain::Disposition,
    store,
    transport::{self, RemotePath},
};

/// Why an inbox could not be looked into, or a file was not taken this time. It stays where it is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot {doing} `{path}`")]
    Remote {
        doing: &'static str,
        path: RemotePath,
        source: transport::Error,
    },
    #[error(
        "cannot claim `{path}`: the server does not let us rename it\n\nhint: ask for the right to \
         rename and remove, or set `upload.taking = \"read-only\"`: then files stay where they are"
    )]
    ClaimDenied {
        path: RemotePath,
        source: transport::Error,
    },
    #[error("`{path}` has {listed} bytes there and {taken} here")]
    SizeDiffers {
        path: RemotePath,
        listed: u64,
        taken: u64,
    },
    #[error("`{path}` changed while it was read")]
    Changed { path: RemotePath },
    #[error("`{path}` is other bytes there than here, after its copy broke and went on")]
    DigestDiffers { path: RemotePath },
    #[error("`{path}` grows again: it does not end as a ZIP does")]
    GrowsAgain { path: RemotePath },
    #[error("a look took longer than {secs} s")]
    TooSlow { secs: u32 },
    #[error("`{name}` is not a name that can be taken")]
    Name {
        name: String,
        source: transport::InvalidPath,
    },
    #[error("a bug in kuori: taking the file panicked")]
    Panicked,
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Error {
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Remote { source, .. } => source.disposition(),
            Self::SizeDiffers { .. }
            | Self::Changed { .. }
            | Self::DigestDiffers { .. }
            | Self::GrowsAgain { .. }
            | Self::TooSlow { .. } => Disposition::Retry,
            Self::ClaimDenied { .. } | Self::Name { .. } | Self::Panicked => Disposition::Hold,
            Self::Store(error) => error.disposition(),
        }
    }

    /// Whether the file is not where it was looked for.
    pub(super) fn is_missing(&self) -> bool {
        matches!(
            self,
            Self::Remote {
                source: transport::Error::Missing { .. },
                ..
            }
        )
    }

    /// Whether the other side may be away, so that further calls would fail too.
    pub(super) fn may_be_away(&self) -> bool {
        let is_local = matches!(
            self,
            Self::Remote {
                source: transport::Error::Write { .. },
                ..
            }
        );
        matches!(self, Self::Remote { .. }) && !is_local && self.disposition() == Disposition::Retry
    }
}
