//! Batches and messages that are set back: by whom they were named, and from which step.

use std::{fs, path::Path};

use kuori::{
    domain::{BatchState, BundleState, EnvelopeName, MessageState, Step},
    sample::{Fault, FaultKind, Spec},
    store::{Again, Blocked, BundleGroup, NewBundle, Selection},
};

use super::{all_of, letters, planned, reprocess};
use crate::hub::{Hub, now, sample_bytes};

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
