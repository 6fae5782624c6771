use crate::pdf::{Document, Limits, PartId, Refusal, WrittenPage};

use super::{
    BundleIdentity, BundlePlan, Error, PlannedPiece, Settings, mark_drawing,
    mark_drawing::SheetMarks,
};

/// Of a content stream that holds nothing but marks; they take some 600.
const MOST_MARK_BYTES: u64 = 1 << 20;
/// Boxes of pages that were written anew differ from the sender's in the last digits.
const ROUNDING_MM: f64 = 0.01;

/// Nobody else's reader should have to, either.
const REPAIRED: Refusal = Refusal::Unreadable {
    what: "its cross-references had to be rebuilt",
};

/// What of a bundle's PDF was read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    pub pages: u32,
    /// Sheets whose marks were decoded.
    pub marks: u32,
}

/// How a page of a bundle's PDF is not what was planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Discrepancy {
    #[error("is not upright A4")]
    Size,
    #[error("has no TrimBox that is all of the page")]
    TrimBox,
    #[error("does not begin the document part of its piece")]
    PartOfPiece,
    #[error("does not say that it belongs to the document part of its piece")]
    PartOfPage,
    #[error("has no mark that can be read")]
    NoMark,
    #[error("has the mark of another sheet")]
    OtherMark,
    #[error("lacks the OMR lines of its sheet")]
    OmrLines,
}

/// Reads a bundle's PDF back and holds it to its plan: the number of pages, where pieces begin and
/// end, the boxes of each page, and the marks of as many sheets as `settings` say, evenly spread.
///
/// # Errors
///
/// [`Error::NotAsPlanned`] names the first page that is wrong. Nothing may be handed over then.
pub fn verify(
    pdf: &[u8],
    plan: &BundlePlan,
    identity: &BundleIdentity,
    settings: &Settings,
) -> Result<Verified, Error> {
    let document = Document::open(pdf, &limits_of_our_own()).map_err(Error::ReadBack)?;
    if document.was_repaired() {
        return Err(Error::ReadBack(REPAIRED));
    }
    let (planned, written) = (plan.pages(), document.page_count());
    if planned != written {
        return Err(Error::PagesWritten { planned, written });
    }
    let mut reading = Reading {
        parts: parts_of_pieces(&document, plan, settings)?,
        document,
        identity,
        settings,
        sample: Sample::of(plan.sheets(), settings.verify_marks),
        marks: 0,
    };
    for (index, piece) in plan.pieces.iter().enumerate() {
        reading.read_piece(index, piece)?;
    }
    Ok(Verified {
        pages: written,
        marks: reading.marks,
    })
}

/// Bounds are for strangers' files. The settings of a print house bound this one.
fn limits_of_our_own() -> Limits {
    Limits {
        max_pages: u32::MAX,
        max_objects: u32::MAX,
        ..Limits::default()
    }
}

/// The document part of each piece; none where there are to be none.
fn parts_of_pieces(
    document: &Document<'_>,
    plan: &BundlePlan,
    settings: &Settings,
) -> Result<Vec<PartId>, Error> {
    let found = document.written_parts().map_err(Error::ReadBack)?;
    let found = found.unwrap_or_default();
    let wanted = if settings.document_parts {
        plan.pieces.as_slice()
    } else {
        &[]
    };
    if let Some(too_many) = found.get(wanted.len()) {
        return Err(wrong(too_many.first_page, Discrepancy::PartOfPiece));
    }
    let mut parts = Vec::with_capacity(wanted.len());
    let mut found = found.into_iter();
    for piece in wanted {
        let last_page = piece.first_page + piece.pages - 1;
        let its_own = found.next().filter(|part| {
            (part.first_page, part.last_page) == (piece.first_page, last_page)
                && part.number("Sequence") == Some(piece.sequence.into())
        });
        let part = its_own.ok_or_else(|| wrong(piece.first_page, Discrepancy::PartOfPiece))?;
        parts.push(part.id);
    }
    Ok(parts)
}

struct Reading<'a> {
    document: Document<'a>,
    identity: &'a BundleIdentity,
    settings: &'a Settings,
    parts: Vec<PartId>,
    sample: Sample,
    marks: u32,
}

impl Reading<'_> {
    fn read_piece(&mut self, index: usize, piece: &PlannedPiece) -> Result<(), Error> {
        let part = self.parts.get(index).copied();
        for (page, number) in (0..piece.pages).zip(piece.first_page..) {
            let written = self.document.written_page(number);
            let written = written.map_err(Error::ReadBack)?;
            self.judge_page(&written, part)
                .map_err(|discrepancy| wrong(number, discrepancy))?;
            let marks = piece.marks_on(page, self.identity.bundle);
            if let Some(marks) = marks.filter(|marks| self.sample.takes(marks.number)) {
                self.read_marks(number, &written, &marks)?;
            }
        }
        Ok(())
    }

    fn judge_page(&self, page: &WrittenPage, part: Option<PartId>) -> Result<(), Discrepancy> {
        let tolerance_mm = self.settings.check.page_tolerance_mm + ROUNDING_MM;
        if !page.geometry.is_upright_a4(tolerance_mm) {
            return Err(Discrepancy::Size);
        }
        if !page.is_trimmed {
            return Err(Discrepancy::TrimBox);
        }
        if page.part != part {
            return Err(Discrepancy::PartOfPage);
        }
        Ok(())
    }

    fn read_marks(
        &mut self,
        number: u32,
        page: &WrittenPage,
        marks: &SheetMarks,
    ) -> Result<(), Error> {
        let drawn = self.document.last_content(number, MOST_MARK_BYTES);
        let drawn = match drawn {
            Ok(drawn) => drawn.unwrap_or_default(),
            Err(Refusal::Limit { .. }) => return Err(wrong(number, Discrepancy::NoMark)),
            Err(refusal) => return Err(Error::ReadBack(refusal)),
        };
        self.marks += 1;
        let height_mm = page.geometry.height_mm();
        let discrepancy = match mark_drawing::read_symbol(&drawn) {
            None => Discrepancy::NoMark,
            Some(payload) if payload != marks.mark.payload() => Discrepancy::OtherMark,
            Some(_) => {
                let lines = &self.settings.marks;
                if mark_drawing::has_omr_lines_of(&drawn, marks, lines, height_mm) {
                    return Ok(());
                }
                Discrepancy::OmrLines
            }
        };
        Err(wrong(number, discrepancy))
    }
}

fn wrong(page: u32, discrepancy: Discrepancy) -> Error {
    Error::NotAsPlanned { page, discrepancy }
}

/// Sheets whose marks are read: spread evenly, the first and the last among them.
struct Sample {
    sheets: u64,
    wanted: u64,
    taken: u64,
}

impl Sample {
    fn of(sheets: u32, most: u32) -> Self {
        Self {
            sheets: sheets.into(),
            wanted: most.min(sheets).into(),
            taken: 0,
        }
    }

    /// Whether that sheet, from 0, is one of them. To be asked in order.
    fn takes(&mut self, number: u32) -> bool {
        if self.taken == self.wanted || u64::from(number) < self.next() {
            return false;
        }
        self.taken += 1;
        true
    }

    fn next(&self) -> u64 {
        let gaps = self.wanted.saturating_sub(1);
        let last = self.sheets.saturating_sub(1);
        (self.taken * last).checked_div(gaps).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
