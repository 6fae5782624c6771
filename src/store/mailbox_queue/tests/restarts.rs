//! What a program that is gone, or a restored house, leaves in the queue.

use super::*;

#[test]
fn what_was_left_in_hand_waits_again_in_doubt_and_that_of_other_services_stays() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    house.take(row.id, 1);
    let other: ServiceName = "hospital-letters".parse().unwrap();
    house.store.release_in_hand(&other).unwrap();
    assert_eq!(house.numbers(), (1, 1));
    house.store.release_in_hand(&service()).unwrap();
    assert_eq!(house.numbers(), (2, 0));
    let message = MessageId {
        batch: row.id,
        position: 1,
    };
    assert!(house.store.queued(message).unwrap().unwrap().is_in_doubt);
}

#[test]
fn what_a_program_that_is_gone_had_in_hand_waits_again_and_is_in_doubt() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    house.take(row.id, 1);
    house.store.release_leases().unwrap();
    assert_eq!(house.numbers(), (2, 0));
    let doubtful = |position| {
        let message = MessageId {
            batch: row.id,
            position,
        };
        house.store.queued(message).unwrap().unwrap().is_in_doubt
    };
    assert_eq!((doubtful(1), doubtful(2)), (true, false));
}

#[test]
fn what_waited_when_a_backup_was_made_may_have_been_sent_since() {
    let house = House::new();
    let row = house.queued_batch("example-city", 1, at(1));
    house.store.mark_restored(at(9), &action(10)).unwrap();
    let first = MessageId {
        batch: row.id,
        position: 1,
    };
    let blocked = house.deed(MessageDeed::Cancel, first);
    assert_eq!(blocked, [CannotMove::MayBeSent(first)]);
}

#[test]
fn what_was_printed_before_a_restore_leaves_the_queue_with_its_acceptance() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    house.store.mark_restored(at(9), &action(10)).unwrap();
    let first = MessageId {
        batch: row.id,
        position: 1,
    };
    let printed = [(first, BundleId(3))];
    house.store.note_printed(&printed, &action(11)).unwrap();
    house.store.accept_restore(&[], &action(12)).unwrap();
    assert_eq!(house.state(row.id, 1), "handed-over");
    assert_eq!(house.take(row.id, 9), [2]);
}

#[test]
fn what_is_queued_of_batches_from_before_a_restore_is_in_doubt() {
    let house = House::new();
    let before = house.batch("example-city", 1);
    let action = NewEvent {
        at: at(5),
        actor: "maija".to_owned(),
        why: "the disk broke".to_owned(),
    };
    house.store.mark_restored(at(4), &action).unwrap();
    house.store.accept_restore(&[], &action).unwrap();
    let after = house.batch("example-city", 1);
    for (row, is_in_doubt) in [(before, true), (after, false)] {
        (house.store)
            .enqueue(&row, &service(), &page(row.id, 1), at(6))
            .unwrap();
        let id = MessageId {
            batch: row.id,
            position: 1,
        };
        let queued = house.store.queued(id).unwrap().unwrap();
        assert_eq!(queued.is_in_doubt, is_in_doubt, "{id}");
    }
}
