use std::{path::PathBuf, time::Duration};

use jiff::SignedDuration;

use super::Texts;
use crate::domain::{BackOff, EmailAddress, Language};

/// The mail server that notices go through, and what they say.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    /// PEM certificates that are trusted besides those of the system.
    pub ca_file: Option<PathBuf>,
    pub login: Option<Login>,
    /// Where mails come from, and where mail servers send back what they cannot deliver.
    pub from: EmailAddress,
    /// What the mail server is told that we are called; `None`: the machine's name.
    pub hello: Option<String>,
    pub pacing: Pacing,
    /// After which who has not read a message is told once more; `None`: never.
    pub remind_after: Option<SignedDuration>,
    /// Of recipients whose language nobody knows: the texts follow one another.
    pub languages: Vec<Language>,
    /// Texts that replace ours lie there.
    pub texts_folder: Option<PathBuf>,
    pub texts: Texts,
    /// A Maildir into which the operator's mail server puts what comes back.
    pub bounces_folder: Option<PathBuf>,
}

/// How many notices go, how long is waited, and when one is given up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pacing {
    pub rate_per_sec: f64,
    /// To the mail server at once.
    pub connections: usize,
    /// Mails that go over one connection before another is made.
    pub mails_per_connection: usize,
    /// For a connection, and for each answer but the last.
    pub answer_time: Duration,
    /// For the answer that says that a mail was taken. A mail that is given up too early goes twice (RFC
    /// 5321, section 4.5.3.2.6, wants 10 minutes).
    pub taken_time: Duration,
    /// Between two tries.
    pub waits: BackOff,
    /// A notice that the mail server has put off for this long has failed.
    pub give_up_after: SignedDuration,
}

impl Default for Pacing {
    fn default() -> Self {
        Self {
            rate_per_sec: 5.0,
            connections: 2,
            mails_per_connection: 100,
            answer_time: Duration::from_mins(1),
            taken_time: Duration::from_mins(10),
            waits: BackOff {
                first: SignedDuration::from_mins(2),
                longest: SignedDuration::from_hours(1),
            },
            give_up_after: SignedDuration::from_hours(72),
        }
    }
}

/// How the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tls {
    /// From its first byte (RFC 8314).
    Required,
    /// By STARTTLS (RFC 3207), without which nothing is sent.
    #[default]
    Starttls,
    None,
}

impl Tls {
    /// Where mail servers listen for it.
    pub fn port(self) -> u16 {
        match self {
            Self::Required => 465,
            Self::Starttls => 587,
            Self::None => 25,
        }
    }
}

/// Who logs in, and the file with the password; it is read for each connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    pub user: String,
    pub password_file: PathBuf,
}

impl Settings {
    /// What holds where nothing else is said; a mail server and an address of ours have to be.
    pub fn new(host: impl Into<String>, from: EmailAddress) -> Self {
        Self {
            host: host.into(),
            port: Tls::Starttls.port(),
            tls: Tls::Starttls,
            ca_file: None,
            login: None,
            from,
            hello: None,
            pacing: Pacing::default(),
            remind_after: None,
            languages: vec![Language::Finnish, Language::Swedish],
            texts_folder: None,
            texts: Texts::default(),
            bounces_folder: None,
        }
    }

    pub(super) fn server(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}
