use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::desk::Desk;
use crate::{
    domain::{Asked, MailboxStatus, MessageId},
    pipeline::{
        Error,
        statuses::{self, AtSendTime},
    },
    store::{BatchRow, Door, MessageRow},
};

/// What is known at send time of the mailboxes of a batch's recipients.
///
/// What the service said when its messages were routed may be days old by now. So it is asked anew
/// about as many of them as it answers in one call, and not once a message; the register is asked each
/// time, since consent that is withdrawn there counts at once.
#[derive(Debug, Default)]
pub(super) struct SendTime {
    asked_at: Timestamp,
    known: HashMap<u32, AtSendTime>,
}

impl SendTime {
    /// Which of these messages, which have been begun, may still go to a mailbox.
    pub(super) fn may_still_go(
        &mut self,
        desk: &Desk,
        batch: &BatchRow,
        begun: &mut [MessageRow],
    ) -> Result<Vec<AtSendTime>, Error> {
        let believed = believed(desk, batch)?;
        let is_fresh = |at: Timestamp| (believed.0..=believed.1).contains(&at);
        if !is_fresh(self.asked_at) {
            self.known.clear();
        }
        let is_unknown = |stored: &&MessageRow| {
            statuses::needs_mailbox(stored)
                && !self.known.contains_key(&stored.id.position)
                && !stored.asked.is_some_and(|asked| is_fresh(asked.at))
        };
        let unknown: Vec<_> = begun.iter().filter(is_unknown).cloned().collect();
        if !unknown.is_empty() {
            self.ask(desk, batch, unknown, believed)?;
        }
        self.believe(begun);
        let now = statuses::may_still_go(&desk.house, batch, begun)?;
        let before = |stored: &MessageRow| self.known.get(&stored.id.position).copied();
        let both = begun.iter().zip(now);
        Ok(both
            .map(|(stored, now)| match now {
                AtSendTime::MayGo => before(stored).unwrap_or(now),
                AtSendTime::NoMailbox | AtSendTime::NotWanted => now,
            })
            .collect())
    }

    /// Asks about those that have been begun and, in the same call, about those that come after them; of
    /// the latter, who has no mailbox any more is routed anew at once.
    fn ask(
        &mut self,
        desk: &Desk,
        batch: &BatchRow,
        begun: Vec<MessageRow>,
        believed: (Timestamp, Timestamp),
    ) -> Result<(), Error> {
        let (store, begun_here) = (&desk.house.store, begun.len());
        let in_one_call = desk.client.settings().recipients_a_question.max(1);
        let more = u32::try_from(in_one_call.saturating_sub(begun_here)).unwrap_or(u32::MAX);
        let mut page = begun;
        page.extend(store.queued_to_ask(batch.id, &desk.service, believed, more)?);
        let found = statuses::may_still_go(&desk.house, batch, &page)?;
        self.asked_at = desk.house.clock.now();
        let (mut closed, mut unwanted) = (Vec::new(), Vec::new());
        for (nth, (stored, found)) in page.iter().zip(found).enumerate() {
            let position = stored.id.position;
            // The register is asked each time anyway, and may say something else by then.
            if found != AtSendTime::NotWanted {
                self.known.insert(position, found);
            }
            if found != AtSendTime::MayGo && nth >= begun_here && waits(desk, stored.id)? {
                let is_closed = found == AtSendTime::NoMailbox;
                let gone = if is_closed {
                    &mut closed
                } else {
                    &mut unwanted
                };
                gone.push(position);
            }
        }
        let now = desk.house.clock.now();
        if !closed.is_empty() {
            store.record_no_mailbox(batch.id, &closed, now)?;
        }
        if !unwanted.is_empty() {
            store.record_not_wanted(batch.id, &unwanted, now)?;
        }
        Ok(())
    }

    /// The service is not asked again for what it has just said.
    fn believe(&self, begun: &mut [MessageRow]) {
        for stored in begun {
            if self.known.contains_key(&stored.id.position) {
                stored.asked = Some(Asked {
                    status: MailboxStatus::Active,
                    at: self.asked_at,
                });
            }
        }
    }
}

/// From when to when an answer is as young as the batch's sender wants it.
fn believed(desk: &Desk, batch: &BatchRow) -> Result<(Timestamp, Timestamp), Error> {
    let sender = desk.house.sender(&batch.sender)?;
    let secs = i64::try_from(sender.routing.status_max_age_secs).unwrap_or(i64::MAX);
    let (now, age) = (desk.house.clock.now(), SignedDuration::from_secs(secs));
    Ok((
        now.saturating_sub(age).unwrap_or(Timestamp::MIN),
        now.saturating_add(age).unwrap_or(Timestamp::MAX),
    ))
}

/// Whether it waits for its mailbox, and the service cannot have it.
fn waits(desk: &Desk, message: MessageId) -> Result<bool, Error> {
    let queued = desk.house.store.queued(message)?;
    Ok(queued.is_some_and(|queued| {
        queued.door == Door::Electronic && !queued.is_sending && !queued.is_in_doubt
    }))
}
