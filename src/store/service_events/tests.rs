mod choices;
mod places;

use jiff::SignedDuration;
use proptest::prelude::*;
use rusqlite::params;

use super::*;
use crate::{
    domain::{BatchId, Step},
    store::{Again, BatchRow, Door, NewEvent, NewQueued, Selection, SentRow},
};

/// A house with a batch whose messages are all routed to the mailbox, and wait for a service.
pub(in crate::store) struct House {
    _folder: tempfile::TempDir,
    pub(in crate::store) store: Store,
    pub(in crate::store) batch: BatchId,
}

const START: Timestamp = Timestamp::UNIX_EPOCH;

pub(in crate::store) fn at(secs: i64) -> Timestamp {
    START + SignedDuration::from_secs(secs)
}

pub(in crate::store) fn service() -> ServiceName {
    "city-letters".parse().unwrap()
}

impl House {
    /// With so many messages, the last of them by the door where the service chooses the way.
    pub(in crate::store) fn new(kind: &str, messages: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let house = Self {
            _folder: folder,
            store,
            batch: BatchId(1),
        };
        house.sql(
            "INSERT INTO senders (name) VALUES ('example-city');
             INSERT INTO batches
                (sender, file_name, bytes, sha256, spool, received_at, state, shape)
             VALUES ('example-city', 'a.zip', 1, 'a', 'batches/a.zip', 1, 'received', 'ipost')",
        );
        for position in 1..=messages {
            house.sql(&format!(
                "INSERT INTO messages (batch, position, state, recipient_kind, document, first_page,
                    page_count, service, wish, deny_only, deny_copy, attachments, fit_mailbox, fit_print)
                 VALUES (1, {position}, 'accepted', 'absent', 'a.pdf', 1, 1, '{kind}', 'any', 0, 0, '',
                    1, 1)"
            ));
        }
        house.sql("UPDATE messages SET state = 'routed', channel = 'mailbox', decided_at = 0");
        for state in ["opened", "routed", "delivered", "composed", "reported"] {
            house.sql(&format!("UPDATE batches SET state = '{state}'"));
        }
        let new = |position| NewQueued {
            position,
            door: if position == messages {
                Door::Multichannel
            } else {
                Door::Electronic
            },
            external_id: external_id(position),
        };
        let page: Vec<_> = (1..=messages).map(new).collect();
        let row = house.row();
        house.store.enqueue(&row, &service(), &page, at(1)).unwrap();
        house
    }

    pub(in crate::store) fn row(&self) -> BatchRow {
        self.store.batch(self.batch).unwrap()
    }

    pub(in crate::store) fn sql(&self, sql: &str) {
        let done = self
            .store
            .write("try", |tx| tx.execute_batch(sql).doing("try"));
        done.unwrap();
    }

    /// The service has all of them.
    pub(in crate::store) fn send(&self, messages: u32, now: Timestamp) {
        let sent = |position| SentRow {
            position,
            number: number(position),
            was_sent_before: false,
        };
        let sent: Vec<_> = (1..=messages).map(sent).collect();
        (self.store)
            .begin_sending(self.batch, &service(), messages)
            .unwrap();
        self.store.record_sent(self.batch, &sent, now).unwrap();
    }

    pub(in crate::store) fn told(&self, events: &[NewServiceEvent], now: Timestamp) {
        self.page(events, false, now);
    }

    pub(in crate::store) fn page(
        &self,
        events: &[NewServiceEvent],
        is_last: bool,
        now: Timestamp,
    ) -> Vec<EventTally> {
        self.page_of(&service(), events, is_last, now)
    }

    /// The next page of a service.
    pub(in crate::store) fn page_of(
        &self,
        service: &ServiceName,
        events: &[NewServiceEvent],
        is_last: bool,
        now: Timestamp,
    ) -> Vec<EventTally> {
        let feed = self.store.service_feed(service).unwrap();
        let asked_from = feed.and_then(|feed| feed.continuation);
        let page = NewServiceEvents {
            events,
            unreadable: 0,
            asked_from: asked_from.as_deref(),
            continuation: "behind it",
            is_last,
        };
        let recorded = self.store.record_service_events(service, &page, now);
        recorded.unwrap()
    }

    fn sql_number(&self, sql: &str) -> i64 {
        let found = self
            .store
            .read(|db| db.query_row(sql, [], |row| row.get(0)).doing("try"));
        found.unwrap()
    }

    /// Of each message what happened when, in the order of time, and whether it has a timer.
    pub(in crate::store) fn history(&self) -> Vec<String> {
        let doing = "try";
        let sql = "SELECT position || ' ' || what || ' ' || at || COALESCE(' ' || reason, '')
             FROM message_events UNION ALL
             SELECT position || ' timer ' || due_at FROM timers ORDER BY 1";
        let found = self.store.read(|db| {
            let mut query = db.prepare(sql).doing(doing)?;
            let rows = query.query_map(params![], |row| row.get(0)).doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        });
        found.unwrap()
    }
}

