use std::time::Duration;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    config::{key_path::KeyPath, problem::Problems},
    pipeline::Settings,
};

/// How the steps of batches are paced, and tried again.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RunnerTable {
    /// Batches worked on at once.
    #[schemars(range(min = 1))]
    batches_at_once: usize,
    /// How often to look for work that another process made due, such as `kuori reprocess`.
    #[schemars(range(min = 1))]
    look_interval_secs: u32,
    /// A step is taken for dead after this long and may be claimed again.
    #[schemars(range(min = 60))]
    lease_secs: u32,
    /// Tries of a step before its batch is held.
    #[schemars(range(min = 1))]
    max_attempts: u32,
    /// The wait after the first failed try. It doubles with each further one.
    #[schemars(range(min = 1))]
    first_wait_secs: u32,
    /// The wait that is not exceeded.
    #[schemars(range(min = 1))]
    longest_wait_secs: u32,
}

impl Default for RunnerTable {
    fn default() -> Self {
        let settings = Settings::default();
        let secs = |time: SignedDuration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        Self {
            batches_at_once: settings.batches_at_once,
            look_interval_secs: u32::try_from(settings.look_interval.as_secs()).unwrap_or(u32::MAX),
            lease_secs: secs(settings.lease),
            max_attempts: settings.max_attempts,
            first_wait_secs: secs(settings.first_wait),
            longest_wait_secs: secs(settings.longest_wait),
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
        Settings {
            batches_at_once: self.batches_at_once,
            look_interval: Duration::from_secs(self.look_interval_secs.into()),
            lease: SignedDuration::from_secs(self.lease_secs.into()),
            max_attempts: self.max_attempts,
            first_wait: SignedDuration::from_secs(self.first_wait_secs.into()),
            longest_wait: SignedDuration::from_secs(self.longest_wait_secs.into()),
        }
    }
}
