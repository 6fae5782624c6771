use std::cmp::Reverse;

use crate::{
    batch::{
        CheckedPages, LetterCheck, LetterPages, PageFinding, Settings,
        account::{Claim, Described},
        control::Draft,
        document::place,
        rules,
    },
    domain::{Attachment, DocumentName, Finding, Place},
    pdf::Document,
};

/// Of one letter's pages: more than this, nobody reads.
const MAX_PAGE_FINDINGS: usize = 20;

/// A message that waits for its page to fill.
pub(super) struct Pending {
    pub(super) position: u32,
    pub(super) draft: Draft,
    /// Where the control data describes it.
    pub(super) place: Place,
    pub(super) is_test: bool,
    pub(super) document: DocumentName,
    /// The document, as its own archive names it.
    pub(super) entry: String,
    pub(super) attachments: Vec<Attachment>,
    /// Of all attachments together, unpacked.
    pub(super) attached_bytes: u64,
    /// Once its document was looked up.
    pub(super) claim: Option<Claim>,
    pub(super) checked: CheckedPages,
}

impl Pending {
    pub(super) fn apply_rules(&mut self, settings: &Settings) {
        rules::apply(&mut self.draft, &self.place, self.is_test, settings);
    }

    pub(super) fn described(&self) -> Described {
        Described {
            position: self.position,
            line: self.draft.line,
        }
    }

    /// Whether it has pages that nobody has looked at.
    pub(super) fn is_clear(&self) -> bool {
        self.claim.as_ref().is_some_and(|claim| claim.is_clear)
    }

    /// Asks for a judgement of its pages, if it has any.
    pub(super) fn look(&mut self, document: &Document<'_>, check: &dyn LetterCheck) {
        let Some(claim) = self.claim.as_ref().filter(|claim| claim.is_clear) else {
            return;
        };
        let letter = LetterPages {
            pages: claim.pages.first..=claim.pages.last(),
            address: &self.draft.address,
            wish: self.draft.wish,
            duplex: self.draft.duplex,
        };
        self.checked = check.check(document, &letter);
        let findings = &mut self.checked.findings;
        if findings.len() > MAX_PAGE_FINDINGS {
            findings.sort_by_key(|found| Reverse(found.code.severity()));
            findings.truncate(MAX_PAGE_FINDINGS);
        }
    }

    /// What was found on its pages.
    pub(super) fn page_findings(&mut self) -> Vec<Finding> {
        let of_document = place(&self.document);
        let found = std::mem::take(&mut self.checked.findings).into_iter();
        let finding = |PageFinding { code, page, detail }| {
            Finding::new(code, of_document.clone().on_page(page), detail)
        };
        found.map(finding).collect()
    }
}