fn external_id(position: u32) -> String {
    format!("kuori.example-city.B-0001-{position}")
}

fn number(position: u32) -> i64 {
    i64::from(position) + 1_000
}

pub(in crate::store) fn event(kind: ServiceEventKind, position: u32, secs: i64) -> NewServiceEvent {
    NewServiceEvent {
        kind,
        at: at(secs),
        number: Some(number(position)),
        external_id: Some(external_id(position)),
        is_of_service: true,
    }
}

const KINDS: [ServiceEventKind; 10] = [
    ServiceEventKind::Created,
    ServiceEventKind::Read,
    ServiceEventKind::Confirmed,
    ServiceEventKind::PaperCreated,
    ServiceEventKind::SentForPrinting,
    ServiceEventKind::PostConfirmed,
    ServiceEventKind::PostReturned,
    ServiceEventKind::PostUnresolved,
    ServiceEventKind::FromEndUser,
    ServiceEventKind::Other,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Also where the service tells of a message before its answer to the sending has arrived.
    #[test]
    fn events_in_any_order_and_any_number_leave_the_same_rows(
        events in prop::collection::vec((0_usize..10, 1_u32..4, 10_i64..14), 1..12),
        order in prop::collection::vec(0_usize..12, 0..24),
        sent_after in 0_usize..12,
    ) {
        let of = |&(kind, position, secs): &(usize, u32, i64)| event(KINDS[kind], position, secs);
        let events: Vec<_> = events.iter().map(of).collect();
        let once = House::new("verifiable", 3);
        once.send(3, at(5));
        once.told(&events, at(20));

        let anyhow = House::new("verifiable", 3);
        let repeats = order.iter().map(|place| &events[place % events.len()]);
        let all: Vec<_> = repeats.chain(events.iter().rev()).collect();
        for (place, event) in all.iter().enumerate() {
            if place == sent_after.min(all.len() - 1) {
                anyhow.send(3, at(5));
            }
            anyhow.told(&[(*event).clone()], at(20));
        }
        prop_assert_eq!(anyhow.history(), once.history());
    }
}

#[test]
fn what_was_sent_by_a_house_that_has_forgotten_it_is_known_by_its_id() {
    let house = House::new("verifiable", 1);
    house.sql("DELETE FROM mailbox_queue; UPDATE batches SET sha256 = '0123abcd45'");
    let of = |id: &str| NewServiceEvent {
        external_id: Some(id.to_owned()),
        ..event(ServiceEventKind::Confirmed, 1, 10)
    };
    let became = |id: &str| {
        let tallies = house.page(&[of(id)], false, at(20));
        tallies[0].became.as_str()
    };
    assert_eq!(became("kuori.example-city.B-0001-1-ffffffff"), "orphan");
    assert_eq!(became("kuori.example-town.B-0001-1-0123abcd"), "orphan");
    assert_eq!(became("kuori.example-city.B-0001-1-0123abcdr1"), "orphan");
    assert_eq!(became("kuori.example-city.B-0001-1-0123abcd"), "recorded");
    // Sent once more, it is known there; who has confirmed it is not waited for.
    let again = NewQueued {
        position: 1,
        door: Door::Electronic,
        external_id: "kuori.example-city.B-0001-1-0123abcd".to_owned(),
    };
    let row = house.row();
    (house.store)
        .enqueue(&row, &service(), &[again], at(30))
        .unwrap();
    house.send(1, at(31));
    assert_eq!(
        house.history(),
        ["1 acknowledged 10000", "1 delivered 31000"]
    );
}

