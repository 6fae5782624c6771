use std::collections::HashMap;

use jiff::Timestamp;

use super::desk::Desk;
use crate::{
    domain::{Asked, MailboxStatus, MessageId},
    pipeline::{Error, statuses},
    store::{BatchRow, Door, MessageRow},
};

/// Messages that are asked about together: as many as a service answers in one call.
const PAGE: u32 = 10_000;

/// What is known at send time of the mailboxes of a batch's recipients.
///
/// What the service said when its messages were routed may be days old by now. So it is asked anew
/// about many of them at once, and not once a message; the register is asked each time, since consent
/// that is withdrawn there counts at once.
#[derive(Debug, Default)]
pub(super) struct SendTime {
    asked_at: Timestamp,
    may_go: HashMap<u32, bool>,
}

impl SendTime {
    /// Which of these messages, which have been begun, may still go to a mailbox.
    pub(super) fn may_still_go(
        &mut self,
        desk: &Desk,
        batch: &BatchRow,
        begun: &mut [MessageRow],
    ) -> Result<Vec<bool>, Error> {
        let max_age = desk
            .house
            .sender(&batch.sender)?
            .routing
            .status_max_age_secs;
        let now = desk.house.clock.now();
        let is_fresh = |at: Timestamp| now.duration_since(at).unsigned_abs().as_secs() <= max_age;
        if !is_fresh(self.asked_at) {
            self.may_go.clear();
        }
        let is_known = |stored: &MessageRow| {
            self.may_go.contains_key(&stored.id.position)
                || stored.asked.is_some_and(|asked| is_fresh(asked.at))
        };
        if let Some(first) = begun.iter().find(|stored| !is_known(stored)) {
            self.ask(desk, batch, first.id.position, begun)?;
        }
        self.believe(begun);
        let open = statuses::may_still_go(&desk.house, batch, begun)?;
        let is_closed = |stored: &MessageRow| self.may_go.get(&stored.id.position) == Some(&false);
        let both = begun.iter().zip(open);
        Ok(both
            .map(|(stored, is_open)| is_open && !is_closed(stored))
            .collect())
    }

    /// Asks about those that wait from `first` on; who has no mailbox any more is routed anew at once.
    fn ask(
        &mut self,
        desk: &Desk,
        batch: &BatchRow,
        first: u32,
        begun: &[MessageRow],
    ) -> Result<(), Error> {
        let store = &desk.house.store;
        let page = store.messages_for_mailbox(batch.id, first.saturating_sub(1), PAGE)?;
        let may_go = statuses::may_still_go(&desk.house, batch, &page)?;
        self.asked_at = desk.house.clock.now();
        let mut closed = Vec::new();
        for (stored, may_go) in page.iter().zip(may_go) {
            self.may_go.insert(stored.id.position, may_go);
            let is_begun = begun.iter().any(|it| it.id == stored.id);
            if !may_go && !is_begun && waits(desk, stored.id)? {
                closed.push(stored.id.position);
            }
        }
        if !closed.is_empty() {
            store.record_no_mailbox(batch.id, &closed, desk.house.clock.now())?;
        }
        Ok(())
    }

    /// The service is not asked again for what it has just said.
    fn believe(&self, begun: &mut [MessageRow]) {
        for stored in begun {
            if self.may_go.contains_key(&stored.id.position) {
                stored.asked = Some(Asked {
                    status: MailboxStatus::Active,
                    at: self.asked_at,
                });
            }
        }
    }
}

/// Whether it waits for its mailbox, and the service cannot have it.
fn waits(desk: &Desk, message: MessageId) -> Result<bool, Error> {
    let queued = desk.house.store.queued(message)?;
    Ok(queued.is_some_and(|queued| {
        queued.door == Door::Electronic && !queued.is_sending && !queued.is_in_doubt
    }))
}
