use std::{io, path::PathBuf};

use crate::domain::{BatchId, BundleId, Disposition, MessageId};

/// What the store could not do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot open the database `{path}`")]
    Open {
        path: PathBuf,
        source: rusqlite::Error,
    },
    #[error(
        "the database is of schema {found} and this program knows {known}: use a newer `kuori`"
    )]
    TooNew { found: u32, known: u32 },
    #[error("the database refused to {doing}")]
    Sql {
        doing: &'static str,
        source: rusqlite::Error,
    },
    #[error("cannot {doing} `{path}` in the spool")]
    Spool {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("spooled file `{path}` is damaged: its digest is not the one recorded")]
    Damaged { path: PathBuf },
    #[error("there is no batch {0}")]
    NoBatch(BatchId),
    #[error("there is no message {0}")]
    NoMessage(MessageId),
    #[error("there is no bundle {0}")]
    NoBundle(BundleId),
}

impl Error {
    /// A full disk or a busy database passes; a newer schema or a damaged file does not.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Open { .. } | Self::Sql { .. } | Self::Spool { .. } => Disposition::Retry,
            Self::TooNew { .. }
            | Self::Damaged { .. }
            | Self::NoBatch(_)
            | Self::NoMessage(_)
            | Self::NoBundle(_) => Disposition::Hold,
        }
    }
}

/// Says what the database was asked to do when it refused.
pub(super) trait Doing<T> {
    fn doing(self, what: &'static str) -> Result<T, Error>;
}

impl<T> Doing<T> for rusqlite::Result<T> {
    fn doing(self, what: &'static str) -> Result<T, Error> {
        self.map_err(|source| Error::Sql {
            doing: what,
            source,
        })
    }
}
