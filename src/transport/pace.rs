use std::time::{Duration, Instant};

/// How many requests of one transfer are under way at once.
///
/// A long line needs more of them: twice what it takes up in one round trip at the rate seen so
/// far. On a short one more would only fill memory, and on a slow one make others wait.
#[derive(Debug)]
pub(super) struct Pace {
    in_flight: usize,
    most: usize,
    chunk_bytes: usize,
    round_trip: Duration,
    round_started: Instant,
    round_bytes: usize,
}

/// Requests of one transfer that bring more on no line that was measured.
const MOST_IN_FLIGHT: usize = 64;
/// A chunk of this size or less is taken for a server's that has no large ones.
const SMALL_CHUNK_BYTES: usize = 64 * 1024;

impl Pace {
    /// `least` are under way from the start; `round_trip` is that of the line.
    pub(super) fn new(least: usize, chunk_bytes: usize, round_trip: Duration) -> Self {
        let most = MOST_IN_FLIGHT.max(least);
        let is_small = chunk_bytes <= SMALL_CHUNK_BYTES;
        Self {
            in_flight: if is_small { most } else { least.max(1) },
            most,
            chunk_bytes: chunk_bytes.max(1),
            round_trip,
            round_started: Instant::now(),
            round_bytes: 0,
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Takes note of bytes that were transferred.
    pub(super) fn passed(&mut self, bytes: usize) {
        self.round_bytes += bytes;
        if self.round_bytes >= self.in_flight * self.chunk_bytes {
            self.end_round(self.round_started.elapsed());
        }
    }

    fn end_round(&mut self, took: Duration) {
        let micros = took.as_micros().max(1);
        let line_bytes = self.round_bytes as u128 * self.round_trip.as_micros() / micros;
        let wanted = 2 * line_bytes / self.chunk_bytes as u128;
        let wanted = usize::try_from(wanted).unwrap_or(self.most);
        self.in_flight = wanted.clamp(self.in_flight, self.most);
        self.round_started = Instant::now();
        self.round_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNK: usize = 255 * 1024;

    /// In flight after rounds that each took `took`.
    fn after(round_trip: Duration, took: Duration) -> usize {
        let mut pace = Pace::new(16, CHUNK, round_trip);
        for _ in 0..5 {
            pace.round_bytes = pace.in_flight * CHUNK;
            pace.end_round(took);
        }
        pace.in_flight()
    }

    #[test]
    fn a_long_line_gets_more_and_a_short_one_or_a_slow_one_does_not() {
        let millis = Duration::from_millis;
        assert_eq!(after(Duration::from_micros(100), millis(10)), 16);
        assert_eq!(after(millis(20), millis(20)), 64);
        assert_eq!(after(millis(20), Duration::from_secs(4)), 16);
    }

    #[test]
    fn a_server_with_small_chunks_gets_many_at_once() {
        assert_eq!(Pace::new(16, 32 * 1024, Duration::ZERO).in_flight(), 64);
        assert_eq!(Pace::new(100, CHUNK, Duration::ZERO).in_flight(), 100);
    }
}
