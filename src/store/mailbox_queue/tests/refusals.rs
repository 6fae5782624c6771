//! What a service does not take while it takes others.

use super::*;
use crate::store::Refusals;

impl House {
    /// Takes that message in hand, and counts a refusal of it, which ends it for now.
    fn refuse(&self, batch: BatchId, position: u32, secs: i64) -> Refusals {
        self.sql(&format!(
            "UPDATE mailbox_queue SET is_sending = 1 WHERE position = {position}"
        ));
        let row = self.store.queued(MessageId { batch, position });
        let row = row.unwrap().unwrap();
        let counted = (self.store.count_refusal(&row, "503, sorry", at(secs))).unwrap();
        let back = [(position, PutBack::NotSent)];
        self.store.put_back(batch, &back).unwrap();
        counted.unwrap()
    }

    fn send(&self, batch: BatchId, position: u32) {
        self.sql(&format!(
            "UPDATE mailbox_queue SET is_sending = 1 WHERE position = {position}"
        ));
        let sent = [sent(position)];
        self.store.record_sent(batch, &sent, at(9)).unwrap();
    }

    fn put_off(&self, batch: BatchId, position: u32, until: i64) {
        assert_eq!(self.take(batch, 1), [position]);
        let off = [(position, at(until))];
        self.store.put_messages_off(batch, &off).unwrap();
        let back = [(position, PutBack::NotSent)];
        self.store.put_back(batch, &back).unwrap();
    }
}

#[test]
fn a_refusal_counts_apart_where_the_service_took_others_since_the_one_before() {
    let house = House::new();
    let batch = house.queued_batch("example-city", 4, at(1)).id;
    let told = |it: Refusals| (it.all, it.apart, it.apart_since, it.is_apart);
    house.send(batch, 2);
    assert_eq!(told(house.refuse(batch, 1, 10)), (1, 0, None, false));
    assert_eq!(told(house.refuse(batch, 1, 20)), (2, 0, None, false));
    house.send(batch, 3);
    let since = Some(at(30));
    assert_eq!(told(house.refuse(batch, 1, 30)), (3, 1, since, true));
    assert_eq!(told(house.refuse(batch, 1, 40)), (4, 1, since, false));
    house.send(batch, 4);
    assert_eq!(told(house.refuse(batch, 1, 50)), (5, 2, since, true));
    let message = MessageId { batch, position: 1 };
    let row = house.store.queued(message).unwrap().unwrap();
    assert_eq!(row.refusals, 2);
    assert_eq!(row.last_refusal.as_deref(), Some("503, sorry"));
    // One that is in nobody's hand was not refused by anybody.
    let counted = house.store.count_refusal(&row, "503", at(60)).unwrap();
    assert_eq!(counted, None);
}

#[test]
fn what_went_by_another_door_or_was_known_before_says_nothing_of_the_message() {
    let house = House::new();
    let batch = house.queued_batch("example-city", 3, at(1)).id;
    house.sql("UPDATE mailbox_queue SET door = 'paper' WHERE position = 2");
    house.refuse(batch, 1, 10);
    house.send(batch, 2);
    let known = SentRow {
        was_sent_before: true,
        ..sent(3)
    };
    house.sql("UPDATE mailbox_queue SET is_sending = 1 WHERE position = 3");
    house.store.record_sent(batch, &[known], at(11)).unwrap();
    assert!(!house.refuse(batch, 1, 20).is_apart);
}

#[test]
fn the_others_go_without_a_message_that_is_put_off_until_its_time_has_come() {
    let house = House::new();
    let batch = house.queued_batch("example-city", 2, at(1)).id;
    house.put_off(batch, 1, 100);
    assert_eq!(house.turn(), Some(batch.0));
    assert_eq!(house.take(batch, 9), [2]);
    assert_eq!(house.turn(), None, "the one that waits is put off");
    house.store.end_put_offs(&service(), at(99)).unwrap();
    assert_eq!(house.turn(), None);
    house.store.end_put_offs(&service(), at(100)).unwrap();
    assert_eq!(house.turn(), Some(batch.0));
    assert_eq!(house.take(batch, 9), [1]);
}

