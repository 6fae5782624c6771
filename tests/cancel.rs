//! Batches that are called off.

use kuori::{
    domain::{BatchId, BatchState, BundleState, MessageState},
    pipeline::HoldPolicy,
    sample::Spec,
    store::{Again, Blocked, CancelPlan, CannotCancel, Extent, Selection},
};

use crate::hub::{Hub, because, now, sample_bytes};

const FIRST: BatchId = BatchId(1);

fn letters(letters: u32) -> Spec {
    Spec {
        letters,
        ..Spec::default()
    }
}

fn cancel(hub: &Hub) -> CancelPlan {
    hub.store.cancel(FIRST, &because("the wrong date")).unwrap()
}

fn assert_nothing_left(hub: &Hub) {
    assert!(hub.mailbox_messages().is_empty());
    assert_eq!(hub.names("print-house/pickup"), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_batch_is_cancelled_and_its_letters_may_come_in_another() {
    let hub = Hub::with(|sender| sender.holds = HoldPolicy::default());
    hub.process("batch.zip", &sample_bytes(&letters(5))).await;
    let plan = hub
        .store
        .plan_cancel_of(FIRST, Extent::Whole, now())
        .unwrap();
    assert_eq!((plan.messages, plan.blocked.len()), (5, 0));
    assert_eq!(hub.counts().cancelled, 0, "a plan does nothing");

    cancel(&hub);
    hub.run().await;
    assert_eq!(hub.counts().cancelled, 5);
    assert_eq!(hub.store.batch(FIRST).unwrap().state, BatchState::Cancelled);
    let report = hub.receipt("processing-2");
    assert!(report.contains("state=\"cancelled\"") && report.contains("the wrong date"));
    assert_nothing_left(&hub);
    let told = hub.store.events(FIRST).unwrap();
    let told = told.iter().find(|event| event.what == "cancelled").unwrap();
    assert_eq!(
        (told.actor.as_str(), told.why.as_deref()),
        ("maija", Some("the wrong date"))
    );

    // The same five ids, and a sixth.
    hub.process("corrected.zip", &sample_bytes(&letters(6)))
        .await;
    assert_eq!(hub.counts().refused, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn bundles_that_wait_for_the_print_house_are_withdrawn() {
    let hub = Hub::new();
    hub.upload("batch.zip", &sample_bytes(&letters(5)));
    hub.run_without_hand_over().await;
    assert_eq!(hub.counts().composed, 5);
    let plan = cancel(&hub);
    assert_eq!((plan.withdrawn.len(), plan.messages), (1, 5));
    hub.run().await;
    assert_nothing_left(&hub);
    assert_eq!(
        hub.store.bundles(None, 9).unwrap()[0].state,
        BundleState::Withdrawn
    );
    let message = hub.store.messages(FIRST, &[], 0, 1).unwrap().remove(0);
    assert_eq!(
        (message.state, message.bundle),
        (MessageState::Cancelled, None)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_which_something_has_left_is_not_cancelled() {
    let hub = Hub::new();
    let spec = letters(20);
    hub.consent(&spec);
    hub.upload("batch.zip", &sample_bytes(&spec));
    hub.run_without_hand_over().await;
    let messages = hub.counts().delivered;
    assert_eq!(cancel(&hub).blocked, [CannotCancel::Delivered { messages }]);
    hub.run().await;
    assert_eq!(hub.counts().cancelled, 0);
    assert_eq!(hub.counts().delivered + hub.counts().printed, 20);

    let hub = Hub::new();
    hub.process("batch.zip", &sample_bytes(&letters(5))).await;
    let bundle = hub.store.bundles(None, 1).unwrap()[0].id;
    assert_eq!(cancel(&hub).blocked, [CannotCancel::HandedOver(bundle)]);
    assert_eq!(hub.counts().printed, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_on_its_way_out_stops_a_cancellation() {
    let hub = Hub::new();
    hub.upload("batch.zip", &sample_bytes(&letters(5)));
    hub.run_without_hand_over().await;
    let bundle = hub.store.bundles(None, 1).unwrap()[0].id;
    let hour = now() + jiff::SignedDuration::from_hours(1);
    while let Some(due) = hub.store.claim_due_outgoing(now(), hour).unwrap() {
        if due.bundle.is_some() {
            hub.store.intend_marker(&due).unwrap();
        }
    }
    assert_eq!(cancel(&hub).blocked, [CannotCancel::HandingOver(bundle)]);
    hub.store.release_leases().unwrap();
    // Free of its lease, but the marker may stand there.
    assert_eq!(cancel(&hub).blocked, [CannotCancel::HandingOver(bundle)]);
    hub.run().await;
    assert_eq!(hub.counts().printed, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_batch_has_no_way_back() {
    let hub = Hub::with(|sender| sender.holds = HoldPolicy::default());
    hub.process("batch.zip", &sample_bytes(&letters(5))).await;
    cancel(&hub);
    hub.run().await;
    assert_eq!(cancel(&hub).blocked, [CannotCancel::Already(FIRST)]);
    assert!(
        hub.store
            .approve(FIRST, &because("a try"))
            .unwrap()
            .blocked
            .is_some()
    );
    let selection = Selection {
        batch: FIRST,
        positions: Vec::new(),
        from: None,
        again: Again {
            print: true,
            deliver: true,
        },
    };
    let plan = hub.store.reprocess(&selection, &because("a try")).unwrap();
    assert!(matches!(plan.blocked[..], [Blocked::Cancelled(FIRST)]));
    hub.run().await;
    assert_eq!(hub.counts().cancelled, 5);
    assert_nothing_left(&hub);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_nobody_has_opened_yet_can_be_cancelled() {
    let hub = Hub::new();
    hub.upload("batch.zip", &sample_bytes(&letters(5)));
    let inbox = hub.inbox_through(hub.sender_door());
    inbox.poll(now()).await.unwrap();
    assert_eq!(cancel(&hub).blocked, []);
    hub.run().await;
    assert!(hub.receipt("processing").contains("state=\"cancelled\""));
    assert_nothing_left(&hub);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_batch_stays_so_where_its_sender_cannot_be_told() {
    // Signed receipts without a key: opening fails, and every report.
    let hub = Hub::with(|sender| sender.receipts.sign = true);
    hub.process("batch.zip", &sample_bytes(&letters(5))).await;
    let row = hub.store.batch(FIRST).unwrap();
    assert_eq!((row.state, row.shape), (BatchState::Held, None));
    assert!(row.reason.unwrap().contains("the step `open` failed"));

    cancel(&hub);
    hub.run().await;
    let row = hub.store.batch(FIRST).unwrap();
    assert_eq!(row.state, BatchState::Cancelled);
    assert_eq!(row.reason.as_deref(), Some("the wrong date"));
    assert!(row.last_error.unwrap().contains("signing key"));
    assert!(row.due_at > Some(now()), "the sender is still to be told");
    let all = Selection {
        batch: FIRST,
        positions: Vec::new(),
        from: None,
        again: Again::default(),
    };
    let plan = hub.store.reprocess(&all, &because("a try")).unwrap();
    assert!(matches!(plan.blocked[..], [Blocked::Cancelled(FIRST)]));
}
