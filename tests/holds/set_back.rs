//! What is held or cancelled while all else is set back.

use jiff::SignedDuration;
use kuori::{
    domain::{BatchState, Code, Finding, MessageState, Place, StatedRecipient, Step},
    sample::{Fault, FaultKind, Spec},
    store::{Again, Blocked, CannotCancel, MessageDeed, PurgeRule, ReprocessPlan, Selection},
};

use super::{
    FIRST, composed, counts, hold, letters, message, move_messages, release, state, states,
};
use crate::hub::{Hub, because, now, sample_bytes};

/// All messages of the batch, or those.
fn set_back(hub: &Hub, positions: &[u32], from: Step, again: bool) -> ReprocessPlan {
    let selection = Selection {
        batch: FIRST,
        positions: positions.to_vec(),
        from: Some(from),
        again: Again {
            print: again,
            deliver: again,
        },
    };
    let action = because("new rules");
    hub.store.reprocess(&selection, &action).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_be_opened_again_is_opened_though_it_was_on_hold_in_between() {
    let hub = composed().await;
    assert_eq!(set_back(&hub, &[], Step::Open, false).blocked, []);
    hold(&hub);
    release(&hub);
    assert_eq!(state(&hub), BatchState::Received);
    hub.run().await;
    assert_eq!(counts(&hub).printed, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_holds_or_called_off_stays_where_all_else_is_set_back() {
    let hub = Hub::new();
    hub.upload("batch.zip", &sample_bytes(&letters(5)));
    hub.poll().await;
    while state(&hub) != BatchState::Routed {
        assert!(hub.run_one_step().await);
    }
    let finding = Finding::new(Code::LetterNotComposable, Place::message(4), "as it is");
    hub.store.hold_message(message(4), &finding).unwrap();
    assert_eq!(move_messages(&hub, MessageDeed::Hold, &[2]).blocked, []);
    assert_eq!(move_messages(&hub, MessageDeed::Cancel, &[3]).blocked, []);
    // To the second message's row nothing is other than to the fourth's, but who holds it.
    let plan = set_back(&hub, &[], Step::Route, false);
    assert_eq!(
        (plan.blocked.len(), plan.messages, plan.passed_over),
        (0, 3, 2)
    );
    let (accepted, held, cancelled) = (
        MessageState::Accepted,
        MessageState::Held,
        MessageState::Cancelled,
    );
    assert_eq!(
        states(&hub),
        [accepted, held, cancelled, accepted, accepted]
    );
    // Whoever names them is told.
    let named = |position| set_back(&hub, &[position], Step::Route, false).blocked;
    assert_eq!(named(2), [Blocked::MessageOnHold(message(2))]);
    assert!(matches!(named(3)[..], [Blocked::Illegal(..)]));
    hub.run().await;
    assert_eq!((counts(&hub).printed, counts(&hub).held), (3, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_whom_nothing_was_to_be_kept_nothing_comes_back() {
    let hub = Hub::new();
    hub.upload("batch.zip", &sample_bytes(&letters(5)));
    hub.run().await;
    let erased = hub.store.erase(message(2), &because("asked for")).unwrap();
    assert_eq!(erased.kept, None);
    let plan = set_back(&hub, &[2], Step::Open, true);
    assert_eq!(plan.blocked, [Blocked::Erased(message(2))]);
    let plan = set_back(&hub, &[], Step::Open, true);
    assert_eq!(
        (plan.blocked.len(), plan.messages, plan.passed_over),
        (0, 4, 1)
    );
    hub.run().await;
    let stored = hub.store.message(message(2)).unwrap();
    assert_eq!(stored.state, MessageState::HandedOver);
    let recipient = stored.message.recipient;
    assert!(recipient.id == StatedRecipient::Absent, "it stays erased");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_letters_are_gone_stays_what_it_is() {
    let hub = Hub::new();
    let slip = Fault {
        letter: 1,
        kind: FaultKind::IdentityCodeSlip,
    };
    let spec = Spec {
        faults: vec![slip],
        ..letters(1)
    };
    hub.upload("batch.zip", &sample_bytes(&spec));
    hub.run().await;
    assert_eq!(counts(&hub).refused, 1);
    let was = state(&hub);
    let rule = PurgeRule {
        batch: Some(FIRST),
        payload_before: Some(now() + SignedDuration::from_secs(1)),
        ..PurgeRule::default()
    };
    let purged = hub.store.purge(&rule, FIRST, &because("tests")).unwrap();
    assert!(purged.is_ok(), "{purged:?}");
    let cancelled = hub.store.cancel(FIRST, &because("too late")).unwrap();
    assert_eq!(cancelled.blocked, [CannotCancel::Purged(FIRST)]);
    let held = hub.store.hold_batch(FIRST, &because("too late")).unwrap();
    assert!(held.blocked.is_some());
    for deed in [MessageDeed::Hold, MessageDeed::Release, MessageDeed::Cancel] {
        assert_eq!(move_messages(&hub, deed, &[1]).moves, []);
    }
    let plan = set_back(&hub, &[], Step::Open, true);
    assert_eq!(plan.blocked, [Blocked::Purged(FIRST)]);
    assert_eq!(state(&hub), was);
}
