//! What waits for mailbox services and for recipients: `cargo bench --bench queue [-- WHAT [SIZE]]`.
//!
//! - `enqueue`: 100,000 messages queued in pages, as the step does;
//! - `turns`: 1,000,000 messages of 20 batches in the queue, and what it takes to give a turn, to take
//!   messages in hand and to record that they were sent; then `kuori status` and `kuori queue list`;
//! - `events`: 100,000 events of a service recorded in its pages of 1,000;
//! - `timers`: 10,000 timers of one batch that come due at once, until all of it is planned.
//!
//! Without a word all of them, some 40 seconds. The store alone: nobody is asked, nothing is sent.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench that cannot make its input ends here, and it prints what it found"
)]

#[allow(dead_code, reason = "other benches use the rest")]
mod filled;
#[allow(dead_code, reason = "other benches use the rest")]
mod samples;

use std::time::Duration;

use filled::{NOW, timed, timed_kuori};
use jiff::{SignedDuration, Timestamp};
use kuori::{
    domain::{BatchId, MessageEvent, ServiceName},
    store::{
        BatchRow, Door, FiredTimer, NewQueued, NewServiceEvent, NewServiceEvents, SentRow,
        ServiceEventKind, ServiceInSettings, Store, TimerEnd, TimerRule,
    },
};
use tempfile::TempDir;

/// As `pipeline/enqueue.rs` has it.
const PAGE: usize = 2_000;
/// As the service's pages are.
const EVENTS: usize = 1_000;
/// What a courier has in hand at once without a rate, and records at once.
const IN_HAND: u32 = 16;
const BATCHES: u32 = 20;

fn main() {
    let (what, size) = filled::given();
    let size = |usual| size.unwrap_or(usual);
    match what.as_deref() {
        Some("enqueue") => enqueue(size(100_000)),
        Some("turns") => turns(size(1_000_000)),
        Some("events") => events(size(100_000)),
        Some("timers") => timers(size(10_000)),
        _ => filled::run_each(&["enqueue", "turns", "events", "timers"]),
    }
}

struct Shop {
    store: Store,
    service: ServiceName,
    rows: Vec<BatchRow>,
    folder: TempDir,
}

impl Shop {
    fn new(batches: u32, messages: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let service: ServiceName = "letters".parse().unwrap();
        let known = ServiceInSettings {
            name: service.clone(),
            rate_per_sec: 1.0,
        };
        store.know_services(&[known]).unwrap();
        Self {
            rows: filled::routed_batches(&store, batches, messages),
            store,
            service,
            folder,
        }
    }

    fn queue(&self) {
        for row in &self.rows {
            let messages = u32::try_from(self.store.counts(row.id).unwrap().received).unwrap();
            let all: Vec<_> = (1..=messages).map(|it| queued(row, it)).collect();
            for page in all.chunks(PAGE) {
                self.store.enqueue(row, &self.service, page, NOW).unwrap();
            }
        }
    }

    /// As a courier does with messages of a batch, until so many were sent.
    fn send(&self, batch: BatchId, messages: u32, at_once: u32) -> [Duration; 2] {
        let mut took = [Duration::ZERO; 2];
        for _ in 0..messages.div_ceil(at_once) {
            let since = std::time::Instant::now();
            let begun = self.store.begin_sending(batch, &self.service, at_once);
            let begun = begun.unwrap();
            took[0] += since.elapsed();
            let sent: Vec<_> = begun.iter().map(|row| sent(row.id.position)).collect();
            let since = std::time::Instant::now();
            self.store.record_sent(batch, &sent, NOW).unwrap();
            took[1] += since.elapsed();
        }
        took
    }
}

fn queued(row: &BatchRow, position: u32) -> NewQueued {
    NewQueued {
        position,
        door: Door::Electronic,
        external_id: format!("kuori.{}.{}-{position}-1b4f0e98-0", row.sender, row.id),
    }
}

fn sent(position: u32) -> SentRow {
    SentRow {
        position,
        number: i64::from(position),
        was_sent_before: false,
    }
}

fn enqueue(messages: u32) {
    println!("{messages} messages of one batch");
    let shop = Shop::new(1, messages);
    timed("enqueue", || shop.queue());
}