#[test]
fn what_stepped_aside_in_an_outage_has_its_place_again_and_a_suspect_has_not() {
    let house = House::new();
    let batch = house.queued_batch("example-city", 5, at(1)).id;
    // The service takes one between two tries of the fourth.
    house.refuse(batch, 4, 10);
    house.send(batch, 5);
    house.refuse(batch, 4, 20);
    for position in [1, 4] {
        house.sql(&format!(
            "UPDATE mailbox_queue SET retry_at = 900000 WHERE position = {position}"
        ));
    }
    let (store, service) = (&house.store, service());
    store
        .put_service_off(&service, "503", at(90), at(30))
        .unwrap();
    assert_eq!(house.take(batch, 1), [2]);
    store.service_works(&service, at(40)).unwrap();
    assert_eq!(house.take(batch, 9), [1, 3]);
}

#[test]
fn what_is_refused_over_and_over_steps_aside_though_nothing_else_goes_by_its_door() {
    let house = House::new();
    let batch = house.queued_batch("example-city", 3, at(1)).id;
    house.sql("UPDATE mailbox_queue SET door = 'paper' WHERE position > 1");
    let tried_again = |refusals: i64| {
        for at in 0..refusals {
            house.refuse(batch, 1, at);
        }
        house.sql("UPDATE mailbox_queue SET retry_at = 900000 WHERE position = 1");
        let (store, service) = (&house.store, service());
        store
            .put_service_off(&service, "503", at(90), at(30))
            .unwrap();
        store.service_works(&service, at(40)).unwrap();
        let taken = house.take(batch, 1);
        let back: Vec<_> = taken.iter().map(|it| (*it, PutBack::NotSent)).collect();
        house.store.put_back(batch, &back).unwrap();
        taken == [1]
    };
    assert!(tried_again(7));
    assert!(!tried_again(1));
    // Others go by its door: it may have been the service.
    house.sql("UPDATE mailbox_queue SET door = 'electronic' WHERE position = 2");
    house.send(batch, 2);
    assert!(tried_again(0));
}

#[test]
fn an_operator_has_what_is_put_off_tried_at_once() {
    let house = House::new();
    let batch = house.queued_batch("example-city", 1, at(1)).id;
    house.put_off(batch, 1, 100);
    house.store.retry_service(&service(), &action(2)).unwrap();
    assert_eq!(house.turn(), Some(batch.0));
}

#[test]
fn the_count_of_what_is_put_off_holds_however_a_message_leaves() {
    let house = House::new();
    let batch = house.queued_batch("example-city", 3, at(1)).id;
    house.put_off(batch, 1, 100);
    house.put_off(batch, 2, 100);
    house.sql("UPDATE messages SET state = 'held' WHERE position = 1");
    let put_off = || house.number("SELECT SUM(put_off) FROM queued_batches");
    assert_eq!(put_off(), 1);
    house.store.end_put_offs(&service(), at(100)).unwrap();
    assert_eq!(put_off(), 0);
}

#[test]
fn a_clock_that_is_set_back_does_not_put_a_message_off_for_longer() {
    let house = House::new();
    house.store.notice_time(at(100_000)).unwrap();
    let batch = house.queued_batch("example-city", 2, at(1)).id;
    house.refuse(batch, 1, 99_990);
    house.send(batch, 2);
    house.refuse(batch, 1, 100_000);
    house.put_off(batch, 1, 100_060);
    house.store.notice_time(at(1_000)).unwrap();
    let message = MessageId { batch, position: 1 };
    let row = house.store.queued(message).unwrap().unwrap();
    assert_eq!(row.retry_at, Some(at(1_060)));
    assert_eq!(house.refuse(batch, 1, 1_070).apart_since, Some(at(1_000)));
}
