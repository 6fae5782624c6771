use std::{fmt, str::FromStr};

/// What letters are about, as control data and the register of consents say it: one line, compared letter
/// by letter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Matter(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a matter is one line of at most {} characters", Matter::MAX_CHARS)]
pub struct InvalidMatter;

impl Matter {
    /// As many as a field of control data has by default.
    pub const MAX_CHARS: usize = 512;

    /// As it stands in a register, which has some from before their form was looked at.
    pub fn of_register(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Matter {
    type Err = InvalidMatter;

    /// White space around it is left out, as around fields of control data.
    fn from_str(text: &str) -> Result<Self, InvalidMatter> {
        let text = text.trim();
        let is_valid = !text.is_empty()
            && text.chars().count() <= Self::MAX_CHARS
            && !text.chars().any(char::is_control);
        is_valid.then(|| Self(text.to_owned())).ok_or(InvalidMatter)
    }
}

impl fmt::Display for Matter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matter_is_one_line_without_the_white_space_around_it() {
        let matter: Matter = "  day care\u{a0}".parse().unwrap();
        assert_eq!(matter.as_str(), "day care");
        for text in ["", " ", "\t", "day\ncare", "day\u{7}care"] {
            assert_eq!(text.parse::<Matter>(), Err(InvalidMatter), "{text:?}");
        }
    }

    #[test]
    fn a_matter_has_five_hundred_and_twelve_characters_at_most() {
        assert!("ä".repeat(512).parse::<Matter>().is_ok());
        assert!("ä".repeat(513).parse::<Matter>().is_err());
    }
}
