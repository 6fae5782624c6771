use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

/// How far another clock may be ahead of ours. What it says of a moment from now counts now.
const MOST_AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// How far ahead of UTC a day may begin (the easternmost time zone): a date may be today's there.
const MOST_AHEAD_OF_UTC: SignedDuration = SignedDuration::from_hours(14);

/// What is said of a moment that is to come counts from now, where clocks and time zones can explain it.
pub(super) fn since_of(since: &str, now: Timestamp) -> Result<Timestamp, &'static str> {
    let time = since.parse().ok().map(|time| (time, MOST_AHEAD));
    let date = || Some((beginning(since)?, MOST_AHEAD_OF_UTC));
    let given: Option<(Timestamp, SignedDuration)> = time.or_else(date);
    let (since, most_ahead) = given.ok_or_else(|| no_time(since))?;
    if since.duration_since(now) > most_ahead {
        return Err("`since` is in the future");
    }
    Ok(since.min(now))
}

/// Midnight UTC of `2026-03-01`. Of a longer text jiff would take the date, and leave its time out.
fn beginning(date: &str) -> Option<Timestamp> {
    let is_date = date.len() == "2026-03-01".len() && !date.contains(TIME_MARKS);
    let date: Date = is_date.then(|| date.parse().ok())??;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// What stands in a time, and in no date.
const TIME_MARKS: [char; 4] = ['T', 't', ' ', ':'];

fn no_time(since: &str) -> &'static str {
    if since.contains(TIME_MARKS) && since.parse::<DateTime>().is_ok() {
        "`since` lacks its offset: behind the time, write `Z` for UTC, or such as `+02:00`"
    } else {
        "`since` is not RFC 3339, nor a date"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn since(text: &str, now: &str) -> Result<String, &'static str> {
        let since = since_of(text, now.parse().unwrap());
        since.map(|time| time.to_string())
    }

    const MIDNIGHT: &str = "2026-03-01T00:00:00Z";

    #[test]
    fn a_clock_ahead_of_ours_and_a_day_that_began_in_the_east_count_from_now() {
        let past = "2026-02-28T23:59:59Z";
        assert_eq!(since(past, MIDNIGHT).unwrap(), past);
        assert_eq!(since("2026-03-01T00:05:00Z", MIDNIGHT).unwrap(), MIDNIGHT);
        assert!(since("2026-03-01T00:05:01Z", MIDNIGHT).is_err());
        let morning = "2026-03-01T10:00:00Z";
        assert_eq!(since("2026-03-02", morning).unwrap(), morning);
        assert!(since("2026-03-02", "2026-03-01T09:59:59Z").is_err());
    }

    #[test]
    fn a_time_without_its_offset_is_no_date() {
        for text in [
            "2026-02-01T14:30:00",
            "2026-02-01t14:30",
            "2026-02-01 14:30:00.000",
            "2026-02-01T14",
        ] {
            let problem = since(text, MIDNIGHT).unwrap_err();
            assert!(problem.contains("lacks its offset"), "{text}");
        }
        for text in ["2026-02-01T25:00", "20260201", "2026-2-1", "1.2.2026", ""] {
            let problem = since(text, MIDNIGHT).unwrap_err();
            assert!(problem.contains("nor a date"), "{text}");
        }
        let noon = since("2026-02-01 14:00+02:00", MIDNIGHT).unwrap();
        assert_eq!(noon, "2026-02-01T12:00:00Z");
    }
}
