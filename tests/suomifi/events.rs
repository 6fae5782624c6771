//! What becomes of messages at a service, as its stand-in tells it.

use std::{fs, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use kuori::{
    config,
    domain::BackOff,
    mailbox::suomifi::Suomifi,
    pipeline::{Clock, EventReader, EventsRead},
    sample,
    suomifi_stub::{Happening, Misdeed, Selection, Trouble},
};

use super::town::{NO_LIMIT, SENDERS, Town, spec};

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

/// What stands in a table, without numbers.
fn texts(town: &Town, table: &str) -> Vec<String> {
    use rusqlite::types::ValueRef;

    let database = rusqlite::Connection::open(town.path("data/kuori.sqlite")).unwrap();
    let mut query = database.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let columns = query.column_count();
    let mut rows = query.query([]).unwrap();
    let mut texts = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        for column in 0..columns {
            if let ValueRef::Text(text) = row.get_ref(column).unwrap() {
                texts.push(String::from_utf8_lossy(text).into_owned());
            }
        }
    }
    texts
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_named_where_it_stands_what_a_service_took_and_told() {
    let town = Town::new(NO_LIMIT).await;
    town.upload(SENDERS[0], "a.zip", 12);
    town.stub
        .trouble(Trouble::status(422).on("/v2/messages").times(2));
    town.run().await;
    town.stub.happen(Happening::Read, &Selection::default());
    town.stub.trouble(at_events(Misdeed::StrangeEvents));
    reader(&town).read(|| false).await.unwrap();
    let spec = spec("a.zip", 12);
    let codes: Vec<_> = sample::recipients(&spec)
        .filter_map(|recipient| Some(recipient.id?.expose().to_owned()))
        .collect();
    assert!(codes.len() > 3);
    let tables = [
        "events",
        "message_events",
        "findings",
        "delivery_reports",
        "mailbox_queue",
        "sent_posts",
        "mailbox_services",
        "service_feeds",
        "service_event_counts",
        "timers",
        "read_marks",
        "notices",
        "notice_server",
    ];
    for table in tables {
        for text in texts(&town, table) {
            let names = codes.iter().any(|code| text.contains(code.as_str()));
            assert!(!names, "`{table}` names somebody");
        }
    }
    let receipts = fs::read_dir(town.path(SENDERS[0]).join("receipts")).unwrap();
    for receipt in receipts {
        let text = fs::read_to_string(receipt.unwrap().path()).unwrap();
        assert!(!codes.iter().any(|code| text.contains(code.as_str())));
    }
}
