use std::{net::IpAddr, path::PathBuf, time::Duration};

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    site::Site,
    words::{LanguageName, TlsName},
};
use crate::{
    config::{key_path::KeyPath, problem::Problems},
    domain::{BackOff, EmailAddress, InvalidEmailAddress},
    notices::{Login, Pacing, Settings, Tls},
};

/// The mail server through which recipients are told that a message lies in their mailbox. Without this
/// table nobody is told. Only those are whose e-mail address the register of consents has, and only of
/// messages that went into a Maildir. A notice holds nothing of the message.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct NoticesTable {
    /// Name or address of the mail server.
    #[schemars(required, length(min = 1))]
    host: Option<String>,
    /// Default: 465 for `required`, 587 for `starttls`, 25 for `none`.
    #[schemars(range(min = 1, max = 65_535))]
    port: Option<u16>,
    tls: TlsName,
    /// Whether `tls = "none"` may go to another machine.
    allow_plain: bool,
    /// Certificates in PEM that are trusted besides those of the system.
    ca_file: Option<PathBuf>,
    /// Name to log in with. Default: nobody logs in.
    #[schemars(length(min = 1))]
    user: Option<String>,
    /// The password of `user` is in this file; a line end behind it is not part of it. It is read for
    /// each connection.
    password_file: Option<PathBuf>,
    /// Address that notices come from, and that mail servers send back to what they cannot deliver.
    #[schemars(required, length(min = 1))]
    from: Option<String>,
    /// What the mail server is told that we are called. Default: the name of this machine.
    #[schemars(length(min = 1, max = 255))]
    hello: Option<String>,
    /// Notices a second, of all connections together.
    #[schemars(range(min = 0.01, max = 1_000.0))]
    rate_per_sec: f64,
    /// Connections at once.
    #[schemars(range(min = 1, max = 50))]
    connections: usize,
    /// Notices over one connection before another is made.
    #[schemars(range(min = 1))]
    mails_per_connection: usize,
    /// How long the mail server has for a connection, and for each answer but the last.
    #[schemars(range(min = 1, max = 3_600))]
    timeout_secs: u32,
    /// How long it has to say that it has taken a notice: one that is given up too early goes twice.
    #[schemars(range(min = 1, max = 3_600))]
    taken_timeout_secs: u32,
    /// The wait before a second try, at most; it doubles with each.
    #[schemars(range(min = 1))]
    first_wait_secs: u32,
    /// What it doubles up to.
    #[schemars(range(min = 1))]
    longest_wait_secs: u32,
    /// A notice that the mail server puts off for this long has failed, and its sender is told.
    #[schemars(range(min = 1))]
    give_up_hours: u32,
    /// Who has not read a message after this long is told once more; 0: nobody is.
    reminder_days: u32,
    /// For recipients whose language nobody knows: the texts follow one another.
    #[schemars(length(min = 1, max = 3))]
    languages: Vec<LanguageName>,
    /// Folder of texts that replace ours: `fi.txt`, `fi-reminder.txt` and so on. The first line is
    /// `Subject: …`, the second is empty, and `{sender}` stands for the name of the sender. Read at the
    /// start.
    texts_folder: Option<PathBuf>,
    /// A Maildir into which the mail server puts what comes back to `from`: a report of a failed delivery
    /// (RFC 3464) is told to the sender. Default: nobody looks.
    bounces_folder: Option<PathBuf>,
}

impl Default for NoticesTable {
    fn default() -> Self {
        let pacing = Pacing::default();
        let whole = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let secs = |time: Duration| whole(time.as_secs());
        let wait = |time: SignedDuration| whole(time.unsigned_abs().as_secs());
        Self {
            host: None,
            port: None,
            tls: TlsName::Starttls,
            allow_plain: false,
            ca_file: None,
            user: None,
            password_file: None,
            from: None,
            hello: None,
            rate_per_sec: pacing.rate_per_sec,
            connections: pacing.connections,
            mails_per_connection: pacing.mails_per_connection,
            timeout_secs: secs(pacing.answer_time),
            taken_timeout_secs: secs(pacing.taken_time),
            first_wait_secs: wait(pacing.waits.first),
            longest_wait_secs: wait(pacing.waits.longest),
            give_up_hours: wait(pacing.give_up_after) / 3_600,
            reminder_days: 0,
            languages: vec![LanguageName::Finnish, LanguageName::Swedish],
            texts_folder: None,
            bounces_folder: None,
        }
    }
}

