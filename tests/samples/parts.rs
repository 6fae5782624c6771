//! What the invalid samples are made of: two letters that are in order, before something is broken.

use std::{
    fmt::Write as _,
    io::{Cursor, Write},
};

use zip::{CompressionMethod, DateTime, System, ZipWriter, write::SimpleFileOptions};

use super::font;

/// Width and height in points.
pub(super) const A4: (f32, f32) = (595.0, 842.0);
pub(super) const US_LETTER: (f32, f32) = (612.0, 792.0);

/// One row of `batch.csv`.
pub(super) struct Row {
    pub(super) letter_id: String,
    pub(super) recipient_id: &'static str,
    pub(super) name: &'static str,
    pub(super) address: &'static str,
    pub(super) postal_code: &'static str,
    pub(super) country: &'static str,
    pub(super) file: String,
    pub(super) start_page: &'static str,
    pub(super) pages: &'static str,
    pub(super) subject: String,
    pub(super) channel: &'static str,
    pub(super) attachments: &'static str,
}

/// The row of letter 1 or 2, with nothing wrong.
pub(super) fn row(letter: u32) -> Row {
    Row {
        letter_id: format!("K-2026-{letter}"),
        recipient_id: if letter == 1 { "010190Y900P" } else { "" },
        name: name(letter),
        address: "Mallikatu 1 A 1",
        postal_code: "00100",
        country: "FI",
        file: file(letter),
        start_page: "",
        pages: "",
        subject: "Päätös".to_owned(),
        channel: "any",
        attachments: "",
    }
}

pub(super) const HEADER: &str = "letter_id,recipient_id,name,address,postal_code,city,country,file,start_page,pages,subject,channel,attachments";

/// `batch.csv` with these rows.
pub(super) fn table(rows: &[Row]) -> String {
    let mut text = format!("{HEADER}\n");
    for row in rows {
        let cells = [
            row.letter_id.as_str(),
            row.recipient_id,
            row.name,
            row.address,
            row.postal_code,
            "Helsinki",
            row.country,
            &row.file,
            row.start_page,
            row.pages,
            &row.subject,
            row.channel,
            row.attachments,
        ];
        text += &(cells.join(",") + "\n");
    }
    text
}

pub(super) fn file(letter: u32) -> String {
    format!("kirje-{letter}.pdf")
}

fn name(letter: u32) -> &'static str {
    match letter {
        1 => "Maija Mallikas",
        _ => "Matti Mallikas",
    }
}

/// `batch.csv` and the PDFs of both letters, one page each, in this order.
pub(super) fn csv_files(table: impl Into<Vec<u8>>) -> Vec<(String, Vec<u8>)> {
    vec![
        ("batch.csv".to_owned(), table.into()),
        (file(1), letter_pdf(1)),
        (file(2), letter_pdf(2)),
    ]
}

/// The same, with the second letter's row and PDF replaced.
pub(super) fn second_letter(row_2: Row, pdf: Vec<u8>) -> Vec<u8> {
    let mut files = csv_files(table(&[row(1), row_2]));
    files[2].1 = pdf;
    zip(&files)
}

/// A batch with nothing wrong: `batch.csv` and two PDFs.
pub(super) fn sound() -> Vec<u8> {
    zip(&csv_files(table(&[row(1), row(2)])))
}

/// A `LetterBundle` of `kirjeet.pdf`: a letter for each range of first page and number of pages.
pub(super) fn bundle(ranges: &[(u32, u32)]) -> String {
    let letters: String = (1..).zip(ranges).map(letter).collect();
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<LetterBundle xmlns="urn:itella.com:/schema/ipost/letterbundle/v1x0" schemaVersion="v1x0">
  <Bundle senderBundleId="2026-118">
    <BundleCommon isTest="false">
      <ExternalFile fileName="kirjeet.pdf"/>
    </BundleCommon>
{letters}  </Bundle>
</LetterBundle>
"#
    )
}

fn letter((number, (first, pages)): (u32, &(u32, u32))) -> String {
    let name = name(number);
    format!(
        r#"    <Letter senderLetterId="K-2026-{number}">
      <LetterMeta>
        <Location startPage="{first}" pages="{pages}"/>
        <Recipient SSN="N/A">
          <Address>
            <Eu1 name="{name}" address="Mallikatu 1 A 1" postalCode="00100" city="Helsinki" countryCode="FI"/>
          </Address>
        </Recipient>
      </LetterMeta>
      <LetterDetails>
        <Subject text="Päätös"/>
      </LetterDetails>
    </Letter>
"#
    )
}

/// `kirjeet.xml` and `kirjeet.pdf` with so many pages.
pub(super) fn bundle_files(xml: impl Into<Vec<u8>>, pages: u32) -> Vec<(String, Vec<u8>)> {
    let numbers: Vec<u32> = (1..=pages).collect();
    vec![
        ("kirjeet.xml".to_owned(), xml.into()),
        ("kirjeet.pdf".to_owned(), pdf(&numbers, A4)),
    ]
}

/// A PDF of one page for one letter.
pub(super) fn letter_pdf(letter: u32) -> Vec<u8> {
    pdf(&[letter], A4)
}

/// A PDF with a page for each number, which it shows.
pub(super) fn pdf(numbers: &[u32], size: (f32, f32)) -> Vec<u8> {
    Drawing {
        numbers,
        size,
        ..Drawing::default()
    }
    .pdf()
}

