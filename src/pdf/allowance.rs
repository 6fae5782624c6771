//! Work that only damaged or hostile files ask for, counted against what a file may ask for.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::Refusal;

/// Bytes that may still be inflated, or gone through once more. Shared between threads.
pub(super) struct Allowance {
    left: AtomicU64,
    /// Somebody asked for more than there was.
    is_exhausted: AtomicBool,
    what: &'static str,
}

impl Allowance {
    pub(super) fn new(bytes: u64, what: &'static str) -> Self {
        Self {
            left: AtomicU64::new(bytes),
            is_exhausted: AtomicBool::new(false),
            what,
        }
    }

    pub(super) fn spend(&self, bytes: usize) -> Result<(), Refusal> {
        let bytes = bytes as u64;
        let spent = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(bytes)
            });
        spent.map(drop).map_err(|_| {
            self.is_exhausted.store(true, Ordering::Relaxed);
            self.refusal()
        })
    }

    /// Why somebody was refused, if anybody was.
    pub(super) fn exhausted(&self) -> Option<Refusal> {
        let is_exhausted = self.is_exhausted.load(Ordering::Relaxed);
        is_exhausted.then(|| self.refusal())
    }

    fn refusal(&self) -> Refusal {
        Refusal::Limit { what: self.what }
    }
}
