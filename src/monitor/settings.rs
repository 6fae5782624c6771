use std::{net::SocketAddr, time::Duration};

use jiff::SignedDuration;

/// Who may ask, and how much.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// `None`: nobody may.
    pub listen: Option<SocketAddr>,
    pub limits: HttpLimits,
}

/// What a scraper may take. One that is stuck harms nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpLimits {
    pub max_connections: usize,
    /// Of a request's line and headers.
    pub max_request_bytes: usize,
    /// From the connection to the last byte of its answer.
    pub request_time: Duration,
    /// How old the answer may be that the next one gets again.
    pub refresh: Duration,
    /// How long the steps may go no round before the process counts as stuck.
    pub unhealthy_after: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            max_connections: 16,
            max_request_bytes: 8_192,
            request_time: Duration::from_secs(10),
            refresh: Duration::from_secs(5),
            unhealthy_after: Duration::from_mins(2),
        }
    }
}

/// When operators are told, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertSettings {
    pub times: AlertTimes,
    /// An alert that is on is told again after this long.
    pub repeat: SignedDuration,
    /// Between two looks.
    pub look_every: Duration,
    /// Program and arguments; empty: none is run.
    pub command: Vec<String>,
    /// The command is ended after this long.
    pub command_time: Duration,
    /// What the disk of the data folder is to keep; the inboxes' setting.
    pub min_free_bytes: u64,
}

impl Default for AlertSettings {
    fn default() -> Self {
        Self {
            times: AlertTimes::default(),
            repeat: SignedDuration::from_hours(24),
            look_every: Duration::from_secs(15),
            command: Vec::new(),
            command_time: Duration::from_secs(30),
            min_free_bytes: 2 << 30,
        }
    }
}

/// How long something may be so before operators are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertTimes {
    /// A batch that is not through with its steps.
    pub batch: SignedDuration,
    /// A batch, or messages, that are held.
    pub held: SignedDuration,
    /// A bundle that is not handed over.
    pub bundle: SignedDuration,
    /// A receipt that is not handed over.
    pub receipt: SignedDuration,
    /// A place, or an inbox, that does not work.
    pub place: SignedDuration,
    /// A message whose mailbox status is not known.
    pub mailbox_status: SignedDuration,
    /// A mailbox service's queue that will not be empty before.
    pub mailbox_queue: SignedDuration,
    /// A file that stands in an inbox.
    pub inbox_file: SignedDuration,
    /// What a sender was not told of its messages.
    pub delivery_report: SignedDuration,
    /// Starts in a row that did not end by themselves.
    pub crashes: u64,
}

impl Default for AlertTimes {
    fn default() -> Self {
        Self {
            batch: SignedDuration::from_hours(4),
            held: SignedDuration::from_hours(1),
            bundle: SignedDuration::from_mins(30),
            receipt: SignedDuration::from_mins(60),
            place: SignedDuration::from_mins(15),
            mailbox_status: SignedDuration::from_hours(24),
            mailbox_queue: SignedDuration::from_hours(24),
            inbox_file: SignedDuration::from_mins(60),
            delivery_report: SignedDuration::from_hours(36),
            crashes: 3,
        }
    }
}