fn turns(messages: u32) {
    println!("{messages} messages of {BATCHES} batches wait");
    let shop = timed("fill and queue", || {
        let shop = Shop::new(BATCHES, messages / BATCHES);
        shop.queue();
        shop
    })
    .0;
    let (turns, batch) = (500, shop.rows[0].id);
    let ((), took) = timed("500 turns", || {
        for _ in 0..turns {
            shop.store.queue_turn(&shop.service, &[]).unwrap().unwrap();
        }
    });
    tell("a turn", took, turns);
    let messages = 4_000;
    for at_once in [1, IN_HAND, 256] {
        let messages = messages.min(at_once * 500);
        let [begun, recorded] = shop.send(batch, messages, at_once);
        let by = format!("by {at_once}");
        tell(&format!("a message taken in hand, {by}"), begun, messages);
        tell(
            &format!("a message recorded as sent, {by}"),
            recorded,
            messages,
        );
    }
    let folder = shop.folder.path().to_str().unwrap().to_owned();
    // The log is written back first, as an idle house does.
    shop.store.rest().unwrap();
    timed_kuori("kuori status", &["--data-dir", &folder, "status"]);
    timed_kuori(
        "kuori queue list",
        &["--data-dir", &folder, "queue", "list"],
    );
}

fn tell(what: &str, took: Duration, number: u32) {
    let each = took.as_secs_f64() * 1e6 / f64::from(number);
    println!("  {what:<44} {each:>8.0} µs");
}

fn events(events: u32) {
    println!("{events} events of a service");
    let shop = Shop::new(1, events);
    shop.queue();
    shop.send(shop.rows[0].id, events, 2_000);
    let all: Vec<_> = (1..=events).map(|it| read(&shop.rows[0], it)).collect();
    let ((), took) = timed("record", || {
        for (number, page) in all.chunks(EVENTS).enumerate() {
            let page = NewServiceEvents {
                events: page,
                unreadable: 0,
                asked_from: (number > 0).then_some("there"),
                continuation: "there",
                is_last: false,
            };
            let told = shop
                .store
                .record_service_events(&shop.service, &page, later(1));
            assert_eq!(told.unwrap().len(), 1);
        }
    });
    let a_minute = f64::from(events) / took.as_secs_f64() * 60.0;
    println!("  {:<44} {a_minute:>8.0}", "events a minute");
}

fn read(row: &BatchRow, position: u32) -> NewServiceEvent {
    NewServiceEvent {
        kind: ServiceEventKind::Read,
        at: NOW,
        number: Some(i64::from(position)),
        external_id: Some(queued(row, position).external_id),
        is_of_service: true,
    }
}

fn timers(messages: u32) {
    println!("{messages} timers of one batch, due at once");
    let shop = Shop::new(1, messages);
    let rule = TimerRule {
        sender: "example-city".parse().unwrap(),
        acknowledge_within_days: 7,
        print_if_unread_days: Some(1),
    };
    shop.store.know_timers(&[rule]).unwrap();
    shop.queue();
    shop.send(shop.rows[0].id, messages, 2_000);
    let now = later(25);
    shop.store.note_look(Some(&shop.service), now).unwrap();
    let due = timed("look which are due", || shop.store.due_timers(now).unwrap()).0;
    assert_eq!(due[0].timers, u64::from(messages));
    timed("all on paper", || {
        let fired = over(&shop.store, due[0].batch, now);
        let fired = shop.store.fire_timers(due[0].batch, &fired, now).unwrap();
        assert_eq!(fired.printed, u64::from(messages));
    });
}

/// As `pipeline/timers.rs` does, without its decisions.
fn over(store: &Store, batch: BatchId, now: Timestamp) -> Vec<FiredTimer> {
    let (mut after, mut fired) = (0, Vec::new());
    loop {
        let page = store.timed_out_messages(batch, after, 1_000, now).unwrap();
        let Some(last) = page.last() else {
            return fired;
        };
        after = last.id.position;
        fired.extend(page.iter().map(|row| FiredTimer {
            position: row.id.position,
            what: MessageEvent::Unread,
            end: TimerEnd::Print { registered: false },
        }));
    }
}

fn later(hours: i64) -> Timestamp {
    NOW.saturating_add(SignedDuration::from_hours(hours))
        .unwrap()
}
