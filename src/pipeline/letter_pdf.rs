//! One letter's PDF, as its mailbox gets it.

use super::{Error, documents::Letters};
use crate::{
    domain::{BatchId, Code, Finding, MessageId, PageRange, Place},
    pdf::{DigestKey, Document, Fragment, PdfVersion, Refusal, Treatment, Writer, WriterSettings},
};

/// The sender's own bytes where the letter has a PDF of its own, else its pages cut out of the
/// document they share. The same letter gives the same bytes every time.
pub(super) fn cut(
    letters: &Letters<'_>,
    batch: BatchId,
    pages: &PageRange,
    created: jiff::Timestamp,
) -> Result<Vec<u8>, Error> {
    let Some(document) = letters.shared(&pages.document) else {
        let own = letters.own(&pages.document);
        return own
            .map(std::borrow::Cow::into_owned)
            .map_err(|source| Error::Changed {
                batch,
                what: source.to_string(),
            });
    };
    let cut = cut_pages(document, batch, pages, created);
    cut.map_err(|source| Error::Cut { batch, source })
}

/// What the operator and the sender are told of a letter that is held for its PDF.
pub(super) fn not_composable(message: MessageId, refusal: &Refusal) -> Finding {
    let place = Place::message(message.position);
    Finding::new(Code::LetterNotComposable, place, refusal.to_string())
}

fn cut_pages(
    document: &Document<'_>,
    batch: BatchId,
    pages: &PageRange,
    created: jiff::Timestamp,
) -> Result<Vec<u8>, Refusal> {
    // One sender's document alone: nothing to keep apart, so the key may be known.
    let fragment = Fragment::of(
        document,
        pages.first..=pages.last(),
        &DigestKey([0; 32]),
        &Treatment::default(),
    )?;
    let settings = WriterSettings {
        title: String::new(),
        producer: "Kuori".to_owned(),
        created,
        id: id(batch, pages),
        document_parts: false,
        version: PdfVersion::default(),
    };
    let written = Writer::new(Vec::new(), &settings).and_then(|mut writer| {
        writer.add_fragment(&fragment, &mut |_| None)?;
        writer.finish()
    });
    written
        .map(|(bytes, _)| bytes)
        .map_err(|_| Refusal::Unreadable {
            what: "its pages could not be written to memory",
        })
}

fn id(batch: BatchId, pages: &PageRange) -> [u8; 16] {
    let mut id = [0; 16];
    let (number, range) = id.split_at_mut(8);
    number.copy_from_slice(&batch.0.to_be_bytes());
    let (first, count) = range.split_at_mut(4);
    first.copy_from_slice(&pages.first.to_be_bytes());
    count.copy_from_slice(&pages.count.to_be_bytes());
    id
}
