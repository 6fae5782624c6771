//! What operators hold and cancel of what waits.

use super::*;

#[test]
fn a_queued_message_is_held_and_cancelled_as_any_other_one() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    let [first, second] = [1, 2].map(|position| MessageId {
        batch: row.id,
        position,
    });
    assert_eq!(house.deed(MessageDeed::Hold, first), []);
    assert_eq!(house.deed(MessageDeed::Cancel, second), []);
    assert_eq!(house.numbers(), (0, 0));
    assert_eq!(house.deed(MessageDeed::Release, first), []);
    assert_eq!(house.state(row.id, 1), "accepted");
}

#[test]
fn what_is_being_sent_or_in_doubt_is_neither_held_nor_cancelled() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    let first = MessageId {
        batch: row.id,
        position: 1,
    };
    house.take(row.id, 1);
    for deed in [MessageDeed::Hold, MessageDeed::Cancel] {
        assert_eq!(house.deed(deed, first), [CannotMove::Sending(first)]);
    }
    let cancelled = house.store.cancel(row.id, &action(9)).unwrap();
    assert_eq!(cancelled.blocked, [CannotCancel::Sending { messages: 1 }]);
    (house.store)
        .put_back(row.id, &[(1, PutBack::InDoubt)])
        .unwrap();
    for deed in [MessageDeed::Hold, MessageDeed::Cancel] {
        assert_eq!(house.deed(deed, first), [CannotMove::MayBeSent(first)]);
    }
    let cancelled = house.store.cancel(row.id, &action(9)).unwrap();
    assert_eq!(cancelled.blocked, [CannotCancel::Sending { messages: 1 }]);
}

#[test]
fn a_batch_that_waits_is_cancelled_with_its_queue() {
    let house = House::new();
    let row = house.queued_batch("example-city", 3, at(1));
    assert!(
        house
            .store
            .cancel(row.id, &action(9))
            .unwrap()
            .blocked
            .is_empty()
    );
    assert_eq!(house.numbers(), (0, 0));
    assert_eq!(house.state(row.id, 3), "cancelled");
}

#[test]
fn the_rest_of_a_batch_is_cancelled_while_what_was_sent_stays() {
    let house = House::new();
    let row = house.queued_batch("example-city", 3, at(1));
    house.take(row.id, 1);
    house.store.record_sent(row.id, &[sent(1)], at(2)).unwrap();
    let plan = house.store.cancel_of(row.id, Extent::Rest, &action(9));
    assert_eq!(plan.unwrap().messages, 2);
    assert_eq!(house.state(row.id, 1), "delivered");
    assert_eq!(house.state(row.id, 2), "cancelled");
    assert_eq!(house.numbers(), (0, 0));
}

/// Puts messages into the queue of a service that prints them.
fn queue_paper(house: &House, row: &BatchRow, messages: u32, ending: &str) {
    let paper = |new: NewQueued| NewQueued {
        door: Door::Paper,
        external_id: format!("{}{ending}", new.external_id),
        ..new
    };
    let page: Vec<_> = page(row.id, messages).into_iter().map(paper).collect();
    house.store.enqueue(row, &service(), &page, at(3)).unwrap();
}

#[test]
fn the_paper_half_that_waits_goes_with_the_rest_that_is_cancelled() {
    let house = House::new();
    let row = house.batch("example-city", 1);
    house.sql("UPDATE messages SET channel = 'mailbox-and-print'");
    (house.store)
        .enqueue(&row, &service(), &page(row.id, 1), at(1))
        .unwrap();
    house.take(row.id, 1);
    house.store.record_sent(row.id, &[sent(1)], at(2)).unwrap();
    queue_paper(&house, &row, 1, ".post");
    assert_eq!(house.numbers(), (1, 0));
    let plan = house.store.cancel_of(row.id, Extent::Rest, &action(9));
    assert_eq!(plan.unwrap().blocked, []);
    assert_eq!(house.state(row.id, 1), "delivered");
    // It would be printed all the same.
    assert_eq!(house.numbers(), (0, 0));
    assert!(house.take(row.id, 1).is_empty());
}

#[test]
fn a_batch_of_which_only_paper_waits_in_the_queue_can_be_put_on_hold() {
    let house = House::new();
    let row = house.batch("example-city", 1);
    house.sql(
        "UPDATE messages SET state = 'delivered', delivered_at = 2, channel = 'mailbox-and-print'",
    );
    let gone = house.store.hold_batch(row.id, &action(8)).unwrap();
    assert!(gone.blocked.is_some(), "{gone:?}");
    queue_paper(&house, &row, 1, ".post");
    let held = house.store.hold_batch(row.id, &action(9)).unwrap();
    assert!(held.blocked.is_none(), "{held:?}");
    assert!(house.take(row.id, 1).is_empty());
}

#[test]
fn a_batch_of_which_a_service_has_printed_letters_is_not_cancelled_as_a_whole() {
    let house = House::new();
    let row = house.batch("example-city", 2);
    house.sql("UPDATE messages SET channel = 'print'");
    queue_paper(&house, &row, 2, "");
    house.take(row.id, 1);
    house.store.record_sent(row.id, &[sent(1)], at(4)).unwrap();
    let plan = house.store.cancel(row.id, &action(9)).unwrap();
    assert_eq!(plan.blocked, [CannotCancel::Printed { messages: 1 }]);
    assert_eq!(house.numbers(), (1, 0));
    let plan = house.store.cancel_of(row.id, Extent::Rest, &action(9));
    assert_eq!(plan.unwrap().messages, 1);
    assert_eq!(house.state(row.id, 1), "handed-over");
    assert_eq!(house.state(row.id, 2), "cancelled");
}
