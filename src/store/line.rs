//! A line of threads before one desk: first come, first served.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use super::database::locked;

/// Who is at the desk, and who waits for it.
#[derive(Default)]
pub(super) struct Line(Mutex<Standing>);

#[derive(Default)]
struct Standing {
    /// Somebody is at the desk, or has been called to it.
    is_taken: bool,
    waiting: VecDeque<Arc<Call>>,
    /// Is at the desk, has nothing more to do there, and gives it to whoever comes. Nobody waits
    /// meanwhile.
    host: Option<Arc<Call>>,
}

/// One thread's stay: from the line to what came of it.
#[derive(Default)]
pub(super) struct Call {
    news: Mutex<News>,
    told: Condvar,
}

#[derive(Default)]
struct News {
    has_turn: bool,
    outcome: Option<Outcome>,
}

/// Whether what was done at the desk is on the disk.
pub(super) type Outcome = Result<(), Failure>;

/// Why a transaction came to nothing, for each of those who had a part in it.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) code: rusqlite::ffi::Error,
    pub(super) message: Option<String>,
}

impl Line {
    /// Waits for the desk.
    pub(super) fn come(&self) -> Arc<Call> {
        let call = Arc::new(Call::default());
        let mut standing = locked(&self.0);
        if !standing.is_taken || standing.host.take().is_some() {
            standing.is_taken = true;
            return call;
        }
        standing.waiting.push_back(Arc::clone(&call));
        drop(standing);
        call.wait_for_turn();
        call
    }

    /// Gives the desk to the next one; `false` where nobody waits, and the desk stays ours.
    pub(super) fn pass_on(&self) -> bool {
        let next = locked(&self.0).waiting.pop_front();
        next.as_deref().map(Call::give_turn).is_some()
    }

    /// Keeps the desk for whoever comes until then; `false` where nobody came, and the desk stays
    /// ours.
    pub(super) fn host(&self, call: &Arc<Call>, until: Instant) -> bool {
        if Instant::now() >= until {
            return false;
        }
        let mut standing = locked(&self.0);
        if let Some(next) = standing.waiting.pop_front() {
            next.give_turn();
            return true;
        }
        standing.host = Some(Arc::clone(call));
        drop(standing);
        call.wait_for_outcome_until(until);
        let mut standing = locked(&self.0);
        let is_ours = |host: &mut Arc<Call>| Arc::ptr_eq(host, call);
        standing.host.take_if(is_ours).is_none()
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        locked(&self.0).waiting.len()
    }

    /// Goes from the desk: the next one has it, or whoever comes.
    pub(super) fn leave(&self) {
        let mut standing = locked(&self.0);
        match standing.waiting.pop_front() {
            Some(next) => next.give_turn(),
            None => standing.is_taken = false,
        }
    }
}

impl Call {
    pub(super) fn tell(&self, outcome: Outcome) {
        locked(&self.news).outcome = Some(outcome);
        self.told.notify_all();
    }

    /// Waits for what came of it.
    pub(super) fn outcome(&self) -> Outcome {
        let mut news = locked(&self.news);
        loop {
            match news.outcome.take() {
                Some(outcome) => return outcome,
                None => news = wait(&self.told, news),
            }
        }
    }

    fn give_turn(&self) {
        locked(&self.news).has_turn = true;
        self.told.notify_all();
    }

    fn wait_for_turn(&self) {
        let mut news = locked(&self.news);
        while !news.has_turn {
            news = wait(&self.told, news);
        }
    }

    fn wait_for_outcome_until(&self, until: Instant) {
        let mut news = locked(&self.news);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || news.outcome.is_some() {
                return;
            }
            let waited = self.told.wait_timeout(news, left);
            news = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

fn wait<'a, T>(told: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    told.wait(guard).unwrap_or_else(PoisonError::into_inner)
}
