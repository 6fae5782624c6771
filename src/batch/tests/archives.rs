use std::io::{Cursor, Read, Write};

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::build::*;
use crate::{
    batch::{Archive, Limits},
    domain::{Code, Finding},
};

fn codes(bytes: &[u8]) -> Vec<Code> {
    let found = Archive::open(bytes, &Limits::default());
    found
        .err()
        .unwrap_or_default()
        .iter()
        .map(|finding| finding.code)
        .collect()
}

fn patched(bytes: &[u8], from: &[u8], to: &[u8], times: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut at = 0;
    for _ in 0..times {
        at += bytes[at..]
            .windows(from.len())
            .position(|window| window == from)
            .unwrap();
        bytes[at..at + from.len()].copy_from_slice(to);
        at += from.len();
    }
    bytes
}

/// Offset of the first central header.
fn central(bytes: &[u8]) -> usize {
    bytes
        .windows(4)
        .position(|window| window == b"PK\x01\x02")
        .unwrap()
}

#[test]
fn stored_and_deflated_files_are_read_back() {
    let text = "kirje ".repeat(1_000);
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let bytes = zip_by(
            method,
            &[("folder/", b""), ("a.txt", text.as_bytes()), ("empty", b"")],
        );
        let archive = Archive::open(&bytes, &Limits::default()).unwrap();
        assert_eq!(archive.read("a.txt").unwrap(), text.as_bytes());
        assert_eq!(archive.read("empty").unwrap(), b"".as_slice());
        assert_eq!(
            archive.read("b.txt").unwrap_err().code,
            Code::DocumentMissing
        );
        let mut read = String::new();
        archive
            .clone()
            .reader("a.txt")
            .unwrap()
            .read_to_string(&mut read)
            .unwrap();
        assert_eq!(read, text);
    }
}

#[test]
fn streamed_archives_with_data_descriptors_are_read_back() {
    let mut writer = ZipWriter::new_stream(Vec::new());
    writer
        .start_file("a.txt", SimpleFileOptions::default())
        .unwrap();
    writer.write_all(b"kirje").unwrap();
    let bytes = writer.finish().unwrap().into_inner();
    let archive = Archive::open(&bytes, &Limits::default()).unwrap();
    assert_eq!(archive.read("a.txt").unwrap(), b"kirje".as_slice());
}

#[test]
fn large_file_headers_of_zip64_are_read_back() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().large_file(true);
    writer.start_file("a.txt", options).unwrap();
    writer.write_all(b"kirje").unwrap();
    let bytes = writer.finish().unwrap().into_inner();
    let archive = Archive::open(&bytes, &Limits::default()).unwrap();
    assert_eq!(archive.read("a.txt").unwrap(), b"kirje".as_slice());
}

/// The same archive, with a ZIP64 end record that the old one points to.
fn with_zip64_end(bytes: &[u8], entries: u64) -> Vec<u8> {
    let (start, end) = (central(bytes) as u64, bytes.len() as u64 - 22);
    let mut zip64 = bytes[..bytes.len() - 22].to_vec();
    zip64.extend(b"PK\x06\x06");
    zip64.extend(44_u64.to_le_bytes());
    zip64.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for number in [entries, entries, end - start, start] {
        zip64.extend(number.to_le_bytes());
    }
    zip64.extend(b"PK\x06\x07\0\0\0\0");
    zip64.extend(end.to_le_bytes());
    zip64.extend(1_u32.to_le_bytes());
    zip64.extend(b"PK\x05\x06\0\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0");
    zip64
}

#[test]
fn the_end_record_of_zip64_is_read_and_held_to() {
    let bytes = zip(&[("a.txt", b"kirje")]);
    let zip64 = with_zip64_end(&bytes, 1);
    let archive = Archive::open(&zip64, &Limits::default()).unwrap();
    assert_eq!(archive.read("a.txt").unwrap(), b"kirje".as_slice());
    let boasting = with_zip64_end(&bytes, u64::MAX);
    assert_eq!(codes(&boasting), [Code::ArchiveInconsistent]);
}

#[test]
fn what_is_no_zip_is_refused() {
    assert_eq!(codes(b""), [Code::ArchiveUnreadable]);
    assert_eq!(codes(b"%PDF-1.7"), [Code::ArchiveUnreadable]);
    let whole = zip(&[("a", b"kirje")]);
    assert_eq!(codes(&whole[..whole.len() - 22]), [Code::ArchiveUnreadable]);
    for cut in 0..whole.len() {
        assert_ne!(codes(&whole[..cut]), [], "{cut}");
    }
}

