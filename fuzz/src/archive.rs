use std::{
    borrow::Cow,
    io::{Cursor, Read},
};

use kuori::batch::{Archive, Entry, Limits};
use zip::read::read_zipfile_from_stream;

use super::{bounds::settings, findings};

/// Opens a ZIP and reads every entry: no more than the limits say, whole and as pieces alike,
/// and nothing else than another program finds in the same bytes.
pub fn archive(bytes: &[u8]) {
    let limits = settings().limits;
    match Archive::open(bytes, &limits) {
        Ok(archive) => {
            keeps_its_limits(&archive, bytes, &limits);
            for entry in archive.entries() {
                reads_alike_whole_and_in_pieces(&archive, entry);
            }
            holds_what_a_stream_holds(&archive, bytes, &limits);
        }
        Err(findings) => findings::of_a_refused_archive(&findings),
    }
}

fn keeps_its_limits(archive: &Archive<'_>, bytes: &[u8], limits: &Limits) {
    assert!(bytes.len() as u64 <= limits.max_zip_bytes);
    assert!(archive.listed() <= limits.max_entries);
    assert!(archive.entries().len() as u64 <= archive.listed());
    let sizes = archive.entries().iter().map(|entry| entry.size);
    assert!(sizes.clone().all(|size| size <= limits.max_document_bytes));
    assert!(sizes.sum::<u64>() <= limits.max_unpacked_bytes);
}

fn reads_alike_whole_and_in_pieces(archive: &Archive<'_>, entry: &Entry) {
    assert_eq!(archive.entry(&entry.name), Some(entry));
    let mut reader = match archive.reader(&entry.name) {
        Ok(reader) => reader,
        // An archive under the name of something else is refused before it is read.
        Err(finding) => {
            assert!(finding.is_error() && archive.read(&entry.name).is_err());
            return;
        }
    };
    let (mut piece, mut pieces, mut failed) = ([0; 97], Vec::new(), false);
    while !failed {
        match reader.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => pieces.extend_from_slice(&piece[..read]),
            Err(_) => failed = true,
        }
        assert!(pieces.len() as u64 <= entry.size, "more than was declared");
    }
    assert_eq!(failed, reader.problem().is_some());
    assert_eq!(reader.is_complete(), !failed);
    match archive.read(&entry.name) {
        Ok(whole) => assert!(!failed && *whole == *pieces && whole.len() as u64 == entry.size),
        Err(finding) => assert!(failed && finding.is_error()),
    }
}

/// What a program finds that reads from the first byte on, and never sees the directory.
fn holds_what_a_stream_holds(archive: &Archive<'_>, bytes: &[u8], limits: &Limits) {
    let mut rest = Cursor::new(bytes);
    while let Ok(Some(file)) = read_zipfile_from_stream(&mut rest) {
        let Ok(name) = file.name().map(Cow::into_owned) else {
            return;
        };
        let mut streamed = Vec::new();
        let mut bounded = file.take(limits.max_document_bytes + 1);
        if bounded.read_to_end(&mut streamed).is_err() {
            return;
        }
        if name.ends_with('/') {
            assert!(streamed.is_empty(), "a folder has content");
            continue;
        }
        assert!(archive.entry(&name).is_some(), "a file that is not listed");
        if let Ok(read) = archive.read(&name) {
            assert!(*read == *streamed, "two programs read two different files");
        }
    }
}
