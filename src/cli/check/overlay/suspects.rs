use std::collections::BTreeSet;

use crate::{
    batch::{LetterPages, OpenedMessage},
    domain::{ChannelWish, DocumentName, PageRange, PostalAddress, Severity},
    pipeline::PageCheck,
    print::PageFinding,
    proof::{self, Look, Outline, Stage},
};

/// Of what stands where it must not, so much is drawn on one page: more would cover it.
const MOST_OFFENCES: usize = 100;

/// Letters of a batch that have a finding on a page, no more than can be drawn.
pub(in crate::cli::check) struct Suspects {
    pub(super) letters: Vec<Suspect>,
    /// Pages that may still be drawn.
    pub(super) left: u32,
    /// Pages that would be drawn and may not.
    pub(super) left_out: u64,
}

/// A letter with the pages of it that are to be drawn.
pub(super) struct Suspect {
    pages: PageRange,
    address: PostalAddress,
    wish: ChannelWish,
    duplex: Option<bool>,
    /// Of the document, from 1.
    pub(super) on: BTreeSet<u32>,
}

impl Suspects {
    pub(super) fn up_to(pages: u32) -> Self {
        Self {
            letters: Vec::new(),
            left: pages,
            left_out: 0,
        }
    }

    pub(in crate::cli::check) fn take(&mut self, message: &OpenedMessage) {
        let troubles = message.findings.iter();
        let troubles = troubles.filter(|finding| finding.severity() != Severity::Info);
        let mut on: BTreeSet<u32> = troubles.filter_map(|finding| finding.place.page).collect();
        while on.len() > self.left as usize {
            on.pop_last();
            self.left_out += 1;
        }
        if on.is_empty() {
            return;
        }
        self.left -= u32::try_from(on.len()).unwrap_or(self.left);
        let message = &message.message;
        self.letters.push(Suspect {
            pages: message.pages.clone(),
            address: message.recipient.address.clone(),
            wish: message.wish,
            duplex: message.duplex,
            on,
        });
    }
}

impl Suspect {
    pub(super) fn document(&self) -> &DocumentName {
        &self.pages.document
    }

    pub(super) fn asked(&self) -> LetterPages<'_> {
        LetterPages {
            pages: self.pages.first..=self.pages.last(),
            address: &self.address,
            wish: self.wish,
            duplex: self.duplex,
        }
    }

    /// What is drawn over a page: what stands in the wrong place last, over the zones.
    pub(super) fn outlines(
        &self,
        page: u32,
        stage: Stage,
        found: &[PageFinding],
        check: &PageCheck,
    ) -> Vec<Outline> {
        let index = page.saturating_sub(self.pages.first);
        let duplex = check.is_duplex(&self.asked());
        let mut outlines = proof::outlines(check.print(), stage, index, duplex);
        let here = found.iter().filter(|finding| finding.page == page);
        let offences = here.flat_map(|finding| {
            finding.areas.iter().map(|area| Outline {
                name: finding.code.to_string(),
                area: *area,
                look: Look::Offence,
            })
        });
        outlines.extend(offences.take(MOST_OFFENCES));
        outlines
    }
}
