use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use super::{
    super::{Error, House},
    Settings,
    complaint::Complaint,
    work::{Failure, Work},
};
use crate::{
    domain::{BatchState, Disposition},
    store::{self, BatchRow, DeliveryReportRow, StepOutcome, Store},
    telemetry::meters,
};

/// Until the report of a batch is tried again that can be held for nothing more, once it has made the
/// program end too often.
const AFTER_CRASHES: SignedDuration = SignedDuration::from_hours(24);

/// Records what became of steps that did not reach their transaction.
pub(super) struct Ending<'a> {
    pub(super) house: &'a House,
    pub(super) settings: &'a Settings,
}

impl Ending<'_> {
    /// Records the end of a step, again and again while a store that fails can get well; not once the
    /// house is told to stop, and not for ever. A step whose end is not recorded is done again
    /// when its lease has run out.
    ///
    /// # Errors
    ///
    /// A store that will not work by itself again.
    pub(super) async fn patiently(
        &self,
        work: &Work,
        (result, took): &(Result<(), Failure>, Duration),
        stop: &watch::Receiver<bool>,
    ) -> Result<(), Error> {
        if let Work::Step(row) = work {
            meters::STEP_SECONDS.took(&[step_of(row)], *took);
        }
        let (began, mut complaint) = (Instant::now(), Complaint::default());
        let longest = self.settings.back_off.longest.unsigned_abs();
        loop {
            let error = match self.record(work, result, *took) {
                Err(error) if error.disposition() == Disposition::Retry => error,
                done => return done,
            };
            complaint.tell("the end of a step cannot be recorded", &error);
            if *stop.borrow() || began.elapsed() > longest {
                let (batch, name) = (work.batch(), work.name());
                tracing::error!(%batch, step = name, "its end is not recorded: it will be done again");
                return Ok(());
            }
            tokio::time::sleep(self.settings.look_interval).await;
        }
    }

    fn record(
        &self,
        work: &Work,
        result: &Result<(), Failure>,
        took: Duration,
    ) -> Result<(), Error> {
        let recorded = match (work, result) {
            (Work::Step(row), Ok(())) => {
                meters::STEPS.one(&[step_of(row), "done"]);
                let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
                tracing::info!(batch = %row.id, step = work.name(), millis, "done");
                Ok(())
            }
            (Work::DeliveryReport(_), Ok(())) => Ok(()),
            (Work::Step(row), Err(failure)) => self.end_step(row, failure),
            (Work::DeliveryReport(row), Err(failure)) => self.end_report(row, failure),
        };
        match recorded {
            Err(store::Error::LeaseLost(batch)) => {
                tracing::warn!(%batch, step = work.name(), "somebody else has it by now");
                Ok(())
            }
            recorded => Ok(recorded?),
        }
    }

    fn end_step(&self, row: &BatchRow, failure: &Failure) -> Result<(), store::Error> {
        let (store, now, step) = (self.store(), self.house.clock.now(), step_of(row));
        match failure {
            Failure::Stopped => {
                meters::STEPS.one(&[step, "stopped"]);
                tracing::info!(batch = %row.id, step, "put down: the next start goes on with it");
                store.put_down(row, "the house was told to stop in the middle of it", now)
            }
            Failure::GaveWay { after } => {
                meters::STEPS.one(&[step, "gave-way"]);
                tracing::info!(batch = %row.id, step, after, "gave way to others");
                store.give_way(row, *after)
            }
            Failure::OnHold => {
                meters::STEPS.one(&[step, "stopped"]);
                tracing::info!(batch = %row.id, step, "an operator holds it");
                store.let_go(row)
            }
            Failure::LeaseLost => Err(store::Error::LeaseLost(row.id)),
            Failure::Failed {
                can_pass,
                is_of_the_house,
                told,
            } => {
                // A full disk is no batch's fault, and all of them go on once there is room.
                let is_worth_it = *is_of_the_house || row.attempts < self.settings.max_attempts;
                self.put_off_or_hold(row, *can_pass && is_worth_it, told)
            }
        }
    }

    fn put_off_or_hold(
        &self,
        row: &BatchRow,
        can_pass: bool,
        told: &str,
    ) -> Result<(), store::Error> {
        // A stopped batch has only its report to come. Held for that, a cancelled one would have a
        // way back, and a refused one would lose why.
        if row.state.is_stopped() || can_pass {
            meters::STEPS.one(&[step_of(row), "put-off"]);
            let at = self.next_try(row.attempts);
            tracing::warn!(batch = %row.id, step = step_of(row), error = told, "failed; will be tried again");
            return self.store().retry_step(row, told, at);
        }
        self.hold(row, &format!("the step `{}` failed: {told}", step_of(row)))
    }

    /// Ends a step that is not to be run any more: the program has ended in the middle of it too often.
    pub(super) fn refuse_crashing(&self, work: &Work) -> Result<(), store::Error> {
        let (step, times) = (work.name(), work.crashes());
        let told = format!(
            "the program has ended {times} times in the middle of `{step}`: killed, or out of memory"
        );
        let later = self.later(AFTER_CRASHES);
        match work {
            Work::Step(row) if row.state.is_stopped() => {
                tracing::error!(batch = %row.id, step, error = told, "put off for a day");
                self.store().retry_step(row, &told, later)
            }
            Work::Step(row) => self.hold(row, &told),
            Work::DeliveryReport(row) => {
                tracing::error!(batch = %row.batch, step, error = told, "put off for a day");
                self.store().retry_delivery_report(row, &told, later)
            }
        }
    }

    fn hold(&self, row: &BatchRow, reason: &str) -> Result<(), store::Error> {
        meters::STEPS.one(&[step_of(row), "held"]);
        tracing::error!(batch = %row.id, step = step_of(row), error = reason, "held");
        let now = self.house.clock.now();
        let held = StepOutcome {
            state: BatchState::Held,
            due_at: Some(now),
            reason: Some(reason.to_owned()),
        };
        self.store().finish_step(row, &held, now)
    }

    /// The letters are on their way whatever becomes of the report: nothing is held for it.
    fn end_report(&self, row: &DeliveryReportRow, failure: &Failure) -> Result<(), store::Error> {
        match failure {
            Failure::LeaseLost => Err(store::Error::LeaseLost(row.batch)),
            Failure::Stopped | Failure::GaveWay { .. } | Failure::OnHold => {
                let now = self.house.clock.now();
                self.store().put_off_delivery_report(row, Some(now), now)
            }
            Failure::Failed { told, .. } => {
                tracing::warn!(batch = %row.batch, error = told, "no delivery report; will be tried again");
                let at = self.next_try(row.attempts);
                self.store().retry_delivery_report(row, told, at)
            }
        }
    }

    fn next_try(&self, attempts: u32) -> Timestamp {
        self.later(self.settings.back_off.wait(attempts, fastrand::f64()))
    }

    fn later(&self, wait: SignedDuration) -> Timestamp {
        let now = self.house.clock.now();
        now.saturating_add(wait).unwrap_or(now)
    }

    fn store(&self) -> &Store {
        &self.house.store
    }
}

fn step_of(row: &BatchRow) -> &'static str {
    row.state.next_step().as_str()
}
