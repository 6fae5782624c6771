//! Batches of a sender whose messages a mailbox service takes, one a request.

use std::sync::{Arc, Mutex};

use kuori::{
    domain::{BatchId, BatchState, ServiceName, Step},
    mailbox::suomifi::{self, Suomifi},
    pipeline::{self, Runner},
    print, sample,
    store::{Again, NewEvent, QueuedRow, Selection, SentRow, ServiceInSettings},
};
use tokio::sync::Notify;

use crate::hub::{self, Hub};

fn service() -> ServiceName {
    "city-letters".parse().unwrap()
}

/// A batch that is routed, in a house that has known no service so far.
async fn routed(spec: &sample::Spec) -> (Hub, BatchId) {
    let hub = Hub::new();
    hub.consent(spec);
    hub.upload_sample("letters.zip", spec);
    hub.poll().await;
    loop {
        assert!(hub.run_one_step().await);
        let row = hub.store.batches(1).unwrap().remove(0);
        if row.state == BatchState::Routed {
            return (hub, row.id);
        }
    }
}

/// The same house, once its sender has a service. Nothing here asks the service anything.
async fn run_with_service(hub: &Hub) {
    let password = hub.path().join("password");
    std::fs::write(&password, "not-a-password").unwrap();
    let settings = suomifi::Settings {
        base_url: "http://127.0.0.1:9".to_owned(),
        allows_plain_http: true,
        ..suomifi::Settings::new(service(), "service".to_owned(), "user".to_owned(), password)
    };
    let known = ServiceInSettings {
        name: service(),
        rate_per_sec: 1.0,
    };
    hub.store.know_services(&[known]).unwrap();
    let mut sender = hub::sender();
    sender.suomifi = Some(service());
    let time = Arc::new(Mutex::new(hub.time()));
    let print = print::Settings::default();
    let mut house = hub::house(&hub.store, hub.path(), sender, print, &time);
    let suomifi = Arc::new(Suomifi::new(settings).unwrap());
    house.services.insert(service(), suomifi);
    let wake = || Arc::new(Notify::new());
    let runner = Runner::new(
        Arc::new(house),
        pipeline::Settings::default(),
        wake(),
        wake(),
    );
    runner.run_until_idle().await.unwrap();
    hub.hand_over_all().await;
}

fn spec() -> sample::Spec {
    sample::Spec {
        letters: 30,
        ..sample::Spec::default()
    }
}

/// What a courier does, with a service that takes everything.
fn send_all(hub: &Hub) -> Vec<QueuedRow> {
    let mut all = Vec::new();
    while let Some(turn) = hub.store.queue_turn(&service(), &[]).unwrap() {
        let rows = hub.store.begin_sending(turn.batch, &service(), 7).unwrap();
        let sent = |row: &QueuedRow| SentRow {
            position: row.id.position,
            number: i64::from(row.id.position),
            was_sent_before: false,
        };
        let sent: Vec<_> = rows.iter().map(sent).collect();
        hub.store
            .record_sent(turn.batch, &sent, hub.time())
            .unwrap();
        all.extend(rows);
    }
    hub.store.settle_queues(hub.time()).unwrap();
    all
}

fn action() -> NewEvent {
    NewEvent {
        at: hub::now(),
        actor: "somebody".to_owned(),
        why: "a test".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn paper_does_not_wait_for_what_a_mailbox_service_takes_one_by_one() {
    let (hub, batch) = routed(&spec()).await;
    run_with_service(&hub).await;
    let queue = hub.store.queues(hub.time()).unwrap().remove(0);
    assert!(queue.waiting > 0);
    let counts = hub.counts();
    assert_eq!(counts.delivered, 0);
    assert_eq!(counts.in_progress, queue.waiting);
    assert!(counts.printed > 0);
    assert_eq!(hub.store.batch(batch).unwrap().state, BatchState::Reported);
    assert_eq!(hub.mailbox_messages(), Vec::<std::path::PathBuf>::new());
    assert_eq!(hub.broken_rules(), Vec::<String>::new());

    let sent = send_all(&hub);
    assert_eq!(sent.len() as u64, queue.waiting);
    let positions: Vec<_> = sent.iter().map(|row| row.id.position).collect();
    assert!(positions.is_sorted(), "{positions:?}");
    run_with_service(&hub).await;
    let counts = hub.counts();
    assert_eq!((counts.delivered, counts.in_progress), (queue.waiting, 0));
    assert!(hub.receipt("delivery").contains("delivered"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_queued_again_has_the_same_id_and_a_wanted_repeat_another() {
    let (hub, batch) = routed(&spec()).await;
    run_with_service(&hub).await;
    let first = hub
        .store
        .begin_sending(batch, &service(), 1)
        .unwrap()
        .remove(0);
    let position = first.id.position;
    let back = [(position, kuori::store::PutBack::NotSent)];
    hub.store.put_back(batch, &back).unwrap();
    let again = |deliver| Selection {
        batch,
        positions: vec![position],
        from: Some(Step::Deliver),
        again: Again {
            print: false,
            deliver,
        },
    };
    let plan = hub.store.reprocess(&again(false), &action()).unwrap();
    assert!(plan.blocked.is_empty(), "{:?}", plan.blocked);
    assert!(hub.store.queued(first.id).unwrap().is_none());
    run_with_service(&hub).await;
    let second = hub.store.queued(first.id).unwrap().unwrap();
    assert_eq!(second.external_id, first.external_id);
    assert!(first.external_id.starts_with("kuori.example-city."));

    send_all(&hub);
    hub.store.reprocess(&again(true), &action()).unwrap();
    run_with_service(&hub).await;
    let repeat = hub.store.queued(first.id).unwrap().unwrap();
    assert_eq!(repeat.external_id, format!("{}r1", first.external_id));
    send_all(&hub);
    run_with_service(&hub).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_mailbox_at_send_time_goes_on_paper_when_the_queue_is_empty() {
    let (hub, batch) = routed(&spec()).await;
    run_with_service(&hub).await;
    let first = hub
        .store
        .begin_sending(batch, &service(), 1)
        .unwrap()
        .remove(0);
    let no_mailbox = [first.id.position];
    hub.store
        .record_no_mailbox(batch, &no_mailbox, hub.time())
        .unwrap();
    hub.withdraw_consents(&spec());
    let printed = hub.counts().printed;
    send_all(&hub);
    // By the register alone, which knows that consent was withdrawn.
    hub.run_steps().await;
    let counts = hub.counts();
    assert_eq!((counts.printed, counts.in_progress), (printed + 1, 0));
    assert_eq!(hub.store.batch(batch).unwrap().state, BatchState::Reported);
}
