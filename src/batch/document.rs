use std::{borrow::Cow, io};

use super::{Archive, Limits, SharedBytes, Shelf, archive::Entry, kept::Kept, ladder::Ladder};
use crate::{
    domain::{Code, DocumentName, Finding, Place},
    pdf::{self, Document, Reading, Refusal},
};

/// What is known of a PDF once it was opened.
#[derive(Debug, Clone)]
pub(super) struct Examined {
    /// The PDF's own bytes, unpacked; 0 where it is not in the archive.
    pub(super) bytes: u64,
    pub(super) was_kept: bool,
    /// The page count, or why the PDF is not taken.
    pub(super) outcome: Result<u32, Finding>,
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

/// A PDF out of the archive.
pub(super) struct Unpacked<'d> {
    /// 0 where it is not in the archive.
    pub(super) bytes: u64,
    pub(super) was_kept: bool,
    pub(super) content: Result<Content<'d>, Finding>,
}

/// The bytes of a PDF.
pub(super) enum Content<'d> {
    Lent(Lent<'d>),
    Own(Vec<u8>),
    Shelved(SharedBytes),
}

impl<'d> Unpacked<'d> {
    /// A document that several letters share, or that is larger than one letter may be, is unpacked
    /// onto the shelf, unless the archive stores it as it is. The error is the shelf's.
    pub(super) fn of(
        named: Named<'_>,
        archive: &Archive<'d>,
        kept: &'d Kept,
        limits: &Limits,
        shelf: &dyn Shelf,
    ) -> io::Result<Self> {
        let place = place(named.name);
        let Some(entry) = archive.entry(named.entry) else {
            let detail = "the ZIP has no such file";
            return Ok(Self {
                bytes: 0,
                was_kept: false,
                content: Err(Finding::new(Code::DocumentMissing, place, detail)),
            });
        };
        let is_large = entry.size > limits.max_letter_pdf_bytes;
        let is_shelved = !entry.is_stored() && (named.is_shared || is_large);
        let content = if is_shelved {
            shelve(named.name, entry, archive, shelf)?.map(|bytes| Content::kept(bytes, kept))
        } else {
            archive.read(&entry.name).map(Content::from)
        };
        Ok(Self {
            bytes: entry.size,
            was_kept: is_shelved && content.is_ok(),
            content: content.map_err(|finding| Finding { place, ..finding }),
        })
    }
}

/// Bytes that stay until the archive is done: it stores them as they are, or they are kept.
#[derive(Clone, Copy)]
pub(super) struct Lent<'d> {
    pub(super) bytes: &'d [u8],
    pub(super) reading: Reading,
}

impl<'d> Lent<'d> {
    fn of(bytes: &'d [u8]) -> Self {
        Self {
            bytes,
            reading: Reading::AsSent,
        }
    }

    pub(super) fn open(self, limits: &pdf::Limits) -> Result<Document<'d>, Refusal> {
        Document::open_rewritten(self.bytes, limits, self.reading)
    }
}

impl<'d> Content<'d> {
    fn kept(bytes: SharedBytes, kept: &'d Kept) -> Self {
        match kept.keep(&bytes) {
            Some(lent) => Self::Lent(Lent::of(lent)),
            None => Self::Shelved(bytes),
        }
    }

    /// Opens the PDF for `work`; hands it back where its bytes stay. The error is the shelf's, or the
    /// second reader's.
    pub(super) fn open<T>(
        &self,
        name: &DocumentName,
        ladder: &Ladder<'_, 'd>,
        work: impl FnOnce(Result<&Document<'_>, &Refusal>) -> T,
    ) -> io::Result<(T, Option<Opened<'d>>)> {
        let bytes = match self {
            Self::Lent(lent) => return ladder.open_lent(*lent, name, work),
            Self::Own(bytes) => bytes,
            Self::Shelved(bytes) => (**bytes).as_ref(),
        };
        Ok((ladder.open_briefly(bytes, work)?, None))
    }
}

/// A document that stands open, and the bytes that it is read from.
pub(super) struct Opened<'d> {
    pub(super) lent: Lent<'d>,
    pub(super) document: Option<Document<'d>>,
}

impl<'d> From<Cow<'d, [u8]>> for Content<'d> {
    fn from(content: Cow<'d, [u8]>) -> Self {
        match content {
            Cow::Borrowed(bytes) => Self::Lent(Lent::of(bytes)),
            Cow::Owned(bytes) => Self::Own(bytes),
        }
    }
}

/// The place that findings about a document name.
pub(super) fn place(document: &DocumentName) -> Place {
    Place::entry(&document.0)
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

/// Why a PDF is not taken, as the sender is told.
pub(super) fn not_taken(refusal: &Refusal, document: &DocumentName) -> Finding {
    let code = match refusal {
        Refusal::Unreadable { .. }
        | Refusal::UnreadableTwice { .. }
        | Refusal::NoSuchPage { .. }
        | Refusal::NoSuchRange { .. } => Code::PdfUnreadable,
        Refusal::Encrypted => Code::PdfEncrypted,
        Refusal::Limit { .. } => Code::PdfLimits,
    };
    Finding::new(code, place(document), refusal.to_string())
}
