use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{
        table::or_dash,
        words::{Time, age},
    },
    store::{HouseStatus, Queue},
};

/// Things of one kind that wait for the same.
#[derive(Serialize, JsonSchema)]
pub(super) struct QueueLine {
    /// `batches`, `messages`, `bundles`, `outgoing`, `inbox`, `arrivals`, `delivery-reports`, `timers`,
    /// `events` or `notices`.
    what: &'static str,
    /// The place, inbox or sender.
    of: Option<String>,
    state: &'static str,
    count: u64,
    /// Since when the oldest is there.
    since: Option<Time>,
    age_secs: Option<i64>,
}

impl QueueLine {
    pub(super) const HEADING: [&'static str; 5] = ["WHAT", "OF", "STATE", "COUNT", "OLDEST"];

    pub(super) fn row(&self) -> [String; 5] {
        [
            self.what.to_owned(),
            self.of.clone().unwrap_or_default(),
            self.state.to_owned(),
            self.count.to_string(),
            or_dash(self.age_secs.map(age)),
        ]
    }
}

/// What is under way, in the order of its way through the house.
pub(super) fn lines(status: &HouseStatus, now: Timestamp) -> Vec<QueueLine> {
    let mut lines = Lines {
        now,
        lines: Vec::new(),
    };
    lines.add_states(status);
    lines.add_hand_overs(status);
    lines.add_inboxes(status);
    lines.add_consent_feeds(status);
    lines.add_notices(status);
    lines.add_timers(status);
    lines.lines
}

struct Lines {
    now: Timestamp,
    lines: Vec<QueueLine>,
}

impl Lines {
    fn add_states(&mut self, status: &HouseStatus) {
        for it in &status.batches {
            self.add("batches", None, it.state.as_str(), it.queue);
        }
        for it in &status.messages {
            self.add("messages", None, it.state.as_str(), it.queue);
        }
        for it in &status.bundles {
            self.add("bundles", None, it.state.as_str(), it.queue);
        }
    }

    fn add_hand_overs(&mut self, status: &HouseStatus) {
        for it in &status.places {
            let standings = [
                ("due", it.due),
                ("held", it.held),
                ("held-back", it.held_back),
                ("awaited", it.awaited),
                ("overdue", it.overdue),
            ];
            for (state, queue) in standings {
                self.add("outgoing", Some(it.place.to_string()), state, queue);
            }
        }
    }

    fn add_inboxes(&mut self, status: &HouseStatus) {
        for it in &status.inbox_files {
            self.add("inbox", Some(it.inbox.clone()), it.wait.as_str(), it.files);
        }
        self.add("arrivals", None, "taking", status.arrivals);
        for it in &status.untold {
            let sender = Some(it.sender.to_string());
            self.add("delivery-reports", sender, "due", it.untold);
        }
    }

    fn add_consent_feeds(&mut self, status: &HouseStatus) {
        for feed in &status.consent_feeds {
            let name = || Some(feed.name.clone());
            self.add("consents", name(), "refused", feed.refused);
            self.add("consents", name(), "not-csv", feed.others);
        }
    }

    fn add_notices(&mut self, status: &HouseStatus) {
        let notices = &status.notices;
        self.add("notices", None, "waiting", notices.waiting);
        self.add("notices", None, "failed-today", ageless(notices.failed));
    }

    /// Messages that wait to be read, and what services have told that is of no use here.
    fn add_timers(&mut self, status: &HouseStatus) {
        let timers = &status.timers;
        let due = ageless(timers.due_within_a_day);
        self.add("timers", None, "waiting", ageless(timers.waiting));
        self.add("timers", None, "due-within-a-day", due);
        self.add("timers", None, "stuck", ageless(timers.stuck.count));
        for feed in &status.feeds {
            let service = || Some(feed.service.to_string());
            self.add("events", service(), "orphans", ageless(feed.orphans));
            self.add("events", service(), "unknown", ageless(feed.unknown));
        }
    }

    /// Nothing is said where nothing is.
    fn add(&mut self, what: &'static str, of: Option<String>, state: &'static str, queue: Queue) {
        if queue.count == 0 {
            return;
        }
        let age = queue.since.map(|since| self.now.duration_since(since));
        self.lines.push(QueueLine {
            what,
            of,
            state,
            count: queue.count,
            since: queue.since.map(Time),
            age_secs: age.map(|age| age.as_secs()),
        });
    }
}

fn ageless(count: u64) -> Queue {
    Queue { count, since: None }
}
