//! Letters that turn out to be damaged, or too large, on their way.

use std::io::{Cursor, Read, Write};

use kuori::sample::Spec;

use super::letters;
use crate::hub::{Hub, sample_bytes};

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_whose_pages_are_damaged_is_held_alone() {
    let hub = Hub::new();
    let spec = letters(30);
    hub.consent(&spec);
    let recipients: Vec<_> = kuori::sample::recipients(&spec).collect();
    let first = |has_mailbox| {
        let mut found = recipients
            .iter()
            .filter(|one| one.has_mailbox == has_mailbox);
        found.next().unwrap().position
    };
    let damaged = [first(true), first(false)];
    let pages = damaged.map(|position| {
        let before = recipients.iter().filter(|one| one.position < position);
        1 + before.map(|one| u32::from(one.pages)).sum::<u32>()
    });
    hub.process("batch.zip", &with_damaged_pages(&spec, &pages))
        .await;
    let counts = hub.counts();
    assert_eq!(
        (counts.held, counts.delivered + counts.printed),
        (2, 28),
        "{counts:?}"
    );
    assert_eq!(hub.mailbox_messages().len() as u64, counts.delivered);
    let report = hub.receipt("processing");
    assert_eq!(
        report.matches("letter-not-composable").count(),
        2,
        "{report}"
    );
}

/// A sample whose PDF has lost what stands on these pages.
fn with_damaged_pages(spec: &Spec, pages: &[u32]) -> Vec<u8> {
    let mut zip = zip::ZipArchive::new(Cursor::new(sample_bytes(spec))).unwrap();
    let mut rewritten = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        if name.to_lowercase().ends_with(".pdf") {
            damage(&mut bytes, pages);
        }
        let options = zip::write::SimpleFileOptions::default();
        rewritten.start_file(name, options).unwrap();
        rewritten.write_all(&bytes).unwrap();
    }
    rewritten.finish().unwrap().into_inner()
}

/// Makes the content streams of some pages unreadable, in place.
fn damage(pdf: &mut [u8], pages: &[u32]) {
    let document = lopdf::Document::load_mem(pdf).unwrap();
    for page in pages {
        let id = document.get_pages()[page];
        let contents = document.get_page_contents(id)[0];
        let header = format!("\n{} 0 obj", contents.0);
        let at = pdf
            .windows(header.len())
            .position(|bytes| bytes == header.as_bytes());
        let at = at.unwrap() + header.len();
        // Its dictionary has no end.
        let end = pdf[at..].windows(2).position(|bytes| bytes == b">>");
        pdf[at + end.unwrap()..][..2].copy_from_slice(b"((");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_turns_out_too_large_for_a_mailbox_is_printed() {
    let hub = Hub::with(|sender| sender.batch.limits.max_letter_pdf_bytes = 1_000);
    let spec = Spec {
        digital_share: 1.0,
        ..letters(5)
    };
    hub.consent(&spec);
    hub.process("batch.zip", &sample_bytes(&spec)).await;
    let counts = hub.counts();
    assert_eq!((counts.delivered, counts.printed), (0, 5), "{counts:?}");
    assert!(hub.receipt("processing").contains("too-large-for-mailbox"));
}
