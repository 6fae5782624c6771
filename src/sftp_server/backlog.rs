use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Bytes that clients have sent and no session has worked on yet, in all, and their bound: many
/// clients that send and take nothing cost no more memory than a few.
#[derive(Debug)]
pub(super) struct Backlog {
    bytes: AtomicUsize,
    max: usize,
}

/// What one session has of it; dropping it gives it back.
#[derive(Debug)]
pub(super) struct BacklogShare {
    all: Arc<Backlog>,
    bytes: usize,
}

impl Backlog {
    pub(super) fn new(max: usize) -> Self {
        Self {
            bytes: AtomicUsize::new(0),
            max,
        }
    }

    pub(super) fn share(self: &Arc<Self>) -> BacklogShare {
        BacklogShare {
            all: Arc::clone(self),
            bytes: 0,
        }
    }
}

impl BacklogShare {
    /// The session has `bytes` now. Says whether all sessions together are within the bound.
    pub(super) fn set(&mut self, bytes: usize) -> bool {
        let all = &self.all.bytes;
        let before = if bytes >= self.bytes {
            all.fetch_add(bytes - self.bytes, Ordering::Relaxed)
        } else {
            all.fetch_sub(self.bytes - bytes, Ordering::Relaxed)
        };
        let now = (before + bytes).saturating_sub(self.bytes);
        self.bytes = bytes;
        now <= self.all.max
    }
}

impl Drop for BacklogShare {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_share_the_bound_and_give_back_what_they_had() {
        let all = Arc::new(Backlog::new(10));
        let (mut first, mut second) = (all.share(), all.share());
        assert!(first.set(6));
        assert!(second.set(4));
        assert!(!second.set(5));
        drop(first);
        assert!(second.set(10));
        assert!(!second.set(11));
        assert!(second.set(3));
        assert_eq!(all.bytes.load(Ordering::Relaxed), 3);
    }
}
