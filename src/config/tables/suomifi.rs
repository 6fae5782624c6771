use std::{path::PathBuf, time::Duration};

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{name::usable_name, site::Site};
use crate::{
    config::{CourierConfig, ServiceConfig, key_path::KeyPath, problem::Problems},
    domain::BackOff,
    mailbox::suomifi,
    pipeline::{SetAside, Shown},
};

/// A service of Suomi.fi Messages: each authority has its own, with its own user. Senders name it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SuomifiTable {
    /// The id that Suomi.fi has given the service.
    #[schemars(required, length(min = 1, max = 64))]
    service_id: Option<String>,
    /// The user of its REST API.
    #[schemars(required, length(min = 1))]
    user: Option<String>,
    /// Holds the user's password; a line end behind it is not part of it. Nobody else may be able to
    /// read it. `kuori suomifi change-password` writes it anew.
    #[schemars(required)]
    password_file: Option<PathBuf>,
    /// Where the service is; `https://api.messages-qa.suomi.fi` is the one for tests.
    #[serde(default = "base_url")]
    #[schemars(length(min = 1))]
    base_url: String,
    /// Certificates in PEM that are trusted instead of those of the system.
    ca_file: Option<PathBuf>,
    /// Whether `base_url` may begin with `http://`: for a stand-in on this machine. Passwords and
    /// letters then go in the clear.
    #[serde(default)]
    allows_plain_http: bool,
    #[serde(default)]
    courier: CourierTable,
    #[serde(default)]
    requests: RequestTable,
}

/// At which pace messages go to the service.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct CourierTable {
    /// Messages a second, of all senders of the service together; 0 is without limit.
    #[schemars(range(min = 0.0, max = 100_000.0))]
    rate_per_sec: f64,
    /// Requests that are under way at once.
    #[schemars(range(min = 1, max = 256))]
    in_flight: usize,
    /// A message of a batch is sent when the one before it has been answered. Without it, messages arrive
    /// in no order, and a service that takes long to answer is sent more of them.
    in_order: bool,
    /// A batch gives way to another one after this long.
    #[schemars(range(min = 1))]
    turn_secs: u32,
    /// The wait after a service did not answer or let us in; it doubles with each try.
    #[schemars(range(min = 1))]
    first_wait_secs: u32,
    /// The longest that the wait becomes.
    #[schemars(range(min = 1))]
    longest_wait_secs: u32,
    /// A message that the service does not take, without saying what is wrong with it, is held after so many
    /// tries, if it took others before each of them. Until then it waits by itself.
    #[schemars(range(min = 2, max = 1_000))]
    set_aside_after_tries: u32,
    /// And these hours at least after the first of those tries.
    #[schemars(range(min = 1, max = 720))]
    set_aside_after_hours: u32,
    /// How often it is asked what has happened to messages.
    #[schemars(range(min = 1))]
    events_poll_secs: u32,
}

/// Times and sizes of requests.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct RequestTable {
    /// Until the connection stands, with its certificate.
    #[schemars(range(min = 1, max = 600))]
    connect_timeout_secs: u32,
    /// From a request to the end of its answer.
    #[schemars(range(min = 1, max = 3_600))]
    request_timeout_secs: u32,
    /// A token is renewed so long before its end.
    #[schemars(range(max = 3_600))]
    renew_token_before_secs: u32,
    /// Recipients in one question for mailboxes.
    #[schemars(range(min = 1, max = 10_000))]
    recipients_a_question: usize,
    /// The largest request that the service takes.
    #[schemars(range(min = 65_536, max = 10_485_760))]
    max_request_bytes: u64,
    /// The largest answer that is read.
    #[schemars(range(min = 65_536, max = 1_073_741_824))]
    max_answer_bytes: u64,
}

fn base_url() -> String {
    suomifi::BASE_URL.to_owned()
}

impl Default for CourierTable {
    fn default() -> Self {
        Self {
            rate_per_sec: 1.0,
            in_flight: 8,
            in_order: true,
            turn_secs: 30,
            first_wait_secs: 5,
            longest_wait_secs: 900,
            set_aside_after_tries: 8,
            set_aside_after_hours: 24,
            events_poll_secs: 60,
        }
    }
}

