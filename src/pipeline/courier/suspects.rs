//! Whether it is the service that does not work, or one message that it does not take.
//!
//! A service that answers 403 or 500 may be down, or something before it may dislike this one text. What tells
//! the two apart is whether it takes others meanwhile. Until that is known, all of it is left alone; then
//! the message waits by itself, and costs the others nothing. In the end it is set aside.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{
    calls::{Note, was_sent},
    desk::Desk,
    ending::{self, Ended, Ending},
    trouble::{least, longest_wait, wait},
};
use crate::{
    mailbox::suomifi::Error,
    store::{QueuedRow, Refusals},
    telemetry,
};

/// One that was refused so often lets another one show whether the service works.
const REFUSALS_ON_TRIAL: u32 = 2;

/// What is known of a message beside its last answer.
struct Known {
    refusals: Refusals,
    /// How often the service has failed since it worked last.
    failures: u32,
    now: Timestamp,
}

/// What becomes of a message that the service has neither taken nor refused by words of its own; `ended`
/// says how it waits again.
pub(super) async fn judge(
    desk: &Arc<Desk>,
    queued: &QueuedRow,
    ended: Ended,
    trouble: Error,
) -> Note {
    let Some(known) = count(desk, queued, &trouble).await else {
        return Note::trouble(ended, trouble);
    };
    let refusals = known.refusals;
    if desk.settings.set_aside.is_due(&refusals, known.now) {
        return last_word(desk, queued, ended, &known, trouble).await;
    }
    if refusals.apart > 0 {
        return waits_by_itself(desk, ended, &known, trouble);
    }
    if refusals.all < REFUSALS_ON_TRIAL {
        return Note::trouble(ended, trouble);
    }
    let of_service = longest_wait(&desk.settings, known.failures + 1).max(least(&trouble));
    let look = SignedDuration::try_from(desk.settings.look_interval).unwrap_or_default();
    let until = known.after(of_service + look * 2);
    Note::trouble(ended.put_off(until), trouble)
}

/// `None` where it cannot be a matter of the message. So it is where the store fails, which will be told
/// of when it is to record what became of the message.
async fn count(desk: &Arc<Desk>, queued: &QueuedRow, trouble: &Error) -> Option<Known> {
    if !trouble.may_be_of_message() || !desk.client.is_let_in().await {
        return None;
    }
    let (row, words) = (queued.clone(), telemetry::with_causes(trouble));
    let counted = desk.apart(move |desk| {
        let (store, now) = (&desk.house.store, desk.house.clock.now());
        let refusals = store.count_refusal(&row, &words, now)?;
        let failures = store.service_state(&desk.service)?.failures;
        Ok(refusals.map(|refusals| Known {
            refusals,
            failures,
            now,
        }))
    });
    counted.await.ok().flatten()
}

/// It was no sign that the service does not work, nor that it does: what it took may be long ago. Only where
/// it asks to be left alone it is.
fn waits_by_itself(desk: &Desk, ended: Ended, known: &Known, trouble: Error) -> Note {
    let wait = wait(&desk.settings, known.refusals.all, fastrand::f64());
    let until = known.after(wait.max(least(&trouble)));
    let (message, error) = (ended.message, telemetry::with_causes(&trouble));
    tracing::warn!(
        service = %desk.service, %message, retry_at = %until, error,
        "the service takes others, and not this message: it waits by itself"
    );
    let ended = ended.put_off(until);
    if trouble.wanted_wait().is_zero() {
        Note::unasked(ended)
    } else {
        Note::trouble(ended, trouble)
    }
}

/// It is set aside, unless the service has it all the same, or does not work just now.
async fn last_word(
    desk: &Arc<Desk>,
    queued: &QueuedRow,
    ended: Ended,
    known: &Known,
    trouble: Error,
) -> Note {
    let set_aside = |finding| Ended::of(queued, Ending::SetAside(finding));
    let given_up = || ending::given_up(queued.id, &known.refusals, known.now, &trouble);
    if !(queued.is_in_doubt || ended.is_in_doubt()) {
        return Note::unasked(set_aside(given_up()));
    }
    match was_sent(&desk.client, queued).await {
        Ok(Some(sent)) => Note::answer(Ended::of(queued, Ending::Sent(sent))),
        Ok(None) => Note::answer(set_aside(given_up())),
        Err(error) if error.is_of_message() || error.may_be_of_message() => {
            let finding = ending::nobody_knows(queued.id, &error);
            Note::unasked(set_aside(finding))
        }
        Err(error) => waits_by_itself(desk, ended, known, error),
    }
}

impl Known {
    fn after(&self, wait: SignedDuration) -> Timestamp {
        self.now.saturating_add(wait).unwrap_or(Timestamp::MAX)
    }
}
