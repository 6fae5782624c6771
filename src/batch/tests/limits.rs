//! Each limit at its value and one past it.

use super::build::*;
use crate::{
    batch::{Archive, Limits, Settings},
    domain::{Code, Finding, Matter},
};

/// Opens under a limit; tells the codes of errors, those of messages included.
fn errors(bytes: &[u8], change: impl FnOnce(&mut Limits)) -> Vec<Code> {
    let mut settings = Settings::default();
    change(&mut settings.limits);
    let findings = match open_named("a.zip", bytes, &settings) {
        Err(findings) => findings,
        Ok(out) => {
            let of_messages = out
                .messages
                .into_iter()
                .flat_map(|message| message.findings);
            out.opened.findings.into_iter().chain(of_messages).collect()
        }
    };
    findings
        .iter()
        .filter(|f| f.is_error())
        .map(|f| f.code)
        .collect()
}

fn batch(letters: u32) -> Vec<u8> {
    let ranges: Vec<_> = (1..=letters).map(|page| (page, 1)).collect();
    let pdf = pdf(letters as usize);
    zip(&[
        ("letters.pdf", &pdf),
        ("letters.xml", bundle(&ranges).as_bytes()),
    ])
}

#[test]
fn bytes_of_the_zip() {
    let bytes = batch(1);
    let length = bytes.len() as u64;
    assert_eq!(errors(&bytes, |l| l.max_zip_bytes = length), []);
    assert_eq!(
        errors(&bytes, |l| l.max_zip_bytes = length - 1),
        [Code::ArchiveTooLarge]
    );
}

#[test]
fn bytes_unpacked_those_of_nested_zips_included() {
    let bytes = batch(1);
    let of = |bytes: &[u8]| {
        let archive = Archive::open(bytes, &Limits::default()).unwrap();
        archive
            .entries()
            .iter()
            .map(|entry| entry.size)
            .sum::<u64>()
    };
    let total = of(&bytes);
    assert_eq!(errors(&bytes, |l| l.max_unpacked_bytes = total), []);
    assert_eq!(
        errors(&bytes, |l| l.max_unpacked_bytes = total - 1),
        [Code::ArchiveTooLarge]
    );
    let nested = zip(&[("1.zip", &bytes)]);
    let total = total + of(&nested);
    assert_eq!(errors(&nested, |l| l.max_unpacked_bytes = total), []);
    assert_eq!(
        errors(&nested, |l| l.max_unpacked_bytes = total - 1),
        [Code::ArchiveTooLarge]
    );
}

#[test]
fn bytes_of_one_entry() {
    let bytes = batch(1);
    let archive = Archive::open(&bytes, &Limits::default()).unwrap();
    let largest = archive
        .entries()
        .iter()
        .map(|entry| entry.size)
        .max()
        .unwrap();
    assert_eq!(errors(&bytes, |l| l.max_document_bytes = largest), []);
    assert_eq!(
        errors(&bytes, |l| l.max_document_bytes = largest - 1),
        [Code::ArchiveEntryTooLarge]
    );
}

#[test]
fn bytes_of_one_letter_in_a_mailbox() {
    let mailbox = |letters: u32, limit: u64| {
        let mut settings = Settings::default();
        settings.limits.max_letter_pdf_bytes = limit;
        let out = open_named("a.zip", &batch(letters), &settings).unwrap();
        let codes: Vec<_> = out.messages[0].findings.iter().map(|f| f.code).collect();
        (
            out.messages[0].fitness.mailbox,
            out.messages[0].fitness.print,
            codes,
        )
    };
    let length = pdf(1).len() as u64;
    assert_eq!(mailbox(1, length), (true, true, vec![]));
    assert_eq!(
        mailbox(1, length - 1),
        (false, true, vec![Code::TooLargeForMailbox])
    );
    assert_eq!(
        mailbox(2, length - 1),
        (true, true, vec![]),
        "a part of a PDF is smaller"
    );
}

#[test]
fn bytes_of_one_letter_with_its_attachments_in_a_mailbox() {
    let csv = "recipient_id,file,attachments\n010190Y900P,own.pdf,map.txt|map.txt\n";
    let bytes = zip(&[
        ("batch.csv", csv.as_bytes()),
        ("own.pdf", &pdf(1)),
        ("map.txt", &[b' '; 1_000]),
    ]);
    let opened = |limit: u64| {
        let mut settings = Settings::default();
        settings.limits.max_letter_pdf_bytes = limit;
        let mut out = open_named("a.zip", &bytes, &settings).unwrap();
        let message = out.messages.remove(0);
        let is_too_large = |f: &Finding| f.code == Code::TooLargeForMailbox;
        (
            message.message.attachments.len(),
            message.fitness.mailbox,
            message.fitness.print,
            message.findings.iter().any(is_too_large),
        )
    };
    let length = pdf(1).len() as u64 + 2_000;
    assert_eq!(opened(length), (2, true, false, false));
    assert_eq!(opened(length - 1), (2, false, false, true));
}

