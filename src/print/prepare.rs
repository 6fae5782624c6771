use std::sync::OnceLock;

use rayon::prelude::*;

use crate::{
    domain::{Letter, PageRange},
    pdf::{
        Document, Fragment, Limits, NoSecondReader, Overlay, Refusal, Rewritten, SecondReader,
        Treatment,
    },
};

use super::{AddressPages, BundleIdentity, Error, PlannedPiece, Settings, mark_drawing};

const A4_HEIGHT_MM: f64 = 297.0;

/// What a [`LetterSource`] fails with: whatever it reads from.
pub type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// The PDF that a letter's pages are in.
pub enum LetterPdf<'a> {
    /// One PDF with many letters, opened once by the caller.
    Shared(&'a Document<'a>),
    /// The bytes of a PDF that this letter has to itself.
    Own(Vec<u8>),
}

/// Gives the PDFs of letters, to several threads at once.
pub trait LetterSource: Sync {
    fn letter_pdf(&self, pages: &PageRange) -> Result<LetterPdf<'_>, SourceError>;

    /// Bytes that [`LetterPdf::Own`] will hold for these pages; they decide how many letters are
    /// prepared at once. 0 for a shared PDF.
    fn held_bytes(&self, pages: &PageRange) -> u64 {
        let _ = pages;
        0
    }

    /// Who reads the PDFs that this house does not: the same as when their batch was opened.
    fn second_reader(&self) -> &dyn SecondReader {
        &NoSecondReader
    }
}

/// A letter's PDF, and what stands for it if only the second reader reads it.
struct Fetched<'a> {
    pdf: LetterPdf<'a>,
    rewritten: OnceLock<Rewritten>,
}

/// What all pieces of a bundle are prepared with.
pub(super) struct Workshop<'a> {
    pub(super) identity: &'a BundleIdentity,
    pub(super) settings: &'a Settings,
    pub(super) source: &'a dyn LetterSource,
    pub(super) address_pages: AddressPages<'a>,
}

/// A piece whose pages are walked and whose marks are drawn: ready to be written.
pub(super) struct PreparedPiece<'a> {
    pub(super) plan: &'a PlannedPiece,
    /// Our own page in front, with the mark of the first sheet.
    pub(super) address_page: Option<PreparedPages<'a>>,
    /// One a letter.
    pub(super) letters: Vec<PreparedPages<'a>>,
}

pub(super) struct PreparedPages<'a> {
    pub(super) fragment: Fragment<'a>,
    /// One a page; backs have none.
    pub(super) marks: Vec<Option<Overlay>>,
}

/// The bytes that the prepared pieces of one chunk borrow from.
#[derive(Default)]
pub(super) struct Bench<'a> {
    /// Of each piece, those of its letters.
    letters: Vec<Vec<Fetched<'a>>>,
    address_pdf: Vec<u8>,
}

impl<'a> Bench<'a> {
    /// Fetches and prepares a chunk of pieces on all cores. The first failure, in their order,
    /// is the one that is told.
    pub(super) fn prepare<'b>(
        &'b mut self,
        pieces: &'b [PlannedPiece],
        workshop: &'b Workshop<'a>,
    ) -> Result<Vec<PreparedPiece<'b>>, Error> {
        self.letters.clear();
        self.letters = in_order(pieces.par_iter().map(|piece| workshop.fetch(piece)))?;
        let addressed = pieces.iter().map(|piece| &piece.letter);
        let addressed: Vec<_> = addressed.filter(|letter| letter.address_page).collect();
        if addressed.is_empty() {
            return self.prepare_letters(pieces, None, workshop);
        }
        self.address_pdf = workshop.address_pages.pdf(addressed);
        let pages = Document::open(&self.address_pdf, &Limits::default())
            .map_err(|refusal| Error::AddressPages { refusal })?;
        self.prepare_letters(pieces, Some(&pages), workshop)
    }

    fn prepare_letters<'b>(
        &'b self,
        pieces: &'b [PlannedPiece],
        address_pages: Option<&Document<'b>>,
        workshop: &'b Workshop<'a>,
    ) -> Result<Vec<PreparedPiece<'b>>, Error> {
        let mut address_page = 0;
        let numbered: Vec<_> = pieces
            .iter()
            .zip(&self.letters)
            .map(|(plan, pdfs)| {
                address_page += u32::from(plan.letter.address_page);
                (plan, pdfs, address_page)
            })
            .collect();
        in_order(numbered.into_par_iter().map(|(plan, pdfs, address_page)| {
            Ok(PreparedPiece {
                plan,
                address_page: address_pages
                    .filter(|_| plan.letter.address_page)
                    .map(|pages| workshop.address_page(plan, pages, address_page))
                    .transpose()?,
                letters: workshop.letters(plan, pdfs)?,
            })
        }))
    }
}

