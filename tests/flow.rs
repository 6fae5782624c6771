//! Batches all the way through the house.

use std::{
    fs,
    io::{Cursor, Read, Write},
    path::Path,
};

use kuori::{
    domain::{BatchState, BundleState, EnvelopeName, Language, MessageState, Step},
    pipeline::Gate,
    sample::{Fault, FaultKind, Shape, Spec},
    store::{Again, Blocked, BundleGroup, NewBundle, NewPiece, PieceRow, Received, Selection},
};

use crate::hub::{Hub, because, now, sample_bytes};

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

#[tokio::test(flavor = "multi_thread")]
async fn reprocessing_a_printed_batch_is_refused_unless_asked_for_by_name() {
    let hub = Hub::new();
    hub.process("batch.zip", &sample_bytes(&letters(5))).await;
    let selection = Selection {
        from: Some(Step::Compose),
        ..all_of(&hub)
    };
    let plan = reprocess(&hub, &selection);
    assert_eq!(plan.blocked.len(), 5);
    assert!(matches!(plan.blocked[0], Blocked::HandedOver(..)));
    hub.run().await;
    assert_eq!(hub.names("print-house/pickup").len(), 1);

    let again = Again {
        print: true,
        deliver: false,
    };
    let one = Selection {
        positions: vec![2],
        again,
        ..selection
    };
    assert!(reprocess(&hub, &one).blocked.is_empty());
    hub.run().await;
    assert_eq!(hub.names("print-house/pickup").len(), 2);
    assert_eq!(hub.counts().printed, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivered_message_is_delivered_once_more_only_by_name() {
    let hub = Hub::new();
    let spec = Spec {
        digital_share: 1.0,
        ..letters(5)
    };
    hub.consent(&spec);
    hub.process("batch.zip", &sample_bytes(&spec)).await;
    let delivered = hub.mailbox_messages().len();
    let first = Selection {
        positions: vec![1],
        from: Some(Step::Route),
        ..all_of(&hub)
    };
    assert!(matches!(
        reprocess(&hub, &first).blocked[..],
        [Blocked::Delivered(_)]
    ));
    hub.run().await;
    assert_eq!(hub.mailbox_messages().len(), delivered);

    let again = Again {
        print: false,
        deliver: true,
    };
    assert!(
        reprocess(&hub, &Selection { again, ..first })
            .blocked
            .is_empty()
    );
    hub.run().await;
    assert_eq!(hub.mailbox_messages().len(), delivered + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_makes_no_move_that_the_lifecycle_does_not_know() {
    let hub = Hub::new();
    hub.process("batch.zip", &sample_bytes(&letters(5))).await;
    // No command cancels a message yet.
    let database = hub.path().join("data/kuori.sqlite");
    let cancel = "UPDATE messages SET state = 'cancelled', bundle = NULL WHERE position = 2";
    let cancelled = rusqlite::Connection::open(database).and_then(|db| db.execute(cancel, []));
    assert_eq!(cancelled, Ok(1));
    let selection = Selection {
        positions: vec![2],
        ..all_of(&hub)
    };
    let plan = reprocess(&hub, &selection);
    assert_eq!((plan.blocked.len(), plan.moves.len()), (1, 0));
    assert_eq!(
        plan.blocked[0].to_string(),
        "message B-0001-2 cannot be set back: a message that is cancelled cannot become accepted"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn reprocessing_a_composed_batch_withdraws_its_bundle() {
    let hub = Hub::new();
    hub.upload("batch.zip", &sample_bytes(&letters(5)));
    hub.run_without_hand_over().await;
    assert_eq!(hub.counts().composed, 5);

    let one = Selection {
        positions: vec![1],
        from: Some(Step::Route),
        ..all_of(&hub)
    };
    let plan = reprocess(&hub, &one);
    assert_eq!(
        (plan.blocked.len(), plan.withdrawn.len(), plan.moves.len()),
        (0, 1, 1)
    );
    hub.run().await;
    assert_eq!(hub.counts().printed, 5);
    // The withdrawn bundle was never handed over; its successor was.
    assert_eq!(hub.names("print-house/pickup"), ["P-0002"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_can_be_reprocessed_when_its_cause_is_gone() {
    let hub = Hub::with(|sender| sender.print_house = None);
    hub.process("batch.zip", &sample_bytes(&letters(5))).await;
    assert_eq!(hub.counts().refused, 5);
    let batch = hub.store.batches(1).unwrap()[0].id;
    let plan = reprocess(&hub, &all_of(&hub));
    assert_eq!(plan.moves.len(), 5);
    assert!(
        plan.moves
            .iter()
            .all(|step| step.to == MessageState::Accepted)
    );
    hub.run().await;
    assert_eq!(hub.store.batch(batch).unwrap().state, BatchState::Reported);
    assert!(hub.receipt("processing-2").contains("no-print-contract"));
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
async fn a_bundle_planned_under_other_settings_is_planned_anew() {
    let hub = Hub::new();
    hub.upload("batch.zip", &sample_bytes(&letters(5)));
    hub.run_without_hand_over().await;
    let composed = hub.store.bundles(None, 10).unwrap();
    let from_compose = Selection {
        from: Some(Step::Compose),
        ..all_of(&hub)
    };
    reprocess(&hub, &from_compose);
    // The same letters, planned for an envelope that the print house no longer has.
    let pieces = hub.store.pieces(composed[0].id).unwrap();
    let other = NewBundle {
        print_house: composed[0].print_house.clone(),
        group: BundleGroup {
            postage_code: None,
            envelope: EnvelopeName("C6".to_owned()),
            ..composed[0].group.clone()
        },
        pieces: pieces.iter().map(planned).collect(),
    };
    let batch = composed[0].batch;
    hub.store.record_plan(batch, [other], now()).unwrap();
    hub.run().await;
    assert_eq!(hub.counts().printed, 5);
    let states: Vec<_> = hub.store.bundles(None, 10).unwrap();
    let states: Vec<_> = states.iter().rev().map(|bundle| bundle.state).collect();
    let expected = [
        BundleState::Withdrawn,
        BundleState::Withdrawn,
        BundleState::HandedOver,
    ];
    assert_eq!(states, expected);
    assert_eq!(hub.names("print-house/pickup"), ["P-0003"]);
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

#[tokio::test(flavor = "multi_thread")]
async fn reprocessing_from_a_late_step_skips_no_earlier_one_that_is_still_to_come() {
    let hub = Hub::new();
    hub.upload("batch.zip", &sample_bytes(&letters(5)));
    hub.run_without_hand_over().await;
    for step in [Step::Route, Step::Report] {
        let selection = Selection {
            from: Some(step),
            ..all_of(&hub)
        };
        assert!(reprocess(&hub, &selection).blocked.is_empty());
    }
    hub.run().await;
    let counts = hub.counts();
    assert_eq!((counts.printed, counts.in_progress), (5, 0), "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_batch_is_reported_and_goes_on_when_its_cause_is_gone() {
    let hub = Hub::new();
    hub.upload("batch.zip", &sample_bytes(&letters(5)));
    hub.run_without_hand_over().await;
    let from_route = Selection {
        from: Some(Step::Route),
        ..all_of(&hub)
    };
    reprocess(&hub, &from_route);
    // Nobody but the house writes in the spool; this is what a damaged disk would do.
    let row = hub.store.batches(1).unwrap().remove(0);
    let file = hub.store.spool().path(&row.spool);
    let whole = fs::read(&file).unwrap();
    replace(&file, b"damaged");
    hub.run().await;
    assert_eq!(hub.store.batch(row.id).unwrap().state, BatchState::Held);
    assert!(
        hub.receipt("processing-2").contains("state=\"held\""),
        "{}",
        hub.receipt("processing-2")
    );
    assert!(hub.names("print-house/pickup").is_empty());

    replace(&file, &whole);
    // No step is named, and no message is held: the batch goes on from where it has to.
    reprocess(&hub, &all_of(&hub));
    hub.run().await;
    assert_eq!(hub.counts().printed, 5);
}

/// Another file under the same name: the old one may still be mapped.
fn replace(file: &Path, bytes: &[u8]) {
    fs::remove_file(file).unwrap();
    fs::write(file, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_refused_as_a_whole_cannot_be_reprocessed_around_its_opening() {
    let faults = vec![Fault {
        letter: 2,
        kind: FaultKind::PageTooFew,
    }];
    let hub = Hub::new();
    let bytes = sample_bytes(&Spec {
        faults,
        ..letters(5)
    });
    hub.process("batch.zip", &bytes).await;
    assert_eq!(hub.counts().refused, 5);
    let selection = Selection {
        from: Some(Step::Route),
        ..all_of(&hub)
    };
    let plan = reprocess(&hub, &selection);
    assert_eq!(plan.from, Step::Open);
    hub.run().await;
    assert_eq!(hub.counts().refused, 5);
    assert!(hub.names("print-house/pickup").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_as_a_test_can_be_sent_in_earnest() {
    let hub = Hub::new();
    let spec = letters(5);
    let test = Spec {
        is_test: true,
        ..spec.clone()
    };
    hub.process("test.zip", &sample_bytes(&test)).await;
    hub.process("earnest.zip", &sample_bytes(&spec)).await;
    assert_eq!((hub.counts().printed, hub.counts().refused), (5, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn reopening_for_one_message_leaves_the_other_refused_ones_alone() {
    let slip = |letter| Fault {
        letter,
        kind: FaultKind::IdentityCodeSlip,
    };
    let hub = Hub::new();
    let spec = Spec {
        faults: vec![slip(2), slip(4)],
        ..letters(5)
    };
    hub.process("batch.zip", &sample_bytes(&spec)).await;
    let one = Selection {
        positions: vec![2],
        ..all_of(&hub)
    };
    assert_eq!(reprocess(&hub, &one).moves.len(), 1);
    hub.run().await;
    let counts = hub.counts();
    assert_eq!((counts.refused, counts.printed), (2, 3), "{counts:?}");
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
