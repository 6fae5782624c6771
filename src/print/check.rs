//! Whether a letter's pages can be printed: findings for the sender, facts for the plan.
//!
//! In: an opened PDF, which of its pages are the letter's, and what the print house wants. Out:
//! [`Checked`]. Nothing is changed, and nothing is rendered: pages are judged by what
//! [`Document::content`] says that they draw. The rules are in `docs/print-rules.md`.

mod address;
mod crowd;
mod folded;
mod fonts;
mod page_list;
mod paint;
mod settings;
mod shift;
mod size;
mod trespass;
mod window;
mod zone;

#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

use crate::{
    domain::{Code, PostalAddress, PrintFacts},
    pdf::{Area, ContentWants, Document, PageContent, PageGeometry, Reading, Refusal},
};

use self::{fonts::MissingFonts, page_list::PageList, paint::Paints, trespass::Trespasses};
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
    /// In the order of the rules; a kind of finding is told once a letter, or once a zone or font.
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

/// Looks at every page of a letter that may go on paper.
pub fn check(document: &Document<'_>, letter: &LetterToCheck<'_>, settings: &Settings) -> Checked {
    let mut look = Look::at(letter, settings);
    look.at_document(document);
    for (index, page) in (0..).zip(letter.pages.clone()) {
        if let Err(refusal) = look.at_page(document, page, index) {
            look.found(PageFinding::of_refusal(&refusal, page));
        }
    }
    look.checked()
}

/// Looks only at what concerns a letter that never goes on paper: whether its pages can be read, and
/// whether the address on the first one is the recipient's.
pub fn check_for_mailbox(
    document: &Document<'_>,
    letter: &LetterToCheck<'_>,
    settings: &Settings,
) -> Checked {
    let first = *letter.pages.start();
    let window = settings.check.recipient_window;
    let wants = ContentWants {
        areas: &[window],
        text_in: Some(window),
        limits: &settings.check.content_limits,
    };
    let refused = |page| Some(PageFinding::of_refusal(&document.page(page).err()?, page));
    let refused = letter.pages.clone().find_map(refused);
    // Content that cannot be read keeps no letter out of a mailbox.
    let content = document.content(first, &wants).ok();
    let mismatch = content.and_then(|content| window::mismatch(&content, &window, letter));
    let reading = read_otherwise(document, first);
    Checked {
        findings: reading.into_iter().chain(refused).chain(mismatch).collect(),
        facts: PrintFacts::default(),
    }
}

/// Told with the letter's first page, where its bytes are not those that the sender sent.
fn read_otherwise(document: &Document<'_>, first: u32) -> Option<PageFinding> {
    let (code, detail) = match document.reading() {
        Reading::AsSent => return None,
        Reading::Decrypted => (Code::PdfDecrypted, "it was opened with the empty password"),
        Reading::BySecondReader => (
            Code::PdfSecondReader,
            "the cross-references could not be rebuilt, and another reader made a plain PDF of it",
        ),
    };
    Some(PageFinding::new(code, first, detail))
}

/// What is known of a letter while its pages are looked at one after another.
struct Look<'l> {
    letter: &'l LetterToCheck<'l>,
    settings: &'l Settings,
    checked: Checked,
    paints: Paints,
    fonts: MissingFonts,
    trespasses: Trespasses,
}

impl<'l> Look<'l> {
    fn at(letter: &'l LetterToCheck<'l>, settings: &'l Settings) -> Self {
        Self {
            letter,
            settings,
            checked: Checked::default(),
            paints: Paints::default(),
            fonts: MissingFonts::default(),
            trespasses: Trespasses::of(zones(settings)),
        }
    }

    fn at_document(&mut self, document: &Document<'_>) {
        let first = *self.letter.pages.start();
        if document.was_repaired() {
            let detail = "the cross-references were rebuilt";
            self.found(PageFinding::new(Code::PdfRebuilt, first, detail));
        }
        if let Some(finding) = read_otherwise(document, first) {
            self.found(finding);
        }
        match document.active_content() {
            Ok(found) => self.found_active(found, first, "the document has"),
            Err(refusal) => self.found(PageFinding::of_refusal(&refusal, first)),
        }
    }

    fn at_page(&mut self, document: &Document<'_>, page: u32, index: u32) -> Result<(), Refusal> {
        let geometry = document.page(page)?;
        self.found_active(
            &document.active_content_of_page(page)?,
            page,
            "the page has",
        );
        self.found_lost(&geometry, page);
        let lies = Lies::of(&geometry, self.letter, self.settings);
        self.found_size(size::finding(&geometry, page, lies));
        let content = self.content(document, page, index, lies)?;
        self.checked.facts.is_unbalanced |= !content.is_balanced;
        self.paints.add(page, &content);
        self.fonts
            .add(page, &content, &self.settings.check.allowed_fonts);
        if lies != Lies::Unfit {
            self.trespasses.add(page, &content);
        }
        if index == 0 {
            self.at_window(&content, lies, page);
        }
        Ok(())
    }

