//! Questions to a mailbox service: who has a mailbox in use.

use jiff::{SignedDuration, Timestamp};

use super::House;
use crate::{
    domain::{BackOff, MailboxStatus, RecipientId, ServiceName},
    mailbox::suomifi::{self, Suomifi},
    store::{self, ServiceState},
    telemetry,
};

/// How long nobody asks a service that gave no answer: there is no hurry, and steps ask before couriers do.
const LEFT_ALONE: BackOff = BackOff {
    first: SignedDuration::from_mins(1),
    longest: SignedDuration::from_mins(10),
};

/// Begins the trouble of a service that gave no answer. Other trouble is not over with an answer.
const CANNOT_ASK: &str = "cannot ask who has a mailbox: ";

/// What one step asks a service. It remembers that there was no answer: whoever comes after it in the
/// step is not made to wait for one too.
pub(super) struct Inquiry<'a> {
    service: &'a Suomifi,
    house: &'a House,
    is_silent: bool,
}

impl<'a> Inquiry<'a> {
    pub(super) fn of(service: &'a Suomifi, house: &'a House) -> Self {
        Self {
            service,
            house,
            is_silent: false,
        }
    }

    pub(super) fn in_one_call(&self) -> usize {
        self.service.settings().recipients_a_question.max(1)
    }

    /// The status of each recipient, in the order asked; `None` where the service does not answer.
    ///
    /// Steps run on threads of their own, where waiting for the network is allowed.
    pub(super) fn ask(
        &mut self,
        recipients: &[&RecipientId],
        now: Timestamp,
    ) -> Result<Option<Vec<MailboxStatus>>, store::Error> {
        if recipients.is_empty() || self.is_silent {
            return Ok(None);
        }
        let store = &self.house.store;
        let before = store.service_state(self.name())?;
        if before.retry_at.is_some_and(|retry| retry > now) {
            return Ok(None);
        }
        let runtime = tokio::runtime::Handle::current();
        if before.is_wanted_again() {
            runtime.block_on(self.service.knock_again());
        }
        match runtime.block_on(self.service.are_active(recipients)) {
            Ok(active) => {
                let failed_to_answer = |error: String| error.starts_with(CANNOT_ASK);
                if before.last_error.is_some_and(failed_to_answer) {
                    store.service_works(self.name(), now)?;
                }
                Ok(Some(active.into_iter().map(status).collect()))
            }
            Err(error) => {
                self.fall_silent(&error, &before)?;
                Ok(None)
            }
        }
    }

    /// A question that is refused is trouble of those who were asked about, and not of the service's other
    /// messages.
    fn fall_silent(
        &mut self,
        error: &suomifi::Error,
        before: &ServiceState,
    ) -> Result<(), store::Error> {
        self.is_silent = true;
        let (service, told) = (self.name(), telemetry::with_causes(error));
        tracing::warn!(%service, error = told, "cannot ask who has a mailbox");
        if error.is_of_message() {
            return Ok(());
        }
        let wait = wait(before.failures + 1, fastrand::f64()).max(error.wanted_wait());
        // By now: the answer may have been waited for, for longer than that.
        let now = self.house.clock.now();
        let again = now.saturating_add(wait).unwrap_or(now);
        let told = format!("{CANNOT_ASK}{told}");
        self.house
            .store
            .put_service_off(service, &told, again, now)?;
        Ok(())
    }

    fn name(&self) -> &'a ServiceName {
        &self.service.settings().name
    }
}

/// At least half of its bound, so that a service that is down is not asked twice in a moment.
fn wait(failures: u32, draw: f64) -> SignedDuration {
    LEFT_ALONE.wait(failures, draw.midpoint(1.0))
}

fn status(is_active: bool) -> MailboxStatus {
    if is_active {
        MailboxStatus::Active
    } else {
        MailboxStatus::Inactive
    }
}
