//! One look into an inbox: what is there, what is to be done with it, and what is told of it.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use super::{
    Error, Inbox, Way,
    desk::remote,
    headroom::Headroom,
    judge::{Judge, Judgement},
    resume::{Claimed, recovered_name},
    seen::Seen,
    sightings::Moment,
    told::{Tell, Told},
    work::{Job, Work},
};
use crate::{
    store::{Arrival, FileWait, InboxLook, KnownFile, WaitingFile},
    telemetry,
    transport::{Listing, RemoteFile},
};

/// Files that a look names for operators; the others are counted.
const MOST_NAMED: usize = 1_000;
/// How often a look is recorded that found what the one before it did.
const RECORD_EVERY: Duration = Duration::from_secs(30);

/// What one look found on the other side and in the store.
pub(super) struct Found {
    pub(super) claimed: Claimed,
    pub(super) listed: Listing,
    pub(super) arrivals: Vec<Arrival>,
    known: HashMap<String, KnownFile>,
}

/// A file and what is to be done with it.
pub(super) struct Judged {
    pub(super) file: RemoteFile,
    pub(super) judgement: Judgement,
}

impl Inbox {
    /// Looks, queues what is due, begins as much of it as may be, and records what was found.
    /// `is_patient`: what failed lately is left alone for a while.
    pub(super) async fn look(
        &self,
        work: &mut Work,
        is_patient: bool,
        now: Timestamp,
    ) -> Result<(), Error> {
        let found = self.find(true).await?;
        let moment = self.moment(now);
        let judged = {
            let mut seen = self.seen();
            let judged = self.judge(&found, &mut seen, moment);
            seen.forget_what_is_gone(&found);
            self.tell(&found, &judged, &mut seen, moment);
            self.queue(
                &found,
                &judged,
                &mut seen,
                work,
                is_patient.then_some(moment),
            );
            judged
        };
        self.miss_known(&found, now)?;
        self.start_due(work, now)?;
        let mut seen = self.seen();
        self.tell_of_room(&mut seen);
        seen.turned(true, now);
        let mut look = self.as_look(&found, &judged, &mut seen, work, now);
        seen.add_arrivals(&mut look, &found, work);
        seen.look = Some(look);
        drop(seen);
        self.record(now)
    }

    /// Asks the other side and the store, for no longer than a look may take. The order matters: a
    /// file that is claimed meanwhile is seen in one of the two folders, and a row that ends
    /// meanwhile leaves a file that is found gone.
    pub(super) async fn find(&self, with_claimed: bool) -> Result<Found, Error> {
        let secs = self.settings().look_timeout_secs;
        let asking = async {
            let claimed = if with_claimed {
                self.desk.claimed().await?
            } else {
                Claimed::default()
            };
            let folder = &self.settings().folder;
            let listed = self.desk.folder.list(folder).await;
            Ok::<_, Error>((claimed, listed.map_err(remote("list", folder))?))
        };
        let answer = tokio::time::timeout(Duration::from_secs(secs.into()), asking).await;
        let (claimed, listed) = answer.map_err(|_| Error::TooSlow { secs })??;
        let place = &self.settings().place;
        Ok(Found {
            claimed,
            listed,
            arrivals: self.desk.store.arrivals(place)?,
            known: if self.settings().is_read_only() {
                self.desk.store.known_files(place)?
            } else {
                HashMap::new()
            },
        })
    }

    /// The oldest file first, by the other side's clock; then by name.
    pub(super) fn judge(&self, found: &Found, seen: &mut Seen, now: Moment) -> Vec<Judged> {
        let names = found.names();
        let judge = Judge {
            settings: self.settings(),
            names: &names,
            known: &found.known,
            now,
        };
        let mut files: Vec<_> = found.listed.files.iter().collect();
        files.sort_by(|a, b| (a.modified, &a.name).cmp(&(b.modified, &b.name)));
        let judge = |file: &RemoteFile| Judged {
            file: file.clone(),
            judgement: judge.judge(file, &mut seen.sightings),
        };
        files.into_iter().map(judge).collect()
    }