    /// What shows in a viewer and has no appearance to draw it by: a filled-in field closes print.
    fn found_lost(&mut self, geometry: &PageGeometry, page: u32) {
        if geometry.lost_fields() > 0 {
            let detail =
                "the page has filled-in form fields without an appearance, which print would lose";
            self.found_once(PageFinding::new(Code::LetterNotComposable, page, detail));
        }
        let lost = geometry.dropped_annotations();
        if lost > 0 {
            let detail = format!("annotations that do not say what they look like: {lost}");
            self.found_once(PageFinding::new(Code::AnnotationDropped, page, detail));
        }
    }

    fn content(
        &mut self,
        document: &Document<'_>,
        page: u32,
        index: u32,
        lies: Lies,
    ) -> Result<PageContent, Refusal> {
        let window = self.settings.check.recipient_window;
        let areas = self.trespasses.prepare(index, self.letter.duplex, lies);
        let window = (index == 0).then_some(window);
        areas.extend(window);
        let wants = ContentWants {
            areas,
            text_in: window,
            limits: &self.settings.check.content_limits,
        };
        document.content(page, &wants)
    }

    fn at_window(&mut self, content: &PageContent, lies: Lies, page: u32) {
        let window = &self.settings.check.recipient_window;
        let has_address_page = self.letter.has_address_page;
        if lies == Lies::Upright && !has_address_page {
            let seen = window::judge(content, window, self.letter);
            self.checked.facts.lacks_address = seen.lacks_address;
            self.checked.findings.extend(seen.findings);
            return;
        }
        if lies == Lies::Turned && !has_address_page {
            self.checked.facts.lacks_address = true;
            let detail = "the page is turned, so that the window does not show its address";
            self.found(PageFinding::new(Code::AddressMissing, page, detail));
        }
        let mismatch = window::mismatch(content, window, self.letter);
        self.checked.findings.extend(mismatch);
    }

    fn found(&mut self, finding: PageFinding) {
        self.checked.findings.push(finding);
    }

    fn found_once(&mut self, finding: PageFinding) {
        let mut known = self.checked.findings.iter();
        if known.all(|known| known.code != finding.code) {
            self.found(finding);
        }
    }

    fn found_active(&mut self, found: &[&str], page: u32, who: &str) {
        if !found.is_empty() {
            let detail = format!("{who} {}", found.join(", "));
            self.found_once(PageFinding::new(Code::PdfActiveContent, page, detail));
        }
    }

    fn found_size(&mut self, finding: Option<PageFinding>) {
        if let Some(finding) = finding {
            self.checked.facts.has_landscape |= finding.code == Code::PageLandscape;
            self.found_once(finding);
        }
    }

    fn checked(mut self) -> Checked {
        self.checked.facts.colour_pages = self.paints.colour_pages;
        let told = self.paints.finding().into_iter();
        let told = told.chain(self.fonts.findings());
        let told = told.chain(self.trespasses.findings());
        self.checked.findings.extend(told);
        self.checked
    }
}

/// How a page fits upright A4 paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lies {
    Upright,
    /// On its side, and it is turned.
    Turned,
    /// Not at all: it is not printed.
    Unfit,
}

impl Lies {
    fn of(geometry: &PageGeometry, letter: &LetterToCheck<'_>, settings: &Settings) -> Self {
        let tolerance_mm = settings.check.page_tolerance_mm;
        if geometry.is_upright_a4(tolerance_mm) {
            Self::Upright
        } else if letter.turns_landscape && size::lies_on_its_side(geometry, tolerance_mm) {
            Self::Turned
        } else {
            Self::Unfit
        }
    }
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

    fn around(self, areas: Vec<Area>) -> Self {
        Self { areas, ..self }
    }

    fn of_refusal(refusal: &Refusal, page: u32) -> Self {
        let code = match refusal {
            Refusal::Unreadable { .. }
            | Refusal::UnreadableTwice { .. }
            | Refusal::NoSuchPage { .. }
            | Refusal::NoSuchRange { .. } => Code::PdfUnreadable,
            Refusal::Encrypted => Code::PdfEncrypted,
            Refusal::Limit { .. } => Code::PdfLimits,
        };
        Self::new(code, page, refusal.to_string())
    }
}
