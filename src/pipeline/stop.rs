use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::Error;
use crate::{domain::BatchId, store};

/// What a step asks between two pages: whether it is to go on. What it has recorded stands, and who
/// goes on with it does so behind that.
#[derive(Debug, Clone)]
pub(super) struct Stop {
    /// Whether the house was told to stop.
    told: watch::Receiver<bool>,
    turn: Arc<Turn>,
}

/// A step's time with its batch, as the runner and the step both see it.
#[derive(Debug)]
pub(super) struct Turn {
    batch: BatchId,
    /// How long a step works at least, once it is at its first page, before it gives way.
    at_least: Duration,
    first_page: OnceLock<Instant>,
    others_wait: AtomicBool,
    lease_is_lost: AtomicBool,
}

impl Turn {
    pub(super) fn new(batch: BatchId, at_least: Duration) -> Self {
        Self {
            batch,
            at_least,
            first_page: OnceLock::new(),
            others_wait: AtomicBool::new(false),
            lease_is_lost: AtomicBool::new(false),
        }
    }

    /// Says whether others wait for what this step has.
    pub(super) fn let_wait(&self, others_wait: bool) {
        self.others_wait.store(others_wait, Ordering::Relaxed);
    }

    /// Says that the step works for nobody any more.
    pub(super) fn lose_lease(&self) {
        self.lease_is_lost.store(true, Ordering::Relaxed);
    }

    /// A step has one page behind it at least: whatever its way to the first one costs, it comes on.
    fn is_over(&self) -> bool {
        let Some(first_page) = self.first_page.get() else {
            let _ = self.first_page.set(Instant::now());
            return false;
        };
        self.others_wait.load(Ordering::Relaxed) && first_page.elapsed() >= self.at_least
    }
}

impl Stop {
    pub(super) fn new(told: &watch::Receiver<bool>, turn: &Arc<Turn>) -> Self {
        Self {
            told: told.clone(),
            turn: Arc::clone(turn),
        }
    }

    /// Asked by steps that begin anew when they come back.
    ///
    /// # Errors
    ///
    /// [`Error::Stopped`] once the house was told to stop, [`store::Error::LeaseLost`] where somebody
    /// else has taken the batch.
    pub(super) fn check(&self) -> Result<(), Error> {
        if *self.told.borrow() {
            return Err(Error::Stopped);
        }
        if self.turn.lease_is_lost.load(Ordering::Relaxed) {
            return Err(store::Error::LeaseLost(self.turn.batch).into());
        }
        Ok(())
    }

    /// Asked by steps that can go on behind message `after`.
    ///
    /// # Errors
    ///
    /// Those of [`Stop::check`], and [`Error::GaveWay`] where others wait and the step has had its
    /// time.
    pub(super) fn between_pages(&self, after: u32) -> Result<(), Error> {
        self.check()?;
        if self.turn.is_over() {
            return Err(Error::GaveWay { after });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(at_least: Duration) -> (watch::Sender<bool>, Arc<Turn>, Stop) {
        let (tell, told) = watch::channel(false);
        let turn = Arc::new(Turn::new(BatchId(7), at_least));
        let stop = Stop::new(&told, &turn);
        (tell, turn, stop)
    }

    #[test]
    fn a_step_gives_way_where_others_wait_and_a_page_is_behind_it() {
        let (_tell, turn, stop) = step(Duration::ZERO);
        turn.let_wait(true);
        stop.between_pages(0).unwrap();
        let over = stop.between_pages(1_000).unwrap_err();
        assert!(matches!(over, Error::GaveWay { after: 1_000 }), "{over}");
        turn.let_wait(false);
        stop.between_pages(1_000).unwrap();
    }

    #[test]
    fn a_step_keeps_its_place_until_its_time_is_over() {
        let (_tell, turn, stop) = step(Duration::from_hours(1));
        turn.let_wait(true);
        for page in 0..9 {
            stop.between_pages(page).unwrap();
        }
    }

    #[test]
    fn a_step_stops_with_the_house_and_with_its_lease() {
        let (tell, turn, stop) = step(Duration::ZERO);
        stop.check().unwrap();
        turn.lose_lease();
        let lost = stop.check().unwrap_err();
        let is_lost = matches!(lost, Error::Store(store::Error::LeaseLost(BatchId(7))));
        assert!(is_lost, "{lost}");
        tell.send_replace(true);
        assert!(matches!(stop.check(), Err(Error::Stopped)));
    }
}
