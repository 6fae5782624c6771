use std::{
    panic::resume_unwind,
    thread::{self, ScopedJoinHandle},
};

use jiff::{SignedDuration, Timestamp};

use super::{
    Error, Gate, House, SenderSettings, gate,
    house::NOT_WHOLE,
    statuses::{self, Statuses},
    stop::Stop,
};
use crate::{
    domain::{BatchState, Channel, MessageState, Reason, Route},
    routing::{self, Policy, Question},
    store::{self, BatchRow, MessageRow, Routed, StepOutcome, Store},
};

pub(super) use super::statuses::question;

/// Messages loaded and recorded at a time.
const PAGE: u32 = 1_000;

/// Messages decided at a time, except where a service takes fewer or more in one call. Each question
/// reads the register anew, since something was recorded meanwhile: many share what it reads.
const ASKED: usize = 10_000;

/// Decides how each message goes, page by page, unless the gate holds the batch, or an operator does
/// meanwhile.
pub(super) fn run(house: &House, row: &BatchRow, stop: &Stop) -> Result<(), Error> {
    if !gate::pass(house, row)? {
        return Ok(());
    }
    let sender = house.sender(&row.sender)?;
    let mut routing = Routing {
        house,
        row,
        policy: house.policy(sender, row.is_test),
        statuses: Statuses::of(house, sender, row),
        stop,
        decided: 0,
        wait_on: 0,
    };
    let undecided = [MessageState::Accepted, MessageState::Waiting];
    routing.decide_all(&undecided, row.resume_after)?;
    if row.resume_after > 0 {
        // Set back by an operator while the step had given way; those that wait were asked about.
        routing.decide_all(&undecided[..1], 0)?;
    }
    let now = house.clock.now();
    if sender.gate == Gate::AllOrNothing && is_refused_whole(house, row)? {
        house.store.quarantine(row)?;
        return Ok(house.store.refuse_routed(row, NOT_WHOLE, now)?);
    }
    let outcome = if routing.all_wait_on() {
        StepOutcome {
            due_at: Some(ask_again_at(sender, now)),
            ..StepOutcome::next(BatchState::Reported, now)
        }
    } else {
        StepOutcome::next(BatchState::Routed, now)
    };
    Ok(house.store.finish_step(row, &outcome, now)?)
}

/// The messages of a batch on their way to a decision.
struct Routing<'a> {
    house: &'a House,
    row: &'a BatchRow,
    policy: Policy,
    statuses: Statuses<'a>,
    stop: &'a Stop,
    /// Messages for which something new was decided, and those that go on waiting.
    decided: usize,
    wait_on: usize,
}