#[test]
fn what_belongs_to_no_message_is_counted_and_the_rest_of_its_page_recorded() {
    let house = House::new("ordinary", 2);
    house.send(2, at(5));
    let read = event(ServiceEventKind::Read, 1, 10);
    let stranger = NewServiceEvent {
        external_id: Some("of another house".to_owned()),
        number: Some(77),
        ..read.clone()
    };
    let of_other_service = NewServiceEvent {
        is_of_service: false,
        ..read.clone()
    };
    let by_number = NewServiceEvent {
        external_id: None,
        ..event(ServiceEventKind::Read, 2, 11)
    };
    let without_number = NewServiceEvent {
        number: None,
        ..read.clone()
    };
    let unknown = event(ServiceEventKind::Other, 1, 12);
    let page = [
        stranger,
        of_other_service,
        unknown,
        read.clone(),
        without_number,
        by_number,
    ];
    let tallies = house.page(&page, true, at(20));
    let told: Vec<_> = tallies
        .iter()
        .map(|tally| (tally.became.as_str(), tally.events))
        .collect();
    assert_eq!(
        told,
        [
            ("orphan", 1),
            ("of-other-service", 1),
            ("unknown-kind", 1),
            ("recorded", 2),
            ("known", 1)
        ]
    );
    let feed = house.store.service_feed(&service()).unwrap().unwrap();
    assert_eq!((feed.orphans, feed.unknown), (2, 1));
    assert_eq!(feed.last_orphan_at, Some(at(20)));
    assert_eq!(feed.read_at, Some(at(20)));
    assert_eq!(feed.continuation.as_deref(), Some("behind it"));
}

#[test]
fn of_an_erased_message_nothing_is_recorded_any_more() {
    let house = House::new("verifiable", 2);
    house.send(2, at(5));
    let message = MessageId {
        batch: house.batch,
        position: 1,
    };
    let action = NewEvent {
        at: at(6),
        actor: "maija".to_owned(),
        why: "asked for".to_owned(),
    };
    let before = house.history();
    assert!(before.iter().any(|line| line.starts_with("1 timer")));
    house.store.erase(message, &action).unwrap();
    let read = event(ServiceEventKind::Read, 1, 10);
    let tallies = house.page(&[read], false, at(20));
    assert_eq!(tallies[0].became, EventBecame::Erased);
    let left: Vec<_> = before
        .into_iter()
        .filter(|line| !line.starts_with("1 timer"))
        .collect();
    assert_eq!(house.history(), left);
}

/// The last message, by the door where the service chooses, as routing left it.
fn leave_to_service(house: &House) -> MessageId {
    house.sql(
        "UPDATE messages SET channel = 'print', reason = 'service-chooses' WHERE position = 2;
         INSERT INTO timer_rules (sender, acknowledge_within_days, print_if_unread_days)
         VALUES ('example-city', 7, 3)",
    );
    MessageId {
        batch: house.batch,
        position: 2,
    }
}

#[test]
fn what_is_told_of_a_batch_that_is_not_opened_yet_is_heard_again_once_it_is() {
    let house = House::new("verifiable", 1);
    house.sql(
        "INSERT INTO batches (sender, file_name, bytes, sha256, spool, received_at, state)
         VALUES ('example-city', 'b.zip', 1, '89abcdef01', 'batches/b.zip', 1, 'received')",
    );
    let of = |id: &str| NewServiceEvent {
        external_id: Some(id.to_owned()),
        number: Some(99),
        ..event(ServiceEventKind::Confirmed, 1, 10)
    };
    let heard_again = || house.store.hear_early_events_again(&service()).unwrap();
    // Of another house, sender or file.
    for id in [
        "kuori.example-city.B-0007-1-89abcdef",
        "kuori.hospital.B-0002-1-89abcdef",
        "kuori.example-city.B-0002-1-01234567",
        "kuori.example-city.B-0001-9-89abcdef",
    ] {
        house.told(&[of(id)], at(20));
    }
    assert_eq!(
        house.sql_number("SELECT COUNT(*) FROM early_events"),
        0,
        "of nobody's batch"
    );
    let early = of("kuori.example-city.B-0002-1-89abcdef");
    house.told(std::slice::from_ref(&early), at(20));
    assert!(!heard_again(), "it is not opened yet");
    house.sql(
        "INSERT INTO messages (batch, position, state, recipient_kind, document, first_page,
            page_count, service, wish, deny_only, deny_copy, attachments, fit_mailbox, fit_print)
         VALUES (2, 1, 'accepted', 'absent', 'b.pdf', 1, 1, 'verifiable', 'any', 0, 0, '', 1, 1);
         UPDATE batches SET state = 'opened', shape = 'ipost' WHERE id = 2",
    );
    assert!(heard_again());
    let feed = house.store.service_feed(&service()).unwrap().unwrap();
    assert_eq!(feed.continuation, None);
    assert!(!heard_again(), "once");
    house.told(&[early], at(21));
    assert!(house.history().contains(&"1 acknowledged 10000".to_owned()));
}

