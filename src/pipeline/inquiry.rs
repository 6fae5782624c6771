//! Questions to a mailbox service: who has a mailbox in use.

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{MailboxStatus, RecipientId, ServiceName},
    mailbox::suomifi::{self, Suomifi},
    store::{self, Store},
    telemetry,
};

/// How long nobody asks a service that gave no answer.
const LEFT_ALONE: SignedDuration = SignedDuration::from_mins(1);

/// Begins the trouble of a service that gave no answer. Other trouble is not over with an answer.
const CANNOT_ASK: &str = "cannot ask who has a mailbox: ";

/// What one step asks a service. It remembers that there was no answer: whoever comes after it in the
/// step is not made to wait for one too.
pub(super) struct Inquiry<'a> {
    service: &'a Suomifi,
    store: &'a Store,
    is_silent: bool,
}

impl<'a> Inquiry<'a> {
    pub(super) fn of(service: &'a Suomifi, store: &'a Store) -> Self {
        Self {
            service,
            store,
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
        let before = self.store.service_state(self.name())?;
        if before.retry_at.is_some_and(|retry| retry > now) {
            return Ok(None);
        }
        let runtime = tokio::runtime::Handle::current();
        match runtime.block_on(self.service.are_active(recipients)) {
            Ok(active) => {
                let failed_to_answer = |error: String| error.starts_with(CANNOT_ASK);
                if before.last_error.is_some_and(failed_to_answer) {
                    self.store.service_works(self.name())?;
                }
                Ok(Some(active.into_iter().map(status).collect()))
            }
            Err(error) => {
                self.fall_silent(&error, now)?;
                Ok(None)
            }
        }
    }

    fn fall_silent(&mut self, error: &suomifi::Error, now: Timestamp) -> Result<(), store::Error> {
        self.is_silent = true;
        let (service, told) = (self.name(), telemetry::with_causes(error));
        tracing::warn!(%service, error = told, "cannot ask who has a mailbox");
        let again = now.saturating_add(LEFT_ALONE).unwrap_or(now);
        let told = format!("{CANNOT_ASK}{told}");
        self.store.put_service_off(self.name(), &told, again, now)?;
        Ok(())
    }

    fn name(&self) -> &'a ServiceName {
        &self.service.settings().name
    }
}

fn status(is_active: bool) -> MailboxStatus {
    if is_active {
        MailboxStatus::Active
    } else {
        MailboxStatus::Inactive
    }
}