    fn queue(
        &self,
        found: &Found,
        judged: &[Judged],
        seen: &mut Seen,
        work: &mut Work,
        patience: Option<Moment>,
    ) {
        let settings = self.settings();
        (seen.full, seen.failures_in_a_row) = (None, 0);
        seen.refused.clear();
        let may_try = |name: &str, seen: &Seen| {
            let failure = patience.and_then(|now| Some((seen.failures.get(name)?, now)));
            failure.is_none_or(|(failure, now)| now.steady >= failure.not_before)
        };
        let claimed = &found.claimed;
        let begun: HashSet<&str> = found
            .arrivals
            .iter()
            .map(|a| a.file_name.as_str())
            .collect();
        seen.has_resumed = !(begun.is_empty() && claimed.orphans.is_empty());
        for arrival in &found.arrivals {
            if may_try(&arrival.file_name, seen) {
                let resume = Job::Resume {
                    bytes: claimed.bytes(&arrival.claimed_name()),
                    arrival: arrival.clone(),
                    claimed_are_known: claimed.is_known,
                };
                work.queue(resume, settings);
            }
        }
        let is_being_adopted = |orphan: &str| begun.contains(recovered_name(orphan).as_str());
        for orphan in claimed
            .orphans
            .iter()
            .filter(|name| !is_being_adopted(name))
        {
            let (orphan, bytes) = (orphan.clone(), claimed.bytes(orphan));
            work.queue(Job::Adopt { orphan, bytes }, settings);
        }
        for Judged { file, judgement } in judged {
            // What could not be taken yet has its intent already; a second one would never end.
            let is_new = !begun.contains(file.name.as_str());
            if *judgement == Judgement::Due && is_new && may_try(&file.name, seen) {
                work.queue(Job::Take(file.clone()), settings);
            }
        }
    }

    /// Begins queued files while there are places and room.
    pub(super) fn start_due(&self, work: &mut Work, now: Timestamp) -> Result<(), Error> {
        let (desk, mut seen) = (&self.desk, self.seen());
        while let Some(job) = work.next_job(&desk.settings) {
            let (name, bytes) = (job.name(), job.bytes());
            let known_full = seen.full.filter(|(_, smallest)| bytes >= *smallest);
            let room = match known_full {
                _ if !job.needs_room() => Ok(Headroom::nothing(&desk.headroom)),
                Some((full, _)) => Err(full),
                None => desk.headroom.reserve(&desk.store, bytes)?,
            };
            match room {
                Ok(room) => work.start(job, desk, room, now),
                Err(full) => {
                    work.leave(&name);
                    seen.refused.insert(name, full);
                    seen.full = Some((full, bytes));
                }
            }
        }
        Ok(())
    }

    /// Notes what is no longer listed where files stay as they stand.
    fn miss_known(&self, found: &Found, now: Timestamp) -> Result<(), Error> {
        let Way::ReadOnly { forget_days } = self.settings().way else {
            return Ok(());
        };
        let names = found.names();
        let days = SignedDuration::from_hours(24 * i64::from(forget_days));
        let forget = now.checked_sub(days).unwrap_or(Timestamp::MIN);
        let (mut gone, mut back, mut is_due) = (Vec::new(), Vec::new(), false);
        for (name, known) in &found.known {
            match (known.missing_since, names.contains(name.as_str())) {
                (None, false) => gone.push(name.as_str()),
                (Some(_), true) => back.push(name.as_str()),
                (Some(since), false) => is_due |= since < forget,
                (None, true) => {}
            }
        }
        if is_due || !gone.is_empty() || !back.is_empty() {
            let place = &self.settings().place;
            let store = &self.desk.store;
            store.miss_known_files(place, &gone, &back, now, forget)?;
        }
        Ok(())
    }

    /// Each file that is not taken is told once: at once where it never will be, and after a while
    /// where it should have been finished by then.
    fn tell(&self, found: &Found, judged: &[Judged], seen: &mut Seen, now: Moment) {
        for name in &found.listed.odd_names {
            self.tell_file(
                &mut seen.told,
                name,
                "left in the inbox: a name that cannot be used",
            );
        }
        for name in &found.claimed.strange {
            let what = "claimed by another house that takes from this inbox, or by nobody; move it \
                back if there is none";
            self.tell_file(&mut seen.told, name, what);
        }
        let stuck = Duration::from_secs(60 * u64::from(self.settings().stuck_minutes));
        for Judged { file, judgement } in judged {
            let Judgement::Waits(wait) = judgement else {
                continue;
            };
            let is_stuck = seen.sightings.age(&file.name, now) >= stuck;
            let what = match wait.what {
                FileWait::Name if file.bytes > 0 => {
                    "left in the inbox: no name of a batch (`take_names`)"
                }
                FileWait::TooLarge => "left in the inbox: larger than `max_file_bytes`",
                FileWait::Grows if is_stuck => "not finished: it still grows",
                FileWait::Marker if is_stuck => "not finished: its marker is not there",
                FileWait::NoZipEnd if is_stuck => "not finished: it does not end as a ZIP does",
                FileWait::Unfinished if is_stuck => "not finished: it has the name of an upload",
                _ => continue,
            };
            self.tell_file(&mut seen.told, &file.name, what);
        }
    }

