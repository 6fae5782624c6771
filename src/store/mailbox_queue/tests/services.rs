//! What is known of a service: its uploads, its failures, and when its queue will be empty.

use super::*;

#[test]
fn uploads_are_kept_in_their_order() {
    let house = House::new();
    let row = house.queued_batch("example-city", 1, at(1));
    house.take(row.id, 1);
    let ids = vec!["b".to_owned(), "a".to_owned()];
    let uploaded = Uploaded {
        ids: ids.clone(),
        at: Some(at(2)),
    };
    house.store.note_uploads(row.id, &[(1, uploaded)]).unwrap();
    let message = MessageId {
        batch: row.id,
        position: 1,
    };
    let stored = house.store.queued(message).unwrap().unwrap();
    assert_eq!((stored.uploads, stored.uploaded_at), (ids, Some(at(2))));
}

#[test]
fn a_service_that_fails_is_put_off_and_told_with_its_error_until_it_works() {
    let house = House::new();
    let put_off = |secs| {
        let (now, retry_at) = (at(secs), at(secs + 60));
        house
            .store
            .put_service_off(&service(), "it is away", retry_at, now)
    };
    assert_eq!(put_off(10).unwrap(), 1);
    assert_eq!(put_off(70).unwrap(), 2);
    let state = house.store.service_state(&service()).unwrap();
    assert_eq!(
        (state.failing_since, state.retry_at),
        (Some(at(10)), Some(at(130)))
    );
    assert_eq!(state.last_error.as_deref(), Some("it is away"));
    assert_eq!(
        house.store.service_works(&service(), at(20)).unwrap(),
        Some(at(10))
    );
    assert_eq!(house.store.service_works(&service(), at(20)).unwrap(), None);
    assert_eq!(house.store.service_state(&service()).unwrap().failures, 0);
}

#[test]
fn the_end_of_a_queue_follows_from_its_rate_and_from_when_it_is_tried_again() {
    let house = House::new();
    house.queued_batch("example-city", 100, at(1));
    let known = ServiceInSettings {
        name: service(),
        rate_per_sec: 2.0,
    };
    house.store.know_services(&[known]).unwrap();
    let end = || house.store.queues(at(10)).unwrap()[0].expected_end(at(10));
    assert_eq!(end(), Some(at(10 + 50)));
    (house.store)
        .put_service_off(&service(), "it is away", at(60), at(10))
        .unwrap();
    assert_eq!(end(), Some(at(60 + 50)));
    // The settings lose it: nobody knows how long that lasts.
    house.store.know_services(&[]).unwrap();
    let queues = house.store.queues(at(10)).unwrap();
    assert!(!queues[0].is_in_settings);
    assert_eq!(end(), None);
}

#[test]
fn a_clock_that_is_set_back_makes_no_service_wait_for_it() {
    let house = House::new();
    house.store.notice_time(at(100_000)).unwrap();
    (house.store)
        .put_service_off(&service(), "it is away", at(100_060), at(100_000))
        .unwrap();
    house
        .store
        .set_next_turn_at(&service(), at(100_001))
        .unwrap();
    house.store.notice_time(at(1_000)).unwrap();
    let state = house.store.service_state(&service()).unwrap();
    assert_eq!(state.retry_at, Some(at(1_060)));
    assert_eq!(state.next_turn_at, Some(at(1_001)));
    assert_eq!(state.failing_since, Some(at(1_000)));
}