#[test]
fn what_happens_to_the_post_of_before_does_not_end_the_time_of_the_one_that_was_asked_for_anew() {
    let house = House::new("verifiable", 2);
    house.send(2, at(5));
    house.told(&[event(ServiceEventKind::Read, 1, 6)], at(7));
    let message = MessageId {
        batch: house.batch,
        position: 1,
    };
    assert_eq!(house.store.timer(message).unwrap(), None);
    let again = Selection {
        batch: house.batch,
        positions: vec![1],
        from: Some(Step::Deliver),
        again: Again {
            deliver: true,
            print: false,
        },
    };
    let action = NewEvent {
        at: at(10),
        actor: "maija".to_owned(),
        why: "it was empty".to_owned(),
    };
    let moved = house.store.reprocess(&again, &action).unwrap();
    assert_eq!(moved.messages, 1);
    let new_id = "kuori.example-city.B-0001-1r1".to_owned();
    let new = [NewQueued {
        position: 1,
        door: Door::Electronic,
        external_id: new_id.clone(),
    }];
    (house.store)
        .enqueue(&house.row(), &service(), &new, at(11))
        .unwrap();
    (house.store)
        .begin_sending(house.batch, &service(), 1)
        .unwrap();
    let sent = [SentRow {
        position: 1,
        number: 2_000,
        was_sent_before: false,
    }];
    house.store.record_sent(house.batch, &sent, at(12)).unwrap();
    let due = |at: Option<crate::store::TimerRow>| at.map(|timer| timer.due_at);
    let over = Some(at(7 * 86_400 + 12));
    assert_eq!(due(house.store.timer(message).unwrap()), over);
    // Told of the old post, late, and by its number alone.
    let late = event(ServiceEventKind::Confirmed, 1, 13);
    let by_number = NewServiceEvent {
        external_id: None,
        ..event(ServiceEventKind::Confirmed, 1, 14)
    };
    house.told(&[late, by_number], at(15));
    assert_eq!(due(house.store.timer(message).unwrap()), over);
    assert!(house.history().contains(&"1 acknowledged 13000".to_owned()));
    let of_new = NewServiceEvent {
        external_id: Some(new_id),
        number: Some(2_000),
        ..event(ServiceEventKind::Confirmed, 1, 16)
    };
    house.told(&[of_new], at(17));
    assert_eq!(house.store.timer(message).unwrap(), None);
}

#[test]
fn where_the_letter_of_before_lies_says_nothing_of_the_one_that_was_asked_for_anew() {
    let house = House::new("ordinary", 2);
    let message = leave_to_service(&house);
    house.send(2, at(5));
    let again = Selection {
        batch: house.batch,
        positions: vec![2],
        from: Some(Step::Compose),
        again: Again {
            deliver: false,
            print: true,
        },
    };
    let action = NewEvent {
        at: at(10),
        actor: "maija".to_owned(),
        why: "nobody got it".to_owned(),
    };
    let moved = house.store.reprocess(&again, &action).unwrap();
    assert_eq!(moved.messages, 1);
    let new = [NewQueued {
        position: 2,
        door: Door::Multichannel,
        external_id: "kuori.example-city.B-0001-2r1".to_owned(),
    }];
    (house.store)
        .enqueue(&house.row(), &service(), &new, at(11))
        .unwrap();
    (house.store)
        .begin_sending(house.batch, &service(), 1)
        .unwrap();
    let sent = [SentRow {
        position: 2,
        number: 2_000,
        was_sent_before: false,
    }];
    house.store.record_sent(house.batch, &sent, at(12)).unwrap();
    house.told(&[event(ServiceEventKind::Created, 2, 8)], at(13));
    let row = house.store.message(message).unwrap();
    assert_eq!(row.state.as_str(), "handed-over");
    assert!(house.history().contains(&"2 delivered 8000".to_owned()));
}
