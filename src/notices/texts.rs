//! What notices say, in each language. A text is a subject and a body with `{sender}` in it; an operator's
//! file has the form of ours in `texts/`.

use super::Kind;
use crate::domain::Language;

/// Characters of a subject; a longer one is cut off in lists of mails anyway.
const MAX_SUBJECT: usize = 200;
/// Characters of a body.
const MAX_BODY: usize = 20_000;
/// Characters of a sender's name that a mail repeats.
const MAX_NAME: usize = 100;

const PLACE: &str = "{sender}";

/// Subject and body for each language and kind of notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts(Vec<((Language, Kind), Text)>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Text {
    subject: String,
    body: String,
}

/// What is wrong with a text of an operator's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    #[error("is the name of no text; there are {}", Texts::names().join(", "))]
    Name,
    #[error("must begin with `Subject: …` and an empty line")]
    NoSubject,
    #[error("has nothing below its subject")]
    NoBody,
    #[error("has a subject of more than {MAX_SUBJECT} characters")]
    LongSubject,
    #[error("has more than {MAX_BODY} characters")]
    LongBody,
    #[error("has the placeholder `{{{0}}}`, which nobody knows; there is `{PLACE}`")]
    Placeholder(String),
    #[error("does not say who has sent the message: it needs `{PLACE}`")]
    NoSender,
}

impl Default for Texts {
    /// Those in `texts/`.
    fn default() -> Self {
        let mut texts = Self(Vec::new());
        for (name, text) in OURS {
            // A test reads each of them.
            let _ = texts.replace(name, text);
        }
        texts
    }
}

const OURS: [(&str, &str); 6] = [
    ("fi.txt", include_str!("texts/fi.txt")),
    ("fi-reminder.txt", include_str!("texts/fi-reminder.txt")),
    ("sv.txt", include_str!("texts/sv.txt")),
    ("sv-reminder.txt", include_str!("texts/sv-reminder.txt")),
    ("en.txt", include_str!("texts/en.txt")),
    ("en-reminder.txt", include_str!("texts/en-reminder.txt")),
];

impl Texts {
    /// The files that a folder of texts may have.
    pub fn names() -> [&'static str; 6] {
        OURS.map(|(name, _)| name)
    }

    /// Takes the text of a file instead of ours.
    pub fn replace(&mut self, name: &str, text: &str) -> Result<(), BadText> {
        let key = key(name).ok_or(BadText::Name)?;
        let text = Text::parse(text)?;
        self.0.retain(|(known, _)| *known != key);
        self.0.push((key, text));
        Ok(())
    }

    /// Subject and body of a notice in these languages, one below the other.
    pub(super) fn write(
        &self,
        languages: &[Language],
        kind: Kind,
        sender: &str,
    ) -> (String, String) {
        let sender = one_line(sender);
        let texts = languages.iter().filter_map(|language| {
            let found = self.0.iter().find(|(key, _)| *key == (*language, kind));
            found.map(|(_, text)| text)
        });
        let (subjects, bodies): (Vec<_>, Vec<_>) = texts
            .map(|text| (fill(&text.subject, &sender), fill(&text.body, &sender)))
            .unzip();
        (subjects.join(" / "), bodies.join("\n\n\n"))
    }
}

/// `fi.txt` and `fi-reminder.txt`.
fn key(name: &str) -> Option<(Language, Kind)> {
    let stem = name.strip_suffix(".txt")?;
    let (language, kind) = match stem.strip_suffix("-reminder") {
        Some(language) => (language, Kind::Reminder),
        None => (stem, Kind::First),
    };
    let known = Language::ALL.into_iter();
    let language = known.into_iter().find(|it| it.as_str() == language)?;
    Some((language, kind))
}

impl Text {
    fn parse(text: &str) -> Result<Self, BadText> {
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
        let (head, body) = text.split_once("\n\n").ok_or(BadText::NoSubject)?;
        let subject = head.strip_prefix("Subject:").map(str::trim);
        let subject = subject.filter(|it| !it.is_empty() && !it.chars().any(char::is_control));
        let subject = subject.ok_or(BadText::NoSubject)?;
        let body = body.trim();
        if body.is_empty() {
            return Err(BadText::NoBody);
        }
        if subject.chars().count() > MAX_SUBJECT {
            return Err(BadText::LongSubject);
        }
        if body.chars().count() > MAX_BODY {
            return Err(BadText::LongBody);
        }
        if let Some(unknown) = [subject, body].into_iter().find_map(unknown_placeholder) {
            return Err(BadText::Placeholder(unknown.to_owned()));
        }
        if !body.contains(PLACE) {
            return Err(BadText::NoSender);
        }
        Ok(Self {
            subject: subject.to_owned(),
            body: body.to_owned(),
        })
    }
}

