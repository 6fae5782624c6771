use std::ops::RangeInclusive;

use crate::{
    domain::{ChannelWish, Code, PostalAddress, PrintFacts},
    pdf::{Document, NoSecondReader, SecondReader},
};

/// Judges a letter's pages while its PDF is open.
///
/// Asked once a letter, from several threads at a time, and before anybody knows which way the
/// letter goes. The same letter must get the same answer.
pub trait LetterCheck: Sync {
    fn check(&self, document: &Document<'_>, letter: &LetterPages<'_>) -> CheckedPages;

    /// Who reads the PDFs that this house does not.
    fn second_reader(&self) -> &dyn SecondReader {
        &NoSecondReader
    }
}

/// A letter whose pages are to be judged.
#[derive(Debug, Clone)]
pub struct LetterPages<'a> {
    /// 1-based, all of them in the document.
    pub pages: RangeInclusive<u32>,
    /// As the control data states it.
    pub address: &'a PostalAddress,
    pub wish: ChannelWish,
    /// `None` where the control data does not say.
    pub duplex: Option<bool>,
}

/// What a look at a letter's pages found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckedPages {
    pub findings: Vec<PageFinding>,
    pub facts: PrintFacts,
}

/// Something about a page, without personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageFinding {
    pub code: Code,
    /// 1-based page of the document.
    pub page: u32,
    pub detail: String,
}

/// Finds nothing: for callers that print nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCheck;

impl LetterCheck for NoCheck {
    fn check(&self, _: &Document<'_>, _: &LetterPages<'_>) -> CheckedPages {
        CheckedPages::default()
    }
}
