//! Questions to a mailbox service: who has a mailbox in use.

use std::collections::VecDeque;

use crate::{
    domain::{MailboxStatus, RecipientId},
    mailbox::suomifi::Suomifi,
    telemetry,
};

/// Questions that a service may refuse in one step until it is left: enough to find the two of ten
/// thousand recipients that it does not know how to read.
const REFUSALS: u32 = 30;

/// What one step asks a service. It remembers that there was no answer: whoever comes after it in the
/// step is not made to wait for one too.
pub(super) struct Inquiry<'a> {
    service: &'a Suomifi,
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
    pub(super) fn of(service: &'a Suomifi) -> Self {
        Self {
            service,
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
    pub(super) fn ask(&mut self, recipients: &[&RecipientId]) -> Vec<Option<MailboxStatus>> {
        let mut answers = vec![None; recipients.len()];
        let calls = recipients.chunks(self.in_one_call());
        let mut open: VecDeque<_> = calls.zip(answers.chunks_mut(self.in_one_call())).collect();
        while let Some((asked, answers)) = open.pop_front() {
            match self.call(asked) {
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
        answers
    }

    /// Steps run on threads of their own, where waiting for the network is allowed.
    fn call(&mut self, asked: &[&RecipientId]) -> Reply {
        if self.is_silent {
            return Reply::None;
        }
        let runtime = tokio::runtime::Handle::current();
        match runtime.block_on(self.service.are_active(asked)) {
            Ok(active) => Reply::Statuses(active.into_iter().map(status).collect()),
            Err(error) if error.is_of_message() && self.refusals < REFUSALS => {
                self.refusals += 1;
                Reply::Refused
            }
            Err(error) => {
                self.is_silent = true;
                let (service, told) = (
                    &self.service.settings().name,
                    telemetry::with_causes(&error),
                );
                tracing::warn!(%service, error = told, "cannot ask who has a mailbox");
                Reply::None
            }
        }
    }
}

fn status(is_active: bool) -> MailboxStatus {
    if is_active {
        MailboxStatus::Active
    } else {
        MailboxStatus::Inactive
    }
}
