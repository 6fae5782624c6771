use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use crate::{store::FileWait, transport::RemoteFile};

/// What was seen of the files that are listed: never more than are. Times are measured by a clock of
/// our own that only goes forward; what the other side's clock shows is only compared with what it
/// showed before.
#[derive(Debug, Default)]
pub(super) struct Sightings(HashMap<String, Sighting>);

#[derive(Debug)]
struct Sighting {
    bytes: u64,
    modified: Option<Timestamp>,
    /// The first look at the file, by our steady clock.
    first_seen: Duration,
    /// The first look that found this size and time.
    same_since: Duration,
    same_since_at: Timestamp,
    /// Looks that found this size and time.
    looks: u32,
    /// It had no end of a ZIP: not before then is it looked for again.
    next_end_check: Option<Duration>,
    end_checks: u32,
    /// What the operator sees it wait for, and since when.
    wait: Option<(FileWait, Timestamp)>,
}

/// How still a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stillness {
    Grows,
    /// It has been the same since the first look that found it so; it has to be until then.
    Settles {
        until: Timestamp,
    },
    Still,
    /// It is still, and does not end as a ZIP does.
    Unended,
}

/// When a look is had.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) at: Timestamp,
    /// By our clock that only goes forward.
    pub(super) steady: Duration,
}

/// Longest time between two looks for the end of a ZIP.
const LONGEST_END_WAIT: Duration = Duration::from_mins(10);

impl Sightings {
    /// Notes what a file looks like now.
    pub(super) fn see(&mut self, file: &RemoteFile, now: Moment) {
        let seen = self.0.entry(file.name.clone()).or_insert_with(|| Sighting {
            bytes: file.bytes,
            modified: file.modified,
            first_seen: now.steady,
            same_since: now.steady,
            same_since_at: now.at,
            looks: 0,
            next_end_check: None,
            end_checks: 0,
            wait: None,
        });
        seen.looks = seen.looks.saturating_add(1);
        if (seen.bytes, seen.modified) != (file.bytes, file.modified) {
            (seen.bytes, seen.modified) = (file.bytes, file.modified);
            (seen.same_since, seen.same_since_at) = (now.steady, now.at);
            // It is known to grow: the look that found so is none that found it still.
            (seen.looks, seen.next_end_check, seen.end_checks) = (0, None, 0);
        }
    }

    pub(super) fn stillness(&self, name: &str, settle_secs: u32, now: Moment) -> Stillness {
        let Some(seen) = self.0.get(name) else {
            return Stillness::Grows;
        };
        let settle = Duration::from_secs(settle_secs.into());
        let is_settled = now.steady.saturating_sub(seen.same_since) >= settle && seen.looks > 1;
        if seen.looks == 0 {
            Stillness::Grows
        } else if !is_settled {
            let settle = SignedDuration::from_secs(settle_secs.into());
            let until = seen.same_since_at.checked_add(settle);
            Stillness::Settles {
                until: until.unwrap_or(now.at),
            }
        } else if seen.next_end_check.is_some_and(|next| now.steady < next) {
            Stillness::Unended
        } else {
            Stillness::Still
        }
    }

    /// A file was still and had no end of a ZIP: the next look for one is put off, longer each time.
    pub(super) fn note_unended(&mut self, name: &str, now: Moment) {
        if let Some(seen) = self.0.get_mut(name) {
            let wait = Duration::from_secs(1 << seen.end_checks.min(10));
            seen.end_checks = seen.end_checks.saturating_add(1);
            seen.next_end_check = Some(now.steady + wait.min(LONGEST_END_WAIT));
        }
    }

    /// Since when a file waits for this.
    pub(super) fn waits_since(&mut self, name: &str, wait: FileWait, now: Moment) -> Timestamp {
        let Some(seen) = self.0.get_mut(name) else {
            return now.at;
        };
        match seen.wait {
            Some((known, since)) if known == wait => since,
            _ => {
                seen.wait = Some((wait, now.at));
                now.at
            }
        }
    }

    /// How long the file has been there.
    pub(super) fn age(&self, name: &str, now: Moment) -> Duration {
        self.0.get(name).map_or(Duration::ZERO, |seen| {
            now.steady.saturating_sub(seen.first_seen)
        })
    }

    /// Forgets files that are gone.
    pub(super) fn keep_only(&mut self, names: &HashSet<&str>) {
        self.0.retain(|name, _| names.contains(name.as_str()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(second: u64) -> Moment {
        Moment {
            // The clock on the wall goes backwards; the steady one does not mind.
            at: Timestamp::from_second(1_000 - i64::try_from(second).unwrap()).unwrap(),
            steady: Duration::from_secs(second),
        }
    }

    fn file(bytes: u64, modified: i64) -> RemoteFile {
        RemoteFile {
            name: "a.zip".to_owned(),
            bytes,
            modified: Some(Timestamp::from_second(modified).unwrap()),
        }
    }

    #[test]
    fn a_file_is_still_after_two_looks_and_its_time() {
        let mut seen = Sightings::default();
        seen.see(&file(1, 5), moment(0));
        // Long ago, but one look only.
        assert!(matches!(
            seen.stillness("a.zip", 30, moment(99)),
            Stillness::Settles { .. }
        ));
        seen.see(&file(1, 5), moment(29));
        assert!(matches!(
            seen.stillness("a.zip", 30, moment(29)),
            Stillness::Settles { .. }
        ));
        seen.see(&file(1, 5), moment(30));
        assert_eq!(seen.stillness("a.zip", 30, moment(30)), Stillness::Still);
    }

    #[test]
    fn another_size_or_another_time_begins_anew_whichever_way_the_servers_clock_goes() {
        for changed in [file(2, 5), file(1, 6), file(1, 4)] {
            let mut seen = Sightings::default();
            seen.see(&file(1, 5), moment(0));
            seen.see(&changed, moment(30));
            assert_eq!(seen.stillness("a.zip", 30, moment(30)), Stillness::Grows);
            seen.see(&changed, moment(59));
            assert_ne!(seen.stillness("a.zip", 30, moment(59)), Stillness::Still);
            seen.see(&changed, moment(60));
            assert_eq!(seen.stillness("a.zip", 30, moment(60)), Stillness::Still);
        }
    }

    #[test]
    fn the_end_of_a_zip_is_looked_for_more_and_more_seldom_until_the_file_changes() {
        let mut seen = Sightings::default();
        seen.see(&file(1, 5), moment(0));
        seen.see(&file(1, 5), moment(30));
        seen.note_unended("a.zip", moment(30));
        assert_eq!(seen.stillness("a.zip", 30, moment(30)), Stillness::Unended);
        assert_eq!(seen.stillness("a.zip", 30, moment(31)), Stillness::Still);
        seen.note_unended("a.zip", moment(31));
        assert_eq!(seen.stillness("a.zip", 30, moment(32)), Stillness::Unended);
        assert_eq!(seen.stillness("a.zip", 30, moment(33)), Stillness::Still);
        seen.see(&file(2, 5), moment(34));
        assert_eq!(seen.stillness("a.zip", 30, moment(34)), Stillness::Grows);
    }

    #[test]
    fn what_is_gone_is_forgotten() {
        let mut seen = Sightings::default();
        seen.see(&file(1, 5), moment(0));
        seen.keep_only(&HashSet::new());
        assert!(seen.0.is_empty());
    }
}
