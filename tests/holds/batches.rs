//! Batches and whole senders on hold, and what the gate has to say beside an operator.

use jiff::SignedDuration;
use kuori::{
    domain::{BatchState, HoldCause},
    pipeline::HoldPolicy,
    store::{
        Again, Blocked, CannotApprove, CannotHold, CannotMove, CannotRelease, MessageDeed,
        Selection, Standing, Waiting,
    },
};

use super::{
    FIRST, assert_nothing_left, bundles_stand, composed, counts, hold, letters, move_messages,
    reason, release, state,
};
use crate::hub::{Hub, because, now, sample_bytes};

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_nobody_has_opened_is_held_and_opened_when_it_is_released() {
    let hub = Hub::new();
    let spec = letters(20);
    hub.consent(&spec);
    hub.upload("batch.zip", &sample_bytes(&spec));
    let inbox = hub.inbox_through(hub.sender_door());
    inbox.poll(now()).await.unwrap();
    hold(&hub);
    hub.run().await;
    assert_eq!((state(&hub), counts(&hub).received), (BatchState::Held, 0));
    assert_nothing_left(&hub);
    let report = hub.receipt("processing");
    assert!(report.contains("state=\"held\"") && report.contains("a wrong logo"));

    release(&hub);
    hub.run().await;
    assert_eq!(state(&hub), BatchState::Reported);
    assert_eq!(counts(&hub).delivered + counts(&hub).printed, 20);
    let report = hub.receipt("processing-2");
    assert!(report.contains("state=\"reported\"") && !report.contains("Stopped"));
}