impl Routing<'_> {
    /// Whether nothing came of it: nothing is to be delivered, composed or told.
    fn all_wait_on(&self) -> bool {
        let is_whole = self.row.state == BatchState::Reported && self.row.resume_after == 0;
        is_whole && self.decided == 0 && self.wait_on > 0
    }

    /// One page is recorded while the next is decided: both take about as long.
    fn decide_all(&mut self, states: &[MessageState], mut after: u32) -> Result<(), Error> {
        let (house, row) = (self.house, self.row);
        thread::scope(|scope| {
            let mut recording: Option<ScopedJoinHandle<'_, _>> = None;
            loop {
                let next = self.decide_next(states, after);
                // Before anything else: whoever gives way says that all up to here is recorded.
                if let Some(recording) = recording.take() {
                    recording.join().unwrap_or_else(|it| resume_unwind(it))?;
                }
                let Some(next) = next? else { return Ok(()) };
                after = next.last;
                recording = Some(scope.spawn(move || next.record(house, row)));
            }
        })
    }

    fn decide_next(&mut self, states: &[MessageState], after: u32) -> Result<Option<Page>, Error> {
        is_still_here(self.house, self.row)?;
        let page = self.load(states, after)?;
        let Some(last) = page.last() else {
            return Ok(None);
        };
        // Asked where there is more to do: nobody gives way for nothing.
        self.stop.between_pages(after)?;
        let now = self.house.clock.now();
        let decided = self.decide(&page, now)?;
        self.decided += decided.len();
        self.wait_on += page.len() - decided.len();
        Ok(Some(Page {
            decided,
            last: last.id.position,
            now,
        }))
    }

    /// As many messages as one question is about, without what no decision hangs on: their texts may
    /// be long.
    fn load(&self, states: &[MessageState], mut after: u32) -> Result<Vec<MessageRow>, Error> {
        let wanted = self.statuses.in_one_call().unwrap_or(ASKED);
        let mut loaded = Vec::new();
        while loaded.len() < wanted {
            let room = u32::try_from(wanted - loaded.len()).unwrap_or(PAGE);
            let page = self
                .house
                .store
                .messages(self.row.id, states, after, room.min(PAGE))?;
            let Some(last) = page.last() else { break };
            after = last.id.position;
            loaded.extend(page.into_iter().map(without_texts));
        }
        Ok(loaded)
    }

    /// What is decided anew. One that waits, and waits on, is not: a service that is silent for a day
    /// writes nothing.
    fn decide(&mut self, page: &[MessageRow], now: Timestamp) -> Result<Vec<Routed>, store::Error> {
        let questions = page.iter().map(|stored| question(self.row, stored));
        let mut questions: Vec<_> = questions.collect();
        let (statuses, policy) = (&mut self.statuses, &self.policy);
        statuses.find_out(policy, &mut questions, now)?;
        statuses.heed_refusals(policy, page, &mut questions, now);
        let mut decided = decide(&self.policy, &questions, now);
        let mut before = page.iter().map(|stored| stored.state);
        decided.retain(|routed| {
            let waited = before.next() == Some(MessageState::Waiting);
            !(waited && matches!(routed.decision.route, Route::Wait { .. }))
        });
        Ok(decided)
    }
}

/// What one question was about, decided and not recorded yet.
struct Page {
    decided: Vec<Routed>,
    /// The position of the last message, whatever was decided of it.
    last: u32,
    now: Timestamp,
}

impl Page {
    fn record(self, house: &House, row: &BatchRow) -> Result<(), Error> {
        for few in self.decided.chunks(PAGE as usize) {
            is_still_here(house, row)?;
            house.store.record_decisions(row.id, few, self.now)?;
        }
        Ok(())
    }
}

/// Nothing more is recorded once an operator holds the batch.
fn is_still_here(house: &House, row: &BatchRow) -> Result<(), Error> {
    if house.store.has_moved(row)? {
        return Err(Error::OnHold(row.id));
    }
    Ok(())
}

fn without_texts(mut stored: MessageRow) -> MessageRow {
    stored.message.subject = None;
    stored.message.body = None;
    stored
}

/// Whether a message was refused while all the others are still here.
fn is_refused_whole(house: &House, row: &BatchRow) -> Result<bool, Error> {
    let counts = house.store.counts(row.id)?;
    // Of what a mailbox service prints there are no bundles.
    let has_gone = counts.delivered + counts.printed > 0
        || house.store.has_queued(row.id)?
        || !house.store.bundles(Some(row.id), 1)?.is_empty();
    Ok(counts.refused > 0 && !has_gone)
}

/// Why messages would not go the way that an operator wants, were they routed now; `None` where they
/// would. A mailbox service is not asked: what it last said stands.
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
    statuses::suppose(store, sender, row, page, &mut questions, now)?;
    let decided = decide(&sender.policy(), &questions, now);
    let hindrance = |routed: Routed| match routed.decision.route {
        Route::To(to) if to == channel => None,
        _ => Some(routed.decision.reason),
    };
    Ok(decided.into_iter().map(hindrance).collect())
}

fn decide(policy: &Policy, questions: &[Question<'_>], now: Timestamp) -> Vec<Routed> {
    let decided = questions.iter().map(|question| Routed {
        position: question.message.position,
        decision: routing::decide(question, policy, now),
    });
    decided.collect()
}

/// When messages whose status is unknown are to be asked about again.
pub(super) fn ask_again_at(sender: &SenderSettings, now: Timestamp) -> Timestamp {
    let secs = i64::try_from(sender.routing.ask_again_secs).unwrap_or(i64::MAX);
    now.saturating_add(SignedDuration::from_secs(secs))
        .unwrap_or(now)
}
