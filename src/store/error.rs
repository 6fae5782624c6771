use std::{
    io,
    path::{Path, PathBuf},
};

use rusqlite::ErrorCode;

use crate::domain::{BatchId, BundleId, Disposition, MessageId, SenderId};

/// What the store could not do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot open the database `{path}`")]
    Open {
        path: PathBuf,
        source: rusqlite::Error,
    },
    /// Whether by the disk, or by somebody who wrote to it. Nothing is written to it any more.
    #[error("the database `{path}` is damaged: bring a backup back with `kuori restore`")]
    Corrupt {
        path: PathBuf,
        source: rusqlite::Error,
    },
    #[error(
        "the database knows no batch after {newest}, and the spool has `{file}`: it is older than its \
         spool, or another one; bring back the one that belongs to it"
    )]
    OlderThanSpool { newest: BatchId, file: String },
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
    #[error("spooled file `{path}` is not there")]
    Missing { path: PathBuf },
    #[error("cannot {doing} `{path}` of a backup")]
    Backup {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("`{0}` is not empty")]
    NotEmpty(PathBuf),
    #[error("`{0}` is no backup: it has no `backup.json`")]
    NoBackup(PathBuf),
    #[error("the backup `{folder}` is damaged: {count} of its files, the first is `{first}`")]
    BackupDamaged {
        folder: PathBuf,
        count: usize,
        first: String,
    },
    #[error("the disk of `{folder}` has {free} bytes left, and the backup takes {needed}")]
    NoRoom {
        folder: PathBuf,
        free: u64,
        needed: u64,
    },
    /// Files went while they were being copied, again and again.
    #[error("the house changes faster than it can be copied")]
    Unsteady,
    #[error("there is no batch {0}")]
    NoBatch(BatchId),
    /// The senders that the last start knew, by name.
    #[error("there is no sender `{given}`")]
    NoSender { given: SenderId, known: Vec<String> },
    /// The accounts that the last start knew, by name.
    #[error("there is no sender and no print house `{given}`")]
    NoAccount { given: String, known: Vec<String> },
    #[error("there is no message {0}")]
    NoMessage(MessageId),
    #[error("there is no bundle {0}")]
    NoBundle(BundleId),
    /// Not a failure of the store: somebody else has taken the batch, or its bundle, from whoever
    /// worked on it.
    #[error("the step holds {0} no more: nothing of its end is recorded")]
    LeaseLost(BatchId),
}

impl Error {
    /// A full disk or a busy database passes; a newer schema, a damaged file or a row that cannot be
    /// read does not.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Open { source, .. } | Self::Sql { source, .. } => disposition_of(source),
            Self::Spool { .. } | Self::Backup { .. } | Self::NoRoom { .. } | Self::Unsteady => {
                Disposition::Retry
            }
            Self::Corrupt { .. }
            | Self::OlderThanSpool { .. }
            | Self::TooNew { .. }
            | Self::Damaged { .. }
            | Self::Missing { .. }
            | Self::NotEmpty(_)
            | Self::NoBackup(_)
            | Self::BackupDamaged { .. }
            | Self::NoBatch(_)
            | Self::NoSender { .. }
            | Self::NoAccount { .. }
            | Self::NoMessage(_)
            | Self::NoBundle(_)
            | Self::LeaseLost(_) => Disposition::Hold,
        }
    }

    /// Whether another process writes, and did so for longer than we wait.
    pub fn is_busy(&self) -> bool {
        let (Self::Open { source, .. } | Self::Sql { source, .. }) = self else {
            return false;
        };
        source.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
    }

    /// Whether the disk has no room or the database does not answer, which passes and is no fault of
    /// what was to be stored.
    pub fn is_of_the_house(&self) -> bool {
        match self {
            Self::Open { source, .. } | Self::Sql { source, .. } => {
                disposition_of(source) == Disposition::Retry
            }
            Self::Spool { source, .. } => lacks_room(source),
            _ => false,
        }
    }

    pub(super) fn open(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        if is_damage(&source) {
            Self::Corrupt { path, source }
        } else {
            Self::Open { path, source }
        }
    }

    /// Damage is told of with the file that it is in, whatever was being done.
    pub(super) fn in_database(self, path: &Path) -> Self {
        match self {
            Self::Sql { source, .. } if is_damage(&source) => Self::Corrupt {
                path: path.to_owned(),
                source,
            },
            other => other,
        }
    }
}

/// Whether a file was not written because the disk is full, or may not be written to.
pub fn lacks_room(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let kind = error.kind();
    matches!(
        kind,
        StorageFull | QuotaExceeded | ReadOnlyFilesystem | FileTooLarge
    )
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

impl Error {
    /// Whether the file of the database is broken: not its rows, and nothing around it.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Corrupt { .. } => true,
            Self::Open { source, .. } | Self::Sql { source, .. } => is_damage(source),
            _ => false,
        }
    }
}

/// What lies in the database, or in a statement, is the same at the next try; what lies around it
/// may not be.
fn disposition_of(error: &rusqlite::Error) -> Disposition {
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::OperationInterrupted
            | ErrorCode::OperationAborted
            | ErrorCode::FileLockingProtocolFailed,
        ) => Disposition::Retry,
        _ => Disposition::Hold,
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

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, ffi};

    use super::*;

    fn disposition(failed: rusqlite::Result<()>) -> Disposition {
        failed.doing("try").unwrap_err().disposition()
    }

    fn with_code(code: i32) -> rusqlite::Result<()> {
        Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None))
    }

    #[test]
    fn what_lies_around_the_database_is_tried_again() {
        for code in [
            ffi::SQLITE_BUSY,
            ffi::SQLITE_LOCKED,
            ffi::SQLITE_FULL,
            ffi::SQLITE_IOERR,
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_INTERRUPT,
            ffi::SQLITE_PROTOCOL,
            ffi::SQLITE_IOERR_FSYNC,
        ] {
            assert_eq!(disposition(with_code(code)), Disposition::Retry, "{code}");
        }
    }

    #[test]
    fn what_lies_in_the_database_waits_for_an_operator() {
        for code in [
            ffi::SQLITE_CORRUPT,
            ffi::SQLITE_NOTADB,
            ffi::SQLITE_READONLY,
            ffi::SQLITE_CONSTRAINT,
        ] {
            assert_eq!(disposition(with_code(code)), Disposition::Hold, "{code}");
        }
    }

    #[test]
    fn a_row_that_cannot_be_read_and_a_broken_rule_wait_for_an_operator() {
        let db = Connection::open_in_memory().unwrap();
        let read = db.query_row("SELECT 'word'", [], |row| row.get::<_, i64>(0));
        assert_eq!(disposition(read.map(drop)), Disposition::Hold);
        let twice = "CREATE TABLE t (n UNIQUE); INSERT INTO t VALUES (1), (1)";
        assert_eq!(disposition(db.execute_batch(twice)), Disposition::Hold);
        assert_eq!(disposition(db.execute_batch("SELEC")), Disposition::Hold);
    }
}
