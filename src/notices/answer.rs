use std::fmt;

use lettre::transport::smtp;

/// What a mail server answered, without its words: they may name a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Three digits (RFC 5321, section 4.2).
    pub code: u16,
    /// Such as `5.1.1` (RFC 3463).
    pub enhanced: Option<String>,
}

impl Answer {
    /// `None` where the server did not answer at all.
    pub(super) fn of(error: &smtp::Error) -> Option<Self> {
        let code = error.status()?.to_string().parse().ok()?;
        let words = std::error::Error::source(error).map(ToString::to_string);
        let first = words.as_deref().and_then(|it| it.split_whitespace().next());
        Some(Self {
            code,
            enhanced: first.filter(|it| is_enhanced(it)).map(str::to_owned),
        })
    }

    pub(super) fn is_permanent(&self) -> bool {
        self.code >= 500
    }

    /// The server is about to close the connection, whatever it was asked (RFC 5321, section 3.8).
    pub(super) fn is_closing(&self) -> bool {
        matches!(self.code, 421 | 521)
    }

    /// A refusal for good that is about us and not about the recipient: the server wants a login, does
    /// not relay, knows no such command, or is broken. Were it believed, a slip in the settings would
    /// make all notices fail for good.
    pub(super) fn is_about_us(&self) -> bool {
        let subject = self.enhanced.as_deref().and_then(|it| it.split('.').nth(1));
        match subject {
            // Mail system, protocol, security or policy (RFC 3463, section 3.1).
            Some(subject) => matches!(subject, "3" | "5" | "7"),
            None => matches!(self.code, 500..=504 | 530..=538 | 554),
        }
    }
}

/// `5.1.1`: class, subject and detail.
pub(super) fn is_enhanced(word: &str) -> bool {
    let parts: Vec<_> = word.split('.').collect();
    let is_number = |part: &&str| {
        (1..=3).contains(&part.len()) && part.chars().all(|digit| digit.is_ascii_digit())
    };
    parts.len() == 3
        && parts.iter().all(is_number)
        && parts
            .first()
            .is_some_and(|class| ["2", "4", "5"].contains(class))
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.enhanced {
            Some(enhanced) => write!(f, "{} {enhanced}", self.code),
            None => write!(f, "{}", self.code),
        }
    }
}

/// The words of an error before any recipient was named, with whatever looks like an address hidden.
pub(super) fn words(error: &smtp::Error) -> String {
    let all = error.to_string();
    let hidden = |word| {
        if str::contains(word, '@') {
            "[hidden]"
        } else {
            word
        }
    };
    let words: Vec<_> = all.split_whitespace().map(hidden).take(60).collect();
    words
        .join(" ")
        .chars()
        .filter(|c| !c.is_control())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: u16, enhanced: &str) -> Answer {
        Answer {
            code,
            enhanced: is_enhanced(enhanced).then(|| enhanced.to_owned()),
        }
    }

    #[test]
    fn a_slip_in_our_settings_is_not_taken_for_a_wrong_address() {
        for (code, enhanced) in [
            (554, "5.7.1"),
            (550, "5.7.1"),
            (530, ""),
            (535, "5.7.8"),
            (503, "5.5.1"),
            (554, ""),
            (500, ""),
        ] {
            assert!(answer(code, enhanced).is_about_us(), "{code} {enhanced}");
        }
        for (code, enhanced) in [
            (550, "5.1.1"),
            (550, ""),
            (551, ""),
            (552, "5.2.2"),
            (553, "5.1.3"),
            (550, "5.4.1"),
            (554, "5.1.2"),
        ] {
            assert!(!answer(code, enhanced).is_about_us(), "{code} {enhanced}");
        }
    }

    #[test]
    fn only_three_numbers_are_an_enhanced_status() {
        for good in ["5.1.1", "4.7.0", "5.1.10"] {
            assert!(is_enhanced(good), "{good}");
        }
        for bad in [
            "", "5", "5.1", "5.1.1.1", "9.1.1", "5.1.x", "5.1.", "5.1.1000", "<a@b.fi>",
        ] {
            assert!(!is_enhanced(bad), "{bad}");
        }
    }
}
