use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::sync::Notify;

use super::{
    Error, Headroom, Limits, Settings,
    desk::{Desk, Taken},
    seen::{Seen, WHOLE_INBOX},
    sightings::Moment,
    told::Tell,
    work::{Done, Work},
};
use crate::{
    store::{InboxLook, Received, Store},
    telemetry,
    transport::RemoteFolder,
};

/// A clock that only goes forward: the time since some moment.
pub type SteadyClock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// So many files in a row that could not be reached, and the rest is left for the next look.
const FAILURES_IN_A_ROW: u32 = 3;

/// One inbox and what has been seen in it.
pub struct Inbox {
    pub(super) desk: Arc<Desk>,
    pub(super) seen: Mutex<Seen>,
    pub(super) asked: Notify,
    steady: SteadyClock,
}

impl Inbox {
    /// An inbox of a house that has no other.
    pub fn new(store: Arc<Store>, folder: Arc<dyn RemoteFolder>, settings: Settings) -> Self {
        let headroom = Headroom::new(Limits::default());
        Self::with_headroom(store, folder, settings, headroom)
    }

    /// An inbox that shares what may be in hand with others.
    pub fn with_headroom(
        store: Arc<Store>,
        folder: Arc<dyn RemoteFolder>,
        settings: Settings,
        headroom: Arc<Headroom>,
    ) -> Self {
        let started = Instant::now();
        Self {
            desk: Arc::new(Desk::new(store, folder, settings, headroom)),
            seen: Mutex::default(),
            asked: Notify::new(),
            steady: Arc::new(move || started.elapsed()),
        }
    }

    /// The same inbox, which tells how long a file has been still by another clock.
    #[must_use]
    pub fn with_clock(self, steady: SteadyClock) -> Self {
        Self { steady, ..self }
    }

    pub fn settings(&self) -> &Settings {
        &self.desk.settings
    }

    /// Finishes what a crash interrupted and takes every finished file, until nothing is left to do
    /// now. A file that cannot be taken is logged and stays; the others are taken.
    ///
    /// # Errors
    ///
    /// Where the inbox cannot be looked into, or the store does not answer.
    pub async fn poll(&self, now: Timestamp) -> Result<Vec<Received>, Error> {
        let mut received = self.round(now).await?;
        // A file may have had to wait for an earlier one of its name.
        if self.seen().has_resumed {
            received.extend(self.round(now).await?);
        }
        Ok(received)
    }

    /// Looks and says what is there, as [`Inbox::poll`] would find it; takes and changes nothing.
    ///
    /// # Errors
    ///
    /// Where the inbox cannot be looked into, or the store does not answer.
    pub async fn inspect(&self, now: Timestamp) -> Result<InboxLook, Error> {
        let mut seen = Seen::default();
        let found = self.find(false).await?;
        let judged = self.judge(&found, &mut seen, self.moment(now));
        Ok(self.as_look(&found, &judged, &mut seen, &Work::default(), now))
    }

    /// Has the daemon look now.
    pub fn ask(&self) {
        self.asked.notify_one();
    }

    async fn round(&self, now: Timestamp) -> Result<Vec<Received>, Error> {
        let mut work = Work::default();
        self.look(&mut work, false, now).await?;
        let mut received = Vec::new();
        while let Some(done) = work.next_done().await {
            received.extend(self.settle(done, &mut work, now));
            self.start_due(&mut work, now)?;
        }
        self.record(now)?;
        Ok(received)
    }

    /// Notes what became of a file.
    pub(super) fn settle(&self, done: Done, work: &mut Work, now: Timestamp) -> Option<Received> {
        let Done { name, outcome } = done;
        let mut seen = self.seen();
        match outcome {
            Ok(Taken::Unended) => {
                seen.sightings.note_unended(&name, self.moment(now));
                None
            }
            Ok(taken) => {
                seen.succeeded(&name);
                match taken {
                    Taken::Batch(received) => Some(received),
                    Taken::Nothing | Taken::Unended => None,
                }
            }
            Err(error) => {
                seen.failures_in_a_row += u32::from(error.may_be_away());
                if seen.failures_in_a_row >= FAILURES_IN_A_ROW {
                    work.leave_queue();
                }
                drop(seen);
                self.tell_failure(&name, &error, now);
                None
            }
        }
    }

    fn tell_failure(&self, name: &str, error: &Error, now: Timestamp) {
        let steady = self.moment(now).steady;
        let text = telemetry::with_causes(error);
        // One reason for all files of the inbox is told once.
        let (of, what) = match error {
            Error::ClaimDenied { .. } => (WHOLE_INBOX, "claim denied"),
            _ => (name, text.as_str()),
        };
        let tell = {
            let mut seen = self.seen();
            seen.failed(name, &text, steady, &self.settings().back_off);
            seen.told.tell(of, what)
        };
        let (inbox, error) = (&self.settings().place, &text);
        match tell {
            Tell::Now => tracing::warn!(inbox, file = name, error, "not taken"),
            Tell::No => tracing::debug!(inbox, file = name, error, "not taken"),
            Tell::AndNoMore => self.tell_no_more(),
        }
    }

    pub(super) fn tell_no_more(&self) {
        let inbox = &self.settings().place;
        tracing::warn!(inbox, "there is more to tell of; `kuori inbox list` has it");
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn moment(&self, at: Timestamp) -> Moment {
        Moment {
            at,
            steady: (self.steady)(),
        }
    }
}
