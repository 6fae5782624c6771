//! What has left the house in part, or on its way: the rest of it can still be stopped.

use jiff::SignedDuration;
use kuori::{
    domain::BatchState,
    print,
    store::{Again, CannotCancel, CannotMove, Extent, MessageDeed, Selection},
};

use super::{FIRST, counts, letters, move_messages, state};
use crate::hub::{Hub, because, now, sample_bytes};

#[tokio::test(flavor = "multi_thread")]
async fn what_went_once_and_was_to_go_again_is_held_and_not_told_to_be_cancelled() {
    let hub = Hub::new();
    hub.process("batch.zip", &sample_bytes(&letters(5))).await;
    let again = Selection {
        batch: FIRST,
        positions: vec![2],
        from: Some(kuori::domain::Step::Compose),
        again: Again {
            print: true,
            deliver: false,
        },
    };
    hub.store
        .reprocess(&again, &because("it was lost"))
        .unwrap();
    hub.run_without_hand_over().await;
    let plan = move_messages(&hub, MessageDeed::Cancel, &[2]);
    assert!(matches!(plan.blocked[..], [CannotMove::HandedOver(..)]));
    let plan = hub
        .store
        .cancel_of(FIRST, Extent::Rest, &because("it was found"));
    let plan = plan.unwrap();
    assert_eq!((plan.messages, plan.repeats, plan.gone), (0, 1, 5));
    hub.run().await;
    let counts = counts(&hub);
    assert_eq!((counts.printed, counts.held, counts.cancelled), (4, 1, 0));
    assert_eq!(hub.names("print-house/pickup").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_a_batch_is_cancelled_and_what_has_gone_is_reported() {
    let print = print::Settings {
        max_pieces: 2,
        ..print::Settings::default()
    };
    let hub = Hub::with_print(print);
    hub.upload("batch.zip", &sample_bytes(&letters(5)));
    hub.run_without_hand_over().await;
    // One bundle of three goes.
    while let Some(row) = hub
        .store
        .claim_due_outgoing(now(), now() + SignedDuration::from_hours(1))
        .unwrap()
    {
        if row.bundle.is_some() {
            hub.store.release_outgoing(&row).unwrap();
            break;
        }
        hub.store.release_leases().unwrap();
        hub.store
            .record_handed_over(&row, kuori::store::Await::Nothing, now())
            .unwrap();
    }
    let first = hub
        .store
        .claim_due_outgoing(now(), now() + SignedDuration::from_hours(1));
    let first = first.unwrap().unwrap();
    hub.store
        .record_handed_over(&first, kuori::store::Await::Nothing, now())
        .unwrap();
    let printed = counts(&hub).printed;
    assert!(printed > 0 && printed < 5);
    let whole = hub.store.cancel(FIRST, &because("a mistake")).unwrap();
    assert_eq!(
        whole.blocked,
        [CannotCancel::HandedOver(first.bundle.unwrap())]
    );
    let rest = hub
        .store
        .cancel_of(FIRST, Extent::Rest, &because("a mistake"))
        .unwrap();
    assert_eq!(
        (rest.blocked.len(), rest.messages, rest.gone),
        (0, 5 - printed, printed)
    );
    hub.run().await;
    let counts = counts(&hub);
    assert_eq!((counts.printed, counts.cancelled), (printed, 5 - printed));
    assert_eq!(state(&hub), BatchState::Reported);
    let report = hub.receipt("processing-2");
    assert!(report.contains("a mistake") && report.contains("state=\"cancelled\""));
    assert!(hub.store.check_audit().unwrap().broken.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_was_held_in_the_middle_of_its_hand_over_gets_no_marker_and_stays_held() {
    let hub = Hub::new();
    hub.upload("batch.zip", &sample_bytes(&letters(5)));
    hub.run_without_hand_over().await;
    // The claim has run out, as after a machine has slept; the outbox does not know it yet.
    let mut bundle = None;
    while let Some(row) = hub.store.claim_due_outgoing(now(), now()).unwrap() {
        if row.bundle.is_some() {
            bundle = Some(row);
            break;
        }
        hub.store
            .record_handed_over(&row, kuori::store::Await::Nothing, now())
            .unwrap();
    }
    let bundle = bundle.unwrap();
    let held = hub.store.hold_batch(FIRST, &because("wait")).unwrap();
    assert_eq!((held.blocked, held.bundles.len()), (None, 1));
    let refused = hub.store.intend_marker(&bundle).unwrap_err();
    let is_lost = matches!(refused, kuori::store::Error::LeaseLost(FIRST));
    assert!(is_lost, "{refused}");
    hub.store
        .retry_outgoing(&bundle, "nobody is there", now())
        .unwrap();
    hub.store
        .hold_outgoing(&bundle, "nobody is there", now())
        .unwrap();
    hub.run().await;
    assert_eq!(hub.names("print-house/pickup"), [""; 0]);
    hub.store.release_batch(FIRST, &because("go on")).unwrap();
    hub.run().await;
    assert_eq!(counts(&hub).printed, 5);
}
