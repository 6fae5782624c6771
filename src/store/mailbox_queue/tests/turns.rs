//! Whose turn it is.

use super::*;

#[test]
fn a_small_batch_does_not_wait_for_a_large_one_nor_a_large_one_for_small_ones() {
    let house = House::new();
    let large = house.queued_batch("example-city", 30, at(1));
    let small = house.queued_batch("example-city", 4, at(2));
    let (mut turns, mut done) = (Vec::new(), 0);
    while let Some(batch) = house.turn() {
        turns.push(batch);
        for position in house.take(BatchId(batch), 2) {
            house
                .store
                .record_sent(BatchId(batch), &[sent(position)], at(3))
                .unwrap();
            done += 1;
        }
    }
    assert_eq!(done, 34);
    let first: Vec<_> = turns.iter().take(5).copied().collect();
    let (large, small) = (large.id.0, small.id.0);
    assert_eq!(first, [large, small, large, small, large]);
}

#[test]
fn a_batch_that_fails_lets_all_others_go_first_and_has_its_turn_when_nothing_else_waits() {
    let house = House::new();
    let bad = house.queued_batch("example-city", 1, at(1)).id;
    let good = house.queued_batch("example-city", 9, at(2)).id;
    let turn = |last: &[BatchId]| {
        let turn = house.store.queue_turn(&service(), last).unwrap();
        turn.unwrap().batch
    };
    // It has waited longest, and has the fewest left: all turns were its own.
    assert_eq!([turn(&[]), turn(&[])], [bad, bad]);
    assert_eq!([turn(&[bad]), turn(&[bad])], [good, good]);
    house.take(good, 9);
    assert_eq!(turn(&[bad]), bad);
}

#[test]
fn senders_take_turns_whatever_they_have_waiting() {
    let house = House::new();
    for _ in 0..3 {
        house.queued_batch("example-city", 2, at(1));
    }
    let others = house.queued_batch("example-town", 2, at(2));
    let turns: Vec<_> = (0..4).filter_map(|_| house.turn()).collect();
    let of_others = turns.iter().filter(|batch| **batch == others.id.0);
    assert_eq!(of_others.count(), 2, "{turns:?}");
}

#[test]
fn nothing_goes_of_what_is_on_hold() {
    let house = House::new();
    let row = house.queued_batch("example-city", 1, at(1));
    assert!(house.turn().is_some());
    house.sql("UPDATE batches SET state = 'held'");
    assert_eq!(house.turn(), None);
    assert!(house.take(row.id, 1).is_empty());
    house.sql("UPDATE batches SET state = 'opened'");
    assert!(house.turn().is_some());
    house.sql("UPDATE senders SET held_at = 1, held_by = 'somebody', held_why = 'a test'");
    assert_eq!(house.turn(), None);
    assert!(house.take(row.id, 1).is_empty());
    assert_eq!(house.store.queues(at(2)).unwrap()[0].on_hold, 1);
}

/// What SQLite does for a query, a line a step.
fn query_plan(store: &Store, sql: &str) -> Vec<String> {
    let explained = store.read(|db| {
        let mut query = db
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .doing("try")?;
        let rows = query.query_map([], |row| row.get("detail")).doing("try")?;
        rows.collect::<Result<Vec<String>, _>>().doing("try")
    });
    explained.unwrap()
}

#[test]
fn whose_turn_it_is_is_asked_of_batches_and_not_of_messages() {
    let house = House::new();
    let turn = crate::store::queue_turns::next_sql(&[BatchId(7)]).replace('?', "'city-letters'");
    let steps = query_plan(&house.store, &turn);
    assert!(
        !steps.iter().any(|step| step.contains("mailbox_queue")),
        "{steps:#?}"
    );
    assert!(
        !steps.iter().any(|step| step.starts_with("SCAN")),
        "{steps:#?}"
    );
}

#[test]
fn messages_are_taken_in_hand_in_the_order_of_an_index() {
    let house = House::new();
    let taken = "SELECT q.position FROM mailbox_queue q
         WHERE q.service = 'city-letters' AND q.batch = 7 AND q.is_sending = 0
           AND q.retry_at IS NULL
         ORDER BY q.lap, q.position LIMIT 64";
    let steps = query_plan(&house.store, taken);
    assert!(steps[0].contains("mailbox_queue_in_order"), "{steps:#?}");
    assert!(
        !steps.iter().any(|step| step.contains("B-TREE")),
        "{steps:#?}"
    );
}

#[test]
fn a_batch_that_cannot_be_brought_says_why_until_it_can() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    let note = |error, secs| {
        let service = service();
        (house.store)
            .note_turn(&service, row.id, error, at(secs))
            .unwrap();
        let queued = house.store.queued_batches(None, None, 9).unwrap().remove(0);
        let numbers = house.store.queues(at(secs)).unwrap().remove(0);
        assert_eq!(numbers.failing, u64::from(error.is_some()));
        assert_eq!(numbers.batch_error, queued.last_error);
        (queued.last_error, queued.failing_since)
    };
    assert_eq!(note(None, 2), (None, None));
    assert_eq!(note(Some("a"), 3), (Some("a".to_owned()), Some(at(3))));
    assert_eq!(note(Some("b"), 4), (Some("b".to_owned()), Some(at(3))));
    assert_eq!(note(None, 5), (None, None));
    // One that does not wait any more is not brought back.
    house.sql("DELETE FROM mailbox_queue");
    house
        .store
        .note_turn(&service(), row.id, Some("c"), at(6))
        .unwrap();
    assert_eq!(house.number("SELECT COUNT(*) FROM queued_batches"), 0);
}

#[test]
fn the_message_of_an_event_is_found_however_much_a_service_has() {
    let house = House::new();
    let by_number = crate::store::service_events::BY_NUMBER
        .replace("?1", "'city-letters'")
        .replace("?2", "7");
    let steps = query_plan(&house.store, &by_number);
    let is_searched = |step: &String| step.ends_with("(service=? AND number=?)");
    assert!(steps.iter().any(is_searched), "{steps:#?}");
}