impl Default for RequestTable {
    fn default() -> Self {
        Self {
            connect_timeout_secs: 10,
            request_timeout_secs: 60,
            renew_token_before_secs: 60,
            recipients_a_question: 10_000,
            max_request_bytes: 10_485_760,
            max_answer_bytes: 8 << 20,
        }
    }
}

impl SuomifiTable {
    pub(super) fn read(
        self,
        name: &str,
        at: &KeyPath,
        site: &Site,
        problems: &mut Problems,
    ) -> Option<ServiceConfig> {
        let name = usable_name(name, "city-letters", at, problems);
        let base_url = self.base_url(at, problems);
        let password_file = site.path(&self.password_file?);
        let mut client = suomifi::Settings {
            base_url,
            ca_file: self.ca_file.map(|file| site.path(&file)),
            allows_plain_http: self.allows_plain_http,
            ..suomifi::Settings::new(name?, self.service_id?, self.user?, password_file)
        };
        self.requests.set(&mut client);
        Some(ServiceConfig {
            client,
            events_poll_secs: self.courier.events_poll_secs,
            courier: self.courier.read(&at.key("courier"), problems),
        })
    }

    /// Without a slash at its end.
    fn base_url(&self, at: &KeyPath, problems: &mut Problems) -> String {
        let url = self.base_url.trim_end_matches('/');
        let rest = match url.strip_prefix("http://") {
            Some(_) if !self.allows_plain_http => {
                let message = "must begin with `https://`; only for a stand-in on this machine say \
                               `allows_plain_http = true`";
                problems.add(&at.key("base_url"), message);
                return url.to_owned();
            }
            Some(rest) => Some(rest),
            None => url.strip_prefix("https://"),
        };
        let is_odd = |c: char| c.is_whitespace() || c.is_control() || "@?#\\".contains(c);
        if !rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(is_odd)) {
            let message = format!("must be an address such as `{}`", suomifi::BASE_URL);
            problems.add(&at.key("base_url"), message);
        }
        url.to_owned()
    }
}

impl CourierTable {
    fn read(self, at: &KeyPath, problems: &mut Problems) -> CourierConfig {
        if self.first_wait_secs > self.longest_wait_secs {
            let message = "must not be less than `first_wait_secs`";
            problems.add(&at.key("longest_wait_secs"), message);
        }
        CourierConfig {
            rate_per_sec: self.rate_per_sec,
            in_flight: self.in_flight,
            in_order: self.in_order,
            turn_secs: self.turn_secs,
            back_off: BackOff {
                first: SignedDuration::from_secs(self.first_wait_secs.into()),
                longest: SignedDuration::from_secs(self.longest_wait_secs.into()),
            },
            set_aside: SetAside {
                refusals: self.set_aside_after_tries,
                after: SignedDuration::from_hours(self.set_aside_after_hours.into()),
            },
        }
    }
}

impl RequestTable {
    fn set(self, client: &mut suomifi::Settings) {
        let secs = |secs: u32| Duration::from_secs(secs.into());
        client.connect_timeout = secs(self.connect_timeout_secs);
        client.request_timeout = secs(self.request_timeout_secs);
        client.renew_token_before = secs(self.renew_token_before_secs);
        client.recipients_a_question = self.recipients_a_question;
        client.max_request_bytes = self.max_request_bytes;
        client.max_answer_bytes = self.max_answer_bytes;
    }
}

/// How this sender's messages are shown in Suomi.fi Messages.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ShownTable {
    /// Whether the recipient may answer. Kuori does not fetch answers.
    replies_allowed: bool,
    /// Whether only the recipient sees them, and nobody who may act for the recipient.
    recipient_only: bool,
    /// Whether Suomi.fi reminds of messages that are not read.
    reminder: bool,
}

impl Default for ShownTable {
    fn default() -> Self {
        let shown = Shown::default();
        Self {
            replies_allowed: shown.replies_allowed,
            recipient_only: shown.recipient_only,
            reminder: shown.reminder,
        }
    }
}

impl ShownTable {
    pub(super) fn read(self) -> Shown {
        Shown {
            replies_allowed: self.replies_allowed,
            recipient_only: self.recipient_only,
            reminder: self.reminder,
        }
    }
}