    fn tell_file(&self, told: &mut Told, name: &str, what: &str) {
        let inbox = &self.settings().place;
        match told.tell(name, what) {
            Tell::Now => tracing::warn!(inbox, name, "{what}"),
            Tell::No => {}
            Tell::AndNoMore => self.tell_no_more(),
        }
    }

    /// Told when taking stops for want of room, and when it goes on.
    fn tell_of_room(&self, seen: &mut Seen) {
        let inbox = &self.settings().place;
        match seen.full {
            Some((full, _)) if !seen.was_full => {
                let (why, files) = (full.why(), seen.refused.len());
                tracing::warn!(inbox, files, why, "files stay in the inbox for now");
            }
            None if seen.was_full => tracing::info!(inbox, "taking goes on"),
            _ => {}
        }
        seen.was_full = seen.full.is_some();
    }

    /// What operators see of a look.
    pub(super) fn as_look(
        &self,
        found: &Found,
        judged: &[Judged],
        seen: &mut Seen,
        work: &Work,
        now: Timestamp,
    ) -> InboxLook {
        let moment = self.moment(now);
        let files = judged.iter().filter_map(|judged| {
            let wait = seen.wait_of(judged, work)?;
            let name = &judged.file.name;
            Some(WaitingFile {
                name: name.clone(),
                bytes: judged.file.bytes,
                since: seen.sightings.waits_since(name, wait.what, moment),
                wait: wait.what,
                detail: wait.detail,
                until: wait.until,
            })
        });
        let mut files: Vec<_> = files.collect();
        let since = *seen.since.get_or_insert(now);
        files.extend(found.listed.odd_names.iter().map(|name| WaitingFile {
            name: name.clone(),
            bytes: 0,
            wait: FileWait::OddName,
            detail: None,
            since,
            until: None,
        }));
        InboxLook {
            place: self.settings().place.clone(),
            sender: self.settings().sender.clone(),
            looked_at: now,
            error: None,
            since,
            waiting: files.len() as u64,
            files,
        }
    }

    /// Records the last look, unless it was recorded lately and nothing is new.
    pub(super) fn record(&self, now: Timestamp) -> Result<(), Error> {
        let steady = self.moment(now).steady;
        let mut seen = self.seen();
        let Some(mut look) = seen.look.clone() else {
            return Ok(());
        };
        let is_known = seen.recorded.as_ref().is_some_and(|(known, at)| {
            let is_same = known.files == look.files && known.error == look.error;
            is_same && steady.saturating_sub(*at) < RECORD_EVERY
        });
        let place = &self.settings().place;
        if is_known && self.desk.store.requested_look(place)?.is_none() {
            return Ok(());
        }
        seen.recorded = Some((look.clone(), steady));
        drop(seen);
        look.files.sort_by(|a, b| a.name.cmp(&b.name));
        look.files.truncate(MOST_NAMED);
        Ok(self.desk.store.record_look(&look)?)
    }

    /// Records that nothing could be seen.
    pub(super) fn record_failure(&self, error: &Error, now: Timestamp) -> Result<(), Error> {
        let mut seen = self.seen();
        seen.turned(false, now);
        let since = seen.since.unwrap_or(now);
        seen.look = Some(InboxLook {
            place: self.settings().place.clone(),
            sender: self.settings().sender.clone(),
            looked_at: now,
            error: Some(telemetry::with_causes(error)),
            since,
            waiting: 0,
            files: Vec::new(),
        });
        drop(seen);
        self.record(now)
    }
}

impl Found {
    pub(super) fn names(&self) -> HashSet<&str> {
        let files = self.listed.files.iter();
        files.map(|file| file.name.as_str()).collect()
    }
}
