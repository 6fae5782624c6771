use jiff::Timestamp;

use super::Error;
use crate::pdf::{DigestKey, Document, Fragment, PdfVersion, Treatment, Writer, WriterSettings};

/// A PDF with one page of another, as print would take it over.
///
/// # Errors
///
/// [`Error::Page`] where the page cannot be taken over.
pub fn single_page(document: &Document<'_>, number: u32) -> Result<Vec<u8>, Error> {
    // One sender's page alone: nothing to keep apart, so the key may be known.
    let (key, as_it_is) = (DigestKey([0; 32]), Treatment::default());
    let fragment = Fragment::of(document, number..=number, &key, &as_it_is);
    let fragment = fragment.map_err(Error::Page)?;
    let settings = WriterSettings {
        title: String::new(),
        producer: "Kuori".to_owned(),
        version: PdfVersion::default(),
        created: Timestamp::UNIX_EPOCH,
        id: [0; 16],
        document_parts: false,
    };
    let written = Writer::new(Vec::new(), &settings).and_then(|mut writer| {
        writer.add_fragment(&fragment, &mut |_| None)?;
        writer.finish()
    });
    let (bytes, _) = written.map_err(Error::Write)?;
    Ok(bytes)
}
