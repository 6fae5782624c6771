//! Who is asked whether recipients have a mailbox: the register and, where the sender has one, its
//! mailbox service.

use jiff::Timestamp;

use super::{Error, House, SenderSettings, inquiry::Inquiry};
use crate::{
    domain::{Asked, Channel, MailboxStatus, MessageState, Reason, RecipientId, StatedRecipient},
    routing::{self, Policy, Question},
    store::{self, BatchRow, MessageRow, Store},
};

/// What is known of the way of a message at send time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AtSendTime {
    MayGo,
    NoMailbox,
    /// Consent was withdrawn since, or the matter goes on paper by now.
    NotWanted,
}

/// What one step asks about mailboxes.
pub(super) struct Statuses<'a> {
    store: &'a Store,
    service: Option<Inquiry<'a>>,
}

impl<'a> Statuses<'a> {
    /// A test asks nobody outside the house.
    pub(super) fn of(house: &'a House, sender: &SenderSettings, row: &BatchRow) -> Self {
        let service = house.service_for(sender, row.is_test);
        Self {
            store: &house.store,
            service: service.map(|service| Inquiry::of(service, house)),
        }
    }

    /// Recipients that a service is asked about in one call.
    pub(super) fn in_one_call(&self) -> Option<usize> {
        self.service.as_ref().map(Inquiry::in_one_call)
    }

    /// Finds out what hangs on recipients alone: which of them want letters of this matter on paper
    /// and, where the way depends on it, whether they have a mailbox.
    ///
    /// A consent that was withdrawn here counts at once, whatever a service says, which is not asked
    /// about that recipient.
    pub(super) fn find_out(
        &mut self,
        policy: &Policy,
        questions: &mut [Question<'_>],
        now: Timestamp,
    ) -> Result<(), store::Error> {
        look_up_matters(self.store, questions)?;
        let depends = |question: &&mut Question<'_>| routing::needs_status(question, policy, now);
        let mut asked: Vec<_> = questions.iter_mut().filter(depends).collect();
        ask_register(self.store, &mut asked, now)?;
        let Some(service) = &mut self.service else {
            return Ok(());
        };
        asked.retain(|question| !has_withdrawn(question));
        for question in &mut asked {
            question.status = Some(unknown(now));
        }
        asked.retain(|question| !routing::service_may_choose(question, policy));
        ask_service(service, &mut asked, now)
    }

    /// Lets stand what was found at send time of the mailboxes of messages that came back for it, as long
    /// as an answer counts. A service that says of a mailbox that it is in use, and takes nothing for it,
    /// would have them go to and fro for ever.
    pub(super) fn heed_refusals(
        &self,
        policy: &Policy,
        page: &[MessageRow],
        questions: &mut [Question<'_>],
        now: Timestamp,
    ) {
        if self.service.is_none() {
            return;
        }
        for (question, stored) in questions.iter_mut().zip(page) {
            let said = Question {
                status: stored.asked,
                ..*question
            };
            let is_fresh = !routing::needs_status(&said, policy, now);
            if came_back(stored) && is_fresh && !has_withdrawn(question) {
                *question = said;
            }
        }
    }

    /// Which of these messages may still go the way that they were routed, at send time, in their order.
    ///
    /// No mailbox is open any more where consent was withdrawn since, or the matter goes on paper by now,
    /// or the mailbox is out of use. A service is asked only where its last answer is too old to be
    /// believed, and not where it chooses itself. Where it does not answer the message may go: it is
    /// asked again by sending.
    pub(super) fn may_still_go(
        &mut self,
        policy: &Policy,
        row: &BatchRow,
        page: &[MessageRow],
        now: Timestamp,
    ) -> Result<Vec<AtSendTime>, store::Error> {
        let mut questions: Vec<_> = page.iter().map(|stored| question(row, stored)).collect();
        look_up_matters(self.store, &mut questions)?;
        ask_register(
            self.store,
            &mut questions.iter_mut().collect::<Vec<_>>(),
            now,
        )?;
        if let Some(service) = &mut self.service {
            let mut asked = Vec::new();
            for (question, stored) in questions.iter_mut().zip(page) {
                if has_withdrawn(question) {
                    continue;
                }
                question.status = stored.asked;
                if routing::needs_status(question, policy, now) {
                    question.status = Some(unknown(now));
                    asked.extend(needs_mailbox(stored).then_some(question));
                }
            }
            ask_service(service, &mut asked, now)?;
        }
        let both = questions.iter().zip(page);
        Ok(both
            .map(|(question, stored)| {
                if is_paper(stored) {
                    AtSendTime::MayGo
                } else {
                    at_send_time(question)
                }
            })
            .collect())
    }
}

/// Whether it had been decided, and there was no mailbox at send time. One that an operator sets back has
/// a reason still.
fn came_back(stored: &MessageRow) -> bool {
    let status = stored.asked.map(|asked| asked.status);
    stored.state == MessageState::Accepted
        && stored.reason.is_none()
        && status == Some(MailboxStatus::Inactive)
}

/// Whether it goes to nobody but who has a mailbox.
pub(super) fn needs_mailbox(stored: &MessageRow) -> bool {
    stored.state != MessageState::Delivered && stored.channel.is_some_and(Channel::uses_mailbox)
}

/// Whether it goes on paper whoever has a mailbox: alone, or beside the message that lies there already.
fn is_paper(stored: &MessageRow) -> bool {
    let is_either = stored.reason == Some(Reason::ServiceChooses);
    !needs_mailbox(stored) && (stored.state == MessageState::Delivered || !is_either)
}

/// As [`Statuses::may_still_go`], of messages of one batch whose sender has them routed as the
/// settings say now.
pub(super) fn may_still_go(
    house: &House,
    row: &BatchRow,
    page: &[MessageRow],
) -> Result<Vec<AtSendTime>, Error> {
    let (sender, now) = (house.sender(&row.sender)?, house.clock.now());
    let policy = house.policy(sender, row.is_test);
    Ok(Statuses::of(house, sender, row).may_still_go(&policy, row, page, now)?)
}

/// What routing may ask about a message, with nothing found out yet.
pub(super) fn question<'a>(row: &BatchRow, stored: &'a MessageRow) -> Question<'a> {
    Question {
        message: &stored.message,
        fitness: stored.fitness,
        status: None,
        batch_print_only: row.print_only,
        matter_is_print_only: false,
        waiting_since: stored.waiting_since,
        forced: stored.forced,
    }
}

