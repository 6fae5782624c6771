use std::{collections::HashMap, sync::Arc};

use tokio::task::{Id, JoinError, JoinSet};

use super::{
    super::{Error, stop::Turn},
    room::Taken,
    work::Work,
};
use crate::{domain::BatchId, store::StepsWaiting};

/// What is being worked on at this moment.
#[derive(Default)]
pub(super) struct Hands {
    tasks: JoinSet<Result<(), Error>>,
    held: HashMap<Id, Held>,
}

/// A claim, from its first moment until its end is recorded.
struct Held {
    work: Work,
    turn: Arc<Turn>,
    /// `None` for a delivery report.
    taken: Option<Taken>,
}

impl Hands {
    pub(super) fn begin(
        &mut self,
        work: Work,
        turn: Arc<Turn>,
        taken: Option<Taken>,
        task: impl Future<Output = Result<(), Error>> + Send + 'static,
    ) {
        let id = self.tasks.spawn(task).id();
        self.held.insert(id, Held { work, turn, taken });
    }

    pub(super) fn are_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Waits for something to end; `None` where nothing is in hand. The task says what went wrong with
    /// the store; where it panicked itself, it is told with what it worked on.
    pub(super) async fn next_ended(&mut self) -> Option<Result<(), Error>> {
        Some(match self.tasks.join_next_with_id().await? {
            Ok((id, done)) => {
                self.held.remove(&id);
                done
            }
            Err(lost) => {
                self.tell_lost(&lost);
                Ok(())
            }
        })
    }

    /// Its step may have ended well or not: the lease runs out, and then it is asked of the rows.
    fn tell_lost(&mut self, lost: &JoinError) {
        let Some(held) = self.held.remove(&lost.id()) else {
            return;
        };
        let (batch, step) = (held.work.batch(), held.work.name());
        tracing::error!(%batch, step, "a bug in kuori: recording the end of it panicked");
    }

    /// Batches with a step in hand.
    pub(super) fn batches(&self) -> Vec<BatchId> {
        let steps = self.held.values().filter(|held| held.taken.is_some());
        steps.map(|held| held.work.batch()).collect()
    }

    /// Batches with a delivery report in hand.
    pub(super) fn reports(&self) -> Vec<BatchId> {
        let reports = self.held.values().filter(|held| held.taken.is_none());
        reports.map(|held| held.work.batch()).collect()
    }

    /// How often the program has ended in the middle of any of these.
    pub(super) fn most_crashes(&self) -> u32 {
        let crashes = self.held.values().map(|held| held.work.crashes());
        crashes.max().unwrap_or(0)
    }

    pub(super) fn taken(&self) -> Vec<Taken> {
        let taken = self.held.values().filter_map(|held| held.taken.as_ref());
        taken.cloned().collect()
    }

    /// Says to each step whether it is to give way to any of those that wait.
    pub(super) fn let_wait(
        &self,
        waiting: &[StepsWaiting],
        is_wanted: impl Fn(&Taken, &[StepsWaiting]) -> bool,
    ) {
        for held in self.held.values() {
            if let Some(taken) = &held.taken {
                held.turn.let_wait(is_wanted(taken, waiting));
            }
        }
    }

    pub(super) fn tell_what_is_left(&self) {
        for held in self.held.values() {
            let (batch, step) = (held.work.batch(), held.work.name());
            tracing::info!(%batch, step, "goes on to where it can be put down");
        }
    }
}
