use std::{
    io::{self, Cursor, Seek, Write},
    ops::RangeInclusive,
};

use rayon::prelude::*;
use zip::{
    CompressionMethod, DateTime, System, ZipWriter,
    write::{PreparedZipFile, SimpleFileOptions},
};

use super::{
    Error, Shape, Spec, batch_csv,
    control_data::Row,
    document::{Document, Page, Stationery},
    layout, letter_bundle,
    recipient::{self, SampleRecipient, recipient},
};

/// How many letters are drawn side by side before they are written: what memory depends on.
const LETTERS_AT_ONCE: u32 = 256;
/// Letters in each ZIP of a nested batch: as many as the largest senders put into one.
const LETTERS_A_NESTED_ZIP: u32 = 500;
/// From here on an entry may pass 4 GiB; a page takes under 4 KiB.
const PAGES_OF_A_LARGE_FILE: u32 = 1 << 20;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    pub letters: u32,
    pub pages: u32,
    /// Bytes of all PDFs before they were packed.
    pub pdf_bytes: u64,
    /// Recipients that have a digital mailbox.
    pub with_mailbox: u32,
}

/// Writes the ZIP of a batch. `progress` is told how many letters are done.
///
/// Letters are drawn on all cores and written as they come, so that memory does not depend on
/// their number but for the cross-references of the PDF and the directory of the ZIP.
pub fn write<W: Write + Seek>(
    spec: &Spec,
    out: W,
    progress: &dyn Fn(u32),
) -> Result<Summary, Error> {
    spec.check()?;
    let mut writing = Writing {
        spec,
        stationery: &Stationery::new()?,
        progress,
        summary: Summary::default(),
    };
    let mut zip = ZipWriter::new(out);
    match spec.shape {
        Shape::ManyInOne => writing.bundle(&mut zip, 1..=spec.letters, "kirjeet")?,
        Shape::OneLetter => writing.bundle(&mut zip, 1..=1, &recipient(spec, 1).letter_id)?,
        Shape::ManyPairs => writing.pairs(&mut zip)?,
        Shape::Nested => writing.nested(&mut zip)?,
        Shape::Csv => writing.csv(&mut zip)?,
    }
    zip.finish().map_err(|source| Error::Finish { source })?;
    Ok(writing.summary)
}

/// A batch being written.
struct Writing<'a> {
    spec: &'a Spec,
    stationery: &'a Stationery,
    progress: &'a dyn Fn(u32),
    summary: Summary,
}

impl Writing<'_> {
    /// All letters of a range in one PDF, `<stem>.pdf`, described by `<stem>.xml`.
    fn bundle<W: Write + Seek>(
        &mut self,
        zip: &mut ZipWriter<W>,
        letters: RangeInclusive<u32>,
        stem: &str,
    ) -> Result<(), Error> {
        let spec = self.spec;
        let pages = letters.clone().map(|position| pages(spec, position)).sum();
        let pdf = format!("{stem}.pdf");
        start(
            zip,
            &pdf,
            packed_quickly().large_file(pages > PAGES_OF_A_LARGE_FILE),
        )?;
        let bytes = self.document(zip, letters.clone(), pages);
        self.summary.pdf_bytes += bytes.map_err(|source| writing(&pdf, source))?;

        let xml = format!("{stem}.xml");
        start(zip, &xml, packed())?;
        let rows = rows_of_one_file(spec, letters);
        letter_bundle::write(spec, &pdf, rows, zip).map_err(|source| writing(&xml, source))
    }

    fn document(
        &mut self,
        out: &mut impl Write,
        letters: RangeInclusive<u32>,
        pages: u32,
    ) -> io::Result<u64> {
        let (spec, stationery) = (self.spec, self.stationery);
        let mut document = Document::start(out, stationery, pages)?;
        for stretch in stretches(letters) {
            let drawn: Vec<Drawn> = stretch
                .into_par_iter()
                .map(|n| Drawn::of(spec, stationery, n))
                .collect();
            for letter in drawn {
                for page in &letter.pages {
                    document.page(page)?;
                }
                self.count(&letter.recipient);
            }
        }
        document.finish()
    }

    /// `<id>.pdf` and `<id>.xml` for each letter.
    fn pairs<W: Write + Seek>(&mut self, zip: &mut ZipWriter<W>) -> Result<(), Error> {
        self.files(zip, |spec, letter| {
            let file = format!("{}.pdf", letter.letter_id);
            let xml = format!("{}.xml", letter.letter_id);
            let row = std::iter::once(Row::of(spec, letter.position, 1));
            let mut bytes = Vec::new();
            let written = letter_bundle::write(spec, &file, row, &mut bytes);
            written.map_err(|source| writing(&xml, source))?;
            prepared(&xml, packed(), &bytes).map(Some)
        })
    }

    /// `<id>.pdf` for each letter, and one `batch.csv`.
    fn csv<W: Write + Seek>(&mut self, zip: &mut ZipWriter<W>) -> Result<(), Error> {
        self.files(zip, |_, _| Ok(None))?;
        start(zip, "batch.csv", packed())?;
        let spec = self.spec;
        let rows = (1..=spec.letters).map(|position| {
            let file = format!("{}.pdf", recipient(spec, position).letter_id);
            (file, Row::of(spec, position, 1))
        });
        batch_csv::write(rows, zip).map_err(|source| writing("batch.csv", source))
    }

    /// A PDF for each letter, and beside it what `beside` makes; packed on all cores.
    fn files<W: Write + Seek>(
        &mut self,
        zip: &mut ZipWriter<W>,
        beside: impl Fn(&Spec, &SampleRecipient) -> Result<Option<PreparedZipFile>, Error> + Sync,
    ) -> Result<(), Error> {
        let (spec, stationery) = (self.spec, self.stationery);
        for stretch in stretches(1..=spec.letters) {
            let files: Vec<_> = stretch
                .into_par_iter()
                .map(|position| {
                    let letter = Drawn::of(spec, stationery, position);
                    let (bytes, pdf) = letter.file(stationery)?;
                    Ok((
                        letter.recipient.clone(),
                        bytes,
                        pdf,
                        beside(spec, &letter.recipient)?,
                    ))
                })
                .collect::<Result<_, Error>>()?;
            for (recipient, bytes, pdf, beside) in files {
                for file in [Some(pdf), beside].into_iter().flatten() {
                    add(zip, &recipient.letter_id, file)?;
                }
                self.summary.pdf_bytes += bytes;
                self.count(&recipient);
            }
        }
        Ok(())
    }

    /// ZIPs of up to 500 letters, each in one PDF, inside the ZIP.
    fn nested<W: Write + Seek>(&mut self, zip: &mut ZipWriter<W>) -> Result<(), Error> {
        let letters = self.spec.letters;
        let firsts = (1..=letters).step_by(LETTERS_A_NESTED_ZIP as usize);
        for (number, first) in (1..).zip(firsts) {
            let last = letters.min(first + (LETTERS_A_NESTED_ZIP - 1));
            let stem = format!("kirjeet_{number:03}");
            let mut inner = ZipWriter::new(Cursor::new(Vec::new()));
            self.bundle(&mut inner, first..=last, &stem)?;
            let inner = inner.finish().map_err(|source| Error::Finish { source })?;
            let name = format!("{stem}.zip");
            start(zip, &name, stored())?;
            zip.write_all(inner.get_ref())
                .map_err(|source| writing(&name, source))?;
        }
        Ok(())
    }

    fn count(&mut self, letter: &SampleRecipient) {
        self.summary.letters += 1;
        self.summary.pages += u32::from(letter.pages);
        self.summary.with_mailbox += u32::from(letter.has_mailbox);
        (self.progress)(self.summary.letters);
    }
}

