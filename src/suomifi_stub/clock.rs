use std::time::{Duration, Instant};

use jiff::Timestamp;

/// The stand-in's own time: it goes on with the machine's, and can be put forward.
#[derive(Debug)]
pub(super) struct Clock {
    began_at: Timestamp,
    began: Instant,
    forward: Duration,
}

impl Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "a service of its own asks the clock once, here"
    )]
    pub(super) fn start() -> Self {
        Self {
            began_at: Timestamp::now(),
            began: Instant::now(),
            forward: Duration::ZERO,
        }
    }

    /// Where the clock was put too far, it stands at its start.
    pub(super) fn now(&self) -> Timestamp {
        let since = self.began.elapsed().saturating_add(self.forward);
        self.began_at.checked_add(since).unwrap_or(self.began_at)
    }

    /// Time of the machine since the start, which nobody sets.
    pub(super) fn running(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn put_forward(&mut self, by: Duration) {
        self.forward = self.forward.saturating_add(by);
    }
}
