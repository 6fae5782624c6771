//! Batches all the way through the house.

mod again;
mod damaged;

use std::fs;

use kuori::{
    domain::{BatchState, Language},
    pipeline::Gate,
    sample::{Fault, FaultKind, Shape, Spec},
    store::{Again, NewPiece, PieceRow, Received, Selection},
};

use crate::hub::{Hub, because, sample_bytes};

fn letters(letters: u32) -> Spec {
    Spec {
        letters,
        ..Spec::default()
    }
}

fn reprocess(hub: &Hub, selection: &Selection) -> kuori::store::ReprocessPlan {
    let action = because("a test");
    hub.store.reprocess(selection, &action).unwrap()
}

fn all_of(hub: &Hub) -> Selection {
    Selection {
        batch: hub.store.batches(1).unwrap()[0].id,
        positions: Vec::new(),
        from: None,
        again: Again::default(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_letter_ends_in_a_mailbox_or_in_a_bundle() {
    let hub = Hub::new();
    let spec = letters(60);
    hub.consent(&spec);
    hub.upload_sample("koha_20261123210000.zip", &spec);
    hub.run().await;

    let counts = hub.counts();
    assert_eq!(counts.received, 60);
    assert_eq!(counts.delivered + counts.printed, 60, "{counts:?}");
    assert!(counts.delivered > 20 && counts.printed > 10, "{counts:?}");
    assert_eq!(hub.mailbox_messages().len() as u64, counts.delivered);
    assert!(hub.names("sender/inbox").is_empty());
    assert_eq!(
        hub.names("sender/receipts"),
        [
            "koha_20261123210000.B-0001.acknowledgement.xml",
            "koha_20261123210000.B-0001.delivery.xml",
            "koha_20261123210000.B-0001.processing.xml"
        ]
    );
    for bundle in hub.names("print-house/pickup") {
        let files = hub.names(&format!("print-house/pickup/{bundle}"));
        let endings = ["job.xml", "ok", "pdf", "pieces.csv"];
        assert_eq!(files, endings.map(|ending| format!("{bundle}.{ending}")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shape_goes_through() {
    for shape in [
        Shape::OneLetter,
        Shape::Csv,
        Shape::ManyPairs,
        Shape::Nested,
    ] {
        let hub = Hub::new();
        let letters = if shape == Shape::OneLetter { 1 } else { 7 };
        let spec = Spec {
            letters,
            shape,
            ..Spec::default()
        };
        hub.consent(&spec);
        hub.upload_sample("batch.zip", &spec);
        hub.run().await;
        let counts = hub.counts();
        assert_eq!(
            counts.delivered + counts.printed,
            u64::from(letters),
            "{shape:?} {counts:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_is_split_where_it_would_be_too_large_in_every_shape() {
    for shape in [Shape::ManyInOne, Shape::ManyPairs, Shape::Nested] {
        let split = kuori::print::Settings {
            max_bundle_bytes: 1,
            ..kuori::print::Settings::default()
        };
        for (print, bundles) in [(split, 2), (kuori::print::Settings::default(), 1)] {
            let hub = Hub::with_print(print);
            let spec = Spec {
                shape,
                ..letters(2)
            };
            hub.process("batch.zip", &sample_bytes(&spec)).await;
            assert_eq!(hub.names("print-house/pickup").len(), bundles, "{shape:?}");
            assert_eq!(hub.counts().printed, 2, "{shape:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_twice_is_one_batch_and_is_answered_again() {
    let hub = Hub::new();
    let bytes = sample_bytes(&letters(5));
    hub.process("one.zip", &bytes).await;
    let receipts = hub.sender_folder().join("receipts");
    let names = hub.names("sender/receipts");
    for name in &names {
        fs::remove_file(receipts.join(name)).unwrap();
    }
    let bundles = hub.names("print-house/pickup");

    hub.upload("two.zip", &bytes);
    let received = hub.run().await;
    assert!(matches!(received[..], [Received::Again(_)]));
    assert_eq!(hub.names("sender/receipts"), names);
    assert_eq!(hub.names("print-house/pickup"), bundles);
    assert_eq!(hub.store.batches(9).unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_came_in_an_earlier_batch_is_not_sent_twice() {
    let hub = Hub::new();
    hub.process("one.zip", &sample_bytes(&letters(5))).await;
    // The same letter ids in another file: a sixth letter makes the bytes differ.
    hub.process("two.zip", &sample_bytes(&letters(6))).await;
    let counts = hub.counts();
    assert_eq!(
        (counts.refused, counts.delivered + counts.printed),
        (5, 1),
        "{counts:?}"
    );
    let report = hub.receipt("B-0002.processing");
    assert!(report.contains("message-duplicate"), "{report}");
    let refused = "state=\"refused\" fit=\"none\" reason=\"content-unusable\"";
    assert_eq!(report.matches(refused).count(), 5, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_batch_is_answered_and_kept() {
    let hub = Hub::new();
    hub.process("letters.zip", b"this is no ZIP").await;
    let batch = &hub.store.batches(1).unwrap()[0];
    assert_eq!(batch.state, BatchState::Refused);
    assert!(hub.receipt("processing").contains("archive-unreadable"));
    assert_eq!(hub.names("data/spool/quarantine"), ["B-0001.zip"]);
    assert!(hub.names("data/spool/batches").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_says_what_to_do_in_the_senders_language() {
    let hub = Hub::with(|sender| sender.language = Language::Finnish);
    hub.process("letters.zip", b"this is no ZIP").await;
    let report = hub.receipt("processing");
    let what_to_do = [
        "<WhatToDo>Korjaa havainnoissa mainitut asiat ja lähetä erä uudelleen.</WhatToDo>",
        "<WhatToDo>Muodosta ZIP-paketti uudelleen ja tarkista se komennolla `unzip -t` ennen lähettämistä.</WhatToDo>",
    ];
    for told in what_to_do {
        assert!(report.contains(told), "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unfinished_upload_is_left_alone() {
    let hub = Hub::new();
    hub.upload("letters.zip.part", b"PK");
    hub.upload(".letters.zip", b"PK");
    assert!(hub.run().await.is_empty());
    assert_eq!(
        hub.names("sender/inbox"),
        [".letters.zip", "letters.zip.part"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_batch_never_leaves_the_house() {
    let hub = Hub::new();
    let spec = Spec {
        is_test: true,
        ..letters(20)
    };
    hub.consent(&spec);
    hub.upload_sample("test.zip", &spec);
    hub.run().await;
    let counts = hub.counts();
    assert_eq!(counts.delivered + counts.printed, 20);
    assert!(hub.mailbox_messages().is_empty());
    assert!(hub.names("print-house/pickup").is_empty());
    assert!(!hub.names("test-shelf/pickup").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn all_or_nothing_refuses_the_batch_for_one_bad_letter() {
    let bytes = with_one_bad_id();
    let hub = Hub::with(|sender| sender.gate = Gate::AllOrNothing);
    hub.process("batch.zip", &bytes).await;
    assert_eq!(hub.counts().refused, 5);
    assert!(hub.names("print-house/pickup").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_letter_does_not_stop_the_others() {
    let hub = Hub::new();
    hub.process("batch.zip", &with_one_bad_id()).await;
    let counts = hub.counts();
    assert_eq!((counts.refused, counts.printed), (1, 4), "{counts:?}");
    assert!(hub.receipt("processing").contains("recipient-id-invalid"));
}

/// Five letters, one of them with a wrong check character, none with a mailbox.
fn with_one_bad_id() -> Vec<u8> {
    let faults = vec![Fault {
        letter: 2,
        kind: FaultKind::IdentityCodeSlip,
    }];
    sample_bytes(&Spec {
        faults,
        ..letters(5)
    })
}

pub(crate) fn planned(piece: &PieceRow) -> NewPiece {
    NewPiece {
        sequence: piece.sequence,
        position: piece.message.position,
        first_page: piece.first_page,
        pages: piece.pages,
        sheets: piece.sheets,
    }
}
