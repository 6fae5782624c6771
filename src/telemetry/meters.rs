//! Counts what happens, from the start of the process: what Prometheus asks for.
//!
//! Names and meanings of all that is told stand here, those of the gauges too, which
//! `monitor` reads from the store. A label is a word of ours or a name of the settings: never what a
//! stranger wrote, and never an id, so that there are few series.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A name, and what its numbers mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    pub name: &'static str,
    pub kind: Kind,
    pub labels: &'static [&'static str],
    pub help: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

const fn family(
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    help: &'static str,
) -> Family {
    Family {
        name,
        kind,
        labels,
        help,
    }
}

/// A number that only grows, for each set of labels.
#[derive(Debug)]
pub struct Counter {
    pub family: Family,
    counts: Mutex<BTreeMap<Vec<String>, u64>>,
}

impl Counter {
    const fn new(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self {
            family: family(name, Kind::Counter, labels, help),
            counts: Mutex::new(BTreeMap::new()),
        }
    }

    /// `labels` in the order of the family.
    pub fn add(&self, labels: &[&str], number: u64) {
        *entry(&mut locked(&self.counts), labels) += number;
    }

    pub fn one(&self, labels: &[&str]) {
        self.add(labels, 1);
    }

    /// By labels.
    pub fn counts(&self) -> BTreeMap<Vec<String>, u64> {
        locked(&self.counts).clone()
    }
}

/// How long something took, for each set of labels.
#[derive(Debug)]
pub struct Histogram {
    pub family: Family,
    spreads: Mutex<BTreeMap<Vec<String>, Spread>>,
}

/// How often something took at most so long.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spread {
    /// One a bound of [`SECONDS`]: those at most so long, shorter ones among them.
    pub at_most: [u64; SECONDS.len()],
    pub count: u64,
    pub sum: f64,
}

/// From a small batch's step to a huge one's.
pub const SECONDS: [f64; 10] = [
    0.01, 0.05, 0.25, 1.0, 5.0, 15.0, 60.0, 300.0, 1_200.0, 3_600.0,
];

impl Histogram {
    const fn new(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self {
            family: family(name, Kind::Histogram, labels, help),
            spreads: Mutex::new(BTreeMap::new()),
        }
    }

    pub fn took(&self, labels: &[&str], time: Duration) {
        let seconds = time.as_secs_f64();
        let mut spreads = locked(&self.spreads);
        let spread = entry(&mut spreads, labels);
        for (count, bound) in spread.at_most.iter_mut().zip(SECONDS) {
            *count += u64::from(seconds <= bound);
        }
        spread.count += 1;
        spread.sum += seconds;
    }

    /// By labels.
    pub fn spreads(&self) -> BTreeMap<Vec<String>, Spread> {
        locked(&self.spreads).clone()
    }
}

fn entry<'a, T: Default>(values: &'a mut BTreeMap<Vec<String>, T>, labels: &[&str]) -> &'a mut T {
    let labels = labels.iter().map(|&label| label.to_owned()).collect();
    values.entry(labels).or_default()
}

