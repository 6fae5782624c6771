use std::{
    io,
    sync::atomic::{AtomicU32, Ordering},
};

use zip::CompressionMethod;

use super::build::*;
use crate::{
    batch::{
        Archive, CheckedPages, LetterCheck, LetterPages, MemoryShelf, OpenError, PageFinding,
        Settings, open,
    },
    domain::Code,
    pdf::{Document, NotRewritten, Reading, Rewrite, SecondReader},
};

/// Reads `torn` files of so many pages; tells each letter whose document it read.
struct Torn {
    pages: usize,
    asked: AtomicU32,
    is_ill: bool,
}

impl Torn {
    fn of(pages: usize) -> Self {
        Self {
            pages,
            asked: AtomicU32::new(0),
            is_ill: false,
        }
    }
}

impl SecondReader for Torn {
    fn rewrite(&self, torn: &[u8], wanted: Rewrite) -> Result<Vec<u8>, NotRewritten> {
        assert_eq!((torn, wanted), (TORN, Rewrite::Mend));
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.is_ill {
            return Err(NotRewritten::Failed(io::ErrorKind::TimedOut.into()));
        }
        Ok(pdf(self.pages))
    }
}

impl LetterCheck for Torn {
    fn check(&self, document: &Document<'_>, letter: &LetterPages<'_>) -> CheckedPages {
        assert_eq!(document.reading(), Reading::BySecondReader);
        let finding = PageFinding {
            code: Code::PdfSecondReader,
            page: *letter.pages.start(),
            detail: String::new(),
        };
        CheckedPages {
            findings: vec![finding],
            ..CheckedPages::default()
        }
    }

    fn second_reader(&self) -> &dyn SecondReader {
        self
    }
}

const TORN: &[u8] = b"%PDF-1.7 torn";

fn own_documents(count: u32) -> Vec<u8> {
    let xml = bundle_of(
        "",
        "<Letter><LetterMeta><Recipient SSN='N/A'/></LetterMeta></Letter>",
    );
    let names: Vec<_> = (0..count)
        .map(|number| (format!("{number}.xml"), format!("{number}.pdf")))
        .collect();
    let entries = names
        .iter()
        .flat_map(|(control, document)| [(control.as_str(), xml.as_bytes()), (document, TORN)]);
    zip(&entries.collect::<Vec<_>>())
}

fn codes(out: &Out) -> Vec<Code> {
    let findings = out.messages.iter().flat_map(|opened| &opened.findings);
    let codes = findings.map(|finding| finding.code);
    codes
        .filter(|code| code.as_str().starts_with("pdf-"))
        .collect()
}

#[test]
fn letters_of_a_document_that_the_second_reader_reads_stand_on_its_pages() {
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        // More than one page of messages.
        let ranges: Vec<_> = (1..=1_001).map(|page| (page, 1)).collect();
        let xml = bundle(&ranges);
        let bytes = zip_by(
            method,
            &[("letters.pdf", TORN), ("letters.xml", xml.as_bytes())],
        );
        let check = Torn::of(1_001);
        let out = open_checked("a.zip", &bytes, &Settings::default(), &check).unwrap();
        assert_eq!(codes(&out), vec![Code::PdfSecondReader; 1_001]);
        assert_eq!(out.opened.documents[0].pages, 1_001);
        assert_eq!(check.asked.into_inner(), 1);
    }
}

#[test]
fn documents_go_to_the_second_reader_up_to_their_limit_and_not_past_it() {
    let mut settings = Settings::default();
    for (limit, refused) in [(3, 0), (2, 1), (0, 3)] {
        settings.limits.max_second_readings = limit;
        let check = Torn::of(1);
        let out = open_checked("a.zip", &own_documents(3), &settings, &check).unwrap();
        let codes = codes(&out);
        let limits = codes.iter().filter(|code| **code == Code::PdfLimits);
        assert_eq!((codes.len(), limits.count()), (3, refused));
        assert_eq!(check.asked.into_inner(), limit.min(3));
    }
}

#[test]
fn a_second_reader_that_does_not_run_refuses_nobody() {
    let check = Torn {
        is_ill: true,
        ..Torn::of(1)
    };
    let (bytes, settings) = (own_documents(1), Settings::default());
    let archive = Archive::open(&bytes, &settings.limits).unwrap();
    let mut sink = |_| Ok::<(), ()>(());
    let shelf = MemoryShelf;
    let out = open(&archive, "a.zip", &settings, &shelf, &check, &mut sink);
    assert!(matches!(out, Err(OpenError::Shelf(_))));
}
