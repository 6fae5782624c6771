use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::{
    cli::CommandError,
    store::{self, Blocked, ReprocessPlan},
};

/// How often a batch in other hands is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How long a call waits for batches in other hands, all of them together.
pub(super) struct Patience {
    began: Instant,
    /// What the clock showed then.
    at: Timestamp,
    length: Duration,
}

impl Patience {
    pub(super) fn new(secs: u64, at: Timestamp) -> Self {
        Self {
            began: Instant::now(),
            at,
            length: Duration::from_secs(secs),
        }
    }

    /// Asks again while nothing but time stands in the way, at the time that it is by then.
    pub(super) fn until_free(
        &self,
        ask: impl Fn(Timestamp) -> Result<ReprocessPlan, store::Error>,
    ) -> Result<ReprocessPlan, CommandError> {
        loop {
            let plan = ask(self.now())?;
            if !passes(&plan) || self.began.elapsed() >= self.length {
                return Ok(plan);
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    fn now(&self) -> Timestamp {
        if self.length.is_zero() {
            return self.at;
        }
        let passed = SignedDuration::try_from(self.began.elapsed()).unwrap_or_default();
        self.at.saturating_add(passed).unwrap_or(self.at)
    }
}

/// Whether what stands in the way goes by itself.
pub(super) fn passes(plan: &ReprocessPlan) -> bool {
    let goes = |blocked: &Blocked| matches!(blocked, Blocked::Working(_) | Blocked::HandingOver(_));
    !plan.blocked.is_empty() && plan.blocked.iter().all(goes)
}
