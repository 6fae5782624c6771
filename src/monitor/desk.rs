//! What is answered to those who ask over HTTP.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    sync::{Mutex, watch},
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::{
    AlertSettings, HttpLimits,
    gauges::{Seen, metrics},
};
use crate::{
    store::{Start, Store},
    telemetry::{Pulse, with_causes},
};

/// Whether the daemon goes its rounds, and takes work.
#[derive(Debug, Clone, Default)]
pub struct Vitals {
    /// Of the steps.
    pulse: Pulse,
    is_stopping: Arc<AtomicBool>,
}

impl Vitals {
    pub fn of(pulse: Pulse) -> Self {
        Self {
            pulse,
            ..Self::default()
        }
    }

    /// From now on it takes no more work.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }
}

/// An answer: all is well, or why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Metrics(String),
    Ok,
    /// Each reason in a sentence.
    NotOk(Vec<String>),
}

/// Answers from what it read a moment ago, so that asking often costs nothing.
pub struct Desk {
    sources: Arc<Sources>,
    limits: HttpLimits,
    metrics: Lately<Answer>,
    health: Lately<Answer>,
    readiness: Lately<Answer>,
}

struct Sources {
    store: Arc<Store>,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    vitals: Vitals,
    start: Start,
    alerts: watch::Receiver<AlertSettings>,
    unhealthy_after: Duration,
}

impl Desk {
    pub fn new(
        store: Arc<Store>,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
        (vitals, start): (Vitals, Start),
        alerts: watch::Receiver<AlertSettings>,
        limits: HttpLimits,
    ) -> Self {
        let sources = Sources {
            store,
            clock: Box::new(clock),
            vitals,
            start,
            alerts,
            unhealthy_after: limits.unhealthy_after,
        };
        Self {
            sources: Arc::new(sources),
            limits,
            metrics: Lately::default(),
            health: Lately::default(),
            readiness: Lately::default(),
        }
    }

    pub(super) fn limits(&self) -> &HttpLimits {
        &self.limits
    }

    pub(super) async fn metrics(&self) -> Answer {
        self.ask(&self.metrics, Sources::metrics).await
    }

    /// Whether the process works: the steps go their rounds, and the store answers.
    pub(super) async fn health(&self) -> Answer {
        self.ask(&self.health, Sources::health).await
    }

    /// As `/healthz`, in a word, for the system that started the program.
    pub async fn is_healthy(&self) -> bool {
        self.health().await == Answer::Ok
    }

    /// Whether it takes work: it is not stopping, the store can be written, the disk has room.
    pub(super) async fn readiness(&self) -> Answer {
        if self.sources.vitals.is_stopping() {
            return Answer::NotOk(vec!["it is stopping".to_owned()]);
        }
        self.ask(&self.readiness, Sources::readiness).await
    }

    async fn ask(&self, lately: &Lately<Answer>, read: fn(&Sources) -> Answer) -> Answer {
        let sources = Arc::clone(&self.sources);
        let answer = lately.get(&self.limits, move || read(&sources)).await;
        answer.unwrap_or_else(|| Answer::NotOk(vec!["the store does not answer".to_owned()]))
    }
}

impl Sources {
    fn metrics(&self) -> Answer {
        let now = (self.clock)();
        let seen = Seen {
            status: self.store.status(now).ok(),
            alerts: self.store.alerts().unwrap_or_default(),
            min_free_bytes: self.alerts.borrow().min_free_bytes,
            now,
        };
        Answer::Metrics(metrics(&seen))
    }

    fn health(&self) -> Answer {
        let mut why = Vec::new();
        let quiet = self.vitals.pulse.quiet_for();
        if quiet >= self.unhealthy_after {
            let secs = quiet.as_secs();
            why.push(format!("the steps have gone no round for {secs} s"));
        }
        if let Err(error) = self.store.alerts() {
            why.push(format!("the store cannot be read: {}", with_causes(&error)));
        }
        Answer::of(why)
    }

    fn readiness(&self) -> Answer {
        let mut why = Vec::new();
        if let Err(error) = self.store.try_to_write(&self.start, (self.clock)()) {
            why.push(format!(
                "the store cannot be written: {}",
                with_causes(&error)
            ));
        }
        let floor = self.alerts.borrow().min_free_bytes;
        match self.store.spool().free_bytes() {
            Ok(free) if free < floor => {
                why.push(format!("the disk has {free} bytes left, under {floor}"));
            }
            Ok(_) => {}
            Err(error) => why.push(with_causes(&error)),
        }
        Answer::of(why)
    }
}

impl Answer {
    fn of(why: Vec<String>) -> Self {
        if why.is_empty() {
            Self::Ok
        } else {
            Self::NotOk(why)
        }
    }
}

/// Something that is made when it is asked for and is too old; never twice at once.
struct Lately<T>(Mutex<Made<T>>);

struct Made<T> {
    last: Option<(Instant, T)>,
    /// Nobody waited for its end.
    under_way: Option<JoinHandle<T>>,
}

impl<T> Default for Lately<T> {
    fn default() -> Self {
        Self(Mutex::new(Made {
            last: None,
            under_way: None,
        }))
    }
}

impl<T: Clone + Send + 'static> Lately<T> {
    /// `None` where it takes too long. It goes on then, and is the next answer: however often it is
    /// asked for, one thread waits for a store that hangs.
    async fn get(
        &self,
        limits: &HttpLimits,
        make: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let mut state = self.0.lock().await;
        if let Some((at, last)) = &state.last
            && at.elapsed() < limits.refresh
        {
            return Some(last.clone());
        }
        let begin = || tokio::task::spawn_blocking(make);
        let mut making = state.under_way.take().unwrap_or_else(begin);
        if let Ok(done) = timeout(limits.request_time / 2, &mut making).await {
            let value = done.ok()?;
            state.last = Some((Instant::now(), value.clone()));
            Some(value)
        } else {
            state.under_way = Some(making);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    fn limits(refresh_secs: u64, request_millis: u64) -> HttpLimits {
        HttpLimits {
            refresh: Duration::from_secs(refresh_secs),
            request_time: Duration::from_millis(request_millis),
            ..HttpLimits::default()
        }
    }

    #[tokio::test]
    async fn what_was_read_a_moment_ago_is_told_again() {
        let lately = Lately::default();
        let limits = limits(3_600, 60_000);
        assert_eq!(lately.get(&limits, || 1).await, Some(1));
        assert_eq!(lately.get(&limits, || 2).await, Some(1));
    }

    #[tokio::test]
    async fn something_that_hangs_is_begun_once_and_its_end_is_the_next_answer() {
        let lately = Lately::default();
        let begun = Arc::new(AtomicU32::new(0));
        let (open, door) = std::sync::mpsc::channel::<()>();
        let hang = {
            let begun = Arc::clone(&begun);
            move || {
                begun.fetch_add(1, Ordering::SeqCst);
                let _ = door.recv();
                7
            }
        };
        assert_eq!(lately.get(&limits(0, 2), hang).await, None);
        let other = Arc::clone(&begun);
        let count = move || other.fetch_add(1, Ordering::SeqCst);
        let again = lately
            .get(&limits(0, 2), move || i32::try_from(count()).unwrap())
            .await;
        assert_eq!(again, None);
        drop(open);
        assert_eq!(lately.get(&limits(0, 120_000), || 8).await, Some(7));
        assert_eq!(begun.load(Ordering::SeqCst), 1);
    }
}
