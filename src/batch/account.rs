use super::{
    DocumentFacts,
    control::StatedPages,
    coverage::Coverage,
    document::{Examined, place},
};
use crate::domain::{Code, DocumentName, Finding, PageRange};

/// One document, and who claims which of its pages.
#[derive(Debug)]
pub(super) struct Account {
    name: DocumentName,
    examined: Examined,
    coverage: Coverage,
    letters: u32,
    overlaps: Vec<Finding>,
    /// Letters whose pages could not be claimed.
    unclaimed: u32,
    is_shared: bool,
}

/// A letter, by its position in the batch and the line of the control data.
#[derive(Debug, Clone, Copy)]
pub(super) struct Described {
    pub(super) position: u32,
    pub(super) line: u32,
}

/// What a letter gets when it claims its pages.
#[derive(Debug)]
pub(super) struct Claim {
    /// The first page of the document, where the letter gets none.
    pub(super) pages: PageRange,
    pub(super) document_bytes: u64,
    /// Whether the pages are the whole document.
    pub(super) is_whole: bool,
    /// Whether other letters claim pages of the same document.
    pub(super) is_shared: bool,
    /// Whether no letter asked for the document before.
    pub(super) is_first: bool,
    pub(super) is_taken: bool,
    /// Why the document is not taken, where it is not.
    pub(super) refusal: Option<Finding>,
    /// Why the letter gets no page, where that was not told before.
    pub(super) slip: Option<Slip>,
    /// Whether it gets pages that no letter before it claimed: such pages are looked at once.
    pub(super) is_clear: bool,
}

impl Claim {
    pub(super) fn of_nothing(document: DocumentName) -> Self {
        Self {
            pages: PageRange {
                document,
                first: 1,
                count: 1,
            },
            document_bytes: 0,
            is_whole: false,
            is_shared: false,
            is_first: false,
            is_taken: false,
            refusal: None,
            slip: None,
            is_clear: false,
        }
    }

    /// The document turned out to be none that is taken. The first letter of those that are told at once
    /// tells it.
    pub(super) fn refuse(&mut self, finding: Finding, is_first: bool) {
        self.refusal = Some(finding);
        self.is_first = is_first;
        (self.is_taken, self.is_clear) = (false, false);
    }
}

/// A wrong range: a finding that the caller knows the place of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slip {
    pub(super) code: Code,
    pub(super) detail: String,
}

/// The batch is refused at the first overlap or gap; a few more show what went wrong, and a
/// stranger's file of a million overlaps must not cost a million times its pages.
const MAX_SLIPS: usize = 20;

impl Account {
    pub(super) fn new(name: DocumentName, examined: Examined, is_shared: bool) -> Self {
        let pages = examined.outcome.as_ref().map_or(0, |pages| *pages);
        Self {
            name,
            examined,
            coverage: Coverage::of(pages),
            letters: 0,
            overlaps: Vec::new(),
            unclaimed: 0,
            is_shared,
        }
    }

    pub(super) fn name(&self) -> &DocumentName {
        &self.name
    }

    /// Whether the archive does not hold it.
    pub(super) fn is_missing(&self) -> bool {
        let refusal = self.examined.outcome.as_ref().err();
        refusal.is_some_and(|finding| finding.code == Code::DocumentMissing)
    }

    /// Takes no more letters.
    pub(super) fn refuse(&mut self, finding: Finding) {
        self.examined.outcome = Err(finding);
        self.coverage = Coverage::of(0);
        self.overlaps.clear();
    }

    /// Gives a letter its pages, or says why it gets none.
    pub(super) fn claim(&mut self, stated: StatedPages, letter: Described) -> Claim {
        let is_first = self.letters == 0;
        self.letters += 1;
        let given = match self.range(stated) {
            Ok((first, last)) => self.claim_range(first, last, letter),
            Err(slip) => {
                self.unclaimed += 1;
                Claim {
                    slip,
                    ..Claim::of_nothing(self.name.clone())
                }
            }
        };
        Claim {
            document_bytes: self.examined.bytes,
            refusal: self.examined.outcome.as_ref().err().cloned(),
            is_shared: self.is_shared,
            is_first,
            is_taken: self.examined.outcome.is_ok(),
            ..given
        }
    }

    fn claim_range(&mut self, first: u32, last: u32, letter: Described) -> Claim {
        if self.overlaps.len() >= MAX_SLIPS {
            return self.given(first, last, false);
        }
        let claimed = self.coverage.claim(first, last);
        if let Err(page) = claimed {
            let Described { position, line } = letter;
            let detail = format!(
                "message {position}, line {line}, claims page {page}, as one before it does"
            );
            let place = place(&self.name).on_page(page);
            self.overlaps
                .push(Finding::new(Code::PageRangeOverlap, place, detail));
        }
        self.given(first, last, claimed.is_ok())
    }

    fn given(&self, first: u32, last: u32, is_clear: bool) -> Claim {
        Claim {
            pages: PageRange {
                document: self.name.clone(),
                first,
                count: last - first + 1,
            },
            is_whole: first == 1 && last == self.count(),
            is_clear,
            ..Claim::of_nothing(self.name.clone())
        }
    }

    /// First and last page, both in the document. `Err(None)` where it was told before.
    fn range(&self, stated: StatedPages) -> Result<(u32, u32), Option<Slip>> {
        if self.examined.outcome.is_err() {
            return Err(None);
        }
        let pages = self.count();
        let slip = |code, detail: String| Err(Some(Slip { code, detail }));
        match stated {
            StatedPages::Unusable => Err(None),
            StatedPages::Whole if self.is_shared => slip(
                Code::PageRangeMissing,
                "the PDF holds several letters, and this one does not say which pages are its own"
                    .to_owned(),
            ),
            StatedPages::Whole if pages == 0 => {
                slip(Code::PageRangeOutside, "the PDF has no page".to_owned())
            }
            StatedPages::Whole => Ok((1, pages)),
            StatedPages::Range { first, count } => {
                let last = first.checked_add(count - 1).filter(|&last| last <= pages);
                last.map(|last| (first, last)).map_or_else(
                    || {
                        slip(
                            Code::PageRangeOutside,
                            format!("{count} pages from page {first} on, and the PDF has {pages}"),
                        )
                    },
                    Ok,
                )
            }
        }
    }

    pub(super) fn slips(&self) -> impl Iterator<Item = Finding> + '_ {
        self.overlaps.iter().cloned().chain(self.gaps())
    }

    fn gaps(&self) -> Vec<Finding> {
        // The only letter of a document is refused by itself: nobody else's page is at stake.
        if self.letters == self.unclaimed && self.letters <= 1 {
            return Vec::new();
        }
        let gaps = self.coverage.gaps().take(MAX_SLIPS);
        gaps.map(|gap| {
            let detail = if gap.first == gap.last {
                format!("page {} belongs to no letter", gap.first)
            } else {
                format!("pages {} to {} belong to no letter", gap.first, gap.last)
            };
            let place = place(&self.name).on_page(gap.first);
            Finding::new(Code::PageRangeGap, place, detail)
        })
        .collect()
    }

    fn count(&self) -> u32 {
        self.examined.outcome.as_ref().map_or(0, |pages| *pages)
    }

    pub(super) fn facts(&self) -> DocumentFacts {
        DocumentFacts {
            name: self.name.clone(),
            pages: self.count(),
            bytes: self.examined.bytes,
            letters: self.letters,
            was_kept: self.examined.was_kept,
        }
    }
}
