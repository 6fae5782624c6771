use jiff::Timestamp;

use super::{
    desk::Desk,
    ending::{Ended, Ending, Uploads},
};
use crate::{
    domain::{BatchId, Finding, MessageId},
    pipeline::Error,
    store::{PutBack, SentRow, Uploaded},
    telemetry::meters,
};

/// What has come in of one batch, by what the store does with it. One commit covers each kind.
#[derive(Debug, Default)]
pub(super) struct Group {
    sent: Vec<SentRow>,
    no_mailbox: Vec<u32>,
    not_wanted: Vec<u32>,
    too_large: Vec<(MessageId, Finding)>,
    set_aside: Vec<(MessageId, Finding)>,
    uploads: Vec<(u32, Uploaded)>,
    put_off: Vec<(u32, Timestamp)>,
    put_back: Vec<(u32, PutBack)>,
}

impl Group {
    pub(super) fn of(ended: impl IntoIterator<Item = Ended>) -> Self {
        let mut group = Self::default();
        for ended in ended {
            group.add(ended);
        }
        group
    }

    fn add(&mut self, Ended { message, ending }: Ended) {
        let position = message.position;
        match ending {
            Ending::Sent(sent) => self.sent.push(SentRow {
                position,
                number: sent.message_id,
                was_sent_before: sent.was_sent_before,
            }),
            Ending::NoMailbox => self.no_mailbox.push(position),
            Ending::NotWanted => self.not_wanted.push(position),
            Ending::TooLarge(finding) => self.too_large.push((message, finding)),
            Ending::SetAside(finding) => self.set_aside.push((message, finding)),
            Ending::PutBack {
                how,
                uploads,
                until,
            } => {
                self.put_off.extend(until.map(|until| (position, until)));
                self.put_back.push((position, how));
                self.uploads
                    .extend(known(uploads).map(|known| (position, known)));
            }
        }
    }

    /// Every part may be recorded twice: what has left the queue is not found there again.
    pub(super) fn record(&self, desk: &Desk, batch: BatchId) -> Result<(), Error> {
        let (store, now) = (&desk.house.store, desk.house.clock.now());
        if !self.sent.is_empty() {
            let arrived = store.record_sent(batch, &self.sent, now)?;
            meters::MESSAGES.add(&["delivered"], arrived.delivered);
            meters::MESSAGES.add(&["handed-over"], arrived.handed_over);
        }
        if !self.no_mailbox.is_empty() {
            store.record_no_mailbox(batch, &self.no_mailbox, now)?;
        }
        if !self.not_wanted.is_empty() {
            store.record_not_wanted(batch, &self.not_wanted, now)?;
        }
        if !self.too_large.is_empty() {
            store.record_too_large(&self.too_large, now)?;
        }
        if !self.set_aside.is_empty() {
            store.record_refused_by_service(&self.set_aside, now)?;
        }
        if !self.uploads.is_empty() {
            store.note_uploads(batch, &self.uploads)?;
        }
        if !self.put_off.is_empty() {
            store.put_messages_off(batch, &self.put_off)?;
        }
        if !self.put_back.is_empty() {
            store.put_back(batch, &self.put_back)?;
        }
        Ok(())
    }
}

fn known(uploads: Uploads) -> Option<Uploaded> {
    match uploads {
        Uploads::AsBefore => None,
        Uploads::At(ids, at) => Some(Uploaded {
            ids: ids.into_iter().map(|id| id.0).collect(),
            at: Some(at),
        }),
        Uploads::Lost => Some(Uploaded::default()),
    }
}
