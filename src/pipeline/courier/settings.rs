use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::bucket;
use crate::{domain::BackOff, store::Refusals};

/// How messages are brought to one service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Messages a second that are sent at most; 0 is without limit. Only sends count.
    pub rate_per_sec: f64,
    /// Messages under way at once, from their first upload to the service's answer.
    pub in_flight: usize,
    /// A message of a batch is sent when the one before it has been answered: uploads alone go beside
    /// each other.
    pub in_order: bool,
    /// How long a batch is worked on before another one has its turn.
    pub turn: Duration,
    /// Between tries while the service does not work.
    pub back_off: BackOff,
    /// When a message is given up that it does not take.
    pub set_aside: SetAside,
    /// Within the service's 24 hours: an upload that is older is made again.
    pub uploads_last: SignedDuration,
    /// Batches whose documents stay open while they take turns.
    pub batches_open: usize,
    /// How often it is looked whether something waits, where nobody rings.
    pub look_interval: Duration,
    /// How long the service may take to answer what is under way once the house is told to stop.
    pub stop_within: Duration,
}

/// When a message comes to an end that the service does not take, and of which it does not say why, while it
/// takes others: both have to be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetAside {
    /// Tries in vain. One counts if others were taken since the one before.
    pub refusals: u32,
    /// Since the first of those.
    pub after: SignedDuration,
}

impl Default for SetAside {
    fn default() -> Self {
        Self {
            refusals: 8,
            after: SignedDuration::from_hours(24),
        }
    }
}

impl SetAside {
    /// Only right after a try that counts: else the service may have stopped working since.
    pub(super) fn is_due(&self, refusals: &Refusals, now: Timestamp) -> bool {
        let is_long_ago = |since| now.duration_since(since) >= self.after;
        refusals.is_apart
            && refusals.apart >= self.refusals
            && refusals.apart_since.is_some_and(is_long_ago)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rate_per_sec: 1.0,
            in_flight: 8,
            in_order: true,
            turn: Duration::from_secs(30),
            back_off: BackOff {
                first: SignedDuration::from_secs(5),
                longest: SignedDuration::from_mins(10),
            },
            set_aside: SetAside::default(),
            uploads_last: SignedDuration::from_hours(23),
            batches_open: 4,
            look_interval: Duration::from_secs(1),
            stop_within: Duration::from_secs(5),
        }
    }
}

impl Settings {
    /// Between two messages; `None` is without limit.
    pub(super) fn interval(&self) -> Option<Duration> {
        bucket::interval(self.rate_per_sec)
    }

    /// A batch has its turn until some messages of it have gone, at the slowest rate too.
    pub(super) fn longest_turn(&self) -> Duration {
        self.turn.max(self.interval().unwrap_or_default() * 4)
    }

    /// Messages that are begun at once, where `in_flight` may be under way: those that go soon, since one
    /// that is begun is neither held nor withdrawn any more. Without a rate to wait for, the next ones are
    /// cut meanwhile.
    pub(super) fn begun_at_once(&self, in_flight: usize) -> usize {
        let Some(interval) = self.interval() else {
            return 2 * in_flight;
        };
        let soon = self.turn.as_millis() / interval.as_millis().max(1);
        let soon = usize::try_from(soon).unwrap_or(usize::MAX);
        in_flight.min(soon.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(rate_per_sec: f64) -> Settings {
        Settings {
            rate_per_sec,
            ..Settings::default()
        }
    }

    #[test]
    fn a_message_is_given_up_after_so_many_tries_and_so_long_while_others_are_taken() {
        let (limit, start) = (SetAside::default(), Timestamp::UNIX_EPOCH);
        let is_due = |apart, secs, is_apart| {
            let refusals = Refusals {
                all: apart + 1,
                apart,
                apart_since: (apart > 0).then_some(start),
                is_apart,
            };
            limit.is_due(&refusals, start + SignedDuration::from_secs(secs))
        };
        let day = 86_400;
        assert!(is_due(8, day, true));
        assert!(!is_due(7, day, true));
        assert!(!is_due(8, day - 1, true));
        assert!(!is_due(0, day, true));
        assert!(!is_due(99, 9 * day, false), "nobody knows of the service");
    }

    #[test]
    fn no_more_is_begun_than_goes_soon() {
        let begun = [0.001, 0.1, 1.0, 1_000.0, 0.0].map(|rate| at(rate).begun_at_once(8));
        assert_eq!(begun, [1, 2, 8, 8, 16]);
    }

    #[test]
    fn a_turn_at_the_slowest_rate_lasts_until_messages_have_gone() {
        let turns = [0.001, 1.0, 0.0].map(|rate| at(rate).longest_turn().as_secs());
        assert_eq!(turns, [4_020, 30, 30]);
    }
}
