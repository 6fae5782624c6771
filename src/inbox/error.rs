use crate::{
    domain::Disposition,
    store,
    transport::{self, RemotePath},
};

/// Why a file was not taken this time. It stays where it is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot {doing} `{path}`")]
    Remote {
        doing: &'static str,
        path: RemotePath,
        source: transport::Error,
    },
    #[error("`{path}` has {listed} bytes there and {taken} here")]
    SizeDiffers {
        path: RemotePath,
        listed: u64,
        taken: u64,
    },
    #[error("`{name}` is not a name that can be taken")]
    Name {
        name: String,
        source: transport::InvalidPath,
    },
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Error {
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Remote { source, .. } => source.disposition(),
            Self::SizeDiffers { .. } => Disposition::Retry,
            Self::Name { .. } => Disposition::Hold,
            Self::Store(error) => error.disposition(),
        }
    }
}
