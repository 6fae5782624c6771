//! What mailbox services tell of messages after they were sent becomes events of these messages.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Clock, Error};
use crate::{
    domain::{BackOff, ServiceName},
    mailbox::suomifi::{self, EventKind, EventPage, ServiceEvent, Suomifi},
    store::{EventTally, NewServiceEvent, NewServiceEvents, ServiceEventKind, ServiceFeed, Store},
    telemetry::{self, meters},
};

/// How often a page is asked for that comes as something else than a page, before all is read again
/// from its beginning: nothing in it says where the next one begins.
const TRIES_OF_A_PAGE: u32 = 10;

/// How reading the events of a service has ended for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventsRead {
    /// To the last one, so many.
    All(u64),
    /// The service was asked in vain, and is left alone until then.
    PutOff(Timestamp),
    Stopped,
}

/// Asks one service for its events.
pub struct EventReader {
    store: Arc<Store>,
    clock: Clock,
    service: Arc<Suomifi>,
    back_off: BackOff,
}

impl EventReader {
    pub fn new(store: Arc<Store>, clock: Clock, service: Arc<Suomifi>, back_off: BackOff) -> Self {
        Self {
            store,
            clock,
            service,
            back_off,
        }
    }

    /// Reads page after page, until there are no more or `is_stopped`. A service that has been put off
    /// is not asked.
    pub async fn read(&self, is_stopped: impl Fn() -> bool) -> Result<EventsRead, Error> {
        let mut events = 0;
        let mut has_begun_anew = false;
        if self.store.hear_early_events_again(self.name())? {
            tracing::info!(
                service = %self.name(),
                "it told of messages before their batch was opened: its events are read from the beginning"
            );
        }
        while !is_stopped() {
            let feed = self.store.service_feed(self.name())?;
            let now = self.clock.now();
            // One that does not take messages either is left alone as a whole.
            let sending = self.store.service_state(self.name())?.retry_at;
            let retry_at = feed.as_ref().and_then(|feed| feed.retry_at).max(sending);
            if let Some(at) = retry_at.filter(|at| now < *at) {
                return Ok(EventsRead::PutOff(at));
            }
            if feed.as_ref().is_some_and(ServiceFeed::is_wanted_again) {
                self.service.knock_again().await;
            }
            let continuation = feed.as_ref().and_then(|feed| feed.continuation.as_deref());
            match self.service.events(continuation).await {
                Ok(page) => {
                    let is_last = is_last(&page, continuation);
                    events += page.events.len() as u64 + page.unreadable;
                    self.record(page, feed, is_last, now).await?;
                    if is_last {
                        return Ok(EventsRead::All(events));
                    }
                }
                Err(error) if is_refused(&error) && continuation.is_some() && !has_begun_anew => {
                    has_begun_anew = true;
                    self.begin_anew(&error)?;
                }
                Err(error) => return self.put_off(feed.as_ref(), &error),
            }
        }
        Ok(EventsRead::Stopped)
    }

    fn name(&self) -> &ServiceName {
        &self.service.settings().name
    }

    /// The rows are written off the threads that serve connections. A page says what had happened when it
    /// was asked for, `now`: what was read while its answer was on its way is in the next one.
    async fn record(
        &self,
        page: EventPage,
        feed: Option<ServiceFeed>,
        is_last: bool,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (store, name) = (Arc::clone(&self.store), self.name().clone());
        let service_id = self.service.settings().service_id.clone();
        let work = move || {
            let events = page.events.into_iter();
            let events: Vec<_> = events.map(|event| told(event, &service_id)).collect();
            let page = NewServiceEvents {
                events: &events,
                unreadable: page.unreadable,
                asked_from: feed.as_ref().and_then(|feed| feed.continuation.as_deref()),
                continuation: &page.continuation,
                is_last,
            };
            store.record_service_events(&name, &page, now)
        };
        let recorded = tokio::task::spawn_blocking(work).await;
        let tallies = recorded.map_err(|_| Error::Panicked)??;
        count(self.name(), &tallies);
        Ok(())
    }

    fn begin_anew(&self, error: &suomifi::Error) -> Result<(), Error> {
        let error = telemetry::with_causes(error);
        tracing::warn!(
            service = %self.name(),
            error,
            "the service does not know where its events were read to: they are read from the beginning"
        );
        Ok(self.store.begin_service_feed_anew(self.name())?)
    }

    fn put_off(
        &self,
        feed: Option<&ServiceFeed>,
        error: &suomifi::Error,
    ) -> Result<EventsRead, Error> {
        let tries = feed.map_or(0, |feed| feed.tries) + 1;
        let now = self.clock.now();
        let wait = self.back_off.wait(tries, fastrand::f64());
        let wait = wait.max(error.wanted_wait());
        let at = now.saturating_add(wait).unwrap_or(now);
        let told = telemetry::with_causes(error);
        tracing::warn!(service = %self.name(), error = told, "cannot read what happened to messages");
        self.store
            .put_service_feed_off(self.name(), &told, at, now)?;
        let is_no_page = matches!(error, suomifi::Error::NoPage { .. });
        if is_no_page && tries.is_multiple_of(TRIES_OF_A_PAGE) {
            self.begin_anew(error)?;
        }
        Ok(EventsRead::PutOff(at))
    }
}

/// Nothing more to tell, or a service that says so by leading nowhere.
fn is_last(page: &EventPage, continuation: Option<&str>) -> bool {
    let is_empty = page.events.is_empty() && page.unreadable == 0;
    is_empty || continuation == Some(page.continuation.as_str())
}

fn is_refused(error: &suomifi::Error) -> bool {
    matches!(error, suomifi::Error::Refused { status: 400, .. })
}

fn count(service: &ServiceName, tallies: &[EventTally]) {
    for tally in tallies {
        let labels = [service.as_str(), tally.kind.as_str(), tally.became.as_str()];
        meters::SERVICE_EVENTS.add(&labels, tally.events);
    }
}

fn told(event: ServiceEvent, service_id: &str) -> NewServiceEvent {
    NewServiceEvent {
        kind: kind(event.kind),
        at: event.at,
        number: event.message_id,
        // One that does not say whose it is came to who asked.
        is_of_service: event.service_id.is_none_or(|id| id == service_id),
        external_id: event.external_id,
    }
}

fn kind(kind: EventKind) -> ServiceEventKind {
    match kind {
        EventKind::ElectronicCreated => ServiceEventKind::Created,
        EventKind::ElectronicRead => ServiceEventKind::Read,
        EventKind::ReceiptConfirmed => ServiceEventKind::Confirmed,
        EventKind::PaperCreated => ServiceEventKind::PaperCreated,
        EventKind::SentForPrinting => ServiceEventKind::SentForPrinting,
        EventKind::PostReceiptConfirmed => ServiceEventKind::PostConfirmed,
        EventKind::PostReturned => ServiceEventKind::PostReturned,
        EventKind::PostUnresolved => ServiceEventKind::PostUnresolved,
        EventKind::FromEndUser => ServiceEventKind::FromEndUser,
        EventKind::Other => ServiceEventKind::Other,
    }
}
