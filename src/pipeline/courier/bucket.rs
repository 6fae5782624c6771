use std::time::{Duration, Instant};

use jiff::Timestamp;

/// The service's clock may go faster than ours, and a message may reach it sooner than the one
/// before did: so much longer than the rate asks for is waited.
const MARGIN: f64 = 1.005;
/// So far ahead of the next message its row speaks at least, so that it need not be written for each.
const AHEAD: Duration = Duration::from_secs(1);
/// And so far at most, where writing it takes longer than that.
const FARTHEST: Duration = Duration::from_secs(64);
/// A rate is no slower than a message a day.
const LONGEST: Duration = Duration::from_hours(24);
/// Timers go by the millisecond: the rest is waited for by the thread.
const BY_TIMER: Duration = Duration::from_millis(2);

/// A token bucket that holds one token.
///
/// The time between two messages is counted from the moment at which the first was sent, by a clock
/// that nobody sets: what was not used is gone, and nothing bursts. Another process, or the next
/// start, knows by a row from when on it may send; the row is written before what it covers.
#[derive(Debug)]
pub(super) struct Bucket {
    /// `None` is without limit.
    interval: Option<Duration>,
    /// When the next message may go.
    next: Instant,
    /// A message that goes before is covered by the row.
    covered_until: Option<Instant>,
    ahead: Duration,
}

impl Bucket {
    /// `row` is the time that was written last, at `now` by the same clock. That clock may have been
    /// set in between: it is waited for an interval at least, and never longer than any row may say.
    pub(super) fn new(rate_per_sec: f64, row: Option<Timestamp>, now: Timestamp) -> Self {
        let interval = interval(rate_per_sec);
        let wait = match (interval, row) {
            (Some(interval), Some(row)) => {
                let left = Duration::try_from(row.duration_since(now)).unwrap_or_default();
                left.clamp(interval, interval * 2 + FARTHEST)
            }
            _ => Duration::ZERO,
        };
        Self {
            interval,
            next: Instant::now() + wait,
            covered_until: None,
            ahead: AHEAD,
        }
    }

    /// From when on the row must forbid others to send, before the next message goes; `None` where it
    /// does already. Once it is on the disk, [`Bucket::cover`].
    pub(super) fn to_write(&self, now: Timestamp) -> Option<(Timestamp, Instant)> {
        let interval = self.interval?;
        let at = self.next.max(Instant::now());
        if self
            .covered_until
            .is_some_and(|until| at + self.ahead / 2 <= until)
        {
            return None;
        }
        let until = at + self.ahead;
        Some((later(now, until + interval), until))
    }

    pub(super) fn cover(&mut self, until: Instant) {
        self.covered_until = Some(until);
    }

    /// What was covered is over before its row was on the disk: the next row speaks further ahead.
    pub(super) fn reach_further(&mut self) {
        self.ahead = (self.ahead * 2).min(FARTHEST);
    }

    /// What the row says once nothing more is sent by this process.
    pub(super) fn at_rest(&self, now: Timestamp) -> Option<Timestamp> {
        self.covered_until.map(|_| later(now, self.next))
    }

    /// Waits until the next message may go, and no longer.
    pub(super) async fn wait(&self) {
        if self.interval.is_none() {
            return;
        }
        let left = || self.next.saturating_duration_since(Instant::now());
        tokio::time::sleep(left().saturating_sub(BY_TIMER)).await;
        let left = left();
        if !left.is_zero() {
            // A thread sleeps to some microseconds.
            let _ = tokio::task::spawn_blocking(move || std::thread::sleep(left)).await;
        }
    }

    /// Whether a message that is sent now is covered by the row, and may go.
    pub(super) fn may_send(&self) -> bool {
        let now = Instant::now();
        self.interval.is_none()
            || now >= self.next && self.covered_until.is_some_and(|until| now <= until)
    }

    /// A message goes at this moment.
    pub(super) fn take(&mut self) {
        if let Some(interval) = self.interval {
            self.next = Instant::now() + interval;
        }
    }
}

/// Between two messages; `None` is without limit.
pub(super) fn interval(rate_per_sec: f64) -> Option<Duration> {
    let is_limited = rate_per_sec > 0.0 && rate_per_sec.is_finite();
    let interval = Duration::try_from_secs_f64(MARGIN / rate_per_sec).unwrap_or(LONGEST);
    is_limited.then(|| interval.min(LONGEST))
}

