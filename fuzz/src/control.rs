use std::{
    fmt::Write as _,
    io::{Cursor, Write as _},
};

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::run::batch;

/// The bytes as the XML of a batch whose PDFs are in order.
pub fn letter_bundle(bytes: &[u8]) {
    batch(&beside_pdfs("kirjeet.xml", bytes));
}

/// The bytes as the `batch.csv` of a batch whose PDFs are in order.
pub fn batch_csv(bytes: &[u8]) {
    batch(&beside_pdfs("batch.csv", bytes));
}

/// The names are those of the samples, so that these find their letters.
fn beside_pdfs(control: &str, bytes: &[u8]) -> Vec<u8> {
    let (three, one) = (small_pdf(3), small_pdf(1));
    let files = [
        (control, bytes),
        ("kirjeet.pdf", &three),
        ("kirje-1.pdf", &one),
        ("kirje-2.pdf", &one),
    ];
    zipped(CompressionMethod::Stored, &files)
}

/// A ZIP of these files, in their order.
pub fn zipped(method: CompressionMethod, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, content) in files {
        zip.start_file(*name, options)
            .expect("a name that can be written");
        zip.write_all(content).expect("memory takes it");
    }
    zip.finish().expect("memory takes it").into_inner()
}

/// A PDF of so many empty A4 pages.
pub fn small_pdf(pages: usize) -> Vec<u8> {
    let kids: Vec<_> = (3..3 + pages)
        .map(|number| format!("{number} 0 R"))
        .collect();
    let kids = kids.join(" ");
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        format!("<</Type/Pages/Count {pages}/Kids[{kids}]>>"),
    ];
    let page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<<>>>>";
    objects.resize(2 + pages, page.to_owned());
    assembled(&objects)
}

/// Objects 1, 2, 3 …, their cross-references and the trailer. Source: ISO 32000-1, 7.5.
fn assembled(objects: &[String]) -> Vec<u8> {
    let size = objects.len() + 1;
    let mut pdf = String::from("%PDF-1.7\n");
    let mut references = format!("xref\n0 {size}\n0000000000 65535 f \n");
    for (number, object) in (1..).zip(objects) {
        let _ = writeln!(references, "{:010} 00000 n ", pdf.len());
        let _ = write!(pdf, "{number} 0 obj\n{object}\nendobj\n");
    }
    let start = pdf.len();
    let _ = write!(
        pdf,
        "{references}trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n"
    );
    pdf.into_bytes()
}