/// Finds out what the house knows itself. What a service would say, it is taken to have said: its last
/// answer, where that is believed, or that there is a mailbox.
pub(super) fn suppose(
    store: &Store,
    sender: &SenderSettings,
    row: &BatchRow,
    page: &[MessageRow],
    questions: &mut [Question<'_>],
    now: Timestamp,
) -> Result<(), store::Error> {
    look_up_matters(store, questions)?;
    ask_register(store, &mut questions.iter_mut().collect::<Vec<_>>(), now)?;
    if sender.suomifi.is_none() || row.is_test {
        return Ok(());
    }
    let policy = sender.policy();
    for (question, stored) in questions.iter_mut().zip(page) {
        if has_withdrawn(question) {
            continue;
        }
        question.status = stored.asked;
        if routing::needs_status(question, &policy, now) {
            question.status = Some(asked(MailboxStatus::Active, now));
        }
    }
    Ok(())
}

/// Looks up which recipients of the page want letters of their matter on paper, in one call.
fn look_up_matters(store: &Store, questions: &mut [Question<'_>]) -> Result<(), store::Error> {
    let (asked, found): (Vec<_>, Vec<_>) = questions
        .iter_mut()
        .filter_map(|question| {
            let asked = (recipient(question)?, question.message.matter.as_deref()?);
            Some((asked, &mut question.matter_is_print_only))
        })
        .unzip();
    let answers = store.are_print_only(&asked)?;
    for (is_print_only, answer) in found.into_iter().zip(answers) {
        *is_print_only = answer;
    }
    Ok(())
}

fn ask_register(
    store: &Store,
    questions: &mut [&mut Question<'_>],
    now: Timestamp,
) -> Result<(), store::Error> {
    let mut asked: Vec<_> = questions
        .iter_mut()
        .filter_map(|question| recipient(question).map(|id| (id, &mut question.status)))
        .collect();
    let ids: Vec<_> = asked.iter().map(|(id, _)| *id).collect();
    let answers: Vec<Asked> = store.mailbox_statuses(&ids, now)?;
    for ((_, status), answer) in asked.iter_mut().zip(answers) {
        **status = Some(answer);
    }
    Ok(())
}

/// Leaves a status as it is where the service does not answer.
fn ask_service(
    service: &mut Inquiry<'_>,
    questions: &mut [&mut Question<'_>],
    now: Timestamp,
) -> Result<(), store::Error> {
    let mut open: Vec<_> = questions
        .iter_mut()
        .filter_map(|question| recipient(question).map(|id| (id, &mut question.status)))
        .collect();
    let ids: Vec<_> = open.iter().map(|(id, _)| *id).collect();
    if let Some(answers) = service.ask(&ids, now)? {
        for ((_, status), answer) in open.iter_mut().zip(answers) {
            **status = Some(asked(answer, now));
        }
    }
    Ok(())
}

fn recipient<'a>(question: &Question<'a>) -> Option<&'a RecipientId> {
    match &question.message.recipient.id {
        StatedRecipient::Valid(id) => Some(id),
        StatedRecipient::Absent | StatedRecipient::Invalid => None,
    }
}

fn has_withdrawn(question: &Question<'_>) -> bool {
    let status = question.status.map(|asked| asked.status);
    status == Some(MailboxStatus::Withdrawn)
}

fn at_send_time(question: &Question<'_>) -> AtSendTime {
    match question.status.map(|asked| asked.status) {
        _ if question.matter_is_print_only => AtSendTime::NotWanted,
        Some(MailboxStatus::Withdrawn) => AtSendTime::NotWanted,
        Some(MailboxStatus::Active | MailboxStatus::Unknown) => AtSendTime::MayGo,
        Some(MailboxStatus::Inactive) | None => AtSendTime::NoMailbox,
    }
}

fn unknown(now: Timestamp) -> Asked {
    asked(MailboxStatus::Unknown, now)
}

fn asked(status: MailboxStatus, at: Timestamp) -> Asked {
    Asked { status, at }
}
