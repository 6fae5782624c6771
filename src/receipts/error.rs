use std::io;

use super::Kind;
use crate::domain::{BatchId, Disposition};

/// A receipt that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot write the receipt `{}` of batch `{batch}`", kind.as_str())]
    Write {
        kind: Kind,
        batch: BatchId,
        source: io::Error,
    },
}

impl Error {
    /// Whatever is wrong, it is wrong with the place that is written to.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Write { .. } => Disposition::Retry,
        }
    }
}
