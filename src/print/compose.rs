use std::io::Write;

use crate::pdf::{PartValue, Writer, WriterSettings};

use super::{
    AddressPages, BundleIdentity, BundlePlan, Error, LetterSource, PlannedPiece, Settings,
    prepare::{Bench, PreparedPages, PreparedPiece, Workshop},
};

/// Pieces prepared at once: enough to keep all cores busy, few enough to stay small.
const CHUNK_PIECES: usize = 128;
/// Bytes of letters' own PDFs held at once for a chunk; one letter alone may exceed it.
const CHUNK_BYTES: u64 = 8 << 20;

/// What a bundle's PDF came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Composed {
    pub pages: u32,
    pub sheets: u32,
    pub bytes: u64,
}

/// Writes the PDF of a bundle: the same plan, identity, settings and letters give the same bytes.
///
/// While one chunk of letters is written, the next is prepared on all cores; memory is bounded by
/// two chunks. `progress` hears the number of pieces written so far.
///
/// # Errors
///
/// [`Error::Letter`] and [`Error::Source`] name the first letter that failed. What was written
/// until then is no bundle.
pub fn compose<W: Write>(
    plan: &BundlePlan,
    identity: &BundleIdentity,
    settings: &Settings,
    source: &dyn LetterSource,
    out: W,
    progress: &(dyn Fn(u32) + Sync),
) -> Result<Composed, Error> {
    let workshop = Workshop {
        identity,
        settings,
        source,
        address_pages: address_pages(plan, identity, settings),
    };
    let mut press = Press {
        writer: Writer::new(out, &writer_settings(identity, settings)).map_err(Error::Write)?,
        progress,
    };
    press.run(&plan.pieces, &workshop)?;
    press.finish(plan)
}

fn address_pages<'a>(
    plan: &BundlePlan,
    identity: &'a BundleIdentity,
    settings: &'a Settings,
) -> AddressPages<'a> {
    let letters = plan.pieces.iter().map(|piece| &piece.letter);
    AddressPages::for_letters(
        letters.filter(|letter| letter.address_page),
        &identity.return_address,
        &settings.address_page,
    )
}

fn writer_settings(identity: &BundleIdentity, settings: &Settings) -> WriterSettings {
    WriterSettings {
        title: identity.bundle.to_string(),
        producer: concat!("Kuori ", env!("CARGO_PKG_VERSION")).to_owned(),
        created: identity.created,
        id: identity.file_id(),
        document_parts: settings.document_parts,
        version: settings.pdf_version,
    }
}

struct Press<'p, W: Write> {
    writer: Writer<W>,
    progress: &'p (dyn Fn(u32) + Sync),
}

impl<W: Write> Press<'_, W> {
    /// Two benches take turns: the pieces on one are written while the other is filled.
    fn run(&mut self, pieces: &[PlannedPiece], workshop: &Workshop<'_>) -> Result<(), Error> {
        let mut chunks = Chunks {
            pieces,
            source: workshop.source,
        };
        let (mut one, mut other) = (Bench::default(), Bench::default());
        let Some(chunk) = chunks.next() else {
            return Ok(());
        };
        let mut ready = one.prepare(chunk, workshop)?;
        loop {
            let Some(chunk) = chunks.next() else {
                return self.write(ready);
            };
            let next = self.write_while(ready, || other.prepare(chunk, workshop))?;
            let Some(chunk) = chunks.next() else {
                return self.write(next);
            };
            ready = self.write_while(next, || one.prepare(chunk, workshop))?;
        }
    }

    fn write_while<'n>(
        &mut self,
        ready: Vec<PreparedPiece<'_>>,
        prepare: impl FnOnce() -> Result<Vec<PreparedPiece<'n>>, Error> + Send,
    ) -> Result<Vec<PreparedPiece<'n>>, Error> {
        let mut next = Ok(Vec::new());
        let written = rayon::in_place_scope(|scope| {
            scope.spawn(|_| next = prepare());
            self.write(ready)
        });
        written.and(next)
    }

    fn write(&mut self, pieces: Vec<PreparedPiece<'_>>) -> Result<(), Error> {
        for piece in pieces {
            let plan = piece.plan;
            self.write_piece(piece).map_err(Error::Write)?;
            self.check_page_count(plan)?;
            (self.progress)(plan.sequence);
        }
        Ok(())
    }

    fn write_piece(&mut self, piece: PreparedPiece<'_>) -> std::io::Result<()> {
        let letter = &piece.plan.letter;
        self.begin_part(piece.plan)?;
        if let Some(address_page) = piece.address_page {
            self.write_pages(address_page)?;
            if letter.duplex {
                self.writer.add_blank_page(None)?;
            }
        }
        for (letter, pages) in piece.plan.letters().zip(piece.letters) {
            self.write_pages(pages)?;
            if letter.duplex && !letter.pages.count.is_multiple_of(2) {
                self.writer.add_blank_page(None)?;
            }
        }
        self.writer.end_part()
    }

    fn begin_part(&mut self, piece: &PlannedPiece) -> std::io::Result<()> {
        let message = piece.letter.message.to_string();
        let mut facts = vec![
            ("Sequence", PartValue::Number(piece.sequence.into())),
            ("Piece", PartValue::Text(&message)),
            ("Sheets", PartValue::Number(piece.sheets.into())),
            ("Envelope", PartValue::Text(&piece.envelope.0)),
            ("Postage", PartValue::Text(piece.letter.postage.as_str())),
        ];
        if let Some(code) = &piece.postage_code {
            facts.push(("PostageCode", PartValue::Text(&code.0)));
        }
        self.writer.begin_part(&facts)
    }

    fn write_pages(&mut self, pages: PreparedPages<'_>) -> std::io::Result<()> {
        let mut marks = pages.marks.into_iter();
        self.writer
            .add_fragment(&pages.fragment, &mut |_| marks.next().flatten())
    }

    fn check_page_count(&self, piece: &PlannedPiece) -> Result<(), Error> {
        let planned = piece.first_page + piece.pages - 1;
        let written = self.writer.pages();
        if planned == written {
            return Ok(());
        }
        Err(Error::PageCount {
            message: piece.letter.message,
            planned,
            written,
        })
    }

    fn finish(self, plan: &BundlePlan) -> Result<Composed, Error> {
        let (mut out, finished) = self.writer.finish().map_err(Error::Write)?;
        out.flush().map_err(Error::Write)?;
        Ok(Composed {
            pages: finished.pages,
            sheets: plan.sheets(),
            bytes: finished.bytes,
        })
    }
}

/// Cuts pieces into chunks that are prepared at once.
struct Chunks<'p> {
    pieces: &'p [PlannedPiece],
    source: &'p dyn LetterSource,
}

impl<'p> Iterator for Chunks<'p> {
    type Item = &'p [PlannedPiece];

    fn next(&mut self) -> Option<Self::Item> {
        let mut held: u64 = 0;
        let fitting = self.pieces.iter().take(CHUNK_PIECES).take_while(|piece| {
            let pages = piece.letters().map(|letter| &letter.pages);
            let bytes = pages.map(|pages| self.source.held_bytes(pages));
            held = bytes.fold(held, u64::saturating_add);
            held <= CHUNK_BYTES
        });
        let length = fitting.count().max(1);
        let (chunk, rest) = self.pieces.split_at_checked(length)?;
        self.pieces = rest;
        Some(chunk)
    }
}

#[cfg(test)]
mod tests;
