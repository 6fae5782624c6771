//! Chooses what is worked on next, and sees it to its end.
//!
//! Comes in: rows that are due. Goes out: their steps, each on a thread of its own, and what became of
//! those that did not reach their transaction. It does not know what a step does.
//!
//! Places are counted by what a step needs (`room`), so that a delivery that waits for the network keeps no
//! core idle, and a small batch has one beside large ones. Among those that there is a place for, the sender
//! goes first that was served longest ago, with the batch that stands first in the sender's line. A
//! long step gives way between two pages to others that wait, and goes to the end of that line.
//!
//! A claim is a number on the row, which whoever works on it renews while he does. What ends a step
//! compares it, so a step that has lost its claim changes nothing; and while it still runs here,
//! nobody here claims its batch, whatever the clock shows.

mod complaint;
mod ending;
mod hands;
mod room;
mod settings;
mod work;

use std::{
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};

use self::{
    complaint::Complaint,
    ending::Ending,
    hands::Hands,
    room::{Kind, Lane, Room, Taken},
    work::{Work, run_apart},
};
use super::{
    Error, House,
    stop::{Stop, Turn},
};
use crate::{
    domain::{BatchState, Disposition},
    store::{self, Claim, StepsWaiting},
    telemetry::{self, Pulse},
};

pub use settings::Settings;

/// Rung when there may be something to do.
pub type Wake = Arc<Notify>;

/// Claims due batches and delivery reports and sees to them.
pub struct Runner {
    house: Arc<House>,
    settings: Settings,
    wake: Wake,
    /// Rung after every step: there may be something to hand over.
    stepped: Wake,
    pulse: Pulse,
}

impl Runner {
    pub fn new(house: Arc<House>, settings: Settings, wake: Wake, stepped: Wake) -> Self {
        Self {
            house,
            settings,
            wake,
            stepped,
            pulse: Pulse::default(),
        }
    }

    /// Tells others whether the runner goes its rounds.
    #[must_use]
    pub fn with_pulse(self, pulse: Pulse) -> Self {
        Self { pulse, ..self }
    }

    /// How long steps may take to reach their transaction once the house is told to stop.
    pub fn stop_within(&self) -> std::time::Duration {
        self.settings.stop_within
    }

