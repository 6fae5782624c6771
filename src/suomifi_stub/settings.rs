use std::{fmt, net::SocketAddr, time::Duration};

use super::{Mailboxes, Trouble};

/// Whom the stand-in serves, and how it behaves from the start.
#[derive(Clone)]
pub struct Settings {
    /// Port 0: one that the system gives.
    pub listen: SocketAddr,
    /// Whether `listen` may be an address that others reach.
    pub open_to_others: bool,
    pub user: String,
    pub password: String,
    /// The ids of services that may send; empty: any.
    pub services: Vec<String>,
    pub mailboxes: Mailboxes,
    /// How long a token is good, in seconds.
    pub token_secs: u64,
    /// How long after a change of the password the next one is refused.
    pub password_rest: Duration,
    /// Requests a second above which is answered 429; `None`: as many as there come.
    pub requests_per_sec: Option<u32>,
    /// Whether a repeat of a paper message is told its number: the description promises only a
    /// reason there.
    pub tells_number_of_repeated_paper: bool,
    /// Misbehaviour from the start.
    pub troubles: Vec<Trouble>,
    /// Of the dice that shares are thrown with.
    pub seed: u64,
    /// Whether requests for messages are kept as they came, and uploads.
    pub keeps_bodies: bool,
    /// Whether requests and answers are kept for `/_stub/exchanges`.
    pub keeps_exchanges: bool,
    pub limits: Limits,
}

/// What the service takes, and what the stand-in holds in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one request's body.
    pub request_bytes: u64,
    /// Recipients in one question.
    pub recipients: usize,
    /// Events in one answer.
    pub events_a_page: usize,
    /// An upload that no message has used goes after this.
    pub upload_life: Duration,
    /// Events go after this.
    pub event_life: Duration,
    /// Messages above which it says that it is full (503).
    pub messages: usize,
    /// Uploads above which it says that it is full (503).
    pub uploads: usize,
    /// The oldest events go above this.
    pub events: usize,
    /// The oldest exchanges go above this.
    pub exchanges: usize,
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let day = Duration::from_hours(24);
        Self {
            request_bytes: 10_485_760,
            recipients: 10_000,
            events_a_page: 1_000,
            upload_life: day,
            event_life: 60 * day,
            messages: 1_000_000,
            uploads: 1_000_000,
            events: 4_000_000,
            exchanges: 10_000,
            connections: 1_024,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            open_to_others: false,
            user: "stub".to_owned(),
            password: "Only-a-stand-in-takes-this-password-1".to_owned(),
            services: Vec::new(),
            mailboxes: Mailboxes::All,
            token_secs: 3_600,
            password_rest: Duration::ZERO,
            requests_per_sec: None,
            tells_number_of_repeated_paper: true,
            troubles: Vec::new(),
            seed: 1,
            keeps_bodies: false,
            keeps_exchanges: false,
            limits: Limits::default(),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("listen", &self.listen)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
