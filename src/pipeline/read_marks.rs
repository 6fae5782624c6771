//! Which of the messages in Maildirs have been read: their senders are told.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio::runtime::Handle;

use super::{Error, Mailboxes, deliver::id_of};
use crate::{
    domain::MessageId,
    mailbox::{Look, Mailbox, Unread},
    store::{AwaitedRead, ReadMarks, Store},
    telemetry::{self, OnceAMinute},
};

/// Messages looked at before what was found is recorded, in one transaction.
const PAGE: u32 = 1_000;

/// How Maildirs are looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadSettings {
    pub every: Duration,
    /// Days after its delivery in which a message is looked at; 0 looks at none. One that goes on paper
    /// unless it is read is looked at until then.
    pub days: u16,
    /// The most messages in one look. Where more are unread, they take turns.
    pub at_once: u32,
}

impl Default for ReadSettings {
    fn default() -> Self {
        Self {
            every: Duration::from_mins(1),
            days: 60,
            at_once: 50_000,
        }
    }
}

/// Looks into the mailboxes of messages that are awaited to be read.
pub struct ReadLooks {
    store: Arc<Store>,
    mailboxes: Mailboxes,
    settings: ReadSettings,
    telling: OnceAMinute,
}

/// What came of one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Looked {
    /// Messages that were read and of which nobody knew.
    pub read: u64,
    /// It went to the last message there is.
    pub is_through: bool,
    /// After which message the next look begins; `None`: with the oldest again.
    pub next_after: Option<MessageId>,
}

impl ReadLooks {
    pub fn new(store: Arc<Store>, mailboxes: Mailboxes, settings: ReadSettings) -> Self {
        Self {
            store,
            mailboxes,
            settings,
            telling: OnceAMinute::default(),
        }
    }

    /// Looks at messages in the order of their ids, to the last one or as many as the settings allow. It
    /// waits for mailboxes, so it runs on a thread that may block.
    ///
    /// A message whose mailbox cannot be looked into is left for the next time, which is noted; so is that
    /// all of them are away.
    pub fn look(
        &self,
        after: Option<MessageId>,
        now: Timestamp,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<Looked, Error> {
        let looked = self.look_from(after, now, is_stopped);
        if let Err(Error::Mailbox(error)) = &looked {
            let why = telemetry::with_causes(error);
            self.store.note_failed_look(&why, now)?;
        }
        looked
    }

    fn look_from(
        &self,
        after: Option<MessageId>,
        now: Timestamp,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<Looked, Error> {
        let mut left = self.settings.at_once;
        let mut looked = Looked {
            next_after: after,
            ..Looked::default()
        };
        while left > 0 && !is_stopped() {
            let limit = left.min(PAGE);
            let page = self.store.awaited_reads(looked.next_after, limit)?;
            self.look_at(&page, now, &mut looked)?;
            let is_last = page.len() < limit as usize;
            looked.next_after = page.last().filter(|_| !is_last).map(|last| last.id);
            if is_last {
                looked.is_through = true;
                break;
            }
            left -= limit;
        }
        Ok(looked)
    }

    /// Records that all messages were looked at that were awaited then: what nobody has read by now may
    /// go on paper, but for those whose mailbox was missed.
    pub fn note_round(&self, began: Timestamp) -> Result<(), Error> {
        Ok(self.store.note_look(None, began)?)
    }

    fn look_at(
        &self,
        page: &[AwaitedRead],
        now: Timestamp,
        looked: &mut Looked,
    ) -> Result<(), Error> {
        let since = now - SignedDuration::from_hours(24) * i32::from(self.settings.days);
        let mut marks = ReadMarks::default();
        let (test, earnest): (Vec<_>, Vec<_>) = page.iter().partition(|message| message.is_test);
        for (mailbox, messages) in [
            (&self.mailboxes.test, test),
            (&self.mailboxes.earnest, earnest),
        ] {
            let is_awaited = |message: &&AwaitedRead| {
                message.recipient.is_some() && (message.has_timer || message.delivered_at > since)
            };
            let (awaited, given_up): (Vec<_>, Vec<_>) = messages.into_iter().partition(is_awaited);
            marks.given_up.extend(given_up.iter().map(|it| it.id));
            self.ask(mailbox, &awaited, &mut marks)?;
        }
        looked.read += self.store.record_read_marks(&marks, now)?;
        Ok(())
    }

    fn ask(
        &self,
        mailbox: &Arc<dyn Mailbox>,
        messages: &[&AwaitedRead],
        marks: &mut ReadMarks,
    ) -> Result<(), Error> {
        let page: Vec<_> = messages.iter().filter_map(|it| unread(it)).collect();
        let looks = Handle::current().block_on(mailbox.look(page))?;
        for (message, look) in messages.iter().zip(looks) {
            let was_missed = message.missed_for.is_some();
            marks
                .found
                .extend((look.is_ok() && was_missed).then_some(message.id));
            match look {
                Ok(Look::Unchanged | Look::Unread { changed: None }) => {}
                Ok(Look::Unread {
                    changed: Some(changed),
                }) => marks.unread.push((message.id, changed)),
                Ok(Look::Read { at }) => {
                    marks.read.push((message.id, at.max(message.delivered_at)));
                }
                Err(error) => {
                    let why = telemetry::with_causes(&error);
                    self.tell(&why);
                    if message.missed_for.as_ref() != Some(&why) {
                        marks.missed.push((message.id, why));
                    }
                }
            }
        }
        Ok(())
    }

    fn tell(&self, error: &str) {
        if self.telling.is_due() {
            tracing::warn!(error, "cannot see whether a message was read");
        }
    }
}

fn unread(message: &AwaitedRead) -> Option<Unread> {
    Some(Unread {
        id: id_of(message.id, &message.sha256, message.again),
        recipient: message.recipient.clone()?,
        changed: message.changed,
    })
}