    /// Runs until `stop` turns true; steps in hand then reach their next transaction.
    ///
    /// A store that fails for now, such as on a full disk, is asked again until it works: what a
    /// step has come to is kept in hand meanwhile.
    ///
    /// # Errors
    ///
    /// A store that will not work by itself again.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) -> Result<(), Error> {
        let (mut hands, mut complaint) = (Hands::default(), Complaint::default());
        let mut has_begun = false;
        while !*stop.borrow() {
            self.pulse.beat();
            // Whoever met the damage: what is broken is not worked on.
            let is_sound = self.house.store.is_undamaged().map_err(Error::from);
            let looked = is_sound.and_then(|()| self.begin_once(&mut has_begun));
            match looked.and_then(|()| self.start_due(&mut hands, &stop)) {
                Ok(()) => complaint.is_over(),
                Err(error) if error.disposition() == Disposition::Retry => {
                    complaint.tell("cannot look what is due", &error);
                }
                Err(error) => return Err(error),
            }
            tokio::select! {
                Some(ended) = hands.next_ended() => self.tell_end(ended),
                () = self.wake.notified() => {}
                () = tokio::time::sleep(self.settings.look_interval) => {}
                _ = stop.changed() => {}
            }
        }
        self.stop(hands).await;
        Ok(())
    }

    /// Runs until no step and no delivery report is due now.
    ///
    /// # Errors
    ///
    /// Any failure of the store.
    pub async fn run_until_idle(&self) -> Result<(), Error> {
        self.run_until_idle_or(&watch::channel(false).1).await
    }

    /// As [`Runner::run_until_idle`], or until `stop` turns true; steps in hand then reach their next
    /// transaction.
    ///
    /// # Errors
    ///
    /// Any failure of the store.
    pub async fn run_until_idle_or(&self, stop: &watch::Receiver<bool>) -> Result<(), Error> {
        let mut hands = Hands::default();
        self.begin_once(&mut false)?;
        self.start_due(&mut hands, stop)?;
        while let Some(ended) = hands.next_ended().await {
            ended?;
            if *stop.borrow() {
                self.stop(hands).await;
                return Ok(());
            }
            self.start_due(&mut hands, stop)?;
        }
        Ok(())
    }

    /// Carries out one step or delivery report that is due now. Answers whether there was one.
    ///
    /// # Errors
    ///
    /// Any failure of the store.
    pub async fn run_one(&self) -> Result<bool, Error> {
        let (mut hands, never) = (Hands::default(), watch::channel(false).1);
        let waiting = self.steps_waiting(&hands)?;
        let is_begun = self.start_step(&mut hands, &waiting, &never)?
            || self.start_report(&mut hands, &never)?;
        if let Some(ended) = hands.next_ended().await {
            ended?;
        }
        Ok(is_begun)
    }

    fn begin_once(&self, has_begun: &mut bool) -> Result<(), Error> {
        if !*has_begun {
            self.house.store.note_stopping(false)?;
            *has_begun = true;
        }
        Ok(())
    }

    async fn stop(&self, mut hands: Hands) {
        // Whatever ends the program from here on, no step is taken for its cause.
        if let Err(error) = self.house.store.note_stopping(true) {
            let error = telemetry::with_causes(&error);
            tracing::warn!(error, "cannot record the stop");
        }
        hands.tell_what_is_left();
        while let Some(ended) = hands.next_ended().await {
            self.tell_end(ended);
        }
    }

    /// A store that takes the end of one step no more may take those of others. Where it takes
    /// nothing, the next claim says so.
    fn tell_end(&self, ended: Result<(), Error>) {
        self.stepped.notify_one();
        if let Err(error) = ended {
            let error = telemetry::with_causes(&error);
            tracing::error!(
                error,
                "the end of a step is not recorded: it will be done again"
            );
        }
    }

    /// Begins what is due and has a place. A panic is a bug, and no reason to leave all else undone.
    fn start_due(&self, hands: &mut Hands, stop: &watch::Receiver<bool>) -> Result<(), Error> {
        let start = AssertUnwindSafe(|| {
            self.follow_clock()?;
            if self.start_steps(hands, stop)? {
                self.start_reports(hands, stop)?;
            }
            Ok(())
        });
        catch_unwind(start).unwrap_or(Err(Error::Panicked))
    }

    fn follow_clock(&self) -> Result<(), Error> {
        if let Some(back) = self.house.store.notice_time(self.house.clock.now())? {
            let secs = back.as_secs();
            tracing::warn!(
                secs,
                "the clock was set back: what waits for a time follows it"
            );
        }
        Ok(())
    }

    /// Returns whether anything may be begun beside: not while a suspect is to be alone.
    fn start_steps(&self, hands: &mut Hands, stop: &watch::Receiver<bool>) -> Result<bool, Error> {
        loop {
            let waiting = self.steps_waiting(hands)?;
            if self.start_step(hands, &waiting, stop)? {
                continue;
            }
            let is_suspicious = self.is_suspicious(&waiting);
            let room = self.room(hands);
            // For a suspect nobody else is begun: its place would be its own again.
            let is_alone = self.has_suspect(hands);
            let is_wanted = |own: &Taken, some: &[StepsWaiting]| {
                !is_alone && (is_suspicious || room.is_wanted(own, some))
            };
            hands.let_wait(&waiting, is_wanted);
            return Ok(!is_suspicious && !is_alone);
        }
    }

    /// Begins the step whose turn it is. Answers whether there was one that has a place.
    fn start_step(
        &self,
        hands: &mut Hands,
        waiting: &[StepsWaiting],
        stop: &watch::Receiver<bool>,
    ) -> Result<bool, Error> {
        let now = self.house.clock.now();
        let claimed = if self.is_suspicious(waiting) {
            self.claim_alone(hands, waiting, now)?
        } else if waiting.is_empty() || self.has_suspect(hands) {
            None
        } else {
            self.claim(hands, waiting, now)?
        };
        let Some((row, lane)) = claimed else {
            return Ok(false);
        };
        let taken = Taken {
            sender: row.sender.clone(),
            bytes: row.bytes,
            kind: Kind::of(row.state),
            lane,
        };
        self.begin(hands, Work::Step(Box::new(row)), Some(taken), stop)?;
        Ok(true)
    }

    fn steps_waiting(&self, hands: &Hands) -> Result<Vec<StepsWaiting>, Error> {
        let now = self.house.clock.now();
        Ok(self.house.store.steps_waiting(&hands.batches(), now)?)
    }

    fn is_suspicious(&self, waiting: &[StepsWaiting]) -> bool {
        let suspicious = self.settings.suspicious_crashes();
        waiting.iter().any(|some| some.most_crashes >= suspicious)
    }

    fn room(&self, hands: &Hands) -> Room<'_> {
        Room {
            settings: &self.settings,
            taken: hands.taken(),
        }
    }

    fn claim(
        &self,
        hands: &Hands,
        waiting: &[StepsWaiting],
        now: Timestamp,
    ) -> Result<Option<(store::BatchRow, Lane)>, Error> {
        let Some(offer) = self.room(hands).offer(waiting) else {
            return Ok(None);
        };
        let claim = Claim {
            states: &offer.states,
            max_bytes: offer.max_bytes,
            min_crashes: 0,
            in_hand: &hands.batches(),
        };
        let row = self.house.store.claim_step(&claim, now, self.lease(now))?;
        Ok(row.map(|row| (row, offer.lane)))
    }

    /// A batch in the middle of which the program has ended before is worked on alone, once all else
    /// has ended: should it happen again, it is known by what.
    fn claim_alone(
        &self,
        hands: &Hands,
        waiting: &[StepsWaiting],
        now: Timestamp,
    ) -> Result<Option<(store::BatchRow, Lane)>, Error> {
        if !hands.are_empty() || waiting.is_empty() {
            return Ok(None);
        }
        let claim = Claim {
            states: &BatchState::ALL,
            max_bytes: u64::MAX,
            min_crashes: self.settings.suspicious_crashes(),
            in_hand: &[],
        };
        let row = self.house.store.claim_step(&claim, now, self.lease(now))?;
        Ok(row.map(|row| (row, Lane::Any)))
    }

    fn start_reports(&self, hands: &mut Hands, stop: &watch::Receiver<bool>) -> Result<(), Error> {
        while hands.reports().len() < self.settings.delivery_reports_at_once
            && self.start_report(hands, stop)?
        {}
        Ok(())
    }

    /// Begins the delivery report that is due. Answers whether there was one.
    fn start_report(&self, hands: &mut Hands, stop: &watch::Receiver<bool>) -> Result<bool, Error> {
        let (now, store) = (self.house.clock.now(), &self.house.store);
        let report = store.claim_delivery_report_but(&hands.reports(), now, self.lease(now))?;
        let Some(report) = report else {
            return Ok(false);
        };
        self.begin(hands, Work::DeliveryReport(report), None, stop)?;
        Ok(true)
    }

    fn has_suspect(&self, hands: &Hands) -> bool {
        hands.most_crashes() >= self.settings.suspicious_crashes()
    }

    fn lease(&self, now: Timestamp) -> Timestamp {
        now.saturating_add(self.settings.lease).unwrap_or(now)
    }

    fn begin(
        &self,
        hands: &mut Hands,
        work: Work,
        taken: Option<Taken>,
        stop: &watch::Receiver<bool>,
    ) -> Result<(), Error> {
        let (batch, name, crashes) = (work.batch(), work.name(), work.crashes());
        if crashes >= self.settings.max_crashes {
            return Ok(self.ending().refuse_crashing(&work)?);
        }
        if crashes > 0 {
            tracing::warn!(%batch, step = name, crashes, "the program ended in the middle of it before");
        }
        let turn = Arc::new(Turn::new(batch, self.settings.turn));
        let task = see_to(
            Arc::clone(&self.house),
            self.settings,
            work.clone(),
            Arc::clone(&turn),
            stop.clone(),
        );
        hands.begin(work, turn, taken, task);
        Ok(())
    }

    fn ending(&self) -> Ending<'_> {
        Ending {
            house: &self.house,
            settings: &self.settings,
        }
    }
}

