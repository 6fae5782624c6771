use std::time::Duration;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    config::{key_path::KeyPath, problem::Problems},
    domain::BackOff,
    pipeline::Settings,
};

/// How the steps of batches are paced, and tried again.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RunnerTable {
    /// Steps of batches at once, of all kinds together. By default one more than may open, compose and
    /// deliver, so that routing and reports, which are short, do not wait behind those.
    #[schemars(range(min = 1))]
    batches_at_once: usize,
    /// Of these, how many open or compose. One of them keeps all cores busy; a second one fills the gaps in
    /// which the first waits for the disk. More only take memory.
    #[schemars(range(min = 1))]
    computing_at_once: usize,
    /// Of these, how many deliver. They wait for the mailbox more than they compute; each holds up to
    /// about 400 MiB of letters.
    #[schemars(range(min = 1))]
    delivering_at_once: usize,
    /// Beside these, steps of small batches at once, so that none waits behind large ones. 0: they
    /// have no place of their own.
    small_batches_at_once: usize,
    /// A batch is small whose file has no more bytes. By default so little that no core is long busy
    /// with it.
    small_batch_bytes: u64,
    /// Beside these, delivery reports that are written at once.
    #[schemars(range(min = 1))]
    delivery_reports_at_once: usize,
    /// How long routing, delivery and composing go on at least before they give way to batches of other
    /// senders, and to smaller ones, that wait for their place. Shorter: others wait less, and large
    /// batches begin anew more often.
    turn_secs: u32,
    /// How often to look for work that another process made due, such as `kuori reprocess`.
    #[schemars(range(min = 1))]
    look_interval_secs: u32,
    /// A claim of a step is renewed three times in this long; one that is not is taken for dead, and the
    /// step may be claimed again. Commands that change a batch wait as long for a program that hangs.
    #[schemars(range(min = 60))]
    lease_secs: u32,
    /// Tries of a step before its batch is held.
    #[schemars(range(min = 1))]
    max_attempts: u32,
    /// Ends of the program (killed, out of memory) in the middle of the same step before its batch is held.
    /// Ends after a signal to stop do not count.
    #[schemars(range(min = 1))]
    max_crashes: u32,
    /// The longest wait after the first failed try. It doubles with each further one; how much of it is
    /// waited is random, so that what failed together does not come back together.
    #[schemars(range(min = 1))]
    first_wait_secs: u32,
    /// The wait that is not exceeded.
    #[schemars(range(min = 1))]
    longest_wait_secs: u32,
    /// How long steps may take, once the program is told to stop, to reach a point where they can be put
    /// down; then it ends in the middle of them, as after a crash. Less than what the service manager
    /// waits before it kills (systemd: 90 s).
    stop_within_secs: u32,
}

impl Default for RunnerTable {
    fn default() -> Self {
        let settings = Settings::default();
        let secs = |time: SignedDuration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        let whole = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        Self {
            batches_at_once: settings.batches_at_once,
            computing_at_once: settings.computing_at_once,
            delivering_at_once: settings.delivering_at_once,
            small_batches_at_once: settings.small_batches_at_once,
            small_batch_bytes: settings.small_batch_bytes,
            delivery_reports_at_once: settings.delivery_reports_at_once,
            turn_secs: whole(settings.turn),
            look_interval_secs: whole(settings.look_interval),
            lease_secs: secs(settings.lease),
            max_attempts: settings.max_attempts,
            max_crashes: settings.max_crashes,
            first_wait_secs: secs(settings.back_off.first),
            longest_wait_secs: secs(settings.back_off.longest),
            stop_within_secs: whole(settings.stop_within),
        }
    }
}

impl RunnerTable {
    pub(super) fn read(self, at: &KeyPath, problems: &mut Problems) -> Settings {
        if self.longest_wait_secs < self.first_wait_secs {
            let message = format!(
                "must be at least `first_wait_secs`, {}",
                self.first_wait_secs
            );
            problems.add(&at.key("longest_wait_secs"), message);
        }
        let secs = |secs: u32| Duration::from_secs(secs.into());
        let signed = |secs: u32| SignedDuration::from_secs(secs.into());
        Settings {
            batches_at_once: self.batches_at_once,
            computing_at_once: self.computing_at_once,
            delivering_at_once: self.delivering_at_once,
            small_batches_at_once: self.small_batches_at_once,
            small_batch_bytes: self.small_batch_bytes,
            delivery_reports_at_once: self.delivery_reports_at_once,
            turn: secs(self.turn_secs),
            look_interval: secs(self.look_interval_secs),
            lease: signed(self.lease_secs),
            max_attempts: self.max_attempts,
            max_crashes: self.max_crashes,
            back_off: BackOff {
                first: signed(self.first_wait_secs),
                longest: signed(self.longest_wait_secs),
            },
            stop_within: secs(self.stop_within_secs),
        }
    }
}