/// A panic between two additions leaves numbers that can be used.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub static BATCHES_RECEIVED: Counter = Counter::new(
    "kuori_batches_received_total",
    &["sender", "file"],
    "Files taken from inboxes: `new`, or the same bytes `again`.",
);
pub static RECEIVED_BYTES: Counter = Counter::new(
    "kuori_received_bytes_total",
    &["sender"],
    "Bytes of the new files that were taken from inboxes.",
);
pub static STEPS: Counter = Counter::new(
    "kuori_steps_total",
    &["step", "outcome"],
    "Steps of batches that have ended: `done`, `put-off` to be tried again, `held`, `gave-way` to \
     others that waited, or `stopped` because the program was.",
);
pub static STEP_SECONDS: Histogram = Histogram::new(
    "kuori_step_seconds",
    &["step"],
    "Seconds that the steps of batches took, whatever came of them.",
);
pub static MESSAGES: Counter = Counter::new(
    "kuori_messages_total",
    &["what"],
    "Messages that were `received` in an opened batch, `refused` at opening, `queued` for a \
     mailbox service, `delivered` to a mailbox, and letters that were `handed-over` to a print house.",
);
pub static SERVICE_EVENTS: Counter = Counter::new(
    "kuori_service_events_total",
    &["service", "kind", "became"],
    "What mailbox services told of messages, and what became of it: `recorded`, `known`, `nothing-new`, \
     `orphan` and `of-other-service` (of no message of this house), `erased`, `unknown-kind` or \
     `unreadable`.",
);
pub static HAND_OVERS: Counter = Counter::new(
    "kuori_hand_overs_total",
    &["place", "kind", "outcome"],
    "Tries to hand a bundle or receipt over: `done`, `put-off` to be tried again, or `held`.",
);
pub static HANDED_OVER_BYTES: Counter = Counter::new(
    "kuori_handed_over_bytes_total",
    &["place"],
    "Bytes of the files that were handed over.",
);
pub static PICK_UPS: Counter = Counter::new(
    "kuori_pick_ups_total",
    &["place"],
    "Bundles and receipts that the other side has taken away.",
);
pub static NOTICES: Counter = Counter::new(
    "kuori_notices_total",
    &["outcome"],
    "Tries to tell a recipient by e-mail of a message: `sent`, `put-off` to be tried again, `failed` for \
     good; and notices that were sent and have `bounced`.",
);
pub static SFTP_EVENTS: Counter = Counter::new(
    "kuori_sftp_events_total",
    &["event"],
    "What clients of the embedded server did, and what they were refused: the events of the audit log.",
);
pub static SFTP_BYTES: Counter = Counter::new(
    "kuori_sftp_bytes_total",
    &["direction"],
    "Bytes of whole files that clients of the embedded server brought (`up`) and took away (`down`).",
);
pub static LOG_LINES: Counter = Counter::new(
    "kuori_log_lines_total",
    &["level"],
    "Errors and warnings in the log.",
);
pub static ALERTS_TOLD: Counter = Counter::new(
    "kuori_alerts_told_total",
    &["code", "what"],
    "Alerts that were told: they have `begun`, are on still (`again`), or are `over`.",
);
pub static ALERT_COMMANDS: Counter = Counter::new(
    "kuori_alert_commands_total",
    &["outcome"],
    "Runs of the command of `[alerts]`: `done`, `failed`, or `dropped` because too many waited.",
);
pub static SCRAPES_REFUSED: Counter = Counter::new(
    "kuori_monitor_refused_total",
    &["why"],
    "Connections to this address that were closed without an answer: `busy`, or `slow`.",
);

/// All that is counted.
pub static COUNTERS: [&Counter; 15] = [
    &BATCHES_RECEIVED,
    &RECEIVED_BYTES,
    &MESSAGES,
    &SERVICE_EVENTS,
    &STEPS,
    &HAND_OVERS,
    &HANDED_OVER_BYTES,
    &PICK_UPS,
    &NOTICES,
    &SFTP_EVENTS,
    &SFTP_BYTES,
    &LOG_LINES,
    &ALERTS_TOLD,
    &ALERT_COMMANDS,
    &SCRAPES_REFUSED,
];

pub static HISTOGRAMS: [&Histogram; 1] = [&STEP_SECONDS];

macro_rules! gauges {
    ($($constant:ident = $name:literal [$($label:literal),*] $help:literal;)+) => {
        $(pub const $constant: Family = family($name, Kind::Gauge, &[$($label),*], $help);)+

        /// All that is read when it is asked for.
        pub const GAUGES: &[Family] = &[$($constant),+];
    };
}

