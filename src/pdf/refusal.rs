//! Why a PDF is not taken.

use std::ops::RangeInclusive;

/// Why a PDF is not taken. Final: nothing later may pass the same file on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Even after the cross-references were rebuilt by scanning.
    #[error("the PDF cannot be read: {what}")]
    Unreadable { what: &'static str },
    /// Nor by the second reader.
    #[error("the PDF cannot be read: {first}; nor by a second reader: {second}")]
    UnreadableTwice {
        first: &'static str,
        second: &'static str,
    },
    /// With a password that is not empty, or where nobody was asked: nothing here decrypts.
    #[error("the PDF is encrypted")]
    Encrypted,
    #[error("the PDF goes beyond a limit: {what}")]
    Limit { what: &'static str },
    #[error("the PDF has {count} pages, but page {number} was asked for")]
    NoSuchPage { number: u32, count: u32 },
    #[error("pages {} to {} are no range", pages.start(), pages.end())]
    NoSuchRange { pages: RangeInclusive<u32> },
}
