use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Lets one go at a time, so many a second: whoever comes gets the next free moment.
#[derive(Debug)]
pub struct Pace {
    apart: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// `rate_per_sec` is above 0; whatever is not lets one go an hour.
    pub fn new(rate_per_sec: f64) -> Self {
        let apart = Duration::try_from_secs_f64(1.0 / rate_per_sec);
        Self {
            apart: apart.unwrap_or(Duration::from_hours(1)),
            next: Mutex::new(None),
        }
    }

    pub async fn turn(&self) {
        let at = self.take(Instant::now());
        tokio::time::sleep_until(at).await;
    }

    /// What was not used is not saved up.
    fn take(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let at = next.map_or(now, |next| next.max(now));
        *next = Some(at + self.apart);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_never_nearer_than_the_rate_says() {
        let pace = Pace::new(4.0);
        let now = Instant::now();
        let turns: Vec<_> = (0..5).map(|_| pace.take(now) - now).collect();
        let millis: Vec<_> = turns.iter().map(Duration::as_millis).collect();
        assert_eq!(millis, [0, 250, 500, 750, 1_000]);
        let late = now + Duration::from_mins(1);
        assert_eq!(pace.take(late), late);
        assert_eq!(pace.take(late) - late, Duration::from_millis(250));
    }

    #[test]
    fn a_rate_of_nothing_stops_nobody_for_good() {
        let pace = Pace::new(0.0);
        let now = Instant::now();
        pace.take(now);
        assert_eq!(pace.take(now) - now, Duration::from_hours(1));
    }
}
