use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use jiff::Timestamp;
use tokio::task::{Id, JoinSet};

use super::{
    Error, Settings,
    desk::{Desk, Taken},
    headroom::Reservation,
    resume::recovered_name,
};
use crate::{
    store::{Arrival, ArrivalState},
    transport::RemoteFile,
};

/// One file to be taken, or to go on with.
#[derive(Debug)]
pub(super) enum Job {
    Take(RemoteFile),
    Resume {
        arrival: Arrival,
        /// What it has where it is claimed; 0 where nobody knows.
        bytes: u64,
        claimed_are_known: bool,
    },
    /// By its claimed name.
    Adopt {
        orphan: String,
        bytes: u64,
    },
}

impl Job {
    /// What the file is called: one of a name is in hand at a time.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Take(file) => file.name.clone(),
            Self::Resume { arrival, .. } => arrival.file_name.clone(),
            Self::Adopt { orphan, .. } => recovered_name(orphan),
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Take(file) => file.bytes,
            Self::Resume { bytes, .. } | Self::Adopt { bytes, .. } => *bytes,
        }
    }

    /// Whether it brings bytes: what is recorded is only to be put away.
    pub(super) fn needs_room(&self) -> bool {
        !matches!(self, Self::Resume { arrival, .. } if arrival.state == ArrivalState::Recorded)
    }

    async fn carry_out(
        self,
        desk: &Desk,
        room: &Reservation,
        now: Timestamp,
    ) -> Result<Taken, Error> {
        match self {
            Self::Take(file) => desk.take(&file, room, now).await,
            Self::Resume {
                arrival,
                claimed_are_known,
                ..
            } => desk.resume(&arrival, claimed_are_known, room, now).await,
            Self::Adopt { orphan, .. } => desk.adopt(&orphan, room, now).await,
        }
    }
}

/// Files in the order in which they are to be taken, and those that are being taken. Some places are
/// kept for files that are not large, so that these never wait for a large one.
#[derive(Default)]
pub(super) struct Work {
    small: VecDeque<Job>,
    large: VecDeque<Job>,
    running: JoinSet<Result<Taken, Error>>,
    run: HashMap<Id, Run>,
    names: HashSet<String>,
}

struct Run {
    name: String,
    is_large: bool,
}

/// A file that is no longer in hand.
pub(super) struct Done {
    pub(super) name: String,
    pub(super) outcome: Result<Taken, Error>,
}

impl Work {
    /// Whether a file of the name is being taken.
    pub(super) fn is_taking(&self, name: &str) -> bool {
        self.run.values().any(|run| run.name == name)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    pub(super) fn queue(&mut self, job: Job, settings: &Settings) {
        if !self.names.insert(job.name()) {
            return;
        }
        if is_large(&job, settings) {
            self.large.push_back(job);
        } else {
            self.small.push_back(job);
        }
    }

    /// The next file for which there is a place.
    pub(super) fn next_job(&mut self, settings: &Settings) -> Option<Job> {
        if self.run.len() >= settings.files_at_once.max(1) {
            return None;
        }
        let large = self.run.values().filter(|run| run.is_large).count();
        let is_place = large < settings.large_at_once();
        let next = is_place.then(|| self.large.pop_front()).flatten();
        next.or_else(|| self.small.pop_front())
    }

    pub(super) fn start(&mut self, job: Job, desk: &Arc<Desk>, room: Reservation, now: Timestamp) {
        let run = Run {
            name: job.name(),
            is_large: is_large(&job, &desk.settings),
        };
        let desk = Arc::clone(desk);
        let task = self
            .running
            .spawn(async move { job.carry_out(&desk, &room, now).await });
        self.run.insert(task.id(), run);
    }

    /// Gives up a file that was not begun.
    pub(super) fn leave(&mut self, name: &str) {
        self.names.remove(name);
    }

    /// Gives up all files that are not begun.
    pub(super) fn leave_queue(&mut self) {
        for job in self.small.drain(..).chain(self.large.drain(..)) {
            self.names.remove(&job.name());
        }
    }

    /// Waits for the next file that is no longer in hand; `None` where there is none.
    pub(super) async fn next_done(&mut self) -> Option<Done> {
        let (id, outcome) = match self.running.join_next_with_id().await? {
            Ok((id, outcome)) => (id, outcome),
            Err(lost) => (lost.id(), Err(Error::Panicked)),
        };
        let name = self.run.remove(&id).map(|run| run.name).unwrap_or_default();
        self.names.remove(&name);
        Some(Done { name, outcome })
    }

    /// Ends what is being taken where it is: the next start goes on with it.
    pub(super) async fn stop(&mut self) {
        self.running.shutdown().await;
    }
}

/// One at a time is taken in order, however large.
fn is_large(job: &Job, settings: &Settings) -> bool {
    settings.files_at_once > 1 && job.bytes() >= settings.large_file_bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(files_at_once: usize) -> Settings {
        let sender = "example-city".parse().unwrap();
        Settings {
            files_at_once,
            large_file_bytes: 100,
            ..Settings::new(sender, "example-city".to_owned()).unwrap()
        }
    }

    fn take(name: &str, bytes: u64) -> Job {
        Job::Take(RemoteFile {
            name: name.to_owned(),
            bytes,
            modified: None,
        })
    }

    fn order(settings: &Settings) -> Vec<String> {
        let mut work = Work::default();
        for (name, bytes) in [("a", 100), ("b", 99), ("c", 100), ("d", 1), ("b", 1)] {
            work.queue(take(name, bytes), settings);
        }
        std::iter::from_fn(|| work.next_job(settings).map(|job| job.name())).collect()
    }

    #[test]
    fn one_at_a_time_is_in_order_and_a_name_is_there_once() {
        assert_eq!(order(&settings(1)), ["a", "b", "c", "d"]);
        assert_eq!(order(&settings(4)), ["a", "c", "b", "d"]);
    }

    #[test]
    fn large_files_leave_places_to_the_others() {
        let places = [1, 2, 3, 8].map(|files| settings(files).large_at_once());
        assert_eq!(places, [1, 1, 1, 4]);
    }
}