fn later(now: Timestamp, at: Instant) -> Timestamp {
    let wait = at.saturating_duration_since(Instant::now());
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-23T21:00:00Z".parse().unwrap()
    }

    fn bucket(rate_per_sec: f64, row_in_secs: i64) -> Bucket {
        let row = now() + jiff::SignedDuration::from_secs(row_in_secs);
        Bucket::new(rate_per_sec, Some(row), now())
    }

    fn waits(bucket: &Bucket) -> f64 {
        let wait = bucket.next.saturating_duration_since(Instant::now());
        (wait.as_secs_f64() * 10.0).round() / 10.0
    }

    /// Messages that go within that time, and the shortest time between two of them.
    async fn sent_within(bucket: &mut Bucket, time: Duration) -> (Vec<Instant>, Duration) {
        let (begun, mut sent) = (Instant::now(), Vec::<Instant>::new());
        while begun.elapsed() < time {
            if let Some((_, until)) = bucket.to_write(now()) {
                bucket.cover(until);
            }
            bucket.wait().await;
            if bucket.may_send() {
                bucket.take();
                sent.push(Instant::now());
            }
        }
        let between = sent.windows(2).map(|two| two[1] - two[0]);
        let shortest = between.min().unwrap_or(Duration::MAX);
        (sent, shortest)
    }

    #[tokio::test]
    async fn no_two_messages_are_nearer_than_the_rate_says_and_little_of_it_is_lost() {
        let mut most = 0;
        for _ in 0..5 {
            let mut bucket = Bucket::new(20.0, None, now());
            let (sent, shortest) = sent_within(&mut bucket, Duration::from_secs(1)).await;
            assert!(shortest >= Duration::from_millis(50), "{shortest:?}");
            most = most.max(sent.len());
            if most >= 20 {
                return;
            }
        }
        panic!("only {most} messages a second");
    }

    #[tokio::test]
    async fn without_a_limit_nothing_is_waited_for_and_no_row_is_written() {
        let mut bucket = bucket(0.0, 3_600);
        assert_eq!(bucket.to_write(now()), None);
        bucket.wait().await;
        bucket.take();
        assert!(bucket.may_send());
    }

    #[test]
    fn a_start_waits_for_what_the_row_says_whatever_the_clock_shows() {
        // A rate that was never used, one that was, and clocks that were set on and back since.
        assert!(waits(&Bucket::new(1.0, None, now())) < f64::EPSILON);
        let cases = [(2, 2.0), (-86_400, 1.0), (86_400, 66.0)];
        for (row, wait) in cases {
            let waited = waits(&bucket(1.0, row));
            assert!((waited - wait).abs() < f64::EPSILON, "{row}: {waited}");
        }
    }

    #[test]
    fn nothing_goes_that_the_row_does_not_cover() {
        let mut bucket = Bucket::new(1.0, None, now());
        assert!(!bucket.may_send());
        let (row, until) = bucket.to_write(now()).unwrap();
        bucket.cover(until);
        assert!(bucket.may_send());
        bucket.take();
        // Killed now, the next start waits for as long as the rate asks for, at least.
        let after = row.duration_since(now()).as_secs_f64();
        assert!(after >= 1.0, "{after}");
        assert!(!bucket.may_send());
    }

    #[test]
    fn a_row_that_takes_long_to_write_covers_what_goes_after_it_in_the_end() {
        let mut bucket = Bucket::new(1.0, None, now());
        let takes = Duration::from_secs(40);
        let mut tries = 0;
        loop {
            let (_, until) = bucket.to_write(now()).unwrap();
            bucket.cover(until.checked_sub(takes).unwrap());
            if bucket.may_send() {
                break;
            }
            bucket.reach_further();
            tries += 1;
            assert!(tries < 9, "it is never covered");
        }
        assert_eq!(tries, 6);
    }

    #[test]
    fn the_slowest_rate_is_a_message_a_day() {
        assert_eq!(interval(1e-300), Some(LONGEST));
        assert_eq!(interval(f64::NAN), None);
    }
}