impl NoticesTable {
    pub(super) fn read(
        self,
        at: &KeyPath,
        site: &Site,
        problems: &mut Problems,
    ) -> Option<Settings> {
        let from = self.from(at, problems);
        let login = self.login(at, site, problems);
        self.check_tls(at, problems);
        if self.longest_wait_secs < self.first_wait_secs {
            let message = "must not be shorter than `first_wait_secs`";
            problems.add(&at.key("longest_wait_secs"), message);
        }
        let hello = self.hello.as_deref();
        if hello.is_some_and(|name| !name.chars().all(|c| c.is_ascii_graphic())) {
            let message = "must be a name such as `kuori.example.fi`, without spaces";
            problems.add(&at.key("hello"), message);
        }
        let (tls, pacing) = (Tls::from(self.tls), self.pacing());
        Some(Settings {
            port: self.port.unwrap_or(tls.port()),
            tls,
            ca_file: self.ca_file.map(|file| site.path(&file)),
            login,
            pacing,
            hello: self.hello,
            remind_after: (self.reminder_days > 0)
                .then(|| SignedDuration::from_hours(i64::from(self.reminder_days) * 24)),
            languages: self.languages.into_iter().map(Into::into).collect(),
            texts_folder: self.texts_folder.map(|folder| site.path(&folder)),
            bounces_folder: self.bounces_folder.map(|folder| site.path(&folder)),
            ..Settings::new(self.host?, from?)
        })
    }

    fn pacing(&self) -> Pacing {
        let wait = |secs: u32| SignedDuration::from_secs(secs.into());
        let time = |secs: u32| Duration::from_secs(secs.into());
        Pacing {
            rate_per_sec: self.rate_per_sec,
            connections: self.connections,
            mails_per_connection: self.mails_per_connection,
            answer_time: time(self.timeout_secs),
            taken_time: time(self.taken_timeout_secs),
            waits: BackOff {
                first: wait(self.first_wait_secs),
                longest: wait(self.longest_wait_secs),
            },
            give_up_after: SignedDuration::from_hours(self.give_up_hours.into()),
        }
    }

    fn from(&self, at: &KeyPath, problems: &mut Problems) -> Option<EmailAddress> {
        let parsed = self.from.as_ref()?.parse();
        let refuse = |error: InvalidEmailAddress| problems.add(&at.key("from"), error.to_string());
        parsed.map_err(refuse).ok()
    }

    fn login(&self, at: &KeyPath, site: &Site, problems: &mut Problems) -> Option<Login> {
        match (&self.user, &self.password_file) {
            (Some(user), Some(file)) => Some(Login {
                user: user.clone(),
                password_file: site.path(file),
            }),
            (Some(_), None) => {
                problems.add(&at.key("user"), "needs `password_file` beside it");
                None
            }
            (None, Some(_)) => {
                problems.add(&at.key("password_file"), "needs `user` beside it");
                None
            }
            (None, None) => None,
        }
    }

    /// Nothing goes over a network in the clear by a slip, and a password never does.
    fn check_tls(&self, at: &KeyPath, problems: &mut Problems) {
        let is_here = self.host.as_deref().is_none_or(is_this_machine);
        if self.tls != TlsName::None || is_here {
            return;
        }
        if self.user.is_some() {
            let message = "sends the password to another machine in the clear; write `starttls` or `required`";
            problems.add(&at.key("tls"), message);
        } else if !self.allow_plain {
            let message = "sends addresses to another machine in the clear; write `starttls` or \
                           `required`, or `allow_plain = true` where that is meant";
            problems.add(&at.key("tls"), message);
        }
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|it| it.is_loopback())
}
