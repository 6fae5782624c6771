use jiff::{SignedDuration, Timestamp};

use super::{Error, Gate, House, SenderSettings, gate, house::NOT_WHOLE, stop::Stop};
use crate::{
    domain::{
        Asked, BatchState, Channel, MessageState, Reason, RecipientId, Route, StatedRecipient,
    },
    routing::{self, Policy, Question},
    store::{self, BatchRow, MessageRow, Routed, StepOutcome, Store},
};

/// Messages loaded, asked about and decided at a time.
const PAGE: u32 = 1_000;

/// Decides how each message goes, page by page, unless the gate holds the batch, or an operator does
/// meanwhile.
pub(super) fn run(house: &House, row: &BatchRow, stop: &Stop) -> Result<(), Error> {
    if !gate::pass(house, row)? {
        return Ok(());
    }
    let sender = house.sender(&row.sender)?;
    let policy = sender.policy();
    let undecided = [MessageState::Accepted, MessageState::Waiting];
    decide_all(house, &policy, row, &undecided, row.resume_after, stop)?;
    if row.resume_after > 0 {
        // Set back by an operator while the step had given way; those that wait were asked about.
        decide_all(house, &policy, row, &undecided[..1], 0, stop)?;
    }
    let now = house.clock.now();
    if sender.gate == Gate::AllOrNothing && is_refused_whole(house, row)? {
        house.store.quarantine(row)?;
        return Ok(house.store.refuse_routed(row, NOT_WHOLE, now)?);
    }
    Ok(house
        .store
        .finish_step(row, &StepOutcome::next(BatchState::Routed, now), now)?)
}

fn decide_all(
    house: &House,
    policy: &Policy,
    row: &BatchRow,
    states: &[MessageState],
    mut after: u32,
    stop: &Stop,
) -> Result<(), Error> {
    loop {
        if house.store.has_moved(row)? {
            return Err(Error::OnHold(row.id));
        }
        let page = house.store.messages(row.id, states, after, PAGE)?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        // Asked where there is more to do: nobody gives way for nothing.
        stop.between_pages(after)?;
        after = last.id.position;
        let now = house.clock.now();
        let decided = decide_page(&house.store, policy, row, &page, now)?;
        house.store.record_decisions(row.id, &decided, now)?;
    }
}

/// Whether a message was refused while all the others are still here.
fn is_refused_whole(house: &House, row: &BatchRow) -> Result<bool, Error> {
    let counts = house.store.counts(row.id)?;
    let has_gone = counts.delivered > 0 || !house.store.bundles(Some(row.id), 1)?.is_empty();
    Ok(counts.refused > 0 && !has_gone)
}

fn decide_page(
    store: &Store,
    policy: &Policy,
    row: &BatchRow,
    page: &[MessageRow],
    now: Timestamp,
) -> Result<Vec<Routed>, store::Error> {
    let mut questions: Vec<_> = page.iter().map(|stored| question(row, stored)).collect();
    decide(store, policy, &mut questions, now)
}

/// Why messages would not go the way that an operator wants, were they routed now; `None` where they
/// would.
pub fn foresee(
    store: &Store,
    sender: &SenderSettings,
    row: &BatchRow,
    page: &[MessageRow],
    (channel, now): (Channel, Timestamp),
) -> Result<Vec<Option<Reason>>, store::Error> {
    let forced = |stored| Question {
        forced: Some(channel),
        ..question(row, stored)
    };
    let mut questions: Vec<_> = page.iter().map(forced).collect();
    let decided = decide(store, &sender.policy(), &mut questions, now)?;
    let hindrance = |routed: Routed| match routed.decision.route {
        Route::To(to) if to == channel => None,
        _ => Some(routed.decision.reason),
    };
    Ok(decided.into_iter().map(hindrance).collect())
}

fn decide(
    store: &Store,
    policy: &Policy,
    questions: &mut [Question<'_>],
    now: Timestamp,
) -> Result<Vec<Routed>, store::Error> {
    look_up_matters(store, questions)?;
    ask(store, policy, questions, now)?;
    let decided = questions.iter().map(|question| Routed {
        position: question.message.position,
        decision: routing::decide(question, policy, now),
    });
    Ok(decided.collect())
}

fn question<'a>(row: &BatchRow, stored: &'a MessageRow) -> Question<'a> {
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

/// Asks the register about all recipients of the page whose answer matters, in one call.
fn ask(
    store: &Store,
    policy: &Policy,
    questions: &mut [Question<'_>],
    now: Timestamp,
) -> Result<(), store::Error> {
    let mut asked: Vec<_> = questions
        .iter_mut()
        .filter(|question| routing::needs_status(question, policy, now))
        .filter_map(|question| recipient(question).map(|id| (id, &mut question.status)))
        .collect();
    let ids: Vec<_> = asked.iter().map(|(id, _)| *id).collect();
    let answers: Vec<Asked> = store.mailbox_statuses(&ids, now)?;
    for ((_, status), answer) in asked.iter_mut().zip(answers) {
        **status = Some(answer);
    }
    Ok(())
}

fn recipient<'a>(question: &Question<'a>) -> Option<&'a RecipientId> {
    match &question.message.recipient.id {
        StatedRecipient::Valid(id) => Some(id),
        StatedRecipient::Absent | StatedRecipient::Invalid => None,
    }
}

/// When messages whose status is unknown are to be asked about again.
pub(super) fn ask_again_at(sender: &SenderSettings, now: Timestamp) -> Timestamp {
    let secs = i64::try_from(sender.routing.ask_again_secs).unwrap_or(i64::MAX);
    now.saturating_add(SignedDuration::from_secs(secs))
        .unwrap_or(now)
}
