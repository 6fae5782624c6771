//! Batches that go on once their queue is empty.

use super::*;

#[test]
fn a_message_without_a_mailbox_is_routed_anew_once_the_queue_is_empty() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    house.take(row.id, 2);
    house.store.record_no_mailbox(row.id, &[1], at(10)).unwrap();
    assert_eq!(house.state(row.id, 1), "accepted");
    assert_eq!(house.store.settle_queues(at(11)).unwrap(), []);
    house.store.record_sent(row.id, &[sent(2)], at(12)).unwrap();
    assert_eq!(house.store.settle_queues(at(12)).unwrap(), [row.id]);
    let batch = house.store.batch(row.id).unwrap();
    assert_eq!(
        (batch.state, batch.due_at),
        (BatchState::Opened, Some(at(12)))
    );
    assert_eq!(house.store.settle_queues(at(9_999)).unwrap(), []);
    assert_eq!(house.number("SELECT COUNT(*) FROM queued_batches"), 0);
}

#[test]
fn that_there_is_no_mailbox_is_remembered_as_the_last_answer_about_its_recipient() {
    let house = House::new();
    let row = house.queued_batch("example-city", 1, at(1));
    house.take(row.id, 1);
    (house.store)
        .record_no_mailbox(row.id, &[1], at(11))
        .unwrap();
    let message = house.store.message(MessageId {
        batch: row.id,
        position: 1,
    });
    let message = message.unwrap();
    let answer = message.asked.map(|asked| (asked.status, asked.at));
    assert_eq!(answer, Some((MailboxStatus::Inactive, at(11))));
    assert_eq!(message.state.as_str(), "accepted");
}

#[test]
fn a_message_without_a_mailbox_waits_ten_minutes_for_the_rest_of_its_queue() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    house.take(row.id, 1);
    house.store.record_no_mailbox(row.id, &[1], at(10)).unwrap();
    assert_eq!(house.store.settle_queues(at(10 + 599)).unwrap(), []);
    assert_eq!(house.store.settle_queues(at(10 + 600)).unwrap(), [row.id]);
    assert_eq!(house.numbers(), (1, 0));
}

#[test]
fn a_batch_that_a_step_has_in_hand_is_settled_afterwards() {
    let house = House::new();
    let row = house.queued_batch("example-city", 1, at(1));
    house.take(row.id, 1);
    let large = finding(row.id, 1, Code::TooLargeForMailbox);
    house.store.record_too_large(&[large], at(2)).unwrap();
    assert_eq!(house.state(row.id, 1), "accepted");
    house.sql("UPDATE batches SET lease_until = 60000");
    assert_eq!(house.store.settle_queues(at(59)).unwrap(), []);
    assert_eq!(house.store.settle_queues(at(60)).unwrap(), [row.id]);
}

#[test]
fn the_paper_half_of_a_message_is_composed_once_it_is_delivered() {
    let house = House::new();
    let row = house.batch("example-city", 1);
    house.sql("UPDATE messages SET channel = 'mailbox-and-print'");
    (house.store)
        .enqueue(&row, &service(), &page(row.id, 1), at(1))
        .unwrap();
    assert!(
        house
            .store
            .messages_to_plan(row.id, 0, 9)
            .unwrap()
            .is_empty()
    );
    house.take(row.id, 1);
    house.store.record_sent(row.id, &[sent(1)], at(2)).unwrap();
    assert_eq!(house.store.settle_queues(at(3)).unwrap(), [row.id]);
    let batch = house.store.batch(row.id).unwrap();
    assert_eq!(batch.state, BatchState::Delivered);
    assert_eq!(house.store.messages_to_plan(row.id, 0, 9).unwrap().len(), 1);
}
