//! Work that only damaged or hostile files ask for, counted against what a file may ask for.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Refusal;

/// Bytes that may still be inflated, or gone through once more. Shared between threads.
pub(super) struct Allowance {
    left: AtomicU64,
    what: &'static str,
}

impl Allowance {
    pub(super) fn new(bytes: u64, what: &'static str) -> Self {
        Self {
            left: AtomicU64::new(bytes),
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
        match spent {
            Ok(_) => Ok(()),
            Err(_) => Err(Refusal::Limit { what: self.what }),
        }
    }
}
