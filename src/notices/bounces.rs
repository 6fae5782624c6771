//! Mails that came back: reports of mail servers (RFC 3464) in a Maildir.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::{
    Error,
    answer::is_enhanced,
    mail::{NOTICE, REMINDER},
};
use crate::{crash_points, domain::EmailAddress};

/// Of a report no more is read: what it tells stands before the mail that it gives back.
const MAX_BYTES: u64 = 512 * 1024;

/// The folder into which the operator's mail server puts what comes back.
#[derive(Debug, Clone)]
pub struct Bounces {
    folder: PathBuf,
    /// Of our own address: the end of our message ids.
    domain: String,
}

/// A mail in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounce {
    file: String,
    /// What the mailbox knows the delivery by of whose notice it tells that it failed for good; `None` where
    /// it tells anything else.
    pub failed: Option<String>,
    /// Such as `5.1.1` (RFC 3463).
    pub status: Option<String>,
}

/// What was found in the folder.
#[derive(Debug, Default)]
pub struct CameBack {
    pub bounces: Vec<Bounce>,
    /// The first of those that cannot be read: they stay where they are, and keep nobody else from being
    /// read.
    pub unreadable: Option<Error>,
}

impl Bounces {
    /// `from`: our own address.
    pub fn new(folder: PathBuf, from: &EmailAddress) -> Self {
        Self {
            folder,
            domain: from.domain().to_owned(),
        }
    }

    /// Reads the oldest mails in `new/`, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] for a folder that cannot be read.
    pub fn read(&self, limit: usize) -> Result<CameBack, Error> {
        let new = self.folder.join("new");
        let mut names = names(&new).map_err(|source| Error::Read {
            path: new.clone(),
            source,
        })?;
        names.sort_unstable();
        let read = names.into_iter().map(|file| self.read_one(&new, file));
        Ok(CameBack::of(read, limit))
    }

    /// Moves one to `cur/` as read: nobody looks at it again.
    pub fn done(&self, bounce: &Bounce) -> Result<(), Error> {
        let (cur, file) = (self.folder.join("cur"), &bounce.file);
        let from = self.folder.join("new").join(file);
        let name = file.split(":2,").next().unwrap_or(file);
        let to = cur.join(format!("{name}:2,S"));
        let moved = fs::create_dir_all(&cur).and_then(|()| {
            crash_points::around("rename", "notices: a bounce is read", || {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "where a crash undoes it, the report is read again to no effect"
                )]
                fs::rename(&from, &to)
            })
        });
        moved.map_err(|source| Error::Read { path: from, source })
    }

    fn read_one(&self, new: &Path, file: String) -> Result<Bounce, Error> {
        let path = new.join(&file);
        let mut bytes = Vec::new();
        let read = File::open(&path).and_then(|it| it.take(MAX_BYTES).read_to_end(&mut bytes));
        read.map_err(|source| Error::Read { path, source })?;
        // A line that was broken by quoted-printable is whole again.
        let text = String::from_utf8_lossy(&bytes);
        let text = text.replace("\r\n", "\n").replace("=\n", "");
        let (failed, status) = told(&text, &self.domain);
        Ok(Bounce {
            file,
            failed,
            status,
        })
    }
}

impl CameBack {
    fn of(read: impl Iterator<Item = Result<Bounce, Error>>, limit: usize) -> Self {
        let mut found = Self::default();
        for read in read {
            match read {
                Ok(bounce) => found.bounces.push(bounce),
                // Somebody has taken it away meanwhile.
                Err(Error::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
                Err(error) => found.unreadable = found.unreadable.or(Some(error)),
            }
            if found.bounces.len() == limit {
                break;
            }
        }
        found
    }
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file()
            && let Ok(name) = entry.file_name().into_string()
            && !name.starts_with('.')
        {
            names.push(name);
        }
    }
    Ok(names)
}

/// Lenient: mail servers put the parts of a report in any order and encode them as they like. It has to be
/// one, to say that something failed for good, and to give back a message id of ours.
fn told(text: &str, domain: &str) -> (Option<String>, Option<String>) {
    let lower = text.to_ascii_lowercase();
    let field = |name: &str| -> Vec<&str> {
        let lines = lower.lines().filter_map(|line| line.strip_prefix(name));
        lines
            .filter_map(|value| value.split_whitespace().next())
            .collect()
    };
    let status = field("status:").into_iter().find(|it| is_enhanced(it));
    let status = status.map(str::to_owned);
    let is_report = lower.contains("message/delivery-status");
    if !is_report || !field("action:").contains(&"failed") {
        return (None, status);
    }
    (delivery(text, domain), status)
}

