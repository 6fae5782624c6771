use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::domain::BatchId;

/// For so long a batch lets the others go first; then it has its turn with them.
const LET_OTHERS_GO: Duration = Duration::from_mins(10);
/// More than these: then all fail alike, and the order matters no more.
const MOST: usize = 64;

/// Batches of which a turn has failed: with one that cannot be opened, or a message that the service
/// chokes on, all turns of its sender would be lost, if it has waited longest and has the fewest left.
#[derive(Debug, Default)]
pub(super) struct Last(VecDeque<(BatchId, Instant)>);

impl Last {
    pub(super) fn add(&mut self, batch: BatchId) {
        self.add_at(batch, Instant::now());
    }

    pub(super) fn batches(&mut self) -> Vec<BatchId> {
        self.batches_at(Instant::now())
    }

    fn add_at(&mut self, batch: BatchId, now: Instant) {
        self.0.retain(|(known, _)| *known != batch);
        self.0.push_back((batch, now + LET_OTHERS_GO));
        if self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    fn batches_at(&mut self, now: Instant) -> Vec<BatchId> {
        self.0.retain(|(_, until)| now < *until);
        self.0.iter().map(|(batch, _)| *batch).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_lets_the_others_go_first_for_ten_minutes_since_its_last_failure() {
        let (mut last, start) = (Last::default(), Instant::now());
        let after = |secs| start + Duration::from_secs(secs);
        last.add_at(BatchId(1), after(0));
        last.add_at(BatchId(2), after(1));
        last.add_at(BatchId(1), after(2));
        assert_eq!(last.batches_at(after(600)), [BatchId(2), BatchId(1)]);
        assert_eq!(last.batches_at(after(601)), [BatchId(1)]);
        assert_eq!(last.batches_at(after(602)), []);
    }

    #[test]
    fn where_many_fail_the_first_are_forgotten() {
        let mut last = Last::default();
        for batch in 0..=MOST as u64 {
            last.add(BatchId(batch));
        }
        let batches = last.batches();
        assert_eq!(
            (batches.len(), batches.contains(&BatchId(0))),
            (MOST, false)
        );
    }
}
