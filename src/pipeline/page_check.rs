use std::sync::Arc;

use super::{Landscape, PrintHouseSettings, SenderSettings};
use crate::{
    batch::{CheckedPages, LetterCheck, LetterPages, PageFinding},
    domain::ChannelWish,
    pdf::{Document, NoSecondReader, PageGeometry, SecondReader},
    print::{self, Checked, LetterToCheck},
};

/// The check of a sender's letters: what their print house wants of a page, as the sender's own
/// settings have it.
#[derive(Clone)]
pub struct PageCheck {
    print: print::Settings,
    has_address_page: bool,
    duplex: bool,
    compares_address: bool,
    turns_landscape: bool,
    second_reader: Arc<dyn SecondReader>,
}

impl PageCheck {
    /// A sender without a print house is held to the ordinary one's rules.
    pub fn of(sender: &SenderSettings, print_house: Option<&PrintHouseSettings>) -> Self {
        Self {
            print: print_house.map_or_else(Default::default, |house| house.print.clone()),
            has_address_page: sender.address_page,
            duplex: sender.duplex,
            compares_address: sender.compare_address,
            turns_landscape: sender.landscape == Landscape::Turn,
            second_reader: Arc::new(NoSecondReader),
        }
    }

    /// With somebody who reads the PDFs that the house does not.
    #[must_use]
    pub fn with_second_reader(self, second_reader: Arc<dyn SecondReader>) -> Self {
        Self {
            second_reader,
            ..self
        }
    }

    /// As [`LetterCheck::check`], with the places on the pages.
    pub fn look(&self, document: &Document<'_>, letter: &LetterPages<'_>) -> Checked {
        let asked = LetterToCheck {
            pages: letter.pages.clone(),
            address: letter.address,
            has_address_page: self.has_address_page,
            duplex: self.is_duplex(letter),
            compares_address: self.compares_address,
            turns_landscape: self.turns_landscape,
        };
        if letter.wish == ChannelWish::MailboxOnly {
            print::check_for_mailbox(document, &asked, &self.print)
        } else {
            print::check(document, &asked, &self.print)
        }
    }

    /// Whether a letter is printed on both sides.
    pub fn is_duplex(&self, letter: &LetterPages<'_>) -> bool {
        letter.duplex.unwrap_or(self.duplex)
    }

    /// Whether a page lies on its side and is turned for print.
    pub fn turns(&self, page: &PageGeometry) -> bool {
        self.turns_landscape && page.lies_on_its_side()
    }

    /// What the print house wants.
    pub fn print(&self) -> &print::Settings {
        &self.print
    }
}

impl Default for PageCheck {
    /// As it is where nobody's settings say anything.
    fn default() -> Self {
        Self {
            print: print::Settings::default(),
            has_address_page: false,
            duplex: true,
            compares_address: true,
            turns_landscape: false,
            second_reader: Arc::new(NoSecondReader),
        }
    }
}

impl LetterCheck for PageCheck {
    fn check(&self, document: &Document<'_>, letter: &LetterPages<'_>) -> CheckedPages {
        told(self.look(document, letter))
    }

    fn second_reader(&self) -> &dyn SecondReader {
        self.second_reader.as_ref()
    }
}

fn told(checked: Checked) -> CheckedPages {
    let findings = checked.findings.into_iter();
    let findings = findings.map(|found| PageFinding {
        code: found.code,
        page: found.page,
        detail: found.detail,
    });
    CheckedPages {
        findings: findings.collect(),
        facts: checked.facts,
    }
}