/// `B-0007-12-c0ffee00` of `<notice.B-0007-12-c0ffee00@example.fi>`, wherever it stands.
fn delivery(text: &str, domain: &str) -> Option<String> {
    let ids = text
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once('>'));
    let ours = ids.filter_map(|(id, _)| {
        let (local, of) = id.split_once('@')?;
        let word = local
            .strip_prefix(NOTICE)
            .or(local.strip_prefix(REMINDER))?;
        let is_ours = of.eq_ignore_ascii_case(domain)
            && word.len() <= 80
            && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        is_ours.then(|| word.to_owned())
    });
    ours.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Postfix writes it, shortened.
    const POSTFIX: &str = "From: MAILER-DAEMON@mail.example.fi (Mail Delivery System)\r\n\
        Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"b\"\r\n\r\n\
        --b\r\nContent-Type: text/plain\r\n\r\n<maija@example.org>: unknown user\r\n\r\n\
        --b\r\nContent-Type: message/delivery-status\r\n\r\n\
        Reporting-MTA: dns; mail.example.fi\r\n\r\n\
        Final-Recipient: rfc822; maija@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n\
        --b\r\nContent-Type: text/rfc822-headers\r\n\r\n\
        Message-ID: <notice.B-0007-12-c0ffee00r1@Example.fi>\r\n\r\n--b--\r\n";

    fn found(text: &str) -> (Option<String>, Option<String>) {
        told(&text.replace("\r\n", "\n").replace("=\n", ""), "example.fi")
    }

    fn told_of(delivery: &str, status: &str) -> (Option<String>, Option<String>) {
        (Some(delivery.to_owned()), Some(status.to_owned()))
    }

    #[test]
    fn a_report_tells_which_notice_failed() {
        assert_eq!(found(POSTFIX), told_of("B-0007-12-c0ffee00r1", "5.1.1"));
        let broken = POSTFIX.replace("c0ffee00r1", "c0ff=\r\nee00r1");
        assert_eq!(found(&broken).0.as_deref(), Some("B-0007-12-c0ffee00r1"));
        let reminder = POSTFIX.replace("notice.", "reminder.");
        assert_eq!(found(&reminder).0.as_deref(), Some("B-0007-12-c0ffee00r1"));
    }

    #[test]
    fn a_delay_a_success_and_anything_else_tell_of_no_failure() {
        for (from, to) in [
            ("Action: failed", "Action: delayed"),
            ("Action: failed", "Action: relayed"),
            ("message/delivery-status", "text/plain"),
            ("@Example.fi>", "@example.org>"),
            ("<notice.", "<letter."),
            ("B-0007-12-", "../../"),
        ] {
            assert_eq!(found(&POSTFIX.replace(from, to)).0, None, "{from}");
        }
        assert_eq!(found(""), (None, None));
    }

    #[test]
    fn a_mail_that_cannot_be_read_keeps_no_other_from_being_read() {
        let failed = |kind: io::ErrorKind| {
            Err(Error::Read {
                path: "new/1".into(),
                source: kind.into(),
            })
        };
        let read = |file: &str| {
            Ok(Bounce {
                file: file.to_owned(),
                failed: None,
                status: None,
            })
        };
        let found = [
            failed(io::ErrorKind::NotFound),
            failed(io::ErrorKind::PermissionDenied),
            read("2"),
            failed(io::ErrorKind::InvalidData),
            read("3"),
            read("4"),
        ];
        let found = CameBack::of(found.into_iter(), 2);
        let files: Vec<_> = found.bounces.iter().map(|it| it.file.as_str()).collect();
        assert_eq!(files, ["2", "3"]);
        let Some(Error::Read { source, .. }) = found.unreadable else {
            panic!("the first is told");
        };
        assert_eq!(source.kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn what_was_read_lies_in_cur() {
        let folder = tempfile::tempdir().unwrap();
        let new = folder.path().join("new");
        fs::create_dir(&new).unwrap();
        for (name, text) in [("1.a.b", POSTFIX), ("2.a.b", "hello"), (".hidden", "")] {
            io::Write::write_all(&mut File::create(new.join(name)).unwrap(), text.as_bytes())
                .unwrap();
        }
        let bounces = Bounces::new(
            folder.path().to_owned(),
            &"no-reply@example.fi".parse().unwrap(),
        );
        assert_eq!(bounces.read(1).unwrap().bounces.len(), 1);
        let read = bounces.read(10).unwrap().bounces;
        let failed: Vec<_> = read.iter().map(|it| it.failed.is_some()).collect();
        assert_eq!(failed, [true, false]);
        for bounce in &read {
            bounces.done(bounce).unwrap();
        }
        assert_eq!(bounces.read(10).unwrap().bounces, []);
        assert!(folder.path().join("cur/1.a.b:2,S").exists());
    }
}
