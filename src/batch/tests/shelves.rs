use std::{
    io::{self, Read},
    sync::{Arc, Mutex},
};

use zip::CompressionMethod;

use super::build::*;
use crate::{
    batch::{Archive, NoCheck, OpenError, OpenedMessage, Settings, SharedBytes, Shelf, open},
    domain::{Code, DocumentName, Finding},
};

/// Remembers what it was asked to keep; a full one keeps nothing.
#[derive(Default)]
struct Recorder {
    is_full: bool,
    kept: Mutex<Vec<String>>,
}

impl Shelf for Recorder {
    fn keep(&self, document: &DocumentName, content: &mut dyn Read) -> io::Result<SharedBytes> {
        if self.is_full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        self.kept.lock().unwrap().push(document.0.clone());
        Ok(Arc::new(bytes))
    }
}

type Told = Result<Vec<Finding>, OpenError<&'static str>>;

fn open_onto(shelf: &Recorder, bytes: &[u8], settings: &Settings) -> Told {
    let archive = Archive::open(bytes, &settings.limits).unwrap();
    let mut findings = Vec::new();
    let mut sink = |page: Vec<OpenedMessage>| {
        findings.extend(page.into_iter().flat_map(|message| message.findings));
        Ok(())
    };
    let opened = open(&archive, "a.zip", settings, shelf, &NoCheck, &mut sink)?;
    findings.extend(opened.findings);
    Ok(findings)
}

fn kept(letters: u32, method: CompressionMethod, max_letter_pdf_bytes: u64) -> Vec<String> {
    let ranges: Vec<_> = (1..=letters).map(|page| (page, 1)).collect();
    let xml = bundle(&ranges);
    let pdf = pdf(letters as usize);
    let bytes = zip_by(
        method,
        &[("letters.pdf", &pdf), ("letters.xml", xml.as_bytes())],
    );
    let mut settings = Settings::default();
    settings.limits.max_letter_pdf_bytes = max_letter_pdf_bytes;
    let shelf = Recorder::default();
    open_onto(&shelf, &bytes, &settings).unwrap();
    shelf.kept.into_inner().unwrap()
}

#[test]
fn a_document_that_is_shared_or_large_is_kept_unless_the_archive_stores_it() {
    let (stored, deflated) = (CompressionMethod::Stored, CompressionMethod::Deflated);
    assert_eq!(kept(2, deflated, 10 << 20), ["letters.pdf"]);
    assert_eq!(kept(2_500, deflated, 10 << 20), ["letters.pdf"]);
    assert_eq!(kept(1, deflated, 100), ["letters.pdf"]);
    assert!(kept(1, deflated, 10 << 20).is_empty());
    assert!(kept(2, stored, 100).is_empty());
}

#[test]
fn a_full_shelf_and_a_failing_sink_are_errors_and_not_findings() {
    let bytes = zip(&[
        ("letters.pdf", &pdf(2)),
        ("letters.xml", bundle(&[(1, 1), (2, 1)]).as_bytes()),
    ]);
    let settings = Settings::default();
    let full = Recorder {
        is_full: true,
        ..Recorder::default()
    };
    let told = open_onto(&full, &bytes, &settings);
    assert!(matches!(told, Err(OpenError::Shelf(_))));
    let archive = Archive::open(&bytes, &settings.limits).unwrap();
    let mut sink = |_| Err("the database is locked");
    let told = open(
        &archive,
        "a.zip",
        &settings,
        &Recorder::default(),
        &NoCheck,
        &mut sink,
    );
    assert!(matches!(
        told,
        Err(OpenError::Sink("the database is locked"))
    ));
}

#[test]
fn a_damaged_document_is_a_finding_and_not_the_shelfs_fault() {
    let xml = bundle(&[(1, 1), (2, 1)]);
    let mut bytes = zip(&[("letters.pdf", &pdf(2)), ("letters.xml", xml.as_bytes())]);
    bytes[60] ^= 0xFF;
    let told = open_onto(&Recorder::default(), &bytes, &Settings::default()).unwrap();
    let [finding] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(finding.code, Code::ArchiveDamaged);
    assert_eq!(finding.place.entry.as_deref(), Some("letters.pdf"));
}
