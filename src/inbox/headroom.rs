use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use crate::store::{self, FileWait, InHand, Store};

/// How much is taken before what was taken is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// What the spool's disk has to have left once a file is here.
    pub min_free_bytes: u64,
    /// Batches whose steps are not done.
    pub max_waiting_batches: u64,
    /// Bytes of those batches. A larger one is taken when nothing else is in hand.
    pub max_waiting_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            min_free_bytes: 2 << 30,
            max_waiting_batches: 1_000,
            max_waiting_bytes: 100 << 30,
        }
    }
}

impl Limits {
    /// Why a file of `bytes` cannot be taken now.
    fn refuse(&self, bytes: u64, free: u64, in_hand: InHand) -> Option<Full> {
        if bytes.saturating_add(self.min_free_bytes) > free {
            return Some(Full::Disk);
        }
        let is_alone = in_hand.batches == 0;
        let is_too_much = in_hand.bytes.saturating_add(bytes) > self.max_waiting_bytes && !is_alone;
        let is_too_many = in_hand.batches >= self.max_waiting_batches;
        (is_too_many || is_too_much).then_some(Full::Backlog)
    }
}

/// Why nothing more is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    Disk,
    Backlog,
}

impl Full {
    pub(super) fn wait(self) -> FileWait {
        match self {
            Self::Disk => FileWait::DiskFull,
            Self::Backlog => FileWait::Backlog,
        }
    }

    pub(super) fn why(self) -> &'static str {
        match self {
            Self::Disk => "the disk of the spool would have less than `min_free_bytes` left",
            Self::Backlog => "`max_waiting_batches` or `max_waiting_bytes` are in hand",
        }
    }
}

/// What all inboxes of a house have promised to take and not recorded yet.
#[derive(Debug, Default)]
pub struct Headroom {
    limits: Limits,
    promised: Mutex<Promised>,
}

#[derive(Debug, Default)]
struct Promised {
    files: u64,
    /// Of files that are not here yet.
    bytes_to_come: u64,
    bytes: u64,
}

impl Headroom {
    pub fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            promised: Mutex::default(),
        })
    }

    /// Sets room aside for a file of `bytes`, or says why there is none.
    pub(super) fn reserve(
        self: &Arc<Self>,
        store: &Store,
        bytes: u64,
    ) -> Result<Result<Reservation, Full>, store::Error> {
        let (free, in_hand) = (store.spool().free_bytes()?, store.in_hand()?);
        let mut promised = self.promised();
        let free = free.saturating_sub(promised.bytes_to_come);
        let in_hand = InHand {
            batches: in_hand.batches + promised.files,
            bytes: in_hand.bytes + promised.bytes,
        };
        if let Some(full) = self.limits.refuse(bytes, free, in_hand) {
            return Ok(Err(full));
        }
        promised.files += 1;
        promised.bytes += bytes;
        promised.bytes_to_come += bytes;
        Ok(Ok(Reservation {
            headroom: Arc::clone(self),
            bytes,
            to_come: AtomicU64::new(bytes),
        }))
    }

    /// No room, for what brings no bytes.
    pub(super) fn nothing(headroom: &Arc<Self>) -> Reservation {
        headroom.promised().files += 1;
        Reservation {
            headroom: Arc::clone(headroom),
            bytes: 0,
            to_come: AtomicU64::new(0),
        }
    }

    fn promised(&self) -> MutexGuard<'_, Promised> {
        self.promised.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room for one file, until it is recorded or given up.
pub(super) struct Reservation {
    headroom: Arc<Headroom>,
    bytes: u64,
    to_come: AtomicU64,
}

impl Reservation {
    /// The disk itself tells of bytes that are here.
    pub(super) fn came(&self, bytes: u64) {
        let take = |left: u64| Some(left.saturating_sub(bytes));
        let (set, get) = (Ordering::SeqCst, Ordering::SeqCst);
        if let Ok(before) = self.to_come.fetch_update(set, get, take) {
            self.headroom.promised().bytes_to_come -= before.min(bytes);
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut promised = self.headroom.promised();
        promised.files -= 1;
        promised.bytes -= self.bytes;
        promised.bytes_to_come -= self.to_come.load(Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        min_free_bytes: 100,
        max_waiting_batches: 3,
        max_waiting_bytes: 50,
    };

    fn refuse(bytes: u64, free: u64, batches: u64, in_hand: u64) -> Option<Full> {
        let in_hand = InHand {
            batches,
            bytes: in_hand,
        };
        LIMITS.refuse(bytes, free, in_hand)
    }

    #[test]
    fn a_file_is_taken_at_each_limit_and_not_one_past_it() {
        assert_eq!(refuse(10, 110, 0, 0), None);
        assert_eq!(refuse(10, 109, 0, 0), Some(Full::Disk));
        assert_eq!(refuse(10, 999, 2, 40), None);
        assert_eq!(refuse(10, 999, 2, 41), Some(Full::Backlog));
        assert_eq!(refuse(1, 999, 3, 3), Some(Full::Backlog));
    }

    #[test]
    fn a_batch_that_is_larger_than_all_may_be_is_taken_when_it_is_alone() {
        assert_eq!(refuse(60, 999, 0, 0), None);
        assert_eq!(refuse(60, 999, 1, 1), Some(Full::Backlog));
    }

    #[test]
    fn what_is_promised_counts_until_it_is_here_or_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let headroom = Headroom::new(Limits {
            min_free_bytes: 0,
            ..LIMITS
        });
        let first = headroom
            .reserve(&store, 30)
            .unwrap()
            .unwrap_or_else(|_| panic!());
        assert!(matches!(
            headroom.reserve(&store, 21).unwrap(),
            Err(Full::Backlog)
        ));
        let second = headroom
            .reserve(&store, 20)
            .unwrap()
            .unwrap_or_else(|_| panic!());
        first.came(25);
        first.came(25);
        assert_eq!(headroom.promised().bytes_to_come, 20);
        drop((first, second));
        let promised = headroom.promised();
        assert_eq!(
            (promised.files, promised.bytes, promised.bytes_to_come),
            (0, 0, 0)
        );
    }
}
