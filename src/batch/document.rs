use std::io;

use rayon::prelude::*;

use super::{Archive, Settings, SharedBytes, Shelf, archive::Entry};
use crate::{
    domain::{Code, DocumentName, Finding, Place},
    pdf::{Document, Refusal},
};

/// What was found in a PDF, looked at once from its first page to its last.
#[derive(Debug, Clone)]
pub(super) struct Examined {
    /// The PDF's own bytes, unpacked; 0 where it is not in the archive.
    pub(super) bytes: u64,
    pub(super) was_kept: bool,
    /// The page count and what is odd about single pages, or why the PDF is not taken.
    pub(super) outcome: Result<Pages, Finding>,
}

#[derive(Debug, Clone)]
pub(super) struct Pages {
    pub(super) count: u32,
    /// In order of pages.
    odd: Vec<(u32, Oddity)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Oddity {
    Size { width_mm: f64, height_mm: f64 },
    Annotations,
    Refused(Refusal),
}

/// One PDF that the control data names, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'n> {
    /// As messages and findings name it.
    pub(super) name: &'n DocumentName,
    /// As the archive names it.
    pub(super) entry: &'n str,
    pub(super) is_shared: bool,
}

impl Examined {
    /// Unpacks the PDF and looks at every page. A document that several letters share, or that is
    /// larger than one letter may be, is unpacked onto the shelf, unless the archive stores it as
    /// it is.
    pub(super) fn of(
        named: Named<'_>,
        archive: &Archive<'_>,
        settings: &Settings,
        shelf: &dyn Shelf,
    ) -> io::Result<Self> {
        let place = place(named.name);
        let Some(entry) = archive.entry(named.entry) else {
            let detail = "the ZIP has no such file";
            return Ok(Self::refused(
                0,
                Finding::new(Code::DocumentMissing, place, detail),
            ));
        };
        let is_large = entry.size > settings.limits.max_letter_pdf_bytes;
        let is_shelved = !entry.is_stored() && (named.is_shared || is_large);
        let content = if is_shelved {
            shelve(named.name, entry, archive, shelf)?.map(Content::Shelved)
        } else {
            archive.read(&entry.name).map(Content::Here)
        };
        Ok(match content {
            Ok(content) => Self {
                bytes: entry.size,
                was_kept: is_shelved,
                outcome: pages(content.bytes(), settings)
                    .map_err(|refusal| finding(&refusal, place)),
            },
            Err(finding) => Self::refused(entry.size, Finding { place, ..finding }),
        })
    }

    fn refused(bytes: u64, finding: Finding) -> Self {
        Self {
            bytes,
            was_kept: false,
            outcome: Err(finding),
        }
    }
}

impl Pages {
    /// What is wrong with some pages of the document, each kind told at its first page.
    pub(super) fn findings(&self, document: &DocumentName, first: u32, last: u32) -> Vec<Finding> {
        let start = self.odd.partition_point(|(page, _)| *page < first);
        let odd = self
            .odd
            .iter()
            .skip(start)
            .take_while(|(page, _)| *page <= last);
        let mut findings: Vec<Finding> = Vec::new();
        for (page, oddity) in odd {
            let finding = oddity.finding(place(document).on_page(*page));
            if findings.iter().all(|known| known.code != finding.code) {
                findings.push(finding);
            }
        }
        findings
    }
}

impl Oddity {
    fn finding(&self, place: Place) -> Finding {
        match self {
            Self::Size {
                width_mm,
                height_mm,
            } => {
                let detail = format!("the page measures {width_mm:.0} × {height_mm:.0} mm");
                Finding::new(Code::PageSize, place, detail)
            }
            Self::Annotations => {
                let detail = "the page has stamps or filled-in fields that print would lose";
                Finding::new(Code::LetterNotComposable, place, detail)
            }
            Self::Refused(refusal) => finding(refusal, place),
        }
    }

    fn limit(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal @ Refusal::Limit { .. }) => Some(refusal),
            _ => None,
        }
    }
}

/// The place that findings about a document name.
pub(super) fn place(document: &DocumentName) -> Place {
    Place::entry(&document.0)
}

enum Content<'a> {
    Here(std::borrow::Cow<'a, [u8]>),
    Shelved(SharedBytes),
}

impl Content<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Here(bytes) => bytes,
            Self::Shelved(bytes) => bytes.as_ref().as_ref(),
        }
    }
}

/// Unpacks an entry onto the shelf. The outer error is the shelf's, the inner one the archive's.
pub(super) fn shelve(
    name: &DocumentName,
    entry: &Entry,
    archive: &Archive<'_>,
    shelf: &dyn Shelf,
) -> io::Result<Result<SharedBytes, Finding>> {
    let mut reader = match archive.reader(&entry.name) {
        Ok(reader) => reader,
        Err(finding) => return Ok(Err(finding)),
    };
    let kept = shelf.keep(name, &mut reader);
    if let Some(problem) = reader.problem() {
        return Ok(Err(problem.clone()));
    }
    let kept = kept?;
    if reader.is_complete() {
        Ok(Ok(kept))
    } else {
        Err(io::Error::other(
            "the shelf did not read the document to its end",
        ))
    }
}

fn pages(bytes: &[u8], settings: &Settings) -> Result<Pages, Refusal> {
    let document = Document::open(bytes, &settings.pdf)?;
    let count = document.page_count();
    let examine = |page| Some((page, oddity(&document, page, settings)?));
    let odd: Vec<_> = (1..=count).into_par_iter().filter_map(examine).collect();
    // What pages may ask for is counted together, and chance decides which of them asks last.
    match odd.iter().find_map(|(_, oddity)| oddity.limit()) {
        Some(limit) => Err(limit.clone()),
        None => Ok(Pages { count, odd }),
    }
}

fn oddity(document: &Document<'_>, page: u32, settings: &Settings) -> Option<Oddity> {
    let geometry = match document.page(page) {
        Ok(geometry) => geometry,
        Err(refusal) => return Some(Oddity::Refused(refusal)),
    };
    if !geometry.is_upright_a4(settings.page_tolerance_mm) {
        return Some(Oddity::Size {
            width_mm: geometry.width_mm(),
            height_mm: geometry.height_mm(),
        });
    }
    geometry
        .has_printing_annotations()
        .then_some(Oddity::Annotations)
}

fn finding(refusal: &Refusal, place: Place) -> Finding {
    let code = match refusal {
        Refusal::Unreadable { .. } | Refusal::NoSuchPage { .. } | Refusal::NoSuchRange { .. } => {
            Code::PdfUnreadable
        }
        Refusal::Encrypted => Code::PdfEncrypted,
        Refusal::HiddenLayers => Code::LetterNotComposable,
        Refusal::Limit { .. } => Code::PdfLimits,
    };
    Finding::new(code, place, refusal.to_string())
}
