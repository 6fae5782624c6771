use std::time::Duration;

/// A server that is away, and what is told of it: that it went, seldom that it is still away, and
/// that it is back.
#[derive(Debug, Default)]
pub(super) struct Away {
    failures: u32,
    told_at: Option<Duration>,
}

/// What is to be told of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    None,
    Away,
    StillAway,
    Back,
}

/// How often a server is told that is still away.
const AGAIN: Duration = Duration::from_hours(1);

impl Away {
    /// A look failed. `now` is by a clock that only goes forward.
    pub(super) fn failed(&mut self, now: Duration) -> News {
        self.failures = self.failures.saturating_add(1);
        let news = match self.told_at {
            None => News::Away,
            Some(told) if now.saturating_sub(told) >= AGAIN => News::StillAway,
            Some(_) => return News::None,
        };
        self.told_at = Some(now);
        news
    }

    /// A look went well.
    pub(super) fn succeeded(&mut self) -> News {
        let was_away = self.told_at.is_some();
        *self = Self::default();
        if was_away { News::Back } else { News::None }
    }

    /// Looks that failed in a row.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_goes_is_told_then_seldom_and_when_it_is_back() {
        let mut away = Away::default();
        assert_eq!(away.succeeded(), News::None);
        let hour = 3_600;
        let told = [0, 5, hour - 1, hour, hour + 5, 2 * hour]
            .map(|second| away.failed(Duration::from_secs(second)));
        let expected = [
            News::Away,
            News::None,
            News::None,
            News::StillAway,
            News::None,
            News::StillAway,
        ];
        assert_eq!(told, expected);
        assert_eq!(away.failures(), 6);
        assert_eq!(away.succeeded(), News::Back);
        assert_eq!((away.succeeded(), away.failures()), (News::None, 0));
    }
}
