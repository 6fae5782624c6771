use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::super::{
    Error, House, compose, deliver, delivery_report, open, report, route, stop::Stop,
};
use crate::{
    domain::{BatchId, Disposition, Step},
    store::{self, BatchRow, DeliveryReportRow},
    telemetry,
};

/// What was claimed.
#[derive(Debug, Clone)]
pub(super) enum Work {
    Step(Box<BatchRow>),
    DeliveryReport(DeliveryReportRow),
}

impl Work {
    pub(super) fn batch(&self) -> BatchId {
        match self {
            Self::Step(row) => row.id,
            Self::DeliveryReport(row) => row.batch,
        }
    }

    /// As the log names it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Step(row) => row.state.next_step().as_str(),
            Self::DeliveryReport(_) => "delivery report",
        }
    }

    pub(super) fn crashes(&self) -> u32 {
        match self {
            Self::Step(row) => row.crashes,
            Self::DeliveryReport(row) => row.crashes,
        }
    }
}

/// How a step ended that did not reach its transaction.
pub(super) enum Failure {
    /// The house was told to stop.
    Stopped,
    /// Others waited; it goes on behind this message.
    GaveWay { after: u32 },
    /// An operator put the batch on hold.
    OnHold,
    /// Somebody else has the batch.
    LeaseLost,
    /// As the row and the log tell it.
    Failed {
        can_pass: bool,
        /// The house's own disk or database is at fault.
        is_of_the_house: bool,
        told: String,
    },
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Stopped => Self::Stopped,
            Error::GaveWay { after } => Self::GaveWay { after },
            Error::OnHold(_) => Self::OnHold,
            Error::Store(store::Error::LeaseLost(_)) => Self::LeaseLost,
            error => Self::Failed {
                can_pass: error.disposition() == Disposition::Retry,
                is_of_the_house: error.is_of_the_house(),
                told: telemetry::with_causes(&error),
            },
        }
    }
}

/// Runs a step on a thread of its own, and says how long it took. A panic is a bug: another try would
/// panic alike.
pub(super) async fn run_apart(
    house: &Arc<House>,
    work: &Work,
    stop: Stop,
) -> (Result<(), Failure>, Duration) {
    let (house, work, started) = (Arc::clone(house), work.clone(), Instant::now());
    let run = move || match &work {
        Work::Step(row) => run_step(&house, row, &stop),
        Work::DeliveryReport(row) => delivery_report::run(&house, row),
    };
    let ran = match tokio::task::spawn_blocking(run).await {
        Ok(result) => result.map_err(Failure::from),
        Err(ended) if ended.is_cancelled() => Err(Failure::Stopped),
        Err(_) => Err(Failure::Failed {
            can_pass: false,
            is_of_the_house: false,
            told: "a bug in kuori: the step panicked; the log has the place".to_owned(),
        }),
    };
    (ran, started.elapsed())
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
