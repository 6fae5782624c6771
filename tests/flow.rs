//! Batches all the way through the house.

use std::fs;

use kuori::{
    domain::{BatchState, MessageState, Step},
    pipeline::Gate,
    sample::{Shape, Spec},
    store::{Again, Blocked, NewEvent, Received, Selection},
};

use crate::hub::{Hub, now, sample_bytes};

fn letters(letters: u32) -> Spec {
    Spec {
        letters,
        ..Spec::default()
    }
}

fn reprocess(hub: &Hub, selection: &Selection) -> kuori::store::ReprocessPlan {
    let action = NewEvent {
        at: now(),
        actor: "tester".to_owned(),
        why: "a test".to_owned(),
    };
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
    assert!(
        hub.receipt("B-0002.processing")
            .contains("message-duplicate")
    );
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
    use kuori::sample::{Fault, FaultKind};
    let faults = vec![Fault {
        letter: 2,
        kind: FaultKind::IdentityCodeSlip,
    }];
    sample_bytes(&Spec {
        faults,
        ..letters(5)
    })
}
