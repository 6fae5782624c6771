use std::ops::RangeInclusive;

use super::Error;

/// Most pages of a batch: offsets of a PDF's cross-reference table have ten digits (10 GB).
pub(super) const MOST_PAGES: u64 = 8_000_000;

/// What a sample batch is like. The same spec always gives the same bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// How many letters: as many as keep the batch under 8 million pages. No recipient comes twice.
    pub letters: u32,
    pub seed: u64,
    pub shape: Shape,
    /// The share of recipients that have a digital mailbox, 0 to 1.
    pub digital_share: f64,
    /// Pages a letter, evenly drawn.
    pub pages: RangeInclusive<u8>,
    /// Of the `LetterBundle` XML; `batch.csv` is always UTF-8.
    pub encoding: Encoding,
    pub version: Version,
    /// `BundleCommon@isTest`.
    pub is_test: bool,
    /// What is wrong with the batch; nothing by default.
    pub faults: Vec<Fault>,
}

/// How letters and control data are packed into the ZIP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One PDF with all letters, one `LetterBundle`.
    ManyInOne,
    /// One PDF with one letter, one `LetterBundle`.
    OneLetter,
    /// A PDF and a `LetterBundle` for each letter.
    ManyPairs,
    /// A ZIP of ZIPs, each with up to 500 letters in one PDF.
    Nested,
    /// `batch.csv` and a PDF for each letter.
    Csv,
}

/// The character encoding that the XML declares and uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Latin1,
}

/// The version of `LetterBundle`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    V1x0,
    V0x4,
}

/// One thing wrong with one letter, to see how it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// 1-based position of the letter in the batch; past the last letter nothing is wrong.
    pub letter: u32,
    pub kind: FaultKind,
}

/// What a sender can get wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The check character of the identity code is another; a recipient without a code gets one.
    IdentityCodeSlip,
    /// The control data gives no postal code.
    PostalCodeMissing,
    /// The letter carries the id of the letter before it.
    LetterIdRepeated,
    /// The control data claims one page more than the letter has.
    PageTooMany,
    /// The control data claims one page less than the letter has.
    PageTooFew,
    /// The address window shows the next letter's recipient.
    AnotherPersonsAddress,
    /// The address window shows nothing.
    EmptyWindow,
    /// A date stands in the address window beside the address.
    CrowdedWindow,
    /// The pages are US Letter instead of A4.
    UsLetterPaper,
    /// There is ink in the left margin of the first page, where the inserter's marks go.
    InkInMargin,
    /// A picture lies there, which may or may not be white.
    PictureInMargin,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            letters: 1_000,
            seed: 1,
            shape: Shape::ManyInOne,
            digital_share: 0.6,
            pages: 1..=3,
            encoding: Encoding::Utf8,
            version: Version::V1x0,
            is_test: false,
            faults: Vec::new(),
        }
    }
}

impl Spec {
    /// Says no to a batch that cannot be made.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.letters == 0 {
            return Err(Error::NoLetters);
        }
        if self.shape == Shape::OneLetter && self.letters != 1 {
            return Err(Error::OneLetterOnly {
                asked: self.letters,
            });
        }
        if !(0.0..=1.0).contains(&self.digital_share) {
            return Err(Error::DigitalShare {
                asked: self.digital_share,
            });
        }
        if *self.pages.start() == 0 || self.pages.is_empty() {
            return Err(Error::Pages);
        }
        let most_pages = u64::from(self.letters) * u64::from(*self.pages.end());
        if most_pages > MOST_PAGES {
            return Err(Error::TooManyPages { asked: most_pages });
        }
        if self.shape == Shape::Csv && self.encoding == Encoding::Latin1 {
            return Err(Error::CsvEncoding);
        }
        Ok(())
    }

    pub(super) fn has_fault(&self, letter: u32, kind: FaultKind) -> bool {
        self.faults.contains(&Fault { letter, kind })
    }
}