/// What a PDF is like. By default it is the second letter's, with nothing wrong.
#[derive(Clone, Copy)]
pub(super) struct Drawing<'d> {
    /// A page for each, which it shows.
    pub(super) numbers: &'d [u32],
    pub(super) size: (f32, f32),
    /// In the dictionaries of the pages, the catalog and the trailer.
    pub(super) in_page: &'d str,
    pub(super) in_catalog: &'d str,
    pub(super) in_trailer: &'d str,
    /// In the envelope's window, where it is not the recipient's address.
    pub(super) window: Option<&'d [&'d str]>,
    /// Operators that draw something more.
    pub(super) more: &'d str,
    pub(super) embeds_font: bool,
}

impl Default for Drawing<'_> {
    fn default() -> Self {
        Self {
            numbers: &[2],
            size: A4,
            in_page: "",
            in_catalog: "",
            in_trailer: "",
            window: None,
            more: "",
            embeds_font: true,
        }
    }
}

impl Drawing<'_> {
    pub(super) fn pdf(&self) -> Vec<u8> {
        let (width, height) = self.size;
        let pages = (0..self.numbers.len()).map(|at| format!("{} 0 R", 4 + 2 * at));
        let pages = pages.collect::<Vec<_>>().join(" ");
        let first_of_font = 4 + 2 * self.numbers.len();
        let mut objects = vec![
            format!("<< /Type /Catalog /Pages 2 0 R {}>>", self.in_catalog).into_bytes(),
            format!(
                "<< /Type /Pages /Count {} /Kids [{pages}] >>",
                self.numbers.len()
            )
            .into_bytes(),
            font::dictionary(first_of_font),
        ];
        for &number in self.numbers {
            let page = format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] /Contents {} 0 R\n\
                 /Resources << /Font << /F 3 0 R /H << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> \
                 /ExtGState << /Half << /ca 0.5 >> >> >> {}>>",
                objects.len() + 2,
                self.in_page
            );
            objects.push(page.into_bytes());
            objects.push(stream("", self.content(number).as_bytes()));
        }
        objects.extend(font::objects(first_of_font));
        assembled(&objects, self.in_trailer)
    }

    /// The recipient where the envelope's window is, and which page this is: in the comment as
    /// people read it.
    fn content(&self, number: u32) -> String {
        let address = [name(number), "Mallikatu 1 A 1", "00100 Helsinki"];
        let rows = self.window.unwrap_or(&address);
        let show = |text: &str| {
            if self.embeds_font {
                font::shown(text)
            } else {
                format!("({text})")
            }
        };
        let rows: String = rows.iter().map(|row| show(row) + " Tj T* ").collect();
        let top = self.size.1 - 170.0;
        let (font, kirje) = (
            if self.embeds_font { "F" } else { "H" },
            show(&format!("Kirje {number}")),
        );
        format!(
            "% (Kirje {number})\nBT /{font} 11 Tf 14 TL 62 {top} Td {rows}ET\n\
             BT /{font} 11 Tf 62 {} Td {kirje} Tj ET\n{}",
            top - 130.0,
            self.more
        )
    }
}

pub(super) fn stream(entries: &str, data: &[u8]) -> Vec<u8> {
    let mut stream = format!("<< /Length {} {entries}>>\nstream\n", data.len()).into_bytes();
    stream.extend_from_slice(data);
    stream.extend_from_slice(b"\nendstream");
    stream
}

/// Objects 1, 2, 3 …, their cross-references and the trailer. Source: ISO 32000-2, 7.5.
fn assembled(objects: &[Vec<u8>], in_trailer: &str) -> Vec<u8> {
    let mut pdf = b"%PDF-1.7\n".to_vec();
    let mut references = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (number, object) in (1..).zip(objects) {
        writeln!(references, "{:010} 00000 n ", pdf.len()).unwrap();
        pdf.extend_from_slice(format!("{number} 0 obj\n").as_bytes());
        pdf.extend_from_slice(object);
        pdf.extend_from_slice(b"\nendobj\n");
    }
    let (size, start) = (objects.len() + 1, pdf.len());
    let trailer = format!(
        "{references}trailer\n<< /Size {size} /Root 1 0 R {in_trailer}>>\nstartxref\n{start}\n%%EOF\n"
    );
    pdf.extend_from_slice(trailer.as_bytes());
    pdf
}

/// A ZIP of files as they are, so that a byte in it can be found and broken.
pub(super) fn zip(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(name.as_str(), options()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The same on every day and every system.
pub(super) fn options() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::from_date_and_time(2026, 3, 2, 6, 0, 0).unwrap())
        .system(System::Unix)
        .unix_permissions(0o644)
}

/// The text with the one place replaced where `from` stands.
pub(super) fn replaced(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "`{from}` stands there once");
    text.replacen(from, to, 1)
}

/// Puts bytes of the same length where `from` stands for the first time.
pub(super) fn patch(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    let at = find(bytes, from);
    bytes[at..at + to.len()].copy_from_slice(to);
}

pub(super) fn find(bytes: &[u8], wanted: &[u8]) -> usize {
    let mut windows = bytes.windows(wanted.len());
    windows.position(|window| window == wanted).unwrap()
}
