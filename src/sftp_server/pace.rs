use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// What an account may move at once after a pause.
const BURST: Duration = Duration::from_secs(1);

const NANOS: u128 = 1_000_000_000;

/// Slows an account down to its bytes a second, over all its connections and both ways.
///
/// One instant is the whole state: when all that was moved so far would be through at the agreed
/// rate (the generic cell rate algorithm, ITU-T I.371, annex A).
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<Option<Instant>>);

impl Pace {
    /// Counts `bytes` that are moved at `now`, and says how long the session has to wait then.
    pub(super) fn wait_for(&self, bytes: usize, per_sec: u64, now: Instant) -> Duration {
        // What goes the other way waits for nothing here.
        if bytes == 0 {
            return Duration::ZERO;
        }
        let nanos = bytes as u128 * NANOS / u128::from(per_sec.max(1));
        let cost = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let mut through = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let from = through.map_or(now, |at| at.max(now));
        let until = from.checked_add(cost).unwrap_or(from);
        *through = Some(until);
        until.saturating_duration_since(now).saturating_sub(BURST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Any instant will do: the rest is counted from it.
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_second_s_worth_goes_at_once_and_one_byte_more_waits() {
        let (pace, now) = (Pace::default(), start());
        assert_eq!(pace.wait_for(1000, 1000, now), Duration::ZERO);
        assert_eq!(pace.wait_for(1, 1000, now), Duration::from_millis(1));
        assert_eq!(pace.wait_for(500, 1000, now), Duration::from_millis(501));
    }

    #[test]
    fn who_moves_nothing_this_way_does_not_wait() {
        let (pace, now) = (Pace::default(), start());
        pace.wait_for(60_000, 1000, now);
        assert_eq!(pace.wait_for(0, 1000, now), Duration::ZERO);
        assert!(pace.wait_for(1, 1000, now) > Duration::from_secs(58));
    }

    #[test]
    fn a_pause_earns_no_more_than_a_second_s_worth() {
        let (pace, now) = (Pace::default(), start());
        pace.wait_for(10, 1000, now);
        let later = now + Duration::from_mins(1);
        assert_eq!(pace.wait_for(1000, 1000, later), Duration::ZERO);
        assert_eq!(pace.wait_for(1000, 1000, later), Duration::from_secs(1));
    }
}
