use std::{
    fs::File,
    sync::{Mutex, MutexGuard, PoisonError, TryLockError},
    time::{Duration, Instant},
};

use super::{refusal::Refusal, running_digest::RunningDigest};
use crate::crash_points::around;

/// The file of an upload in hand. Its handle writes it; a newer connection of the same account may
/// take it away from a handle that has fallen silent.
pub(super) struct Writer {
    file: File,
    state: Mutex<Writing>,
    /// A sync failed. The system tells it to one of those who ask, and drops what it could not
    /// write, so the next sync would go well.
    is_damaged: Mutex<bool>,
}

pub(super) struct Writing {
    hold: Hold,
    pub(super) bytes: u64,
    pub(super) digest: RunningDigest,
    /// Bytes up to which a sync was asked for.
    pub(super) flushed: u64,
    last: Instant,
}

/// What a sync makes durable.
#[derive(Clone, Copy)]
pub(super) enum Sync {
    Data,
    /// The mode too.
    All,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hold {
    Writing,
    Sealing,
    Lost,
}

impl Writer {
    pub(super) fn new(file: File, bytes: u64) -> Self {
        Self {
            file,
            state: Mutex::new(Writing {
                hold: Hold::Writing,
                bytes,
                digest: RunningDigest::of_file_with(bytes),
                flushed: bytes,
                last: Instant::now(),
            }),
            is_damaged: Mutex::new(false),
        }
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// The state, to write by it; refused when the file is another connection's by now.
    pub(super) fn write(&self) -> Result<MutexGuard<'_, Writing>, Refusal> {
        let mut writing = self.lock();
        if writing.hold == Hold::Lost {
            return Err(Refusal::TakenOver);
        }
        writing.last = Instant::now();
        Ok(writing)
    }

    /// From now on nobody takes it over.
    pub(super) fn seal(&self) -> Result<MutexGuard<'_, Writing>, Refusal> {
        let mut writing = self.write()?;
        writing.hold = Hold::Sealing;
        Ok(writing)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    /// Makes what was written durable, with or without the mode of the file.
    pub(super) fn sync(&self, what: Sync) -> Result<(), Refusal> {
        let damaged = self.is_damaged.lock();
        let mut is_damaged = damaged.unwrap_or_else(PoisonError::into_inner);
        if *is_damaged {
            return Err(Refusal::Damaged);
        }
        let synced = around("sync", "sftp_server: upload", || match what {
            Sync::Data => self.file.sync_data(),
            Sync::All => self.file.sync_all(),
        });
        *is_damaged = synced.is_err();
        Ok(synced?)
    }

    /// Takes the file away from its handle if that has been silent for `silence`.
    pub(super) fn give_up(&self, silence: Duration) -> bool {
        let mut writing = match self.state.try_lock() {
            Ok(writing) => writing,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        let may = writing.hold == Hold::Writing && writing.last.elapsed() >= silence;
        if may {
            writing.hold = Hold::Lost;
        }
        may
    }

    fn lock(&self) -> MutexGuard<'_, Writing> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_silent_handle_loses_its_file() {
        let writer = Writer::new(tempfile::tempfile().unwrap(), 0);
        assert!(!writer.give_up(Duration::from_hours(1)));
        assert!(writer.write().is_ok());
        assert!(writer.give_up(Duration::ZERO));
        assert!(writer.write().is_err());
    }

    #[test]
    fn a_file_that_is_being_sealed_is_not_taken_away() {
        let writer = Writer::new(tempfile::tempfile().unwrap(), 0);
        drop(writer.seal().unwrap());
        assert!(!writer.give_up(Duration::ZERO));
    }
}
