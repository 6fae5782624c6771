//! Single letters that are held, released and cancelled.

use jiff::SignedDuration;
use kuori::{
    domain::{BatchState, BundleState, MessageState},
    pipeline::HoldPolicy,
    store::{Again, Blocked, CannotCancel, CannotMove, Extent, MessageDeed, Selection},
};

use super::{FIRST, composed, counts, letters, message, move_messages, state, states};
use crate::hub::{Hub, because, now, sample_bytes};

#[tokio::test(flavor = "multi_thread")]
async fn a_held_letter_leaves_its_bundle_and_goes_in_another_when_it_is_released() {
    let hub = composed().await;
    let plan = move_messages(&hub, MessageDeed::Hold, &[2]);
    assert_eq!((plan.blocked.len(), plan.withdrawn.len()), (0, 1));
    hub.run().await;
    let held = counts(&hub);
    assert_eq!((held.printed, held.held), (4, 1));
    let why = hub.store.message_hold(message(2)).unwrap();
    assert_eq!(why.as_deref(), Some("the wrong person"));
    // What the sender is told, in the morning.
    let morning = now() + SignedDuration::from_hours(12);
    hub.run_at(morning).await;
    let report = hub.receipt("delivery");
    assert!(report.contains("what=\"held\"") && report.contains("why=\"the wrong person\""));
    assert!(hub.receipt("processing-2").contains("state=\"held\""));
    // Nobody sets it back unless it is released.
    let failed = |positions| Selection {
        batch: FIRST,
        positions,
        from: None,
        again: Again::default(),
    };
    let plan = hub
        .store
        .reprocess(&failed(Vec::new()), &because("all that failed"));
    assert!(plan.unwrap().moves.is_empty());
    let plan = hub
        .store
        .reprocess(&failed(vec![2]), &because("a try"))
        .unwrap();
    assert_eq!(plan.blocked, [Blocked::MessageOnHold(message(2))]);
    hub.run().await;
    assert_eq!(counts(&hub).held, 1);

    let plan = move_messages(&hub, MessageDeed::Release, &[2]);
    assert_eq!(plan.blocked, []);
    hub.run().await;
    assert_eq!(counts(&hub).printed, 5);
    let live = hub.store.bundles(None, 9).unwrap();
    let live: Vec<_> = live
        .iter()
        .filter(|bundle| bundle.state == BundleState::HandedOver)
        .map(|bundle| bundle.letters)
        .collect();
    assert_eq!(live, [1, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_letter_is_told_and_its_id_is_free() {
    let hub = composed().await;
    let plan = move_messages(&hub, MessageDeed::Cancel, &[3]);
    assert_eq!(plan.blocked, []);
    hub.run().await;
    let cancelled = counts(&hub);
    assert_eq!((cancelled.printed, cancelled.cancelled), (4, 1));
    assert_eq!(states(&hub)[2], MessageState::Cancelled);
    let report = hub.receipt("delivery");
    assert!(report.contains("what=\"cancelled\"") && report.contains("why=\"the wrong person\""));
    assert!(report.contains("final=\"true\""), "{report}");
    let again = move_messages(&hub, MessageDeed::Release, &[3]);
    let not_held = CannotMove::NotHeld(message(3), MessageState::Cancelled);
    assert_eq!(again.blocked, [not_held]);

    // The same five, of which the third may go.
    hub.process("corrected.zip", &sample_bytes(&letters(6)))
        .await;
    let second = hub.counts();
    assert_eq!((second.refused, second.printed), (4, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_left_the_house_is_neither_held_nor_cancelled() {
    let hub = Hub::new();
    let spec = letters(20);
    hub.consent(&spec);
    hub.process("batch.zip", &sample_bytes(&spec)).await;
    let bundle = hub.store.bundles(None, 1).unwrap()[0].id;
    for message in hub.store.messages(FIRST, &[], 0, 99).unwrap() {
        let expected = match message.state {
            MessageState::Delivered => CannotMove::Delivered(message.id),
            _ => CannotMove::HandedOver(message.id, bundle),
        };
        for deed in [MessageDeed::Hold, MessageDeed::Cancel] {
            let plan = move_messages(&hub, deed, &[message.id.position]);
            assert_eq!(plan.blocked, [expected]);
        }
    }
    let plan = move_messages(&hub, MessageDeed::Hold, &[21]);
    assert_eq!(plan.blocked, [CannotMove::Unknown(message(21))]);
    let nothing = hub
        .store
        .cancel_of(FIRST, Extent::Rest, &because("too late"));
    assert_eq!(nothing.unwrap().blocked, [CannotCancel::NothingLeft(FIRST)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_messages_are_moved_or_none() {
    let hub = composed().await;
    let plan = move_messages(&hub, MessageDeed::Hold, &[1, 9]);
    assert_eq!(plan.blocked, [CannotMove::Unknown(message(9))]);
    assert_eq!(counts(&hub).composed, 5);
    hub.run().await;
    assert_eq!(counts(&hub).printed, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_a_batch_in_hand_is_left_alone_until_the_step_has_ended() {
    let hub = Hub::with(|sender| sender.holds = HoldPolicy::default());
    hub.process("batch.zip", &sample_bytes(&letters(5))).await;
    // While the gate holds its batch it can be held and released, and the batch stays where it is.
    move_messages(&hub, MessageDeed::Hold, &[1, 2]);
    move_messages(&hub, MessageDeed::Release, &[2]);
    assert_eq!(state(&hub), BatchState::Held);
    hub.store.approve(FIRST, &because("looked at")).unwrap();
    let hour = now() + SignedDuration::from_hours(1);
    hub.store.claim_due_batch(now(), hour).unwrap().unwrap();
    for deed in [MessageDeed::Hold, MessageDeed::Release, MessageDeed::Cancel] {
        let plan = move_messages(&hub, deed, &[1]);
        assert_eq!(plan.blocked, [CannotMove::Working(FIRST)]);
    }
    hub.store.release_leases().unwrap();
    hub.run().await;
    assert_eq!((counts(&hub).printed, counts(&hub).held), (4, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_letter_for_both_channels_the_paper_half_is_held_and_let_go() {
    let hub = Hub::with(|sender| sender.holds = HoldPolicy::default());
    let spec = letters(20);
    hub.consent(&spec);
    hub.process("batch.zip", &sample_bytes(&spec)).await;
    let db = rusqlite::Connection::open(hub.path().join("data/kuori.sqlite")).unwrap();
    db.execute("UPDATE messages SET deny_only = 1", []).unwrap();
    hub.store.approve(FIRST, &because("looked at")).unwrap();
    hub.run_without_hand_over().await;
    let both = counts(&hub).also_to_print;
    assert!(both > 5);
    let messages = hub.store.messages(FIRST, &[], 0, 99).unwrap();
    let first = messages
        .iter()
        .find(|row| row.delivered_at.is_some())
        .unwrap();
    let position = first.id.position;
    assert_eq!(
        move_messages(&hub, MessageDeed::Hold, &[position]).blocked,
        []
    );
    let plan = move_messages(&hub, MessageDeed::Cancel, &[position]);
    assert_eq!(plan.blocked, [CannotMove::Delivered(first.id)]);
    hub.run_without_hand_over().await;
    assert_eq!(
        (counts(&hub).held, counts(&hub).also_to_print),
        (1, both - 1)
    );
    assert_eq!(
        move_messages(&hub, MessageDeed::Release, &[position]).blocked,
        []
    );
    hub.run_without_hand_over().await;
    assert_eq!((counts(&hub).held, counts(&hub).also_to_print), (0, both));

    // The rest of it is cancelled: all that lies in mailboxes stays there, and has no paper half more.
    let plan = hub
        .store
        .cancel_of(FIRST, Extent::Rest, &because("no paper"));
    assert_eq!(plan.unwrap().blocked, []);
    hub.run().await;
    let counts = counts(&hub);
    assert_eq!((counts.delivered, counts.also_to_print), (both, 0));
    assert_eq!(counts.cancelled, 20 - both);
    assert_eq!(hub.names("print-house/pickup"), [""; 0]);
    assert_eq!(hub.mailbox_messages().len() as u64, both);
}
