//! What a letter's pages show, and what becomes of the letter for that.

use std::{
    fmt::Write as _,
    io::{Cursor, Write as _},
};

use kuori::{
    domain::{BatchId, Code, MessageId, MessageState, PrintFacts},
    pipeline::Landscape,
    sample::{Fault, FaultKind, Shape, Spec},
    store::PieceRow,
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::hub::{Hub, sample_bytes};

const UPRIGHT: (u32, u32) = (595, 842);
const ON_ITS_SIDE: (u32, u32) = (842, 595);

/// Something red below the windows.
const RED: &str = "1 0 0 rg 200 300 50 50 re f";

fn with_fault(shape: Shape, kind: FaultKind) -> Spec {
    Spec {
        letters: 4,
        shape,
        faults: vec![Fault { letter: 2, kind }],
        ..Spec::default()
    }
}

/// A PDF of pages with that content and no text.
fn pdf((width, height): (u32, u32), contents: &[&str]) -> Vec<u8> {
    let kids: String = (0..contents.len()).fold(String::new(), |mut kids, at| {
        let _ = write!(kids, "{} 0 R ", 3 + 2 * at);
        kids
    });
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!(
            "<< /Type /Pages /Count {} /Kids [{kids}] /MediaBox [0 0 {width} {height}] >>",
            contents.len()
        ),
    ];
    for content in contents {
        let stream = objects.len() + 2;
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /Resources << >> /Contents {stream} 0 R >>"
        ));
        objects.push(format!(
            "<< /Length {} >>\nstream\n{content}\nendstream",
            content.len()
        ));
    }
    let (mut text, mut places) = ("%PDF-1.7\n".to_owned(), String::new());
    for (number, object) in (1..).zip(&objects) {
        writeln!(places, "{:010} 00000 n ", text.len()).unwrap();
        write!(text, "{number} 0 obj\n{object}\nendobj\n").unwrap();
    }
    let (size, start) = (objects.len() + 1, text.len());
    write!(
        text,
        "xref\n0 {size}\n0000000000 65535 f \n{places}trailer\n<< /Size {size} /Root 1 0 R >>\n\
         startxref\n{start}\n%%EOF\n"
    )
    .unwrap();
    text.into_bytes()
}