#[tokio::test(flavor = "multi_thread")]
async fn bundles_of_a_held_batch_wait_and_its_receipts_go() {
    let hub = composed().await;
    let plan = hub.store.plan_batch_hold(FIRST, now()).unwrap();
    assert_eq!((plan.bundles.len(), plan.going.len()), (1, 0));
    hold(&hub);
    hub.run().await;
    assert_nothing_left(&hub);
    assert_eq!(bundles_stand(&hub), [Standing::Held]);
    assert!(hub.receipt("processing-2").contains("state=\"held\""));
    // No way around: neither by its hand-over, nor by setting it back.
    let all = [None, Some(Waiting::Batch(FIRST))];
    for what in &all {
        let retry = hub.store.retry_waiting(what.as_ref(), &because("a try"));
        let retry = retry.unwrap();
        assert_eq!((retry.rows.len(), retry.on_hold.len()), (0, 1));
    }
    let selection = Selection {
        batch: FIRST,
        positions: vec![1],
        from: None,
        again: Again::default(),
    };
    let plan = hub.store.reprocess(&selection, &because("a try")).unwrap();
    assert!(plan.blocked.contains(&Blocked::OnHold(FIRST)));
    // A restart lets nothing go either.
    hub.store.release_leases().unwrap();
    hub.run().await;
    assert_nothing_left(&hub);

    release(&hub);
    hub.run().await;
    assert_eq!(bundles_stand(&hub), [Standing::HandedOver]);
    assert_eq!(
        (state(&hub), counts(&hub).printed),
        (BatchState::Reported, 5)
    );
    let again = hub
        .store
        .release_batch(FIRST, &because("once more"))
        .unwrap();
    let not_held = CannotRelease::NotHeld(FIRST, BatchState::Reported);
    assert_eq!(again.blocked, Some(not_held));
    let gone = hub.store.hold_batch(FIRST, &because("too late")).unwrap();
    assert_eq!(gone.blocked, Some(CannotHold::AllGone(FIRST)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gates_causes_and_an_operators_hold_stand_side_by_side() {
    for approve_first in [true, false] {
        let hub = Hub::with(|sender| sender.holds = HoldPolicy::default());
        hub.process("batch.zip", &sample_bytes(&letters(5))).await;
        hold(&hub);
        let causes: Vec<_> = hub.store.holds(FIRST).unwrap();
        let causes: Vec<_> = causes.iter().map(|hold| hold.cause).collect();
        assert_eq!(causes, [HoldCause::FirstBatch, HoldCause::Operator]);
        let told = reason(&hub).unwrap();
        assert!(
            told.contains("first batch") && told.contains("a wrong logo"),
            "{told}"
        );
        let already = hub.store.hold_batch(FIRST, &because("again")).unwrap();
        assert!(matches!(already.blocked, Some(CannotHold::Already(..))));

        if approve_first {
            hub.store.approve(FIRST, &because("looked at")).unwrap();
            assert_eq!(
                (state(&hub), reason(&hub).unwrap().as_str()),
                (BatchState::Held, "a wrong logo")
            );
            let plan = hub.store.approve(FIRST, &because("again")).unwrap();
            assert_eq!(plan.blocked, Some(CannotApprove::OnHold(FIRST)));
            release(&hub);
        } else {
            release(&hub);
            assert_eq!(state(&hub), BatchState::Held);
            assert!(!reason(&hub).unwrap().contains("logo"));
            let plan = hub.store.release_batch(FIRST, &because("again")).unwrap();
            assert_eq!(plan.blocked, Some(CannotRelease::ByGate(FIRST)));
            hub.store.approve(FIRST, &because("looked at")).unwrap();
        }
        hub.run().await;
        assert_eq!(
            (state(&hub), counts(&hub).printed),
            (BatchState::Reported, 5)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_does_not_set_a_batch_on_that_a_failed_step_holds() {
    let hub = Hub::with(|sender| sender.print_house = Some("nobody".parse().unwrap()));
    hub.process("batch.zip", &sample_bytes(&letters(5))).await;
    let failed = reason(&hub).unwrap();
    assert!(failed.contains("failed"), "{failed}");
    let plan = hub.store.release_batch(FIRST, &because("a try")).unwrap();
    assert_eq!(plan.blocked, Some(CannotRelease::StepFailed(FIRST)));
    hold(&hub);
    assert_eq!(reason(&hub).unwrap(), format!("a wrong logo; {failed}"));
    release(&hub);
    assert_eq!(
        (state(&hub), reason(&hub).unwrap()),
        (BatchState::Held, failed)
    );
    hub.run().await;
    assert_nothing_left(&hub);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_on_its_way_out_is_not_stopped_and_one_that_comes_back_is() {
    let hub = composed().await;
    let hour = now() + SignedDuration::from_hours(1);
    let mut bundle = None;
    while let Some(row) = hub.store.claim_due_outgoing(now(), hour).unwrap() {
        if row.bundle.is_some() {
            bundle = Some(row);
        }
    }
    let bundle = bundle.unwrap();
    let plan = hub.store.hold_batch(FIRST, &because("at the same moment"));
    assert_eq!(plan.unwrap().blocked, Some(CannotHold::HandingOver(FIRST)));
    let plan = move_messages(&hub, MessageDeed::Hold, &[1]);
    let handing_over = CannotMove::HandingOver(bundle.bundle.unwrap());
    assert_eq!(plan.blocked, [handing_over]);

    let city = "example-city".parse().unwrap();
    let plan = hub.store.hold_sender(&city, &because("all of it")).unwrap();
    assert_eq!((plan.bundles.len(), plan.going.len()), (0, 1));
    // The place did not work, or the outbox let go of it: it would wait again.
    hub.store
        .retry_outgoing(&bundle, "nobody is there", hour)
        .unwrap();
    assert_eq!(bundles_stand(&hub), [Standing::Held]);
    hub.store.release_leases().unwrap();
    hub.run().await;
    assert_nothing_left(&hub);
    hub.store.release_sender(&city, &because("mended")).unwrap();
    hub.run().await;
    assert_eq!(counts(&hub).printed, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn bundles_of_a_sender_on_hold_wait_and_two_holds_want_two_releases() {
    let hub = composed().await;
    let city = "example-city".parse().unwrap();
    let plan = hub.store.hold_sender(&city, &because("a look")).unwrap();
    assert_eq!((plan.bundles.len(), plan.going.len()), (1, 0));
    hold(&hub);
    hub.run().await;
    assert_nothing_left(&hub);
    release(&hub);
    hub.run().await;
    assert_nothing_left(&hub);
    let plan = hub.store.release_sender(&city, &because("mended")).unwrap();
    assert_eq!(plan.bundles.len(), 1);
    hub.run().await;
    assert_eq!(
        (state(&hub), counts(&hub).printed),
        (BatchState::Reported, 5)
    );
}
