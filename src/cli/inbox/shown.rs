use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{
        table::{Table, or_dash},
        words::Time,
    },
    domain::{SenderId, without_identity_codes},
    store::{FileWait, InboxLook, WaitingFile},
};

/// `kuori inbox list` and `kuori inbox poll`: inboxes by name.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct InboxList {
    inboxes: Vec<InboxLine>,
}

#[derive(Serialize, JsonSchema)]
struct InboxLine {
    inbox: String,
    sender: String,
    /// Absent where nobody has looked yet.
    looked_at: Option<Time>,
    /// Since when looks have been going well, or badly.
    since: Option<Time>,
    /// Why nothing could be seen at the last look.
    error: Option<String>,
    /// Files that are there; `files` has the first 1,000 of them.
    waiting: u64,
    files: Vec<FileLine>,
}

#[derive(Serialize, JsonSchema)]
struct FileLine {
    file: String,
    bytes: u64,
    /// `due`, `taking`, `grows`, `settles`, `marker`, `no-zip-end`, `unfinished`, `name`, `odd-name`,
    /// `too-large`, `disk-full`, `backlog` or `failed`.
    wait: &'static str,
    /// The same in words.
    waits_for: String,
    since: Time,
    /// When it has been still for long enough.
    until: Option<Time>,
}

impl InboxList {
    /// `never`: inboxes that nobody has looked into yet.
    pub(super) fn new(
        looks: Vec<InboxLook>,
        never: Vec<(String, SenderId)>,
        now: Timestamp,
    ) -> Self {
        let looked = looks.into_iter().map(|look| InboxLine::of(look, now));
        let never = never.into_iter().map(|(inbox, sender)| InboxLine {
            inbox,
            sender: sender.to_string(),
            looked_at: None,
            since: None,
            error: None,
            waiting: 0,
            files: Vec::new(),
        });
        let mut inboxes: Vec<_> = looked.chain(never).collect();
        inboxes.sort_by(|a, b| a.inbox.cmp(&b.inbox));
        Self { inboxes }
    }
}

impl InboxLine {
    fn of(look: InboxLook, now: Timestamp) -> Self {
        Self {
            inbox: look.place,
            sender: look.sender.to_string(),
            looked_at: Some(Time(look.looked_at)),
            since: Some(Time(look.since)),
            error: look.error,
            waiting: look.waiting,
            files: look
                .files
                .iter()
                .map(|file| FileLine::of(file, now))
                .collect(),
        }
    }

    fn cells(&self) -> [String; 6] {
        let state = match (&self.looked_at, &self.error) {
            (None, _) => "never looked into",
            (Some(_), None) => "ok",
            (Some(_), Some(_)) => "away",
        };
        [
            self.inbox.clone(),
            self.sender.clone(),
            state.to_owned(),
            or_dash(self.since),
            or_dash(self.looked_at),
            self.waiting.to_string(),
        ]
    }
}

impl FileLine {
    fn of(file: &WaitingFile, now: Timestamp) -> Self {
        Self {
            file: without_identity_codes(&file.name).into_owned(),
            bytes: file.bytes,
            wait: file.wait.as_str(),
            waits_for: waits_for(file, now),
            since: Time(file.since),
            until: file.until.map(Time),
        }
    }

    fn cells(&self) -> [String; 4] {
        [
            self.file.clone(),
            self.bytes.to_string(),
            self.since.to_string(),
            one_line(&self.waits_for),
        ]
    }
}

