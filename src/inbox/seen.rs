use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;

use super::{
    copy::wait,
    headroom::Full,
    judge::{Judgement, Wait},
    look::{Found, Judged},
    sightings::Sightings,
    told::Told,
    work::Work,
};
use crate::{
    domain::BackOff,
    store::{FileWait, InboxLook, WaitingFile},
};

/// What is told of the inbox as a whole; no file has this name.
pub(super) const WHOLE_INBOX: &str = "";

/// What has been seen of an inbox: no more than is there.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) sightings: Sightings,
    pub(super) told: Told,
    /// Whether the last look went on with what an earlier one had begun.
    pub(super) has_resumed: bool,
    pub(super) failures_in_a_row: u32,
    /// Files that could not be taken: how often, and not before when they are tried again.
    pub(super) failures: HashMap<String, Failure>,
    /// Files for which there was no room, since the last look.
    pub(super) refused: HashMap<String, Full>,
    /// Why the last look left files where they were, and the smallest of them.
    pub(super) full: Option<(Full, u64)>,
    pub(super) was_full: bool,
    pub(super) look: Option<InboxLook>,
    pub(super) recorded: Option<(InboxLook, Duration)>,
    pub(super) last_good: Option<bool>,
    pub(super) since: Option<Timestamp>,
}

pub(super) struct Failure {
    times: u32,
    pub(super) not_before: Duration,
    why: String,
}

impl Seen {
    /// Looks have begun to go well, or badly.
    pub(super) fn turned(&mut self, is_good: bool, now: Timestamp) {
        if self.last_good != Some(is_good) {
            (self.last_good, self.since) = (Some(is_good), Some(now));
        }
    }

    pub(super) fn succeeded(&mut self, name: &str) {
        self.failures_in_a_row = 0;
        self.failures.remove(name);
        self.told.forget(name);
        self.told.forget(WHOLE_INBOX);
        if let Some(look) = &mut self.look {
            look.files.retain(|file| file.name != name);
            look.waiting = look.files.len() as u64;
        }
    }

    pub(super) fn failed(&mut self, name: &str, why: &str, now: Duration, back_off: &BackOff) {
        let failure = self.failures.entry(name.to_owned()).or_insert(Failure {
            times: 0,
            not_before: now,
            why: String::new(),
        });
        failure.times = failure.times.saturating_add(1);
        failure.not_before = now + wait(back_off, failure.times);
        why.clone_into(&mut failure.why);
        let files = self.look.iter_mut().flat_map(|look| &mut look.files);
        for file in files.filter(|file| file.name == name) {
            (file.wait, file.detail) = (FileWait::Failed, Some(why.to_owned()));
        }
    }

    pub(super) fn wait_of(&self, judged: &Judged, work: &Work) -> Option<Wait> {
        let name = &judged.file.name;
        match &judged.judgement {
            Judgement::Ignored => None,
            Judgement::Waits(wait) => Some(wait.clone()),
            Judgement::Due => Some(self.wait_of_due(name, work)),
        }
    }

    fn wait_of_due(&self, name: &str, work: &Work) -> Wait {
        let failure = self.failures.get(name);
        let (what, detail) = match (work.is_taking(name), self.refused.get(name), failure) {
            (true, _, _) => (FileWait::Taking, None),
            (_, Some(full), _) => (full.wait(), None),
            (_, _, Some(failure)) => (FileWait::Failed, Some(failure.why.clone())),
            (_, _, None) => (FileWait::Due, None),
        };
        Wait {
            what,
            detail,
            until: None,
        }
    }

    /// Files that are claimed stand no longer where they are listed.
    pub(super) fn add_arrivals(&self, look: &mut InboxLook, found: &Found, work: &Work) {
        let names = found.names();
        let claimed = found.arrivals.iter();
        for arrival in claimed.filter(|arrival| !names.contains(arrival.file_name.as_str())) {
            let wait = self.wait_of_due(&arrival.file_name, work);
            look.files.push(WaitingFile {
                name: arrival.file_name.clone(),
                bytes: found.claimed.bytes(&arrival.claimed_name()),
                wait: wait.what,
                detail: wait.detail,
                since: arrival.started_at,
                until: None,
            });
        }
        look.waiting = look.files.len() as u64;
    }

    pub(super) fn forget_what_is_gone(&mut self, found: &Found) {
        let mut names = found.names();
        self.sightings.keep_only(&names);
        names.extend(found.arrivals.iter().map(|a| a.file_name.as_str()));
        self.failures
            .retain(|name, _| names.contains(name.as_str()));
        names.extend(found.listed.odd_names.iter().map(String::as_str));
        names.extend(found.claimed.strange.iter().map(String::as_str));
        names.insert(WHOLE_INBOX);
        self.told.keep_only(&names);
    }
}