/// Runs one claim and records its end, renewing it all the while.
async fn see_to(
    house: Arc<House>,
    settings: Settings,
    work: Work,
    turn: Arc<Turn>,
    stop: watch::Receiver<bool>,
) -> Result<(), Error> {
    let ending = Ending {
        house: &house,
        settings: &settings,
    };
    let run = async {
        let ended = run_apart(&house, &work, Stop::new(&stop, &turn)).await;
        ending.patiently(&work, &ended, &stop).await
    };
    tokio::select! {
        done = run => done,
        never = keep_lease(&house, &settings, &work, &turn) => match never {},
    }
}

/// A bug that panics in here must not drop the step, which would run on without anybody who knows.
async fn keep_lease(house: &House, settings: &Settings, work: &Work, turn: &Turn) -> Infallible {
    loop {
        tokio::time::sleep(settings.lease.unsigned_abs() / 3).await;
        let renewing = AssertUnwindSafe(|| renew(house, settings.lease, work));
        let renewed = catch_unwind(renewing).unwrap_or(Err(Error::Panicked));
        match renewed {
            Ok(true) => {}
            Ok(false) => turn.lose_lease(),
            Err(error) => {
                let (batch, error) = (work.batch(), telemetry::with_causes(&error));
                tracing::warn!(%batch, error, "a claim is not renewed; it is tried again");
            }
        }
    }
}

/// Whether the claim still holds.
fn renew(house: &House, lease: SignedDuration, work: &Work) -> Result<bool, Error> {
    let now = house.clock.now();
    let until = now.saturating_add(lease).unwrap_or(now);
    Ok(match work {
        Work::Step(row) => house.store.renew_step(row, until)?,
        Work::DeliveryReport(row) => house.store.renew_delivery_report(row, until)?,
    })
}
