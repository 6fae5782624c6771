//! What waits, or was sent, is set back.

use super::*;

#[test]
fn a_message_that_waits_is_routed_anew_out_of_the_queue() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    let plan = house.reprocess(row.id, Step::Route, Again::default());
    assert!(plan.blocked.is_empty(), "{:?}", plan.blocked);
    assert_eq!(house.state(row.id, 1), "accepted");
    assert_eq!(house.numbers(), (1, 0));
}

#[test]
fn a_message_that_is_delivered_anew_is_queued_anew_and_the_others_keep_their_places() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    house.reprocess(row.id, Step::Deliver, Again::default());
    let to_queue = house.store.messages_for_mailbox(row.id, 0, 9).unwrap();
    let to_queue: Vec<_> = to_queue
        .iter()
        .map(|row| (row.id.position, row.again))
        .collect();
    // Under the same id as before: the operator did not say that it is to come twice.
    assert_eq!(to_queue, [(1, 0)]);
    let batch = house.store.batch(row.id).unwrap();
    assert_eq!(batch.state, BatchState::Routed);
}

#[test]
fn what_may_be_in_a_mailbox_goes_on_paper_only_by_name() {
    let house = House::new();
    let row = house.queued_batch("example-city", 1, at(1));
    house.leave_in_doubt(row.id);
    let first = MessageId {
        batch: row.id,
        position: 1,
    };
    let plan = house.reprocess(row.id, Step::Route, Again::default());
    assert_eq!(plan.blocked, [Blocked::MayBeDelivered(first)]);
    // To the service it goes under the same id, and keeps its place with its doubt.
    let plan = house.reprocess(row.id, Step::Deliver, Again::default());
    assert!(plan.blocked.is_empty());
    assert!(house.store.queued(first).unwrap().unwrap().is_in_doubt);
    let by_name = Again {
        print: true,
        deliver: false,
    };
    let plan = house.reprocess(row.id, Step::Route, by_name);
    assert!(plan.blocked.is_empty());
    assert_eq!(house.numbers(), (0, 0));
}

#[test]
fn paper_that_is_forced_in_doubt_is_another_post_than_what_the_service_may_have() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    house.leave_in_doubt(row.id);
    let may_be_printed = |_: &BatchRow, page: &[MessageRow], _: Channel| Ok(vec![None; page.len()]);
    let selection = Selection {
        batch: row.id,
        positions: vec![1, 2],
        from: None,
        again: Again {
            print: true,
            deliver: false,
        },
    };
    let wanted = Reprocess {
        way: Way::Forced(Channel::Print, &may_be_printed),
        ..Reprocess::from(&selection)
    };
    let done = (house.store).reprocess_all(&[(row.id, None)], &wanted, &action(50));
    assert!(done.unwrap().is_done);
    let again = |position| {
        let id = MessageId {
            batch: row.id,
            position,
        };
        house.store.message(id).unwrap().again
    };
    assert_eq!((again(1), again(2)), (1, 0));
}

#[test]
fn what_is_being_sent_is_not_set_back() {
    let house = House::new();
    let row = house.queued_batch("example-city", 1, at(1));
    house.take(row.id, 1);
    let first = MessageId {
        batch: row.id,
        position: 1,
    };
    let by_name = Again {
        print: true,
        deliver: true,
    };
    for from in [Step::Route, Step::Deliver] {
        let plan = house.reprocess(row.id, from, by_name);
        assert_eq!(plan.blocked, [Blocked::Sending(first)]);
    }
}

#[test]
fn a_repeat_that_is_wanted_has_another_number_of_repeats() {
    let house = House::new();
    let row = house.queued_batch("example-city", 1, at(1));
    house.take(row.id, 1);
    house.store.record_sent(row.id, &[sent(1)], at(2)).unwrap();
    let plan = house.reprocess(row.id, Step::Deliver, Again::default());
    let first = MessageId {
        batch: row.id,
        position: 1,
    };
    assert_eq!(plan.blocked, [Blocked::Delivered(first)]);
    let by_name = Again {
        print: false,
        deliver: true,
    };
    house.reprocess(row.id, Step::Deliver, by_name);
    assert_eq!(house.store.message(first).unwrap().again, 1);
    assert!(house.store.queued(first).unwrap().is_none());
}

#[test]
fn paper_of_a_service_that_is_to_come_again_is_a_repeat_too() {
    let house = House::new();
    let row = house.batch("example-city", 1);
    house.sql("UPDATE messages SET channel = 'print'");
    let page: Vec<_> = page(row.id, 1)
        .into_iter()
        .map(|new| NewQueued {
            door: Door::Paper,
            ..new
        })
        .collect();
    house.store.enqueue(&row, &service(), &page, at(1)).unwrap();
    house.take(row.id, 1);
    house.store.record_sent(row.id, &[sent(1)], at(2)).unwrap();
    let by_name = Again {
        print: true,
        deliver: false,
    };
    let plan = house.reprocess(row.id, Step::Compose, by_name);
    assert!(plan.blocked.is_empty(), "{:?}", plan.blocked);
    let first = MessageId {
        batch: row.id,
        position: 1,
    };
    assert_eq!(house.store.message(first).unwrap().again, 1);
}
