use std::{io, path::PathBuf};

use crate::{domain::Disposition, store};

/// Why a file could not be taken, of which nothing is the file's fault: the same again can work later.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("cannot {doing} `{path}`")]
    File {
        doing: &'static str,
        /// Identity codes in it are masked: whoever named a file may have named it after somebody.
        path: PathBuf,
        source: io::Error,
    },
    #[error("cannot read the file")]
    Read(#[source] io::Error),
    #[error("another call takes the files of `{folder}`")]
    InUse { folder: PathBuf },
    #[error("told to stop in the middle of a file")]
    Stopped,
}

impl Error {
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Store(error) => error.disposition(),
            Self::File { .. } | Self::Read(_) | Self::InUse { .. } | Self::Stopped => {
                Disposition::Retry
            }
        }
    }
}