/// A letter whose pages are drawn.
struct Drawn {
    recipient: SampleRecipient,
    pages: Vec<Page>,
}

impl Drawn {
    fn of(spec: &Spec, stationery: &Stationery, position: u32) -> Self {
        let recipient = recipient(spec, position);
        Self {
            pages: layout::pages(spec, &stationery.typeface, &recipient),
            recipient,
        }
    }

    /// A PDF of this letter alone: its length, and the file packed.
    fn file(&self, stationery: &Stationery) -> Result<(u64, PreparedZipFile), Error> {
        let name = format!("{}.pdf", self.recipient.letter_id);
        let mut bytes = Vec::new();
        let length = self
            .write(stationery, &mut bytes)
            .map_err(|source| writing(&name, source))?;
        Ok((length, prepared(&name, packed_quickly(), &bytes)?))
    }

    fn write(&self, stationery: &Stationery, out: &mut Vec<u8>) -> io::Result<u64> {
        let pages = u32::from(self.recipient.pages);
        let mut document = Document::start(out, stationery, pages)?;
        for page in &self.pages {
            document.page(page)?;
        }
        document.finish()
    }
}

/// The control data of letters that stand one after another in one PDF.
fn rows_of_one_file(
    spec: &Spec,
    letters: RangeInclusive<u32>,
) -> impl Iterator<Item = Row> + use<'_> {
    let mut next_page = 1;
    letters.map(move |position| {
        let start_page = next_page;
        next_page += pages(spec, position);
        Row::of(spec, position, start_page)
    })
}

fn pages(spec: &Spec, position: u32) -> u32 {
    u32::from(recipient::pages(spec, position))
}

fn stretches(letters: RangeInclusive<u32>) -> impl Iterator<Item = RangeInclusive<u32>> {
    let last = *letters.end();
    letters
        .step_by(LETTERS_AT_ONCE as usize)
        .map(move |first| first..=last.min(first + (LETTERS_AT_ONCE - 1)))
}

fn start<W: Write + Seek>(
    zip: &mut ZipWriter<W>,
    entry: &str,
    options: SimpleFileOptions,
) -> Result<(), Error> {
    zip.start_file(entry, options)
        .map_err(|source| Error::Entry {
            entry: entry.to_owned(),
            source,
        })
}

fn prepared(
    entry: &str,
    options: SimpleFileOptions,
    bytes: &[u8],
) -> Result<PreparedZipFile, Error> {
    PreparedZipFile::from_data(entry, options, bytes).map_err(|source| Error::Entry {
        entry: entry.to_owned(),
        source,
    })
}

fn add<W: Write + Seek>(
    zip: &mut ZipWriter<W>,
    entry: &str,
    file: PreparedZipFile,
) -> Result<(), Error> {
    zip.add_prepared_file(file).map_err(|source| Error::Entry {
        entry: entry.to_owned(),
        source,
    })
}

fn writing(entry: &str, source: io::Error) -> Error {
    Error::Write {
        entry: entry.to_owned(),
        source,
    }
}

/// The date, the system and the rights are fixed: the same spec gives the same bytes everywhere.
fn stored() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::from_date_and_time(2026, 3, 2, 6, 0, 0).unwrap_or_default())
        .system(System::Unix)
        .unix_permissions(0o644)
}

fn packed() -> SimpleFileOptions {
    stored()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(6))
}

/// The streams of a PDF are packed already: there is little to gain.
fn packed_quickly() -> SimpleFileOptions {
    packed().compression_level(Some(1))
}