#[test]
fn characters_of_a_row_of_an_address() {
    let told = |limit| {
        let mut settings = Settings::default();
        settings.limits.max_address_row_chars = limit;
        let out = open_named("a.zip", &batch(1), &settings).unwrap();
        let found = out.messages[0].findings.iter().map(|f| f.code);
        (found.collect::<Vec<_>>(), out.messages[0].fitness.as_str())
    };
    // `Maija Mallikas` and `00100 HELSINKI` have 14.
    assert_eq!(told(14), (vec![], "both"));
    assert_eq!(told(13), (vec![Code::AddressRowLong; 2], "both"));
}

#[test]
fn ratio_above_the_floor() {
    let text = vec![b' '; 100_000];
    let bytes = zip(&[("a", &text)]);
    let archive = Archive::open(&bytes, &Limits::default()).unwrap();
    let packed = archive.entries()[0].packed_size;
    let ratio = 100_000_u64.div_ceil(packed);
    let open = |max_ratio, ratio_floor_bytes| {
        let limits = Limits {
            max_ratio,
            ratio_floor_bytes,
            ..Limits::default()
        };
        let findings = Archive::open(&bytes, &limits).err().unwrap_or_default();
        findings
            .iter()
            .map(|finding| finding.code)
            .collect::<Vec<_>>()
    };
    assert_eq!(open(ratio, 0), []);
    assert_eq!(open(ratio - 1, 0), [Code::ArchiveRatio]);
    assert_eq!(open(ratio - 1, 100_000), []);
    assert_eq!(open(ratio - 1, 99_999), [Code::ArchiveRatio]);
}

#[test]
fn entries_those_of_nested_zips_included() {
    let bytes = batch(1);
    assert_eq!(errors(&bytes, |l| l.max_entries = 2), []);
    assert_eq!(
        errors(&bytes, |l| l.max_entries = 1),
        [Code::ArchiveTooManyEntries]
    );
    let nested = zip(&[("1.zip", &bytes)]);
    assert_eq!(errors(&nested, |l| l.max_entries = 3), []);
    assert_eq!(
        errors(&nested, |l| l.max_entries = 2),
        [Code::ArchiveTooManyEntries]
    );
}

#[test]
fn messages() {
    let bytes = batch(3);
    assert_eq!(errors(&bytes, |l| l.max_messages = 3), []);
    assert_eq!(
        errors(&bytes, |l| l.max_messages = 2),
        [Code::TooManyMessages]
    );
}

#[test]
fn files_that_are_not_there() {
    let csv = "file,recipient_id\n1.pdf,010190Y900P\n2.pdf,010190Y900P\n";
    let bytes = zip(&[("batch.csv", csv.as_bytes())]);
    let missing = Code::DocumentMissing;
    assert_eq!(
        errors(&bytes, |l| l.max_missing_documents = 2),
        [missing, missing]
    );
    assert_eq!(errors(&bytes, |l| l.max_missing_documents = 1), [missing]);
}

#[test]
fn nesting() {
    let nested = zip(&[("1.zip", &batch(1))]);
    assert_eq!(errors(&nested, |l| l.max_nesting = 1), []);
    assert_eq!(
        errors(&nested, |l| l.max_nesting = 0),
        [Code::ArchiveNestedTooDeep]
    );
    let twice = zip(&[("2.zip", &nested)]);
    assert_eq!(errors(&twice, |l| l.max_nesting = 2), []);
    assert_eq!(
        errors(&twice, |l| l.max_nesting = 1),
        [Code::ArchiveNestedTooDeep]
    );
}

#[test]
fn a_matter_of_the_register_is_as_long_as_a_field_may_be() {
    assert_eq!(Matter::MAX_CHARS, Limits::default().max_field_chars);
}

#[test]
fn characters_of_a_field() {
    let longest = "Mallikatu 1"
        .chars()
        .count()
        .max("Maija Mallikas".chars().count());
    assert_eq!(errors(&batch(1), |l| l.max_field_chars = longest), []);
    assert_eq!(
        errors(&batch(1), |l| l.max_field_chars = longest - 1),
        [Code::FieldTooLong]
    );
}

#[test]
fn attachments_that_are_held_at_once() {
    let (attachments, rows) = ("a.txt|".repeat(80), 120);
    let row = |at: u32| format!("{at}.pdf,010190Y900P,{attachments}\n");
    let rows: String = (0..rows).map(row).collect();
    let csv = format!("file,recipient_id,attachments\n{rows}");
    let files: [(&str, &[u8]); 2] = [("batch.csv", csv.as_bytes()), ("a.txt", b"a")];
    let out = open_zip(&zip(&files)).unwrap();
    assert_eq!(out.pages, [50, 50, 20]);
    let without = open_zip(&zip(&files[..1])).unwrap();
    assert_eq!(without.pages, [120]);
    assert!(
        without
            .messages
            .iter()
            .all(|it| it.message.attachments.is_empty() && it.is_refused())
    );
}
