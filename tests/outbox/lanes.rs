//! Several things at once, and who holds up whom.

use std::{
    io,
    sync::{Arc, Mutex, atomic::Ordering},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use kuori::{
    outbox::{Bells, Outbox, PlaceSettings, Settings},
    store::Standing,
    transport::{Action, Error, RemotePath},
};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::sleep,
};

use super::{bundle, composed, folder::Doorman, print_house, sender, with_receipts};
use crate::{
    chaos::later,
    hub::{Hub, now},
};

/// An outbox at work as in the daemon.
struct Running {
    stop: watch::Sender<bool>,
    work: JoinHandle<()>,
}

impl Running {
    fn start(outbox: &Arc<Outbox>) -> Self {
        Self::start_at(outbox, now)
    }

    fn start_at(
        outbox: &Arc<Outbox>,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        let (stop, stopped) = watch::channel(false);
        let bells = Bells {
            due: Arc::new(Notify::new()),
            handed_over: Arc::new(Notify::new()),
        };
        let work = Arc::clone(outbox).run(Arc::new(clock), bells, stopped);
        Self {
            stop,
            work: tokio::spawn(work),
        }
    }

    async fn stop(self) {
        self.stop.send_replace(true);
        self.work.await.unwrap();
    }
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < Duration::from_mins(1), "{what}");
        sleep(Duration::from_millis(5)).await;
    }
}

fn settings() -> Settings {
    Settings {
        stop_grace: SignedDuration::from_millis(50),
        ..Settings::default()
    }
}

fn lost(_: &RemotePath) -> Error {
    Error::Io {
        action: Action::Upload,
        path: RemotePath::root(),
        source: io::ErrorKind::ConnectionReset.into(),
    }
}

fn unknown_host(_: &RemotePath) -> Error {
    Error::HostKeyUnknown {
        server: "sftp.example".to_owned(),
        fingerprint: "SHA256:x".to_owned(),
    }
}

async fn hand_over_all(outbox: &Outbox, at: Timestamp) {
    while outbox.hand_over_next(at).await.unwrap() {}
}

