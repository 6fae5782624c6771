use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::{Notify, watch},
    task::{JoinError, JoinSet},
};

use super::{Error, House, compose, deliver, delivery_report, open, report, route, stop::Stop};
use crate::{
    domain::{BatchState, Disposition, Step},
    store::{BatchRow, DeliveryReportRow, StepOutcome},
    telemetry::{self, Pulse, meters},
};

/// How the runner paces itself.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Batches worked on at once.
    pub batches_at_once: usize,
    /// How often to look for work that another process made due, such as `kuori reprocess`.
    pub look_interval: Duration,
    /// A step is taken for dead after this long and may be claimed again.
    pub lease: SignedDuration,
    /// Tries before a batch is held.
    pub max_attempts: u32,
    pub first_wait: SignedDuration,
    pub longest_wait: SignedDuration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            batches_at_once: 2,
            look_interval: Duration::from_secs(1),
            lease: SignedDuration::from_hours(6),
            max_attempts: 12,
            first_wait: SignedDuration::from_secs(2),
            longest_wait: SignedDuration::from_mins(15),
        }
    }
}

/// Rung when there may be something to do.
pub type Wake = Arc<Notify>;

/// Claims due batches and runs their steps, each on a thread of its own; where no step is due, it
/// sees to delivery reports.
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

    /// Runs until `stop` turns true; steps in hand then reach their next transaction.
    ///
    /// A store that fails for now, such as on a full disk, is asked again until it works: what a
    /// step has come to is kept in hand meanwhile.
    ///
    /// # Errors
    ///
    /// A store that will not work by itself again.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) -> Result<(), Error> {
        let mut steps = JoinSet::new();
        let between_pages = Stop::when(&stop);
        while !*stop.borrow() {
            self.pulse.beat();
            let start = || self.start_due(&mut steps, &between_pages);
            self.patiently(start, &stop).await?;
            tokio::select! {
                Some(ended) = steps.join_next() => {
                    self.patiently(|| self.conclude(&ended), &stop).await?;
                }
                () = self.wake.notified() => {}
                () = tokio::time::sleep(self.settings.look_interval) => {}
                _ = stop.changed() => {}
            }
        }
        while let Some(ended) = steps.join_next().await {
            self.patiently(|| self.conclude(&ended), &stop).await?;
        }
        Ok(())
    }

    /// Does something with the store, again and again while that can help. Told to stop it gives
    /// up after one try: the next start frees the lease.
    async fn patiently(
        &self,
        mut attempt: impl FnMut() -> Result<(), Error>,
        stop: &watch::Receiver<bool>,
    ) -> Result<(), Error> {
        loop {
            self.pulse.beat();
            match attempt() {
                Err(error) if error.disposition() == Disposition::Retry && !*stop.borrow() => {
                    let error = telemetry::with_causes(&error);
                    tracing::error!(error, "the store does not work; asked again");
                    tokio::time::sleep(self.settings.look_interval).await;
                }
                done => return done,
            }
        }
    }

    /// Runs until no step and no delivery report is due now.
    pub async fn run_until_idle(&self) -> Result<(), Error> {
        let mut steps = JoinSet::new();
        self.start_due(&mut steps, &Stop::never())?;
        while let Some(ended) = steps.join_next().await {
            self.conclude(&ended)?;
            self.start_due(&mut steps, &Stop::never())?;
        }
        Ok(())
    }

    fn start_due(&self, steps: &mut JoinSet<Ended>, stop: &Stop) -> Result<(), Error> {
        while steps.len() < self.settings.batches_at_once {
            let Some(work) = self.claim()? else {
                return Ok(());
            };
            let house = Arc::clone(&self.house);
            steps.spawn(run_apart(house, work, stop.clone()));
        }
        Ok(())
    }

    fn claim(&self) -> Result<Option<Work>, Error> {
        let store = &self.house.store;
        let now = self.house.clock.now();
        let lease = now.saturating_add(self.settings.lease).unwrap_or(now);
        if store.next_batch_due()?.is_some_and(|due| due <= now)
            && let Some(row) = store.claim_due_batch(now, lease)?
        {
            return Ok(Some(Work::Step(row)));
        }
        let report = store.claim_due_delivery_report(now, lease)?;
        Ok(report.map(Work::DeliveryReport))
    }

    fn conclude(&self, ended: &Result<Ended, JoinError>) -> Result<(), Error> {
        self.stepped.notify_one();
        let Ok(Ended { work, result, took }) = ended else {
            return Ok(());
        };
        if let Work::Step(row) = work {
            meters::STEP_SECONDS.took(&[row.state.next_step().as_str()], *took);
        }
        match (work, result) {
            (Work::Step(row), Ok(())) => {
                let step = row.state.next_step().as_str();
                meters::STEPS.one(&[step, "done"]);
                let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
                tracing::info!(batch = %row.id, step, millis, "done");
                Ok(())
            }
            (Work::DeliveryReport(_), Ok(())) => Ok(()),
            (Work::Step(row), Err(failure)) => self.put_off_or_hold(row, failure),
            (Work::DeliveryReport(row), Err(failure)) => self.put_off_report(row, failure),
        }
    }

    /// The letters are on their way whatever becomes of the report: nothing is held for it.
    fn put_off_report(&self, row: &DeliveryReportRow, failure: &Failure) -> Result<(), Error> {
        let told = &failure.told;
        tracing::warn!(batch = %row.batch, error = told, "no delivery report; will be tried again");
        let at = self.next_try(row.attempts, self.house.clock.now());
        Ok(self.house.store.retry_delivery_report(row, told, at)?)
    }

    fn put_off_or_hold(&self, row: &BatchRow, failure: &Failure) -> Result<(), Error> {
        let step = row.state.next_step().as_str();
        let now = self.house.clock.now();
        let told = &failure.told;
        if failure.is_stop {
            meters::STEPS.one(&[step, "stopped"]);
            tracing::info!(batch = %row.id, step, "put down: the next start goes on with it");
            return Ok(self.house.store.retry_step(row, told, now)?);
        }
        let can_pass = failure.disposition == Disposition::Retry;
        // A stopped batch has only its report to come. Held for that, a cancelled one would have a
        // way back, and a refused one would lose why.
        if row.state.is_stopped() || can_pass && row.attempts < self.settings.max_attempts {
            meters::STEPS.one(&[step, "put-off"]);
            tracing::warn!(batch = %row.id, step, error = told, "failed; will be tried again");
            return Ok(self
                .house
                .store
                .retry_step(row, told, self.next_try(row.attempts, now))?);
        }
        meters::STEPS.one(&[step, "held"]);
        tracing::error!(batch = %row.id, step, error = told, "held");
        let held = StepOutcome {
            state: BatchState::Held,
            due_at: Some(now),
            reason: Some(format!("the step `{step}` failed: {told}")),
        };
        Ok(self.house.store.finish_step(row, &held, now)?)
    }

    fn next_try(&self, attempts: u32, now: Timestamp) -> Timestamp {
        let factor = 1_i32 << attempts.min(16);
        let wait = self.settings.first_wait.saturating_mul(factor);
        now.saturating_add(wait.min(self.settings.longest_wait))
            .unwrap_or(now)
    }
}