/// `batch.csv` of letters on paper, each with a PDF of its own.
fn batch(pdfs: &[Vec<u8>]) -> Vec<u8> {
    let mut rows = "letter_id,recipient_id,file,name,address,postal_code,city,country\n".to_owned();
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (number, pdf) in (1..).zip(pdfs) {
        let row =
            format!("K-{number},,{number}.pdf,Maija Mallikas,Mallikatu 1,00100,Helsinki,FI\n");
        rows += &row;
        zip.start_file(format!("{number}.pdf"), options).unwrap();
        zip.write_all(pdf).unwrap();
    }
    zip.start_file("batch.csv", options).unwrap();
    zip.write_all(rows.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}

fn codes(hub: &Hub, batch: BatchId, position: u32) -> Vec<Code> {
    let found = hub.store.message_findings(MessageId { batch, position });
    found.unwrap().iter().map(|finding| finding.code).collect()
}

fn facts(hub: &Hub, batch: BatchId, position: u32) -> PrintFacts {
    let message = hub.store.message(MessageId { batch, position });
    message.unwrap().facts
}

/// Of all pieces of the only bundle: their pages and sheets.
fn pieces(hub: &Hub) -> Vec<(u32, u32)> {
    let bundles = hub.store.bundles(None, 10).unwrap();
    assert_eq!(bundles.len(), 1);
    let pieces = hub.store.pieces(bundles[0].id).unwrap();
    let measured = |piece: &PieceRow| (piece.pages, piece.sheets);
    pieces.iter().map(measured).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_that_show_their_own_address_are_told_nothing_in_any_shape() {
    for shape in [
        Shape::ManyInOne,
        Shape::OneLetter,
        Shape::Csv,
        Shape::ManyPairs,
        Shape::Nested,
    ] {
        let spec = Spec {
            letters: if shape == Shape::OneLetter { 1 } else { 6 },
            shape,
            ..Spec::default()
        };
        let hub = Hub::new();
        let batch = hub.process("batch.zip", &sample_bytes(&spec)).await;
        for position in 1..=spec.letters {
            assert_eq!(codes(&hub, batch, position), [], "{shape:?} {position}");
            let facts = facts(&hub, batch, position);
            assert!(!facts.lacks_address && !facts.is_unbalanced, "{shape:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_shows_somebody_elses_address_goes_nowhere_and_the_others_go_on() {
    for shape in [
        Shape::ManyInOne,
        Shape::Csv,
        Shape::ManyPairs,
        Shape::Nested,
    ] {
        let spec = with_fault(shape, FaultKind::AnotherPersonsAddress);
        for has_mailboxes in [false, true] {
            let hub = Hub::new();
            if has_mailboxes {
                hub.consent(&spec);
            }
            let batch = hub.process("batch.zip", &sample_bytes(&spec)).await;
            let counts = hub.counts();
            assert_eq!(counts.refused, 1, "{shape:?} {counts:?}");
            assert_eq!(counts.delivered + counts.printed, 3, "{shape:?} {counts:?}");
            assert_eq!(codes(&hub, batch, 2), [Code::AddressMismatch], "{shape:?}");
            let refused = hub.store.message(MessageId { batch, position: 2 });
            assert_eq!(refused.unwrap().state, MessageState::Refused);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_not_compared_for_a_sender_who_wants_it_so() {
    let spec = with_fault(Shape::ManyInOne, FaultKind::AnotherPersonsAddress);
    let hub = Hub::with(|sender| sender.compare_address = false);
    let batch = hub.process("batch.zip", &sample_bytes(&spec)).await;
    assert_eq!(hub.counts().refused, 0);
    assert_eq!(codes(&hub, batch, 2), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_without_an_address_in_the_window_gets_a_page_with_it() {
    let hub = Hub::new();
    let pdfs = [pdf(UPRIGHT, &[RED]), pdf(UPRIGHT, &[RED, "", RED])];
    let batch = hub.process("batch.zip", &batch(&pdfs)).await;
    assert_eq!(codes(&hub, batch, 1), [Code::AddressMissing]);
    let expected = |colour_pages| PrintFacts {
        colour_pages,
        lacks_address: true,
        ..PrintFacts::default()
    };
    assert_eq!(facts(&hub, batch, 1), expected(1));
    assert_eq!(facts(&hub, batch, 2), expected(2));
    // The address page with its blank back, then the letter from a front on.
    assert_eq!(pieces(&hub), [(4, 2), (6, 3)]);
    assert!(hub.receipt("processing").contains("address-missing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_an_address_page_goes_in_front_anyway_no_window_need_be_filled() {
    let hub = Hub::with(|sender| sender.address_page = true);
    let batch = hub
        .process("batch.zip", &batch(&[pdf(UPRIGHT, &[RED])]))
        .await;
    assert_eq!(codes(&hub, batch, 1), []);
    assert!(!facts(&hub, batch, 1).lacks_address);
    assert_eq!(pieces(&hub), [(4, 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_on_their_side_are_turned_only_for_a_sender_who_wants_it() {
    let pdfs = [pdf(UPRIGHT, &[RED]), pdf(ON_ITS_SIDE, &[RED])];
    for (landscape, code, refused) in [
        (Landscape::Refuse, Code::PageSize, 1),
        (Landscape::Turn, Code::PageLandscape, 0),
    ] {
        let hub = Hub::with(|sender| sender.landscape = landscape);
        let batch = hub.process("batch.zip", &batch(&pdfs)).await;
        assert!(codes(&hub, batch, 2).contains(&code), "{landscape:?}");
        assert_eq!(hub.counts().refused, refused, "{landscape:?}");
        let is_turned = facts(&hub, batch, 2).has_landscape;
        assert_eq!(is_turned, landscape == Landscape::Turn);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn content_out_of_balance_is_noted_for_its_composing() {
    let hub = Hub::new();
    let pdfs = [pdf(UPRIGHT, &[RED]), pdf(UPRIGHT, &[&format!("q {RED}")])];
    let batch = hub.process("batch.zip", &batch(&pdfs)).await;
    assert!(!facts(&hub, batch, 1).is_unbalanced);
    assert!(facts(&hub, batch, 2).is_unbalanced);
    assert_eq!(hub.counts().printed, 2);
}
