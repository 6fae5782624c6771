use jiff::SignedDuration;

/// How long to wait before something that failed is tried again: up to twice as long with each
/// failure, and by a throw of dice, so that what failed together does not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackOff {
    /// Bound of the wait after one failure.
    pub first: SignedDuration,
    /// Bound that waits grow to.
    pub longest: SignedDuration,
}

impl BackOff {
    /// The wait after `attempts` failures in a row. `draw` is a random number from 0 to 1, thrown
    /// by the caller; the wait is that part of its bound.
    pub fn wait(&self, attempts: u32, draw: f64) -> SignedDuration {
        let draw = if draw.is_nan() { 0.0 } else { draw };
        self.bound(attempts).mul_f64(draw.clamp(0.0, 1.0))
    }

    fn bound(&self, attempts: u32) -> SignedDuration {
        let doublings = attempts.saturating_sub(1).min(30);
        let doubled = self.first.checked_mul(1 << doublings);
        doubled.unwrap_or(self.longest).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACK_OFF: BackOff = BackOff {
        first: SignedDuration::from_secs(10),
        longest: SignedDuration::from_secs(60),
    };

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits = [0, 1, 2, 3, 4, 5, u32::MAX].map(|failures| BACK_OFF.wait(failures, 1.0));
        assert_eq!(
            waits.map(|wait| wait.as_secs()),
            [10, 10, 20, 40, 60, 60, 60]
        );
    }

    #[test]
    fn the_draw_says_which_part_is_waited() {
        assert_eq!(BACK_OFF.wait(2, 0.0), SignedDuration::ZERO);
        assert_eq!(BACK_OFF.wait(2, 0.25), SignedDuration::from_secs(5));
        assert_eq!(BACK_OFF.wait(2, 7.0), SignedDuration::from_secs(20));
        assert_eq!(BACK_OFF.wait(2, f64::NAN).as_secs(), 0);
    }
}