struct Ended {
    work: Work,
    result: Result<(), Failure>,
    took: Duration,
}

/// What was claimed.
#[derive(Debug, Clone)]
enum Work {
    Step(BatchRow),
    DeliveryReport(DeliveryReportRow),
}

/// A failed step, as the row and the log tell it.
struct Failure {
    is_stop: bool,
    disposition: Disposition,
    told: String,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            is_stop: matches!(error, Error::Stopped),
            disposition: error.disposition(),
            told: telemetry::with_causes(&error),
        }
    }
}

/// Runs a step on a thread of its own. A panic is a bug: the batch is held and the others go on.
async fn run_apart(house: Arc<House>, work: Work, stop: Stop) -> Ended {
    let (claimed, started) = (work.clone(), Instant::now());
    let run = move || match &claimed {
        Work::Step(row) => run_step(&house, row, &stop),
        Work::DeliveryReport(row) => delivery_report::run(&house, row),
    };
    let ran = tokio::task::spawn_blocking(run).await;
    let result = match ran {
        Ok(result) => result.map_err(Failure::from),
        Err(_) => Err(Failure {
            is_stop: false,
            disposition: Disposition::Hold,
            told: "a bug in kuori: the step panicked; the log has the place".to_owned(),
        }),
    };
    Ended {
        work,
        result,
        took: started.elapsed(),
    }
}

fn run_step(house: &House, row: &BatchRow, stop: &Stop) -> Result<(), Error> {
    match row.state.next_step() {
        Step::Open => open::run(house, row, stop),
        Step::Route => route::run(house, row, stop),
        Step::Deliver => deliver::run(house, row, stop),
        Step::Compose => compose::run(house, row, stop),
        Step::Report => report::run(house, row),
    }
}
