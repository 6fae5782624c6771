//! Questions to a mailbox service: who has a mailbox in use.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{MailboxStatus, RecipientId, ServiceName},
    mailbox::suomifi::{self, Suomifi},
    store::{self, Store},
    telemetry,
};

/// Questions that a service may refuse in one step until it is left: enough to find the two of ten
/// thousand recipients that it does not know how to read.
const REFUSALS: u32 = 30;

/// How long nobody asks a service that gave no answer.
const LEFT_ALONE: SignedDuration = SignedDuration::from_mins(1);

/// Begins the trouble of a service that gave no answer. Other trouble is not over with an answer.
const CANNOT_ASK: &str = "cannot ask who has a mailbox: ";

/// What one step asks a service. It remembers that there was no answer: whoever comes after it in the
/// step is not made to wait for one too.
pub(super) struct Inquiry<'a> {
    service: &'a Suomifi,
    store: &'a Store,
    refusals: u32,
    is_silent: bool,
}

enum Reply {
    Statuses(Vec<MailboxStatus>),
    /// Something in the question was not to its liking.
    Refused,
    None,
}

impl<'a> Inquiry<'a> {
    pub(super) fn of(service: &'a Suomifi, store: &'a Store) -> Self {
        Self {
            service,
            store,
            refusals: 0,
            is_silent: false,
        }
    }

    pub(super) fn in_one_call(&self) -> usize {
        self.service.settings().recipients_a_question.max(1)
    }

    /// The status of each recipient, in the order asked; `None` where the service does not answer.
    ///
    /// A question that the service refuses is asked again in halves, so that one recipient whom it
    /// cannot read leaves the others their answers.
    pub(super) fn ask(
        &mut self,
        recipients: &[&RecipientId],
        now: Timestamp,
    ) -> Result<Vec<Option<MailboxStatus>>, store::Error> {
        let mut answers = vec![None; recipients.len()];
        let calls = recipients.chunks(self.in_one_call());
        let mut open: VecDeque<_> = calls.zip(answers.chunks_mut(self.in_one_call())).collect();
        while let Some((asked, answers)) = open.pop_front() {
            match self.call(asked, now)? {
                Reply::Statuses(found) => {
                    for (answer, status) in answers.iter_mut().zip(found) {
                        *answer = Some(status);
                    }
                }
                Reply::Refused => {
                    let half = asked.len() / 2;
                    if half > 0 {
                        let (first, second) = asked.split_at(half);
                        let (of_first, of_second) = answers.split_at_mut(half);
                        open.extend([(first, of_first), (second, of_second)]);
                    }
                }
                Reply::None => break,
            }
        }
        Ok(answers)
    }

    /// Steps run on threads of their own, where waiting for the network is allowed.
    fn call(&mut self, asked: &[&RecipientId], now: Timestamp) -> Result<Reply, store::Error> {
        let before = self.store.service_state(self.name())?;
        if self.is_silent || before.retry_at.is_some_and(|retry| retry > now) {
            return Ok(Reply::None);
        }
        let runtime = tokio::runtime::Handle::current();
        match runtime.block_on(self.service.are_active(asked)) {
            Ok(active) => {
                if before
                    .last_error
                    .is_some_and(|error| error.starts_with(CANNOT_ASK))
                {
                    self.store.service_works(self.name())?;
                }
                Ok(Reply::Statuses(active.into_iter().map(status).collect()))
            }
            Err(error) if error.is_of_message() && self.refusals < REFUSALS => {
                self.refusals += 1;
                Ok(Reply::Refused)
            }
            Err(error) => {
                self.fall_silent(&error, now)?;
                Ok(Reply::None)
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
