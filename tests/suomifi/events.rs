//! What becomes of messages at a service, as its stand-in tells it.

use std::{fs, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use kuori::{
    config,
    domain::BackOff,
    mailbox::suomifi::Suomifi,
    pipeline::{Clock, EventReader, EventsRead},
    suomifi_stub::{Happening, Misdeed, Selection, Trouble},
};

use super::town::{NO_LIMIT, SENDERS, Town};

/// A town whose service has the messages of one batch, all of which are read.
async fn all_read() -> (Town, u64) {
    let town = Town::new(NO_LIMIT).await;
    let positions = town.upload(SENDERS[0], "a.zip", 12);
    town.run().await;
    let read = town.stub.happen(Happening::Read, &Selection::default());
    assert_eq!(read.len(), positions.len());
    let messages = positions.len() as u64;
    (town, messages)
}

fn reader(town: &Town) -> EventReader {
    let settings = fs::read_to_string(town.path("kuori.toml")).unwrap();
    let config = config::parse(&settings).unwrap();
    let service = Suomifi::new(config.services[0].client.clone()).unwrap();
    let wait = SignedDuration::from_millis(50);
    let back_off = BackOff {
        first: wait,
        longest: wait,
    };
    let clock = Clock::new(Timestamp::now);
    EventReader::new(Arc::new(town.store()), clock, Arc::new(service), back_off)
}

fn number(town: &Town, sql: &str) -> u64 {
    let database = rusqlite::Connection::open(town.path("data/kuori.sqlite")).unwrap();
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}

const READ: &str = "SELECT COUNT(*) FROM message_events WHERE what = 'read'";

fn at_events(what: Misdeed) -> Trouble {
    Trouble::new(what).on("/v2/events")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_is_recorded_once_though_it_is_told_twice_and_from_the_beginning_again() {
    let (town, messages) = all_read().await;
    town.stub.trouble(at_events(Misdeed::DuplicateEvents));
    let reader = reader(&town);
    let read = reader.read(|| false).await.unwrap();
    assert!(matches!(read, EventsRead::All(events) if events >= 2 * messages));
    assert_eq!(number(&town, READ), messages);
    assert_eq!(reader.read(|| false).await.unwrap(), EventsRead::All(0));
    // A place that the service does not know.
    let database = rusqlite::Connection::open(town.path("data/kuori.sqlite")).unwrap();
    let forget = "UPDATE service_feeds SET continuation = 'of another time'";
    database.execute(forget, []).unwrap();
    let again = reader.read(|| false).await.unwrap();
    assert_eq!(again, read);
    assert_eq!(number(&town, READ), messages);
    let orphans = town.store().status(Timestamp::now()).unwrap().feeds;
    assert_eq!((orphans[0].orphans, orphans[0].failing_since), (0, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_fails_is_left_alone_and_asked_again_where_it_was_left() {
    let (town, messages) = all_read().await;
    let reader = reader(&town);
    for what in [Misdeed::Cut, Misdeed::BrokenJson, Misdeed::WrongType] {
        town.stub.trouble(at_events(what));
        let put_off = reader.read(|| false).await.unwrap();
        assert!(matches!(put_off, EventsRead::PutOff(_)), "{put_off:?}");
        town.stub.end_troubles();
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    let feed = town.store().status(Timestamp::now()).unwrap().feeds;
    assert_eq!((feed[0].tries, feed[0].read_at), (3, None));
    let mut read = reader.read(|| false).await.unwrap();
    while matches!(read, EventsRead::PutOff(_)) {
        tokio::time::sleep(Duration::from_millis(50)).await;
        read = reader.read(|| false).await.unwrap();
    }
    assert!(matches!(read, EventsRead::All(events) if events >= messages));
    assert_eq!(number(&town, READ), messages);
}