impl<'a> Workshop<'a> {
    fn fetch(&self, piece: &PlannedPiece) -> Result<Vec<Fetched<'a>>, Error> {
        let fetched = piece.letters().map(|letter| {
            let pdf = self.source.letter_pdf(&letter.pages);
            let pdf = pdf.map_err(|source| not_got(letter, source))?;
            Ok(Fetched {
                pdf,
                rewritten: OnceLock::new(),
            })
        });
        fetched.collect()
    }

    fn address_page<'b>(
        &self,
        piece: &PlannedPiece,
        pages: &Document<'b>,
        number: u32,
    ) -> Result<PreparedPages<'b>, Error> {
        let fragment = Fragment::of(
            pages,
            number..=number,
            &self.identity.digest_key,
            &Treatment::default(),
        )
        .map_err(|refusal| Error::AddressPages { refusal })?;
        let mark = self.mark(piece, 0, A4_HEIGHT_MM)?;
        Ok(PreparedPages {
            fragment,
            marks: vec![mark],
        })
    }

    fn letters<'b>(
        &self,
        piece: &PlannedPiece,
        pdfs: &'b [Fetched<'_>],
    ) -> Result<Vec<PreparedPages<'b>>, Error> {
        let prepared = piece.letters_by_page().zip(pdfs);
        prepared
            .map(|(letter, pdf)| self.letter(piece, letter, pdf))
            .collect()
    }

    /// The letter begins on the 0-based page of the piece that stands beside it.
    fn letter<'b>(
        &self,
        piece: &PlannedPiece,
        letter: (&Letter, u32),
        fetched: &'b Fetched<'_>,
    ) -> Result<PreparedPages<'b>, Error> {
        let bytes = match &fetched.pdf {
            LetterPdf::Shared(document) => return self.letter_of(piece, letter, document),
            LetterPdf::Own(bytes) => bytes,
        };
        let document = match Document::open(bytes, &self.settings.pdf_limits) {
            Ok(document) => document,
            Err(refusal) => {
                let rewritten = self.rewritten(letter.0, bytes, &refusal)?;
                let rewritten = fetched.rewritten.get_or_init(|| rewritten);
                let opened = rewritten.open(&self.settings.pdf_limits);
                opened.map_err(|refusal| refused(letter.0, refusal))?
            }
        };
        self.letter_of(piece, letter, &document)
    }

    fn rewritten(
        &self,
        letter: &Letter,
        bytes: &[u8],
        refusal: &Refusal,
    ) -> Result<Rewritten, Error> {
        let (limits, reader) = (&self.settings.pdf_limits, self.source.second_reader());
        let rewritten = Rewritten::of(bytes, refusal, limits, reader);
        let rewritten = rewritten.map_err(|error| not_got(letter, error.into()))?;
        rewritten.map_err(|refusal| refused(letter, refusal))
    }

    fn letter_of<'b>(
        &self,
        piece: &PlannedPiece,
        (letter, first_page): (&Letter, u32),
        document: &Document<'b>,
    ) -> Result<PreparedPages<'b>, Error> {
        let pages = letter.pages.first..=letter.pages.last();
        let (key, treatment) = (&self.identity.digest_key, treatment(letter, self.settings));
        let fragment = Fragment::of(document, pages, key, &treatment)
            .map_err(|refusal| refused(letter, refusal))?;
        let marks = (0..fragment.page_count())
            .zip(first_page..)
            .map(|(index, page)| {
                let geometry = fragment.page(index);
                let height_mm = geometry.map_or(A4_HEIGHT_MM, |page| page.height_mm());
                self.mark(piece, page, height_mm)
            })
            .collect::<Result<_, Error>>()?;
        Ok(PreparedPages { fragment, marks })
    }

    /// The mark of the piece's 0-based page, or `None` where that is a back.
    fn mark(
        &self,
        piece: &PlannedPiece,
        page: u32,
        page_height_mm: f64,
    ) -> Result<Option<Overlay>, Error> {
        let Some(marks) = piece.marks_on(page, self.identity.bundle) else {
            return Ok(None);
        };
        let settings = &self.settings.marks;
        mark_drawing::overlay(&marks, self.identity.test, settings, page_height_mm)
            .map(Some)
            .map_err(|_| Error::Mark {
                message: piece.letter.message,
                sheet: marks.mark.sheet,
            })
    }
}

/// What a look at the letter's pages, when its batch was opened, says must be done to them.
fn treatment(letter: &Letter, settings: &Settings) -> Treatment {
    let facts = letter.facts;
    Treatment {
        may_be_unbalanced: facts.is_unbalanced,
        turn_landscape: facts.has_landscape,
        content_limits: settings.check.content_limits,
    }
}

fn not_got(letter: &Letter, source: SourceError) -> Error {
    Error::Source {
        message: letter.message,
        source,
    }
}

fn refused(letter: &Letter, refusal: Refusal) -> Error {
    Error::Letter {
        message: letter.message,
        refusal,
    }
}

fn in_order<T: Send>(
    results: impl IndexedParallelIterator<Item = Result<T, Error>>,
) -> Result<Vec<T>, Error> {
    let results: Vec<_> = results.collect();
    results.into_iter().collect()
}
