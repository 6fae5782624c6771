use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::count::Source;

/// Sources that are remembered; a flood from more of them pushes out the oldest.
const MAX_SOURCES: usize = 10_000;

/// How long a good login speaks for those that come from the same place.
const GOOD_FOR: Duration = Duration::from_hours(24);

/// Who failed to log in how often, and who is shut out for it.
///
/// A source is shut out once so many of its logins failed within the window, and for as long as the
/// window is. Where somebody has logged in from lately nobody is shut out: senders behind one address
/// translator share an address, and one that guesses must not stop the others.
#[derive(Debug, Default)]
pub(super) struct Penalties(Mutex<HashMap<Source, Record>>);

/// What is allowed; it may change between two calls.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed {
    pub(super) failures: u32,
    pub(super) window: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Record {
    failures: u32,
    /// Of the first failure that counts.
    since: Instant,
    seen: Instant,
    good_at: Option<Instant>,
}

impl Record {
    fn is_good(&self, now: Instant) -> bool {
        self.good_at
            .is_some_and(|at| now.saturating_duration_since(at) < GOOD_FOR)
    }

    fn is_spent(&self, now: Instant, window: Duration) -> bool {
        !self.is_good(now) && now.saturating_duration_since(self.seen) >= window
    }
}

impl Penalties {
    /// Notes a failed login; true where it is the one that shuts its source out.
    pub(super) fn failed(&self, source: Source, allowed: Allowed, now: Instant) -> bool {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let record = entry(&mut records, source, allowed.window, now);
        if now.saturating_duration_since(record.since) >= allowed.window {
            record.failures = 0;
            record.since = now;
        }
        record.failures = record.failures.saturating_add(1);
        record.seen = now;
        record.failures == allowed.failures && !record.is_good(now)
    }

    /// Notes a login; what failed before it counts no more.
    pub(super) fn succeeded(&self, source: Source, window: Duration, now: Instant) {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let record = entry(&mut records, source, window, now);
        record.failures = 0;
        record.seen = now;
        record.good_at = Some(now);
    }

    pub(super) fn is_shut_out(&self, source: Source, allowed: Allowed, now: Instant) -> bool {
        let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        records.get(&source).is_some_and(|record| {
            record.failures >= allowed.failures
                && !record.is_good(now)
                && !record.is_spent(now, allowed.window)
        })
    }

    /// Whether somebody has logged in from there lately.
    pub(super) fn is_good(&self, source: Source, now: Instant) -> bool {
        let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        records
            .get(&source)
            .is_some_and(|record| record.is_good(now))
    }
}

fn entry(
    records: &mut HashMap<Source, Record>,
    source: Source,
    window: Duration,
    now: Instant,
) -> &mut Record {
    if records.len() >= MAX_SOURCES && !records.contains_key(&source) {
        make_room(records, window, now);
    }
    records.entry(source).or_insert(Record {
        failures: 0,
        since: now,
        seen: now,
        good_at: None,
    })
}

/// Forgets what counts no more; where that frees too little, the quarter that was not seen for the
/// longest time, and of those where nobody ever logged in first.
fn make_room(records: &mut HashMap<Source, Record>, window: Duration, now: Instant) {
    records.retain(|_, record| !record.is_spent(now, window));
    if records.len() < MAX_SOURCES {
        return;
    }
    let rank = |record: &Record| (record.is_good(now), record.seen);
    let mut ranks: Vec<_> = records.values().map(rank).collect();
    let (_, &mut last_to_go, _) = ranks.select_nth_unstable(MAX_SOURCES / 4);
    records.retain(|_, record| rank(record) > last_to_go);
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    const ALLOWED: Allowed = Allowed {
        failures: 3,
        window: Duration::from_mins(10),
    };

    fn source(number: u32) -> Source {
        Source::from(IpAddr::V4(Ipv4Addr::from_bits(number)))
    }

    fn fail(penalties: &Penalties, times: u32, now: Instant) -> bool {
        (0..times).fold(false, |_, _| penalties.failed(source(1), ALLOWED, now))
    }

    #[test]
    fn the_last_failure_allowed_shuts_out_for_as_long_as_the_window() {
        let (penalties, now) = (Penalties::default(), Instant::now());
        assert!(!fail(&penalties, 2, now));
        assert!(!penalties.is_shut_out(source(1), ALLOWED, now));
        assert!(fail(&penalties, 1, now));
        assert!(penalties.is_shut_out(source(1), ALLOWED, now));
        assert!(!penalties.is_shut_out(source(2), ALLOWED, now));
        let almost = now + ALLOWED.window.saturating_sub(Duration::from_secs(1));
        assert!(penalties.is_shut_out(source(1), ALLOWED, almost));
        assert!(!penalties.is_shut_out(source(1), ALLOWED, now + ALLOWED.window));
        assert!(!fail(&penalties, 1, now + ALLOWED.window));
    }

    #[test]
    fn failures_of_an_earlier_window_do_not_count() {
        let (penalties, now) = (Penalties::default(), Instant::now());
        fail(&penalties, 2, now);
        assert!(!fail(&penalties, 2, now + ALLOWED.window));
    }

    #[test]
    fn where_somebody_has_logged_in_from_nobody_is_shut_out() {
        let (penalties, now) = (Penalties::default(), Instant::now());
        fail(&penalties, 3, now);
        penalties.succeeded(source(1), ALLOWED.window, now);
        assert!(penalties.is_good(source(1), now));
        assert!(!fail(&penalties, 9, now));
        assert!(!penalties.is_shut_out(source(1), ALLOWED, now));
        let next_day = now + GOOD_FOR;
        assert!(!penalties.is_good(source(1), next_day));
        assert!(fail(&penalties, 3, next_day));
    }

    #[test]
    fn a_flood_from_everywhere_is_remembered_in_bounds_and_pushes_out_no_good_one() {
        let (penalties, mut now) = (Penalties::default(), Instant::now());
        penalties.succeeded(source(1), ALLOWED.window, now);
        for number in 2..30_000 {
            now += Duration::from_millis(1);
            penalties.failed(source(number), ALLOWED, now);
        }
        assert!(penalties.0.lock().unwrap().len() <= MAX_SOURCES);
        assert!(penalties.is_good(source(1), now));
    }
}
