use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Settings, desk::Desk};
use crate::{mailbox::suomifi::Error as ServiceError, pipeline::Error, telemetry};

/// Who is not let in is not let in a moment later either, and many tries may lock the user out.
const NOT_LET_IN: SignedDuration = SignedDuration::from_mins(1);

impl Desk {
    /// Leaves a service that does not work alone for a while. It is told once, and stands in `kuori status`.
    pub(super) async fn put_off(self: &Arc<Self>, trouble: &ServiceError) -> Result<(), Error> {
        let (told, least) = (telemetry::with_causes(trouble), least(trouble));
        self.apart(move |desk| {
            let (store, now) = (&desk.house.store, desk.house.clock.now());
            let before = store.service_state(&desk.service)?;
            let wait = wait(&desk.settings, before.failures + 1, fastrand::f64()).max(least);
            let retry_at = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
            store.put_service_off(&desk.service, &told, retry_at, now)?;
            let service = &desk.service;
            if before.failing_since.is_some() {
                tracing::debug!(%service, %retry_at, error = told, "still does not work");
            } else {
                tracing::warn!(%service, %retry_at, error = told, "does not work: its messages wait");
            }
            Ok(())
        })
        .await
    }

    /// The service has answered.
    pub(super) async fn tell_it_works(self: &Arc<Self>) -> Result<(), Error> {
        self.apart(|desk| {
            let (store, now) = (&desk.house.store, desk.house.clock.now());
            let since = store.service_works(&desk.service, now)?;
            if let Some(since) = since {
                tracing::info!(service = %desk.service, %since, "works again");
            }
            Ok(())
        })
        .await
    }
}

/// What is waited at least after such an answer.
pub(super) fn least(trouble: &ServiceError) -> SignedDuration {
    match trouble {
        ServiceError::NotLetIn { .. } => NOT_LET_IN,
        other => other.wanted_wait(),
    }
}

/// At least half of its bound: a service that is down is not asked twice in a moment.
pub(super) fn wait(settings: &Settings, failures: u32, draw: f64) -> SignedDuration {
    settings.back_off.wait(failures, draw.midpoint(1.0))
}

/// The bound of it.
pub(super) fn longest_wait(settings: &Settings, failures: u32) -> SignedDuration {
    settings.back_off.wait(failures, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_are_never_shorter_than_half() {
        let settings = Settings::default();
        let waits = |draw| [1, 2, 3, 99].map(|failures| wait(&settings, failures, draw).as_secs());
        assert_eq!(waits(1.0), [5, 10, 20, 600]);
        assert_eq!(waits(0.0), [2, 5, 10, 300]);
    }
}
