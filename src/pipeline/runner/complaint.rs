use std::time::{Duration, Instant};

use crate::{pipeline::Error, telemetry};

/// How often it is told that something still does not work.
const AGAIN_AFTER: Duration = Duration::from_mins(1);

/// Tells of trouble when it begins and once a minute while it lasts, however often it is met.
#[derive(Debug, Default)]
pub(super) struct Complaint(Option<Instant>);

impl Complaint {
    pub(super) fn tell(&mut self, what: &str, error: &Error) {
        if self.0.is_some_and(|told| told.elapsed() < AGAIN_AFTER) {
            return;
        }
        let error = telemetry::with_causes(error);
        tracing::error!(error, "{what}; it is tried again");
        self.0 = Some(Instant::now());
    }

    /// The next trouble is told at once.
    pub(super) fn is_over(&mut self) {
        if self.0.take().is_some() {
            tracing::info!("the store works again");
        }
    }
}
