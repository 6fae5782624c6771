use std::time::Duration;

use jiff::SignedDuration;

use crate::domain::BackOff;

/// How the runner paces itself.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Steps of batches at once, of all kinds together.
    pub batches_at_once: usize,
    /// Of these, how many open or compose: each of them keeps all cores busy by itself, and memory.
    pub computing_at_once: usize,
    /// Of these, how many deliver: each waits for the mailbox more than it computes.
    pub delivering_at_once: usize,
    /// Beside these, how many steps of small batches: they never wait behind large ones.
    pub small_batches_at_once: usize,
    /// A batch is small whose file has no more bytes.
    pub small_batch_bytes: u64,
    /// Beside these, delivery reports that are written at once.
    pub delivery_reports_at_once: usize,
    /// How long a step works at least before it gives way to others that wait.
    pub turn: Duration,
    /// How often to look for work that another process made due, such as `kuori reprocess`.
    pub look_interval: Duration,
    /// A step that does not renew its claim for this long may be claimed again.
    pub lease: SignedDuration,
    /// Tries before a batch is held.
    pub max_attempts: u32,
    /// Ends of the program in the middle of one step before its batch is held.
    pub max_crashes: u32,
    /// Between tries.
    pub back_off: BackOff,
    /// How long steps may take to reach their transaction once the house is told to stop.
    pub stop_within: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            batches_at_once: 5,
            computing_at_once: 2,
            delivering_at_once: 2,
            small_batches_at_once: 1,
            small_batch_bytes: 1 << 20,
            delivery_reports_at_once: 1,
            turn: Duration::from_secs(5),
            look_interval: Duration::from_secs(1),
            lease: SignedDuration::from_mins(5),
            max_attempts: 16,
            max_crashes: 3,
            back_off: BackOff {
                first: SignedDuration::from_secs(2),
                longest: SignedDuration::from_mins(15),
            },
            stop_within: Duration::from_mins(1),
        }
    }
}

impl Settings {
    /// From this many crashes on, a batch is worked on alone, so that no other is taken for the cause
    /// of the last one.
    pub(super) fn suspicious_crashes(&self) -> u32 {
        self.max_crashes.saturating_sub(1).max(1)
    }
}
