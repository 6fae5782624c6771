//! Batches whose control data as a whole is at fault.

use kuori::domain::Code;

use super::{
    catalogue::{Sample, Stops},
    parts::*,
};

pub(super) fn samples() -> Vec<Sample> {
    let batch = Sample::that_stops(Stops::Batch);
    let nothing = Sample::that_stops(Stops::Nothing);
    vec![
        batch(
            Code::ControlDataMissing,
            "pdfs-only.zip",
            "Two PDFs, and nothing that says whose they are.",
            pdfs_only,
        ),
        batch(
            Code::ControlDataMalformed,
            "unclosed.zip",
            "The second `Letter` of the XML is never closed.",
            || xml(|xml| xml.replacen("    </Letter>\n  </Bundle>", "  </Bundle>", 1)),
        ),
        batch(
            Code::ControlDataMalformed,
            "row-too-short.zip",
            "The second row of `batch.csv` has fewer fields than the header.",
            row_too_short,
        ),
        batch(
            Code::ControlDataDoctype,
            "entity.zip",
            "The XML declares an entity that would read a file of the server.",
            || xml(|xml| xml.replacen("?>\n", DOCTYPE, 1)),
        ),
        batch(
            Code::ControlDataEncoding,
            "latin1-as-utf8.zip",
            "The XML says that it is UTF-8, and its umlauts are ISO-8859-1.",
            latin1_as_utf8,
        ),
        batch(
            Code::ControlDataVersion,
            "v9x9.zip",
            "A `LetterBundle` of a version that does not exist.",
            || xml(|xml| xml.replace("v1x0", "v9x9")),
        ),
        nothing(
            Code::ControlDataUnknown,
            "stapled.zip",
            "The XML asks for staples, which nobody here knows of.",
            || {
                xml(|xml| {
                    xml.replacen(
                        "<Subject",
                        "<Stapling position=\"left\"/>\n        <Subject",
                        1,
                    )
                })
            },
        ),
        batch(
            Code::CsvColumnMissing,
            "no-file-column.zip",
            "`batch.csv` does not say which PDF is whose.",
            no_file_column,
        ),
        batch(
            Code::NoMessages,
            "header-only.zip",
            "`batch.csv` has its header and no row.",
            header_only,
        ),
        batch(
            Code::ShapeNotSupported,
            "zip-beside-pdfs.zip",
            "A ZIP lies beside `batch.csv` and its PDFs.",
            zip_beside_pdfs,
        ),
        nothing(
            Code::DocumentUnused,
            "one-pdf-too-many.zip",
            "No row of `batch.csv` names `kirje-3.pdf`.",
            one_pdf_too_many,
        ),
    ]
}

const DOCTYPE: &str =
    "?>\n<!DOCTYPE LetterBundle [<!ENTITY host SYSTEM \"file:///etc/hostname\">]>\n";

/// The XML of two letters, changed, and their PDF.
fn xml(change: impl FnOnce(String) -> String) -> Vec<u8> {
    let sound = bundle(&[(1, 1), (2, 1)]);
    let changed = change(sound.clone());
    assert_ne!(changed, sound);
    zip(&bundle_files(changed, 2))
}

fn pdfs_only() -> Vec<u8> {
    zip(&csv_files("")[1..])
}

fn row_too_short() -> Vec<u8> {
    let table = table(&[row(1), row(2)]);
    zip(&csv_files(table.trim_end().trim_end_matches(',')))
}

fn latin1_as_utf8() -> Vec<u8> {
    let xml = bundle(&[(1, 1), (2, 1)]);
    let latin1: Vec<u8> = xml.chars().map(|c| u8::try_from(c).unwrap()).collect();
    zip(&bundle_files(latin1, 2))
}

fn no_file_column() -> Vec<u8> {
    zip(&csv_files(replaced(
        &table(&[row(1), row(2)]),
        ",file,",
        ",pdf,",
    )))
}

fn header_only() -> Vec<u8> {
    zip(&csv_files(table(&[]))[..1])
}

fn zip_beside_pdfs() -> Vec<u8> {
    let mut files = csv_files(table(&[row(1), row(2)]));
    files.push(("lisää.zip".to_owned(), sound()));
    zip(&files)
}

fn one_pdf_too_many() -> Vec<u8> {
    let mut files = csv_files(table(&[row(1), row(2)]));
    files.push((file(3), letter_pdf(3)));
    zip(&files)
}
