use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

/// A time as somebody types it: a day or a time in UTC, or how long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    At(Timestamp),
    Ago(SignedDuration),
}

impl std::str::FromStr for When {
    type Err = &'static str;

    fn from_str(typed: &str) -> Result<Self, Self::Err> {
        if let Ok(at) = typed.parse() {
            return Ok(Self::At(at));
        }
        let midnight = |day: Date| day.to_zoned(TimeZone::UTC).map(|day| day.timestamp());
        if let Ok(Ok(at)) = typed.parse().map(midnight) {
            return Ok(Self::At(at));
        }
        let ago = typed.parse().map(Self::Ago);
        ago.map_err(
            |_| "that is no time: write it as `2026-03-01`, `2026-03-01T06:00:00Z` or `36h`",
        )
    }
}

impl When {
    pub(super) fn seen_from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(time) => now.saturating_sub(time).unwrap_or(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_day_a_moment_or_so_long_ago() {
        let now = "2026-03-02T12:00:00Z".parse().unwrap();
        for (typed, meant) in [
            ("2026-03-01", "2026-03-01T00:00:00Z"),
            ("2026-03-01T06:00:00Z", "2026-03-01T06:00:00Z"),
            ("36h", "2026-03-01T00:00:00Z"),
        ] {
            let when: When = typed.parse().unwrap();
            assert_eq!(when.seen_from(now).to_string(), meant, "{typed}");
        }
        assert!("yesterday".parse::<When>().unwrap_err().contains("`36h`"));
    }
}