/// Everything that is still to be handed over is, and what comes of it.
async fn end(hub: &Hub) {
    hub.store.ask_places_again().unwrap();
    hub.run_at(later()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_slow_holds_up_nobody_else_and_a_stop_lets_go_of_it() {
    let hub = composed().await;
    let slow = Doorman::shut(hub.print_house_door());
    let outbox = hub.outbox_with(settings(), [(print_house(), slow.clone() as _)]);
    let running = Running::start(&outbox);
    until("the receipts are there", || {
        hub.names("sender/receipts").len() == 2
    })
    .await;
    until("the bundle is on its way", || !slow.begun().is_empty()).await;
    running.stop().await;
    let left = bundle(&hub);
    assert_eq!((left.standing(), left.attempts), (Standing::Due, 0));
    assert!(left.due_at.is_some());
    // It is free at once: nobody waits for the end of its lease.
    hub.run().await;
    assert_eq!(hub.counts().printed, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_go_several_at_once_and_those_of_a_batch_in_their_order() {
    let hub = with_receipts(12).await;
    let door = Doorman::shut(hub.sender_door());
    let mut settings = settings();
    let at_once = PlaceSettings {
        at_once: 3,
        ..PlaceSettings::default()
    };
    settings.places.insert(sender(), at_once);
    let outbox = hub.outbox_with(settings, [(sender(), door.clone() as _)]);
    let running = Running::start(&outbox);
    until("three wait at the door", || door.begun().len() == 3).await;
    door.door.add_permits(1_000);
    until("all are there", || hub.names("sender/receipts").len() == 24).await;
    until("all are recorded", || {
        hub.store.next_outgoing_due().unwrap().is_none()
    })
    .await;
    running.stop().await;
    assert_eq!(door.most.load(Ordering::SeqCst), 3);
    let begun = door.begun();
    for batch in 1..=12 {
        let of_batch = begun
            .iter()
            .filter(|path| path.contains(&format!(".B-{batch:04}.")));
        let kinds: Vec<_> = of_batch
            .map(|path| path.contains("acknowledgement"))
            .collect();
        assert_eq!(kinds, [true, false], "{begun:?}");
    }
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_places_together_have_a_bound_too() {
    let hub = with_receipts(6).await;
    let door = Doorman::shut(hub.sender_door());
    let settings = Settings {
        at_once: 2,
        ..settings()
    };
    let outbox = hub.outbox_with(settings, [(sender(), door.clone() as _)]);
    let running = Running::start(&outbox);
    until("two wait at the door", || door.begun().len() == 2).await;
    door.door.add_permits(1_000);
    until("all are there", || hub.names("sender/receipts").len() == 12).await;
    running.stop().await;
    assert_eq!(door.most.load(Ordering::SeqCst), 2);
    end(&hub).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_away_is_asked_by_one_of_its_rows() {
    let hub = with_receipts(5).await;
    let door = Doorman::new(hub.sender_door());
    door.fail(Some(lost));
    let outbox = hub.outbox_with(settings(), [(sender(), door.clone() as _)]);
    hand_over_all(&outbox, now()).await;
    let asked = door.begun().len();
    // A wait by dice can be next to nothing, once.
    assert!((1..=2).contains(&asked), "{asked}");
    let places = hub.store.places_in_trouble().unwrap();
    assert_eq!(places.len(), 1);
    assert_eq!(places[0].place, sender());
    assert!(places[0].next_try.is_some_and(|at| at > now()));

    // Others are handed over meanwhile; this one is asked once more when its wait is over.
    let wait = SignedDuration::from_mins(20);
    hand_over_all(&outbox, now() + wait).await;
    let again = door.begun().len() - asked;
    assert!((1..=3).contains(&again), "{again}");
    door.fail(None);
    hand_over_all(&outbox, now() + wait * 3).await;
    assert_eq!(hub.names("sender/receipts").len(), 10);
    assert!(hub.store.places_in_trouble().unwrap().is_empty());
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_with_another_host_key_waits_for_an_operator_or_a_start() {
    let hub = with_receipts(5).await;
    let door = Doorman::new(hub.sender_door());
    door.fail(Some(unknown_host));
    let outbox = hub.outbox_with(settings(), [(sender(), door.clone() as _)]);
    for at in [now(), later(), later() + SignedDuration::from_hours(100)] {
        hand_over_all(&outbox, at).await;
        assert_eq!(door.begun().len(), 1, "it is asked once, by one row");
    }
    let held = &hub.store.places_in_trouble().unwrap()[0];
    assert_eq!(held.next_try, None);
    assert!(held.error.contains("host key"), "{}", held.error);

    let action = crate::hub::because("pinned");
    let named = kuori::store::Waiting::Place("example-city".to_owned());
    let retry = hub.store.retry_waiting(Some(&named), &action).unwrap();
    assert_eq!(retry.places.len(), 1);
    hand_over_all(&outbox, now()).await;
    assert_eq!(door.begun().len(), 2);

    outbox.begin().unwrap();
    door.fail(None);
    hand_over_all(&outbox, now()).await;
    assert_eq!(hub.names("sender/receipts").len(), 10);
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_is_kept_while_a_long_upload_runs() {
    let hub = composed().await;
    let slow = Doorman::shut(hub.print_house_door());
    let lease = SignedDuration::from_millis(300);
    let settings = Settings {
        lease,
        ..settings()
    };
    let outbox = hub.outbox_with(settings, [(print_house(), slow.clone() as _)]);
    let time = Arc::new(Mutex::new(now()));
    let clock = Arc::clone(&time);
    let running = Running::start_at(&outbox, move || *clock.lock().unwrap());
    until("the bundle is on its way", || !slow.begun().is_empty()).await;
    for _ in 0..5 {
        // Never past the end of the claim as it is by now.
        let then = *time.lock().unwrap() + lease / 2;
        *time.lock().unwrap() = then;
        until("the claim is renewed", || {
            leased_until(&hub) == then + lease
        })
        .await;
    }
    assert_eq!(slow.begun().len(), 1);
    slow.door.add_permits(1_000);
    until("it is handed over", || hub.counts().printed == 2).await;
    running.stop().await;
    assert_eq!(bundle(&hub).standing(), Standing::HandedOver);
    end(&hub).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_hand_is_not_begun_again_when_the_clock_is_set_forward() {
    let hub = composed().await;
    let slow = Doorman::shut(hub.print_house_door());
    let outbox = hub.outbox_with(settings(), [(print_house(), slow.clone() as _)]);
    let time = Arc::new(Mutex::new(now()));
    let clock = Arc::clone(&time);
    let running = Running::start_at(&outbox, move || *clock.lock().unwrap());
    until("the bundle is on its way", || !slow.begun().is_empty()).await;
    let tomorrow = now() + SignedDuration::from_hours(24);
    *time.lock().unwrap() = tomorrow;
    until("it is claimed anew", || leased_until(&hub) > tomorrow).await;
    slow.door.add_permits(1_000);
    until("it is handed over", || hub.counts().printed == 2).await;
    running.stop().await;
    let mut begun = slow.begun();
    begun.sort();
    let all = begun.len();
    begun.dedup();
    assert_eq!(begun.len(), all, "each file is sent once: {begun:?}");
    end(&hub).await;
}

fn leased_until(hub: &Hub) -> Timestamp {
    let database = hub.path().join("data/kuori.sqlite");
    let database = rusqlite::Connection::open(database).unwrap();
    let sql = "SELECT lease_until FROM outgoing WHERE bundle IS NOT NULL";
    let millis = database.query_row(sql, [], |row| row.get(0)).unwrap();
    Timestamp::from_millisecond(millis).unwrap()
}
