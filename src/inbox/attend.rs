use std::time::Duration;

use jiff::Timestamp;
use tokio::{sync::watch, time::Instant};

use super::{
    Error, Inbox,
    away::{Away, News},
    copy::wait,
    work::Work,
};
use crate::telemetry;

/// How often done files are looked through for old ones.
const CLEAR_EVERY: Duration = Duration::from_hours(1);

impl Inbox {
    /// Looks at every interval and takes what is finished, until `stop` turns true. Looks go on
    /// while files are being taken: what comes meanwhile need not wait for a large one. What is in
    /// hand at the end is left as it is, and the next start goes on with it.
    ///
    /// `clock` tells the time; `arrived` is called for each batch.
    pub async fn attend(
        &self,
        clock: &(dyn Fn() -> Timestamp + Send + Sync),
        arrived: &(dyn Fn() + Send + Sync),
        mut stop: watch::Receiver<bool>,
    ) {
        let mut work = Work::default();
        let attending = self.attend_with(&mut work, clock, arrived);
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            () = attending => {}
        }
        work.stop().await;
    }

    async fn attend_with(
        &self,
        work: &mut Work,
        clock: &(dyn Fn() -> Timestamp + Send + Sync),
        arrived: &(dyn Fn() + Send + Sync),
    ) {
        let mut away = Away::default();
        let (mut next_look, mut next_clear) = (Instant::now(), Instant::now());
        let mut is_asked = false;
        loop {
            if is_asked || Instant::now() >= next_look {
                let looked = self.look(work, !is_asked, clock()).await;
                next_look = Instant::now() + self.after(&looked, &mut away, clock());
                is_asked = false;
                if looked.is_ok() && Instant::now() >= next_clear {
                    next_clear = Instant::now() + CLEAR_EVERY;
                    self.desk.try_to_clear_done(clock()).await;
                }
            }
            tokio::select! {
                Some(done) = work.next_done(), if !work.is_idle() => {
                    if let Some(received) = self.settle(done, work, clock()) {
                        self.tell_received(received);
                        arrived();
                    }
                    if let Err(error) = self.start_due(work, clock()) {
                        self.tell_trouble(&error);
                    }
                }
                () = tokio::time::sleep_until(next_look) => {}
                () = self.asked.notified() => is_asked = true,
            }
        }
    }

    /// Tells of a look what is new, and returns how long to wait for the next one.
    fn after(&self, looked: &Result<(), Error>, away: &mut Away, now: Timestamp) -> Duration {
        let interval = Duration::from_secs(self.settings().poll_interval_secs.into());
        let inbox = &self.settings().place;
        let Err(error) = looked else {
            if away.succeeded() == News::Back {
                tracing::info!(inbox, "the inbox can be looked into again");
            }
            return interval;
        };
        let news = away.failed(self.moment(now).steady);
        let text = telemetry::with_causes(error);
        match news {
            News::Away => tracing::warn!(inbox, error = text, "cannot look into the inbox"),
            News::StillAway => {
                let times = away.failures();
                tracing::warn!(
                    inbox,
                    times,
                    error = text,
                    "still cannot look into the inbox"
                );
            }
            News::None | News::Back => {
                tracing::debug!(inbox, error = text, "cannot look into the inbox");
            }
        }
        if let Err(error) = self.record_failure(error, now) {
            self.tell_trouble(&error);
        }
        interval.max(wait(&self.settings().back_off, away.failures()))
    }

    fn tell_received(&self, received: crate::store::Received) {
        let inbox = &self.settings().place;
        match received {
            crate::store::Received::New(batch) => tracing::info!(inbox, %batch, "received"),
            crate::store::Received::Again(batch) => {
                tracing::info!(inbox, %batch, "received again: the same bytes");
            }
        }
    }

    fn tell_trouble(&self, error: &Error) {
        let (inbox, error) = (&self.settings().place, telemetry::with_causes(error));
        tracing::error!(inbox, error, "the store does not answer");
    }
}