/// A lower-case word in braces that is not ours.
fn unknown_placeholder(text: &str) -> Option<&str> {
    let words = text
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'));
    let is_word =
        |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    words
        .map(|(word, _)| word)
        .filter(is_word)
        .find(|word| *word != "sender")
}

/// In one pass: a name is not looked through for placeholders.
fn fill(text: &str, sender: &str) -> String {
    text.split(PLACE).collect::<Vec<_>>().join(sender)
}

/// A name without line ends and other controls, none that turns the direction of text round, and not
/// longer than a mail needs.
pub(super) fn one_line(name: &str) -> String {
    let is_hidden =
        |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let plain: String = name
        .chars()
        .map(|c| if is_hidden(c) { ' ' } else { c })
        .collect();
    let words: Vec<_> = plain.split_whitespace().collect();
    words.join(" ").chars().take(MAX_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_texts_are_in_order_in_every_language() {
        for (name, text) in OURS {
            assert!(Text::parse(text).is_ok(), "{name}");
            assert!(key(name).is_some(), "{name}");
        }
        let texts = Texts::default();
        for language in Language::ALL {
            for kind in [Kind::First, Kind::Reminder] {
                let (subject, body) = texts.write(&[language], kind, "Example City");
                assert!(subject.contains("Example City"), "{subject}");
                assert!(
                    body.contains("Example City") && !body.contains('{'),
                    "{body}"
                );
            }
        }
    }

    #[test]
    fn no_text_of_ours_leads_anywhere() {
        for (name, text) in OURS {
            for word in ["http", "www.", "token", "@"] {
                assert!(!text.contains(word), "{name}: {word}");
            }
        }
    }

    #[test]
    fn languages_follow_one_another_where_nobody_knows_which() {
        let both = [Language::Finnish, Language::Swedish];
        let (subject, body) = Texts::default().write(&both, Kind::First, "Example City");
        assert_eq!(
            subject,
            "Uusi viesti: Example City / Ett nytt meddelande: Example City"
        );
        assert!(body.find("Hei,") < body.find("Hej,"), "{body}");
    }

    #[test]
    fn a_name_cannot_begin_a_line_nor_be_a_placeholder_nor_fill_a_screen() {
        assert_eq!(
            one_line("City\r\nBcc: x@y.fi\u{2028}\u{202e}z"),
            "City Bcc: x@y.fi z"
        );
        assert_eq!(one_line(&"ä".repeat(1_000)).chars().count(), MAX_NAME);
        assert_eq!(
            fill("a {sender} b {sender}", "{sender}"),
            "a {sender} b {sender}"
        );
    }

    #[test]
    fn an_operators_text_replaces_ours() {
        let mut texts = Texts::default();
        let own = "Subject: Post\r\n\r\n{sender} has written.\r\n";
        texts.replace("en.txt", own).unwrap();
        let written = texts.write(&[Language::English], Kind::First, "City");
        assert_eq!(written, ("Post".to_owned(), "City has written.".to_owned()));
        let (reminder, _) = texts.write(&[Language::English], Kind::Reminder, "City");
        assert_eq!(reminder, "An unread message from City");
    }

    #[test]
    fn what_is_wrong_with_a_text_is_said() {
        let fault = |name: &str, text: &str| {
            let told = Texts::default().replace(name, text).unwrap_err();
            told.to_string()
        };
        let long = |subject, body| {
            format!(
                "Subject: {}\n\n{{sender}}{}",
                "a".repeat(subject),
                "b".repeat(body)
            )
        };
        let faults = [
            fault("de.txt", ""),
            fault("en.txt", "Hello\n\n{sender}"),
            fault("en.txt", "Subject: a\nBcc: b\n\n{sender}"),
            fault("en.txt", "Subject: a\n\n"),
            fault("en.txt", "Subject: a\n\nHello"),
            fault("en.txt", "Subject: a\n\n{sender} {count}"),
            fault("en.txt", &long(MAX_SUBJECT + 1, 0)),
            fault("en.txt", &long(1, MAX_BODY - 7)),
        ];
        insta::assert_snapshot!(faults.join("\n"), @r"
        is the name of no text; there are fi.txt, fi-reminder.txt, sv.txt, sv-reminder.txt, en.txt, en-reminder.txt
        must begin with `Subject: …` and an empty line
        must begin with `Subject: …` and an empty line
        has nothing below its subject
        does not say who has sent the message: it needs `{sender}`
        has the placeholder `{count}`, which nobody knows; there is `{sender}`
        has a subject of more than 200 characters
        has more than 20000 characters
        ");
        for text in [long(MAX_SUBJECT, 0), long(1, MAX_BODY - 8)] {
            assert_eq!(Texts::default().replace("en.txt", &text), Ok(()));
        }
    }
}
