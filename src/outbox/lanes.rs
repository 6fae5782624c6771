use std::{
    collections::{HashMap, HashSet},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    sync::{Notify, watch},
    task::{Id, JoinError, JoinSet},
    time::{Instant, sleep, sleep_until, timeout_at},
};

use super::{Error, Outbox, hand_over::patiently};
use crate::{
    store::{Outgoing, Place},
    telemetry::{self, OnceAMinute},
};

/// How often it is looked for rows that another process made due.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Whom the outbox listens to, and whom it tells.
pub struct Bells {
    /// Rung when something may have come due.
    pub due: Arc<Notify>,
    /// Rung when something was handed over.
    pub handed_over: Arc<Notify>,
}

impl Outbox {
    /// Hands over what is due, several things at once, and looks what was picked up, until `stop`
    /// turns true; then what is in hand gets a little time, and what is not done by then is let go.
    pub async fn run(self: Arc<Self>, clock: Clock, bells: Bells, mut stop: watch::Receiver<bool>) {
        let mut watchers = JoinSet::new();
        if let Err(error) = self.begin() {
            tracing::error!(error = telemetry::with_causes(&error), "outbox");
        }
        for place in self.watched() {
            watchers.spawn(Arc::clone(&self).watch(place, Arc::clone(&clock)));
        }
        let mut lanes = Lanes::new(self, clock);
        while !*stop.borrow() {
            // A bug that panics in a claim does not end all hand-overs.
            if catch_unwind(AssertUnwindSafe(|| lanes.fill())).is_err() {
                tracing::error!("a bug in kuori: claiming a hand-over panicked; asked again");
            }
            tokio::select! {
                Some(ended) = lanes.in_hand.join_next_with_id() => {
                    lanes.end(ended);
                    bells.handed_over.notify_one();
                }
                () = bells.due.notified() => {}
                () = sleep(LOOK_INTERVAL) => {}
                _ = stop.changed() => {}
            }
        }
        watchers.abort_all();
        lanes.stop().await;
    }

    /// What may have changed while nobody was here: places are asked again, and what was handed over
    /// is awaited as the settings say now.
    pub fn begin(&self) -> Result<(), Error> {
        self.store.ask_places_again()?;
        self.expect_pickups()
    }

    async fn watch(self: Arc<Self>, place: Place, clock: Clock) {
        let every = self.settings.of(&place).pickup.look_every.unsigned_abs();
        let mut is_away = false;
        loop {
            let next = Instant::now() + every.max(LOOK_INTERVAL);
            self.look_once(&place, clock(), &mut is_away).await;
            sleep_until(next).await;
        }
    }
}

/// What is being handed over at this moment.
struct Lanes {
    outbox: Arc<Outbox>,
    clock: Clock,
    in_hand: JoinSet<Result<(), Error>>,
    claimed: HashMap<Id, Outgoing>,
    telling: OnceAMinute,
    /// Those of them that panicked.
    being_held: HashSet<Id>,
}

impl Lanes {
    fn new(outbox: Arc<Outbox>, clock: Clock) -> Self {
        Self {
            outbox,
            clock,
            in_hand: JoinSet::new(),
            claimed: HashMap::new(),
            telling: OnceAMinute::default(),
            being_held: HashSet::new(),
        }
    }

    /// Begins what is due, as far as there is room.
    fn fill(&mut self) {
        while self.claimed.len() < self.outbox.settings.at_once {
            match self.outbox.claim(&self.full(), (self.clock)()) {
                // The clock was set forward and its claim ran out; it has a new one now.
                Ok(Some(outgoing)) if self.is_in_hand(&outgoing) => {}
                Ok(Some(outgoing)) => self.begin(outgoing),
                Ok(None) => break,
                Err(error) => {
                    if self.telling.is_due() {
                        tracing::error!(error = telemetry::with_causes(&error), "outbox");
                    }
                    break;
                }
            }
        }
    }

    /// Two at once would write to the same temporary name, and one would rename what the other writes.
    fn is_in_hand(&self, outgoing: &Outgoing) -> bool {
        self.claimed
            .values()
            .any(|claimed| claimed.id == outgoing.id)
    }

    fn begin(&mut self, outgoing: Outgoing) {
        let (outbox, clock) = (Arc::clone(&self.outbox), Arc::clone(&self.clock));
        let claimed = outgoing.clone();
        let work = async move { outbox.hand_over_claimed(&outgoing, &*clock).await };
        let id = self.in_hand.spawn(work).id();
        self.claimed.insert(id, claimed);
    }

    /// Places that have as much in hand as they may.
    fn full(&self) -> Vec<&Place> {
        let mut counts: HashMap<&Place, usize> = HashMap::new();
        for outgoing in self.claimed.values() {
            *counts.entry(&outgoing.place).or_default() += 1;
        }
        let settings = &self.outbox.settings;
        let is_full = |(place, count): &(&Place, usize)| *count >= settings.of(place).at_once;
        let full = counts.into_iter().filter(is_full);
        full.map(|(place, _)| place).collect()
    }

    fn end(&mut self, ended: Result<(Id, Result<(), Error>), JoinError>) {
        match ended {
            Ok((id, done)) => {
                self.claimed.remove(&id);
                self.being_held.remove(&id);
                if let Err(error) = done {
                    tracing::error!(error = telemetry::with_causes(&error), "outbox");
                }
            }
            Err(lost) => {
                let was_being_held = self.being_held.remove(&lost.id());
                match self.claimed.remove(&lost.id()) {
                    Some(outgoing) if was_being_held => tell_panicked_twice(&outgoing),
                    Some(outgoing) => self.hold_panicked(outgoing),
                    None => {}
                }
            }
        }
    }

    /// Another try would panic alike. A store that fails meanwhile keeps this one waiting, and no other.
    fn hold_panicked(&mut self, outgoing: Outgoing) {
        let why = "a bug in kuori: the hand-over panicked";
        let (batch, what) = (outgoing.batch, outgoing.what());
        tracing::error!(%batch, what, error = why, "held");
        let (outbox, clock) = (Arc::clone(&self.outbox), Arc::clone(&self.clock));
        let claimed = outgoing.clone();
        let hold = async move {
            let hold = || outbox.store.hold_outgoing(&outgoing, why, clock());
            Ok(patiently(hold).await?)
        };
        let id = self.in_hand.spawn(hold).id();
        self.claimed.insert(id, claimed);
        self.being_held.insert(id);
    }

    /// Waits for what is in hand as long as it may take, and lets go of the rest: a later run finds
    /// it as after a crash.
    async fn stop(mut self) {
        let until = Instant::now() + self.outbox.settings.stop_grace.unsigned_abs();
        while let Ok(Some(ended)) = timeout_at(until, self.in_hand.join_next_with_id()).await {
            self.end(ended);
        }
        self.in_hand.abort_all();
        while self.in_hand.join_next().await.is_some() {}
        for outgoing in self.claimed.values() {
            tracing::info!(batch = %outgoing.batch, what = outgoing.what(), "not handed over yet");
            if let Err(error) = self.outbox.store.release_outgoing(outgoing) {
                tracing::error!(error = telemetry::with_causes(&error), "outbox");
            }
        }
    }
}

/// It is claimed again when its lease has run out.
fn tell_panicked_twice(outgoing: &Outgoing) {
    let (batch, what) = (outgoing.batch, outgoing.what());
    tracing::error!(%batch, what, "a bug in kuori: holding a hand-over that panicked did so too");
}
