//! How far the events of a service are read.

use super::*;

#[test]
fn a_feed_that_fails_keeps_its_place_and_one_that_is_begun_anew_forgets_it() {
    let house = House::new("ordinary", 2);
    assert_eq!(house.store.service_feed(&service()).unwrap(), None);
    house.told(&[], at(10));
    let store = &house.store;
    for secs in [20, 30] {
        let (now, retry_at) = (at(secs), at(secs + 5));
        store
            .put_service_feed_off(&service(), "away", retry_at, now)
            .unwrap();
    }
    let feed = store.service_feed(&service()).unwrap().unwrap();
    assert_eq!((feed.tries, feed.failing_since), (2, Some(at(20))));
    assert_eq!(feed.retry_at, Some(at(35)));
    assert_eq!(feed.continuation.as_deref(), Some("behind it"));
    store.begin_service_feed_anew(&service()).unwrap();
    let feed = store.service_feed(&service()).unwrap().unwrap();
    assert_eq!((feed.continuation, feed.tries), (None, 2));
    house.told(&[], at(40));
    let feed = house.store.service_feed(&service()).unwrap().unwrap();
    assert_eq!(
        (feed.tries, feed.failing_since, feed.error),
        (0, None, None)
    );
}

#[test]
fn a_page_that_was_on_its_way_as_its_feed_was_begun_anew_says_not_where_to_go_on() {
    let house = House::new("ordinary", 2);
    house.send(2, at(5));
    house.told(&[], at(10));
    let store = &house.store;
    store.begin_service_feed_anew(&service()).unwrap();
    let late = NewServiceEvents {
        events: &[event(ServiceEventKind::Read, 1, 10)],
        unreadable: 0,
        asked_from: Some("behind it"),
        continuation: "further",
        is_last: true,
    };
    let tallies = store.record_service_events(&service(), &late, at(20));
    assert_eq!(tallies.unwrap()[0].became, EventBecame::Recorded);
    let feed = store.service_feed(&service()).unwrap().unwrap();
    assert_eq!((feed.continuation, feed.read_at), (None, None));
    let looks = house.sql_number("SELECT COUNT(*) FROM mailbox_looks");
    assert_eq!(looks, 0, "all is not known");
}