#[test]
fn something_before_or_behind_the_archive_is_refused() {
    let whole = zip(&[("a", b"kirje")]);
    assert_eq!(
        codes(&[b"MZ", whole.as_slice()].concat()),
        [Code::ArchiveInconsistent]
    );
    assert_eq!(
        codes(&[whole.as_slice(), b"\n"].concat()),
        [Code::ArchiveInconsistent]
    );
    assert_eq!(
        codes(&[whole.clone(), whole].concat()),
        [Code::ArchiveInconsistent]
    );
}

#[test]
fn names_that_climb_are_refused() {
    for name in ["../a", "/a", "a\\b", "C:a", "a//b"] {
        assert_eq!(
            codes(&zip(&[(name, b"")])),
            [Code::ArchiveEntryName],
            "{name}"
        );
    }
    let latin1 = patched(
        &zip(&[("\u{e4}.pdf", b"")]),
        "\u{e4}".as_bytes(),
        b"\xE4_",
        2,
    );
    assert_eq!(codes(&latin1), [Code::ArchiveEntryName]);
    let bytes = patched(&zip(&[("abc", b"")]), b"abc", b"a\0c", 2);
    assert_eq!(codes(&bytes), [Code::ArchiveEntryName]);
}

#[test]
fn names_that_are_alike_are_refused() {
    let twice = patched(&zip(&[("ab", b"1"), ("ac", b"2")]), b"ac", b"ab", 2);
    assert_eq!(codes(&twice), [Code::ArchiveDuplicateName]);
    let folded = zip(&[("Ä.pdf", b""), ("ä.PDF", b"")]);
    assert_eq!(codes(&folded), [Code::ArchiveDuplicateName]);
}

#[test]
fn links_are_refused() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    writer.add_symlink("a", "/etc/passwd", options).unwrap();
    assert_eq!(
        codes(&writer.finish().unwrap().into_inner()),
        [Code::ArchiveSymlink]
    );
}

#[test]
fn encrypted_entries_and_other_methods_are_refused() {
    let mut encrypted = zip(&[("a", b"kirje")]);
    let at = central(&encrypted);
    encrypted[6] |= 1;
    encrypted[at + 8] |= 1;
    assert_eq!(codes(&encrypted), [Code::ArchiveEncrypted]);
    let mut bzip2 = zip(&[("a", b"kirje")]);
    bzip2[8] = 12;
    bzip2[at + 10] = 12;
    assert_eq!(codes(&bzip2), [Code::ArchiveMethod]);
}

#[test]
fn entries_that_overlap_or_differ_from_the_directory_are_refused() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .start_file("a", SimpleFileOptions::default())
        .unwrap();
    writer.write_all(b"kirje").unwrap();
    writer.shallow_copy_file("a", "b").unwrap();
    let overlapping = writer.finish().unwrap().into_inner();
    assert_eq!(codes(&overlapping), [Code::ArchiveInconsistent]);
    let renamed = patched(&zip(&[("abc", b"")]), b"abc", b"xyz", 1);
    assert_eq!(codes(&renamed), [Code::ArchiveInconsistent]);
    let mut miscounted = zip(&[("abc", b"")]);
    let end = miscounted.len() - 22;
    miscounted[end + 10] = 2;
    assert_eq!(codes(&miscounted), [Code::ArchiveInconsistent]);
}

/// An archive whose headers agree on a size and a checksum that may be wrong.
fn lying(size: Option<u32>, crc: Option<u32>) -> Finding {
    let mut bytes = zip(&[("a", &[b'x'; 1_000])]);
    let at = central(&bytes);
    for (offset, value) in [(22, size), (14, crc)] {
        if let Some(value) = value {
            bytes[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
            bytes[at + offset + 2..at + offset + 6].copy_from_slice(&value.to_le_bytes());
        }
    }
    let archive = Archive::open(&bytes, &Limits::default()).unwrap();
    let streamed = archive.reader("a").unwrap().read_to_end(&mut Vec::new());
    assert!(streamed.is_err());
    archive.read("a").unwrap_err()
}

#[test]
fn declared_sizes_and_checksums_are_held_to() {
    assert_eq!(lying(Some(999), None).code, Code::ArchiveInconsistent);
    assert_eq!(lying(Some(1_001), None).code, Code::ArchiveInconsistent);
    assert_eq!(lying(None, Some(1)).code, Code::ArchiveDamaged);
}

#[test]
fn a_damaged_entry_is_told_by_name() {
    let mut bytes = zip(&[("a.pdf", &[b'x'; 1_000])]);
    bytes[36] = 0xFF;
    let archive = Archive::open(&bytes, &Limits::default()).unwrap();
    let finding = archive.read("a.pdf").unwrap_err();
    assert_eq!(finding.code, Code::ArchiveDamaged);
    assert_eq!(finding.place.entry.as_deref(), Some("a.pdf"));
}