gauges! {
    BUILD_INFO = "kuori_build_info" ["version"] "1, with the version of the program.";
    STARTED_AT = "kuori_start_time_seconds" [] "When the daemon was started, in seconds since 1970.";
    CRASHES_IN_A_ROW = "kuori_crashes_in_a_row" []
        "Starts before this one that did not end by themselves, back to the last that did.";
    BATCHES = "kuori_batches" ["state"] "Batches in each state.";
    OLDEST_BATCH = "kuori_oldest_batch_seconds" ["state"]
        "Seconds since the oldest batch of this state was received; not of states that batches stay in.";
    MESSAGES_UNDER_WAY = "kuori_messages_under_way" ["state"]
        "Messages in each state that something is still to come of.";
    OLDEST_MESSAGE = "kuori_oldest_message_seconds" ["state"]
        "Seconds that the oldest of them has waited for its mailbox status, its bundle for its \
         hand-over, or that passed since its batch was received.";
    BUNDLES = "kuori_bundles" ["state"] "Bundles in each state.";
    OUTGOING = "kuori_outgoing" ["place", "standing"]
        "Bundles and receipts that are `due`, `held` for an operator, `held-back` with their batch or sender, wait to be picked up (`awaited`), \
         and those of them that do for too long (`overdue`).";
    OLDEST_OUTGOING = "kuori_oldest_outgoing_seconds" ["place", "standing"]
        "Seconds that the oldest of them has waited.";
    PLACE_UP = "kuori_place_up" ["place"]
        "0 where a place does not work and nothing is handed over to it, else 1; places that something waits for.";
    INBOX_UP = "kuori_inbox_up" ["inbox"] "0 where the last look into an inbox failed, else 1.";
    INBOX_FILES = "kuori_inbox_files" ["inbox", "wait"]
        "Files that stand in inboxes, by what they wait for.";
    OLDEST_INBOX_FILE = "kuori_oldest_inbox_file_seconds" ["inbox", "wait"]
        "Seconds that the oldest of them has stood there.";
    MAILBOX_QUEUE = "kuori_mailbox_queue" ["service", "standing"]
        "Messages for each mailbox service that are `waiting`, `sending` or `on-hold` with their batch or sender.";
    OLDEST_QUEUED = "kuori_oldest_queued_seconds" ["service"]
        "Seconds that the oldest batch with messages for a service has waited.";
    SERVICE_UP = "kuori_mailbox_service_up" ["service"]
        "0 where a mailbox service fails, else 1.";
    ARRIVALS = "kuori_arrivals" [] "Files that are being taken from inboxes.";
    DELIVERY_REPORTS = "kuori_delivery_reports_due" ["sender"]
        "Batches with something that their sender was not told of yet.";
    NOTICES_WAITING = "kuori_notices_waiting" [] "Notices to recipients that are to be sent.";
    OLDEST_NOTICE = "kuori_oldest_notice_seconds" [] "Seconds that the oldest of them has waited.";
    MAIL_SERVER_UP = "kuori_mail_server_up" []
        "0 where the mail server takes no notices, else 1.";
    ALERTS = "kuori_alerts" ["code"] "Alerts that are on.";
    FREE_BYTES = "kuori_free_bytes" [] "What the disk of the data folder has left.";
    FREE_BYTES_FLOOR = "kuori_free_bytes_floor" [] "What it is to keep: `inboxes.min_free_bytes`.";
    DATABASE_BYTES = "kuori_database_bytes" [] "What the database takes on the disk.";
    STORE_UP = "kuori_store_up" []
        "1 where the store told what it has; 0 where it did not, and the gauges of what it has are missing.";
}

/// Every name, in the order in which it is told.
pub fn families() -> Vec<Family> {
    let counters = COUNTERS.iter().map(|counter| counter.family);
    let histograms = HISTOGRAMS.iter().map(|histogram| histogram.family);
    let gauges = GAUGES.iter().copied();
    gauges.chain(counters).chain(histograms).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_at_a_bound_is_within_it() {
        let histogram = Histogram::new("a", &[], "");
        histogram.took(&[], Duration::from_secs(1));
        histogram.took(&[], Duration::from_millis(1_001));
        histogram.took(&[], Duration::from_hours(2));
        let spread = histogram.spreads().remove(&Vec::new()).unwrap();
        assert_eq!(spread.at_most, [0, 0, 0, 1, 2, 2, 2, 2, 2, 2]);
        assert_eq!(spread.count, 3);
    }

    #[test]
    fn names_follow_the_customs_of_prometheus() {
        let mut names: Vec<_> = families().iter().map(|family| family.name).collect();
        let number = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), number, "two have one name");
        for Family { name, kind, .. } in families() {
            assert!(name.starts_with("kuori_"), "{name}");
            assert_eq!(name.ends_with("_total"), kind == Kind::Counter, "{name}");
        }
    }
}
