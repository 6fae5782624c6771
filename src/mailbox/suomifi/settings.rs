use std::{path::PathBuf, time::Duration};

use crate::domain::ServiceName;

/// Where the service is.
pub const BASE_URL: &str = "https://api.messages.suomi.fi";

/// How one service of one organisation is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub name: ServiceName,
    /// `https://api.messages.suomi.fi`, without a slash at its end.
    pub base_url: String,
    /// The id that Suomi.fi has given the service: 1 to 64 characters.
    pub service_id: String,
    pub user: String,
    /// Holds the password; `kuori suomifi change-password` writes it anew.
    pub password_file: PathBuf,
    /// Certificates in PEM that are trusted instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether `http://` will do: for the stand-in.
    pub allows_plain_http: bool,
    pub connect_timeout: Duration,
    /// From a request to the end of its answer.
    pub request_timeout: Duration,
    /// A token is renewed so long before its end.
    pub renew_token_before: Duration,
    /// Recipients in one question for mailboxes, at most 10,000.
    pub recipients_a_question: usize,
    /// Bytes of one request, at most 10,485,760.
    pub max_request_bytes: u64,
    /// Bytes of one answer that are read.
    pub max_answer_bytes: u64,
}

impl Settings {
    /// With the service's own limits.
    pub fn new(
        name: ServiceName,
        service_id: String,
        user: String,
        password_file: PathBuf,
    ) -> Self {
        Self {
            name,
            base_url: BASE_URL.to_owned(),
            service_id,
            user,
            password_file,
            ca_file: None,
            allows_plain_http: false,
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_mins(1),
            renew_token_before: Duration::from_mins(1),
            recipients_a_question: 10_000,
            max_request_bytes: 10_485_760,
            max_answer_bytes: 8 << 20,
        }
    }
}
