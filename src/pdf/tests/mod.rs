//! The room from outside: bytes in, bytes out, lopdf as the other reader.

mod active;
mod annotations;
mod content;
mod hostile;
mod layers;
mod overlays;
mod parts;
mod peers;
mod repairs;
mod shapes;
mod sharing;
mod wrapping;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::*;

/// A PDF put together object by object, with the cross-references of your choice.
#[derive(Clone, Default)]
struct Pdf {
    bytes: Vec<u8>,
    offsets: BTreeMap<u32, usize>,
}

impl Pdf {
    fn new() -> Self {
        let mut pdf = Self::default();
        pdf.bytes.extend_from_slice(b"%PDF-1.7\n");
        pdf
    }

    /// Catalog 1, page tree 2, page 3 with that dictionary, content 4, and the rest as given.
    fn with_page(page: &str) -> Self {
        Self::new()
            .object(1, "<</Type/Catalog/Pages 2 0 R>>")
            .object(2, "<</Type/Pages/Kids[3 0 R]/Count 1>>")
            .object(3, &format!("<</Type/Page/Parent 2 0 R{page}>>"))
            .stream(4, "", CONTENT.as_bytes())
    }

    /// The last of several objects with one number is the one that the table tells.
    fn object(mut self, number: u32, body: &str) -> Self {
        self.offsets.insert(number, self.bytes.len());
        self.append(&format!("{number} 0 obj\n{body}\nendobj\n"))
    }

    fn stream(mut self, number: u32, entries: &str, data: &[u8]) -> Self {
        self.offsets.insert(number, self.bytes.len());
        self = self.append(&format!(
            "{number} 0 obj\n<<{entries}/Length {}>>\nstream\n",
            data.len()
        ));
        self.bytes.extend_from_slice(data);
        self.append("\nendstream\nendobj\n")
    }

    fn append(mut self, text: &str) -> Self {
        self.bytes.extend_from_slice(text.as_bytes());
        self
    }

    /// With a classic table; `trailer` adds to `/Root 1 0 R`.
    fn with_table(mut self, trailer: &str) -> Vec<u8> {
        let table = self.bytes.len();
        let mut text = String::from("xref\n0 1\n0000000000 65535 f \n");
        for (number, offset) in &self.offsets {
            write!(text, "{number} 1\n{offset:010} 00000 n \n").unwrap();
        }
        write!(text, "trailer\n<</Size 99/Root 1 0 R{trailer}>>\n").unwrap();
        self = self.append(&text);
        self.append(&format!("startxref\n{table}\n%%EOF\n")).bytes
    }

    fn finished(self) -> Vec<u8> {
        self.with_table("")
    }

    /// With a cross-reference stream of rows (kind, second, third), predicted and deflated.
    fn with_stream(self, number: u32, rows: &[(u32, u8, u32, u16)], trailer: &str) -> Vec<u8> {
        let at = self.bytes.len();
        let mut index = String::new();
        let mut table = Vec::new();
        for (object, kind, second, third) in rows {
            write!(index, "{object} 1 ").unwrap();
            table.push(*kind);
            table.extend_from_slice(&second.to_be_bytes());
            table.extend_from_slice(&third.to_be_bytes());
        }
        let entries = format!(
            "/Type/XRef/W[1 4 2]/Index[{index}]/Size 99/Filter/FlateDecode\
             /DecodeParms<</Predictor 12/Columns 7>>{trailer}"
        );
        self.stream(number, &entries, &deflated(&predicted_up(&table, 7)))
            .append(&format!("startxref\n{at}\n%%EOF\n"))
            .bytes
    }
}

const CONTENT: &str = "0 0 0 rg 100 100 50 50 re f";
const A4: &str = "/MediaBox[0 0 595.276 841.89]/Contents 4 0 R";

fn deflated(data: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// PNG predictor `Up`.
fn predicted_up(table: &[u8], row: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut above = vec![0; row];
    for line in table.chunks(row) {
        out.push(2);
        out.extend(
            line.iter()
                .zip(&above)
                .map(|(byte, up)| byte.wrapping_sub(*up)),
        );
        above = line.to_vec();
    }
    out
}

fn open(bytes: &[u8]) -> Result<Document<'_>, Refusal> {
    Document::open(bytes, &Limits::default())
}

fn settings(document_parts: bool) -> WriterSettings {
    WriterSettings {
        title: "Bundle <1>".into(),
        producer: "Kuori".into(),
        created: jiff::Timestamp::UNIX_EPOCH,
        id: [7; 16],
        document_parts,
        version: PdfVersion::Pdf17,
    }
}

fn fragment(bytes: &[u8]) -> Result<Fragment<'_>, Refusal> {
    let document = open(bytes)?;
    Fragment::of(
        &document,
        1..=document.page_count(),
        &DigestKey([1; 32]),
        &Treatment::default(),
    )
}

/// All pages of each file, one after another.
fn spliced(files: &[&[u8]]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &settings(false)).unwrap();
    for file in files {
        writer
            .add_fragment(&fragment(file).unwrap(), &mut |_| None)
            .unwrap();
    }
    writer.finish().unwrap().0
}

fn read_back(bytes: &[u8]) -> lopdf::Document {
    lopdf::Document::load_mem(bytes).unwrap()
}

/// The pages of a file in order, as lopdf reads them.
fn pages_of(document: &lopdf::Document) -> Vec<&lopdf::Dictionary> {
    let pages = document.get_pages();
    pages
        .values()
        .map(|id| document.get_dictionary(*id).unwrap())
        .collect()
}

fn numbers(page: &lopdf::Dictionary, key: &[u8]) -> Vec<f32> {
    let values = page.get(key).unwrap().as_array().unwrap();
    values
        .iter()
        .map(|value| value.as_float().unwrap())
        .collect()
}

/// What the content streams of a page hold, joined.
fn content_of(document: &lopdf::Document, page: u32) -> String {
    let id = document.get_pages()[&page];
    String::from_utf8(document.get_page_content(id)).unwrap()
}

fn count(haystack: &[u8], needle: &str) -> usize {
    let needle = needle.as_bytes();
    haystack
        .windows(needle.len())
        .filter(|window| *window == needle)
        .count()
}
