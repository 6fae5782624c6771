//! Batches whose ZIP is at fault.

use std::io::{Cursor, Write};

use kuori::domain::Code;
use zip::{CompressionMethod, ZipWriter};

use super::{
    catalogue::{Sample, Stops},
    parts::*,
};

pub(super) fn samples() -> Vec<Sample> {
    let batch = Sample::that_stops(Stops::Batch);
    let damaged = Sample {
        stops: Stops::Letter,
        ..batch(
            Code::ArchiveDamaged,
            "one-byte.zip",
            "One byte of `kirje-2.pdf` is another, so its checksum does not match.",
            damaged,
        )
    };
    vec![
        damaged,
        batch(
            Code::ArchiveUnreadable,
            "cut-off.zip",
            "The upload broke off: the end of the file is missing.",
            cut_off,
        ),
        batch(
            Code::ArchiveInconsistent,
            "two-names.zip",
            "The directory calls the last file `kirje-2.pdf`, its own header `kirje-9.pdf`.",
            two_names,
        ),
        batch(
            Code::ArchiveInconsistent,
            "appended.zip",
            "A line was appended to the ZIP.",
            appended,
        ),
        batch(
            Code::ArchiveEncrypted,
            "password.zip",
            "`kirje-2.pdf` is marked as encrypted.",
            || marked("kirje-2.pdf", Field::Flags, 1),
        ),
        batch(
            Code::ArchiveMethod,
            "bzip2.zip",
            "`kirje-2.pdf` is marked as compressed by bzip2.",
            || marked("kirje-2.pdf", Field::Method, 12),
        ),
        batch(
            Code::ArchiveEntryName,
            "climbing.zip",
            "A file is named `../kirje-2.pdf`.",
            climbing,
        ),
        batch(
            Code::ArchiveSymlink,
            "symlink.zip",
            "`kirje-2.pdf` is a symbolic link to `kirje-1.pdf`.",
            symlink,
        ),
        batch(
            Code::ArchiveDuplicateName,
            "twice.zip",
            "Two files are named `kirje-1.pdf`.",
            twice,
        ),
        batch(
            Code::ArchiveDuplicateName,
            "upper-case.zip",
            "`kirje-1.pdf` and `KIRJE-1.PDF` are one file on some systems.",
            upper_case,
        ),
        batch(
            Code::ArchiveRatio,
            "four-mebibytes-of-nothing.zip",
            "`kirje-2.pdf` ends in 4 MiB of spaces, which pack to nearly nothing.",
            bomb,
        ),
        batch(
            Code::ArchiveNestedTooDeep,
            "three-deep.zip",
            "A ZIP in a ZIP in a ZIP.",
            three_deep,
        ),
        batch(
            Code::ArchiveHidden,
            "seven-zip.zip",
            "`kirjeet.7z` lies beside the letters.",
            beside,
        ),
        Sample {
            stops: Stops::Letter,
            ..batch(
                Code::ArchiveHidden,
                "called-pdf.zip",
                "`kirje-2.pdf` is a ZIP.",
                called_pdf,
            )
        },
    ]
}

fn cut_off() -> Vec<u8> {
    let mut bytes = sound();
    bytes.truncate(bytes.len() - 100);
    bytes
}

fn damaged() -> Vec<u8> {
    let mut bytes = sound();
    patch(&mut bytes, b"(Kirje 2)", b"(Kirje 3)");
    bytes
}

fn two_names() -> Vec<u8> {
    let mut bytes = sound();
    let at = header(&bytes, LOCAL, "kirje-2.pdf");
    patch(&mut bytes[at..], b"kirje-2", b"kirje-9");
    bytes
}

fn appended() -> Vec<u8> {
    [sound().as_slice(), b"Sender: Mallila\n"].concat()
}

fn climbing() -> Vec<u8> {
    let mut files = csv_files(table(&[row(1), row(2)]));
    files[2].0.insert_str(0, "../");
    zip(&files)
}

fn symlink() -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in &csv_files(table(&[row(1), row(2)]))[..2] {
        zip.start_file(name.as_str(), options()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.add_symlink(file(2), file(1), options()).unwrap();
    zip.finish().unwrap().into_inner()
}

fn twice() -> Vec<u8> {
    let mut bytes = sound();
    for sign in [LOCAL, CENTRAL] {
        let at = header(&bytes, sign, "kirje-2.pdf");
        patch(&mut bytes[at..], b"kirje-2", b"kirje-1");
    }
    bytes
}

fn upper_case() -> Vec<u8> {
    let mut files = csv_files(table(&[row(1), row(2)]));
    files[2].0 = file(1).to_uppercase();
    zip(&files)
}

fn bomb() -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, mut content) in csv_files(table(&[row(1), row(2)])) {
        let mut options = options();
        if name == "kirje-2.pdf" {
            content.resize(4 << 20, b' ');
            options = options.compression_method(CompressionMethod::Deflated);
        }
        zip.start_file(name, options).unwrap();
        zip.write_all(&content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn three_deep() -> Vec<u8> {
    let inner = zip(&[("kirjeet.zip".to_owned(), sound())]);
    zip(&[("maaliskuu.zip".to_owned(), inner)])
}

fn beside() -> Vec<u8> {
    let mut files = csv_files(table(&[row(1), row(2)]));
    files.push((
        "kirjeet.7z".to_owned(),
        b"7z\xBC\xAF\x27\x1C\0\x04".to_vec(),
    ));
    zip(&files)
}

fn called_pdf() -> Vec<u8> {
    let mut files = csv_files(table(&[row(1), row(2)]));
    let pdf = files[2].clone();
    files[2].1 = zip(&[pdf]);
    zip(&files)
}

/// A field of both headers of an entry. Source: APPNOTE.TXT 6.3.10, sections 4.3.7 and 4.3.12.
#[derive(Clone, Copy)]
enum Field {
    Flags = 6,
    Method = 8,
}

const LOCAL: (&[u8], usize) = (b"PK\x03\x04", 30);
const CENTRAL: (&[u8], usize) = (b"PK\x01\x02", 46);

/// The sound batch, with a field of an entry set in both of its headers.
fn marked(entry: &str, field: Field, value: u16) -> Vec<u8> {
    let mut bytes = sound();
    // A central header has the maker's version first, and so everything two bytes further on.
    for (sign, shift) in [(LOCAL, 0), (CENTRAL, 2)] {
        let at = header(&bytes, sign, entry) + field as usize + shift;
        bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
    }
    bytes
}

/// Where a header of an entry begins.
fn header(bytes: &[u8], (sign, name_at): (&[u8], usize), entry: &str) -> usize {
    let is_header = |at: &usize| {
        bytes[*at..].starts_with(sign) && bytes[at + name_at..].starts_with(entry.as_bytes())
    };
    (0..bytes.len() - name_at).find(is_header).unwrap()
}
