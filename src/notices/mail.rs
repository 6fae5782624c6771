use std::io;

use jiff::Timestamp;
use mail_builder::{MessageBuilder, headers::raw::Raw};

use super::{Settings, texts};
use crate::domain::{EmailAddress, Language};

/// Whether the recipient is told for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    First,
    Reminder,
}

/// That a message lies in somebody's mailbox.
#[derive(Debug, Clone)]
pub struct Notice {
    /// What the mailbox knows the delivery by, such as `B-0007-12-c0ffee00`: letters, digits and `-`.
    pub delivery: String,
    pub kind: Kind,
    pub to: EmailAddress,
    /// `None`: nobody knows which.
    pub language: Option<Language>,
    /// As the recipient knows the sender of the message: `Example City`.
    pub sender_name: String,
    /// The same at each try.
    pub date: Timestamp,
}

/// A mail (RFC 5322), ready to be sent. The same notice gives the same bytes, so that a mailbox that gets it
/// twice can know it by its `Message-ID`.
#[derive(Debug, Clone)]
pub struct Mail {
    pub(super) to: EmailAddress,
    pub(super) bytes: Vec<u8>,
}

impl Mail {
    pub fn of(notice: &Notice, settings: &Settings) -> io::Result<Self> {
        let own = notice.language.map(|language| vec![language]);
        let languages = own.as_ref().unwrap_or(&settings.languages);
        let name = texts::one_line(&notice.sender_name);
        let (subject, body) = settings.texts.write(languages, notice.kind, &name);
        let mut bytes = Vec::new();
        MessageBuilder::new()
            .from((name, settings.from.expose().to_owned()))
            .to(notice.to.expose().to_owned())
            .subject(subject)
            .date(notice.date.as_second())
            .message_id(message_id(notice, settings))
            // No vacation program answers it (RFC 3834, section 5).
            .header("Auto-Submitted", Raw::new("auto-generated"))
            .text_body(body.replace('\n', "\r\n"))
            .write_to(&mut bytes)?;
        Ok(Self {
            to: notice.to.clone(),
            bytes,
        })
    }

    /// A mail that only tries whether mails arrive.
    pub fn trial(to: &EmailAddress, date: Timestamp, settings: &Settings) -> io::Result<Self> {
        let mut bytes = Vec::new();
        let id = format!("trial.{}@{}", date.as_millisecond(), settings.from.domain());
        MessageBuilder::new()
            .from(settings.from.expose().to_owned())
            .to(to.expose().to_owned())
            .subject("Kuori: a trial of notices")
            .date(date.as_second())
            .message_id(id)
            .header("Auto-Submitted", Raw::new("auto-generated"))
            .text_body("This mail tries whether notices arrive. Nothing is to be done.\r\n")
            .write_to(&mut bytes)?;
        Ok(Self {
            to: to.clone(),
            bytes,
        })
    }
}

/// Without its angle brackets: `notice.B-0007-12-c0ffee00@example.fi`.
fn message_id(notice: &Notice, settings: &Settings) -> String {
    let word = match notice.kind {
        Kind::First => NOTICE,
        Kind::Reminder => REMINDER,
    };
    format!("{word}{}@{}", notice.delivery, settings.from.domain())
}

/// What our message ids begin with.
pub(super) const NOTICE: &str = "notice.";
pub(super) const REMINDER: &str = "reminder.";

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::new("mail.example.fi", "no-reply@example.fi".parse().unwrap())
    }

    fn notice(sender_name: &str) -> Notice {
        Notice {
            delivery: "B-0007-12-c0ffee00".to_owned(),
            kind: Kind::First,
            to: "maija@example.org".parse().unwrap(),
            language: Some(Language::English),
            sender_name: sender_name.to_owned(),
            date: "2026-03-01T06:00:00Z".parse().unwrap(),
        }
    }

    fn written(notice: &Notice) -> String {
        let mail = Mail::of(notice, &settings()).unwrap();
        String::from_utf8(mail.bytes).unwrap()
    }

    #[test]
    fn a_notice_says_who_has_written_and_nothing_of_what() {
        insta::assert_snapshot!(written(&notice("Example City")).replace('\r', ""), @r#"
        From: "Example City" <no-reply@example.fi>
        To: <maija@example.org>
        Subject: A new message from Example City
        Date: Sun, 1 Mar 2026 06:00:00 +0000
        Message-ID: <notice.B-0007-12-c0ffee00@example.fi>
        Auto-Submitted: auto-generated
        MIME-Version: 1.0
        Content-Type: text/plain; charset="utf-8"
        Content-Transfer-Encoding: 7bit

        Hello,

        there is a new message from Example City in your digital mailbox.

        To read it, open your mailbox as you always do and log in. This notice
        holds neither the message nor a link to it, and nobody asks you for a
        password by e-mail.

        You cannot answer this notice.
        "#);
    }

    #[test]
    fn the_same_notice_gives_the_same_bytes_and_a_reminder_another_id() {
        let first = notice("Example City");
        assert_eq!(written(&first), written(&first.clone()));
        let reminder = Notice {
            kind: Kind::Reminder,
            ..first
        };
        let written = written(&reminder);
        assert!(
            written.contains("<reminder.B-0007-12-c0ffee00@example.fi>"),
            "{written}"
        );
    }

    #[test]
    fn no_name_makes_a_header_a_long_line_or_bytes_beyond_ascii() {
        for name in [
            "City\r\nBcc: all@example.org\r\n\r\nBuy",
            "City\nX-Evil: 1",
            "\"City\" <evil@example.org>,",
            "Äänekosken kaupunki – Ääneseutu",
            &"ä".repeat(1_000),
            &"a".repeat(1_000),
            "\u{2028}\u{202e}\0",
            "",
        ] {
            let mail = written(&notice(name));
            let (head, _) = mail.split_once("\r\n\r\n").unwrap();
            let names: Vec<_> = head
                .split("\r\n")
                .filter(|line| !line.starts_with([' ', '\t']))
                .map(|line| line.split_once(':').unwrap().0)
                .collect();
            assert_eq!(
                names,
                [
                    "From",
                    "To",
                    "Subject",
                    "Date",
                    "Message-ID",
                    "Auto-Submitted",
                    "MIME-Version",
                    "Content-Type",
                    "Content-Transfer-Encoding"
                ],
                "{mail}"
            );
            assert!(mail.is_ascii(), "{mail}");
            assert!(mail.split("\r\n").all(|line| line.len() <= 998), "{mail}");
            assert!(!mail.replace("\r\n", "").contains(['\r', '\n']), "{mail:?}");
        }
    }
}
