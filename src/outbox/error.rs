use crate::{
    domain::Disposition,
    store::{self, Place},
    transport::{self, InvalidPath},
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
    /// The spooled file is not what was recorded; it was sent, and no marker after it.
    #[error("what was sent as `{path}` is not what its row says: the spooled file is damaged")]
    Damaged { path: String },
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Error {
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::NoFolder(_) | Self::Path { .. } | Self::Damaged { .. } => Disposition::Hold,
            Self::Upload { source, .. } => source.disposition(),
            Self::Store(error) => error.disposition(),
        }
    }
}
