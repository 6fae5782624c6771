//! What is queued, taken in hand and sent.

use super::*;

#[test]
fn queueing_a_page_again_adds_nothing() {
    let house = House::new();
    let row = house.queued_batch("example-city", 3, at(1));
    let again = (house.store).enqueue(&row, &service(), &page(row.id, 3), at(2));
    assert_eq!(again.unwrap(), 0);
    assert_eq!(house.numbers(), (3, 0));
    let first = house.store.queued(MessageId {
        batch: row.id,
        position: 1,
    });
    assert_eq!(first.unwrap().unwrap().queued_at, at(1));
    // Nothing of it is to be delivered or printed by a step.
    assert!(
        house
            .store
            .messages_for_mailbox(row.id, 0, 9)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_message_that_goes_nowhere_any_more_is_not_queued() {
    let house = House::new();
    let row = house.batch("example-city", 2);
    house.sql("UPDATE messages SET state = 'cancelled' WHERE position = 2");
    let queued = (house.store).enqueue(&row, &service(), &page(row.id, 2), at(1));
    assert_eq!(queued.unwrap(), 1);
}

#[test]
fn what_is_in_hand_is_taken_by_nobody_else_and_keeps_its_place() {
    let house = House::new();
    let row = house.queued_batch("example-city", 5, at(1));
    assert_eq!(house.take(row.id, 2), [1, 2]);
    assert_eq!(house.take(row.id, 2), [3, 4]);
    assert_eq!(house.numbers(), (1, 4));
    let back = [(1, PutBack::NotSent), (3, PutBack::InDoubt)];
    house.store.put_back(row.id, &back).unwrap();
    assert_eq!(house.numbers(), (3, 2));
    let rows = house.store.begin_sending(row.id, &service(), 9).unwrap();
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.id.position, row.tries, row.is_in_doubt))
        .collect();
    assert_eq!(told, [(1, 2, false), (3, 2, true), (5, 1, false)]);
}

#[test]
fn who_waits_is_asked_about_in_the_order_of_sending_unless_somebody_has_just_asked() {
    let house = House::new();
    let row = house.queued_batch("example-city", 5, at(1));
    house.take(row.id, 1);
    house.sql(
        "UPDATE messages SET asked_status = 'active', asked_at = 50000 WHERE position IN (2, 3);
         UPDATE messages SET asked_at = 49999 WHERE position = 3",
    );
    let to_ask = |limit| {
        let believed = (at(50), at(70));
        let rows = (house.store).queued_to_ask(row.id, &service(), believed, limit);
        let rows = rows.unwrap().into_iter();
        rows.map(|row| row.id.position).collect::<Vec<_>>()
    };
    assert_eq!(to_ask(9), [3, 4, 5]);
    assert_eq!(to_ask(2), [3, 4]);
}

#[test]
fn a_message_keeps_its_place_however_often_it_was_in_hand() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    for how in [PutBack::NotSent, PutBack::InDoubt].repeat(9) {
        assert_eq!(house.take(row.id, 1), [1]);
        house.store.put_back(row.id, &[(1, how)]).unwrap();
    }
    assert_eq!(house.take(row.id, 1), [1]);
}

#[test]
fn what_ends_its_courier_over_and_over_lets_the_others_of_its_batch_go_first() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    for _ in 0..8 {
        assert_eq!(house.take(row.id, 1), [1]);
        house.store.release_in_hand(&service()).unwrap();
    }
    assert_eq!(house.take(row.id, 1), [2]);
}

#[test]
fn what_is_sent_lies_in_its_mailbox_under_the_number_of_its_service() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    house.take(row.id, 1);
    house.store.record_sent(row.id, &[sent(1)], at(5)).unwrap();
    let message = MessageId {
        batch: row.id,
        position: 1,
    };
    let stored = house.store.message(message).unwrap();
    assert_eq!(stored.state.as_str(), "delivered");
    assert_eq!(stored.delivered_at, Some(at(5)));
    assert_eq!(stored.mailbox_reference.as_deref(), Some("1001"));
    assert_eq!(house.numbers(), (1, 0));
}

#[test]
fn what_the_service_prints_is_handed_over() {
    let house = House::new();
    let row = house.batch("example-city", 2);
    let doors = [Door::Multichannel, Door::Paper];
    let page: Vec<_> = page(row.id, 2)
        .into_iter()
        .zip(doors)
        .map(|(new, door)| NewQueued { door, ..new })
        .collect();
    house.store.enqueue(&row, &service(), &page, at(1)).unwrap();
    house.take(row.id, 2);
    house
        .store
        .record_sent(row.id, &[sent(1), sent(2)], at(2))
        .unwrap();
    assert_eq!(house.state(row.id, 1), "handed-over");
    assert_eq!(house.state(row.id, 2), "handed-over");
    assert_eq!(house.numbers(), (0, 0));
    // It cannot be called back.
    let message = MessageId {
        batch: row.id,
        position: 2,
    };
    let printed = CannotMove::AtRest(message, MessageState::HandedOver);
    for deed in [MessageDeed::Hold, MessageDeed::Cancel] {
        assert_eq!(house.deed(deed, message), [printed]);
    }
}

#[test]
fn what_the_service_refuses_is_held_with_its_words() {
    let house = House::new();
    let row = house.queued_batch("example-city", 1, at(1));
    house.take(row.id, 1);
    let refused = finding(row.id, 1, Code::MailboxServiceRefused);
    house
        .store
        .record_refused_by_service(&[refused], at(2))
        .unwrap();
    assert_eq!(house.state(row.id, 1), "held");
    let found = house.store.findings_between(row.id, 1, 1).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(house.numbers(), (0, 0));
}

#[test]
fn whoever_moves_a_message_takes_it_out_of_the_queue() {
    let house = House::new();
    house.queued_batch("example-city", 2, at(1));
    house.sql("UPDATE messages SET state = 'held' WHERE position = 1");
    assert_eq!(house.numbers(), (1, 0));
}
