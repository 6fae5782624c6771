use std::{fmt, str::FromStr};

/// An id that does not have the form it must have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not {wanted}")]
pub struct InvalidId {
    given: String,
    wanted: &'static str,
}

/// A batch, written `B-0007`. Numbers are given out in the order of arrival and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub u64);

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "B-{:04}", self.0)
    }
}

impl FromStr for BatchId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        numbered(text, "B-")
            .map(Self)
            .ok_or_else(|| refused(text, "a batch id such as `B-0007`"))
    }
}

/// A bundle, written `P-0031`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BundleId(pub u64);

impl fmt::Display for BundleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P-{:04}", self.0)
    }
}

impl FromStr for BundleId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        numbered(text, "P-")
            .map(Self)
            .ok_or_else(|| refused(text, "a bundle id such as `P-0031`"))
    }
}

/// A message: its batch and its 1-based position there, written `B-0007-12`.
///
/// The form is safe as a file name and says nothing about the recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId {
    pub batch: BatchId,
    pub position: u32,
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.batch, self.position)
    }
}

impl FromStr for MessageId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let parts = text.rsplit_once('-').and_then(|(batch, position)| {
            Some(Self {
                batch: batch.parse().ok()?,
                position: position.parse().ok().filter(|&n| n > 0)?,
            })
        });
        parts.ok_or_else(|| refused(text, "a message id such as `B-0007-12`"))
    }
}

fn numbered(text: &str, prefix: &str) -> Option<u64> {
    text.strip_prefix(prefix)?.parse().ok()
}

fn refused(given: &str, wanted: &'static str) -> InvalidId {
    InvalidId {
        given: given.to_owned(),
        wanted,
    }
}

/// The organisation whose batches these are, by its name in the settings: `example-city`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SenderId(String);

/// A service of Suomi.fi Messages, by its name in the settings: `city-letters`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceName(String);

/// A postal partner, by its name in the settings: `example-print`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrintHouseId(String);

macro_rules! settings_name {
    ($name:ident, $wanted:literal) => {
        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            /// Accepts 1 to 40 of `a`–`z`, `0`–`9` and `-`, so that it is safe as a file name.
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                if is_settings_name(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(refused(text, $wanted))
                }
            }
        }
    };
}

settings_name!(
    SenderId,
    "a sender's name: 1 to 40 of a-z, 0-9 and `-`, such as `example-city`"
);
settings_name!(
    PrintHouseId,
    "a print house's name: 1 to 40 of a-z, 0-9 and `-`, such as `example-print`"
);

settings_name!(
    ServiceName,
    "a mailbox service's name: 1 to 40 of a-z, 0-9 and `-`, such as `city-letters`"
);

fn is_settings_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=40).contains(&text.len()) && text.chars().all(allowed) && !text.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_being_written_and_read() {
        let message = MessageId {
            batch: BatchId(7),
            position: 12,
        };
        assert_eq!(message.to_string(), "B-0007-12");
        assert_eq!("B-0007-12".parse(), Ok(message));
        assert_eq!("B-123456".parse(), Ok(BatchId(123_456)));
        assert_eq!("P-0031".parse(), Ok(BundleId(31)));
    }

    #[test]
    fn an_id_of_another_kind_is_refused_with_an_example() {
        let error = "P-0031".parse::<BatchId>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`P-0031` is not a batch id such as `B-0007`"
        );
        assert!("B-0007-0".parse::<MessageId>().is_err());
    }

    #[test]
    fn settings_names_are_safe_as_file_names() {
        assert!("example-city".parse::<SenderId>().is_ok());
        for bad in ["", "..", "a/b", "Ääni", "-x", &"a".repeat(41)] {
            assert!(bad.parse::<SenderId>().is_err(), "{bad:?}");
        }
    }
}
