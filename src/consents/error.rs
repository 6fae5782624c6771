use std::{io, path::PathBuf};

use rustix::io::Errno;

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
    /// Whether the trouble is with this file alone: it may not be read, or not under its name, or is gone.
    /// All else is the house's or its disk's.
    pub(super) fn is_of_one_file(&self) -> bool {
        let Self::File { source, .. } = self else {
            return false;
        };
        matches!(
            Errno::from_io_error(source),
            Some(Errno::ACCESS | Errno::PERM | Errno::NOENT | Errno::LOOP | Errno::NAMETOOLONG)
        )
    }

    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Store(error) => error.disposition(),
            Self::File { .. } | Self::Read(_) | Self::InUse { .. } | Self::Stopped => {
                Disposition::Retry
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_fails_is_no_fault_of_the_file() {
        let of_one_file = |errno: Errno| {
            let error = Error::File {
                doing: "read",
                path: "a.csv".into(),
                source: errno.into(),
            };
            error.is_of_one_file()
        };
        assert!([Errno::ACCESS, Errno::PERM, Errno::NOENT].map(of_one_file) == [true; 3]);
        assert!([Errno::IO, Errno::NOSPC, Errno::NFILE].map(of_one_file) == [false; 3]);
        assert!(!Error::Read(Errno::ACCESS.into()).is_of_one_file());
    }
}
