use std::str::FromStr;

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

/// A time as an operator types it: `2026-11-22`, `2026-11-22T18:30` by the clocks of the site, or with
/// an offset, `2026-11-22T16:30Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Day(Date),
    Local(DateTime),
    Exact(Timestamp),
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(exact) = text.parse() {
            return Ok(Self::Exact(exact));
        }
        let has_time = text.contains([':', 'T', 't', ' ']);
        let read = if has_time {
            text.parse().map(Self::Local)
        } else {
            text.parse().map(Self::Day)
        };
        read.map_err(|_| {
            "a time is `2026-11-22`, `2026-11-22T18:30`, or with an offset `2026-11-22T16:30Z`"
                .to_owned()
        })
    }
}

impl Moment {
    /// When it begins: of a day, midnight.
    pub(super) fn begins(self, zone: &TimeZone) -> Timestamp {
        match self {
            Self::Day(day) => at(day.into(), zone),
            Self::Local(time) => at(time, zone),
            Self::Exact(exact) => exact,
        }
    }

    /// When it is over: of a day, the midnight after it; a time is over at once.
    pub(super) fn ends(self, zone: &TimeZone) -> Timestamp {
        match self {
            Self::Day(day) => day
                .tomorrow()
                .map_or(Timestamp::MAX, |next| at(next.into(), zone)),
            Self::Local(_) | Self::Exact(_) => self.begins(zone),
        }
    }
}

/// Where clocks are set back, the first time that they show it; a time that they skip is the one
/// that they go on with.
fn at(time: DateTime, zone: &TimeZone) -> Timestamp {
    let zoned = zone.to_ambiguous_zoned(time).compatible();
    zoned.map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn helsinki(text: &str) -> (String, String) {
        let zone = TimeZone::get("Europe/Helsinki").unwrap();
        let moment: Moment = text.parse().unwrap();
        (
            moment.begins(&zone).to_string(),
            moment.ends(&zone).to_string(),
        )
    }

    #[test]
    fn a_day_is_that_of_the_site_and_whole() {
        let (begins, ends) = helsinki("2026-11-22");
        assert_eq!(begins, "2026-11-21T22:00:00Z");
        assert_eq!(ends, "2026-11-22T22:00:00Z");
        // The day on which clocks are set back has 25 hours.
        let (begins, ends) = helsinki("2026-10-25");
        assert_eq!(begins, "2026-10-24T21:00:00Z");
        assert_eq!(ends, "2026-10-25T22:00:00Z");
    }

    #[test]
    fn a_time_is_by_the_clocks_of_the_site_unless_it_says_its_offset() {
        assert_eq!(helsinki("2026-11-22T18:30").0, "2026-11-22T16:30:00Z");
        assert_eq!(helsinki("2026-11-22 18:30:05").1, "2026-11-22T16:30:05Z");
        assert_eq!(helsinki("2026-11-22T18:30:00Z").0, "2026-11-22T18:30:00Z");
        assert_eq!(helsinki("2026-11-22T18:30+05:00").0, "2026-11-22T13:30:00Z");
    }

    #[test]
    fn what_is_no_time_is_refused_with_the_forms_that_are() {
        for text in ["yesterday", "22.11.2026", "2026-13-01", "", "18:30"] {
            let error = text.parse::<Moment>().unwrap_err();
            assert!(error.contains("`2026-11-22T18:30`"), "{text}");
        }
    }
}