fn waits_for(file: &WaitingFile, now: Timestamp) -> String {
    let detail = without_identity_codes(file.detail.as_deref().unwrap_or_default());
    match file.wait {
        FileWait::Due => "to be taken".to_owned(),
        FileWait::Taking => "being taken".to_owned(),
        FileWait::Grows => "it grows".to_owned(),
        FileWait::Settles => match seconds_left(file, now) {
            0 => "a second look".to_owned(),
            left => format!("{left} s more until settled"),
        },
        FileWait::Marker => format!("marker {detail}"),
        FileWait::NoZipEnd => "no end of a ZIP yet".to_owned(),
        FileWait::Unfinished => "the name of an upload in progress".to_owned(),
        FileWait::Name => "name not taken".to_owned(),
        FileWait::OddName => "a name that cannot be used".to_owned(),
        FileWait::TooLarge => format!("too large: more than {detail} bytes"),
        FileWait::DiskFull => "disk nearly full".to_owned(),
        FileWait::Backlog => "too much in hand".to_owned(),
        FileWait::Failed => format!("failed: {detail}"),
    }
}

fn seconds_left(file: &WaitingFile, now: Timestamp) -> i64 {
    let left = file.until.map(|until| until.duration_since(now).as_secs());
    left.unwrap_or(0).max(0)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl fmt::Display for InboxList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = ["INBOX", "SENDER", "STATE", "SINCE", "LAST LOOK", "WAITING"];
        Table::new(heading, self.inboxes.iter().map(InboxLine::cells)).fmt(f)?;
        for inbox in &self.inboxes {
            if let Some(error) = &inbox.error {
                writeln!(f, "\n{}: {}", inbox.inbox, one_line(error))?;
            }
            if !inbox.files.is_empty() {
                writeln!(f, "\n{}:", inbox.inbox)?;
                let heading = ["FILE", "BYTES", "SINCE", "WAITS FOR"];
                Table::new(heading, inbox.files.iter().map(FileLine::cells)).fmt(f)?;
            }
            let named = inbox.files.len() as u64;
            if inbox.waiting > named && inbox.error.is_none() {
                writeln!(f, "and {} more", inbox.waiting - named)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_says_what_it_waits_for_and_nobodys_identity_code() {
        let now: Timestamp = "2026-11-23T21:00:00Z".parse().unwrap();
        let file = |name: &str, wait, detail: Option<&str>| WaitingFile {
            name: name.to_owned(),
            bytes: 1_000,
            wait,
            detail: detail.map(str::to_owned),
            since: now,
            until: Some(now + jiff::SignedDuration::from_secs(12)),
        };
        let look = |place: &str, error: Option<&str>, files: Vec<_>| InboxLook {
            place: place.to_owned(),
            sender: "example-city".parse().unwrap(),
            looked_at: now,
            error: error.map(str::to_owned),
            since: now,
            waiting: files.len() as u64,
            files,
        };
        let files = vec![
            file("a.zip", FileWait::Settles, None),
            file(
                "b_010190-999W.zip",
                FileWait::Marker,
                Some("b_010190-999W.zip.ok"),
            ),
            file("c.zip", FileWait::TooLarge, Some("900")),
        ];
        let looks = vec![
            look("example-city", None, files),
            look(
                "example-city/portal",
                Some("cannot list `inbox`\n\nhint: ask"),
                Vec::new(),
            ),
        ];
        let never = vec![("other".to_owned(), "other".parse().unwrap())];
        insta::assert_snapshot!(InboxList::new(looks, never, now), @r"
        INBOX                SENDER        STATE              SINCE                 LAST LOOK             WAITING
        example-city         example-city  ok                 2026-11-23T21:00:00Z  2026-11-23T21:00:00Z        3
        example-city/portal  example-city  away               2026-11-23T21:00:00Z  2026-11-23T21:00:00Z        0
        other                other         never looked into  -                     -                           0

        example-city:
        FILE            BYTES  SINCE                 WAITS FOR
        a.zip            1000  2026-11-23T21:00:00Z  12 s more until settled
        b_[hidden].zip   1000  2026-11-23T21:00:00Z  marker b_[hidden].zip.ok
        c.zip            1000  2026-11-23T21:00:00Z  too large: more than 900 bytes

        example-city/portal: cannot list `inbox` hint: ask
        ");
    }
}
