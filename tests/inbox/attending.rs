use std::{
    fs, io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use kuori::{
    assemble::Daemon, config, inbox::Inbox, pipeline::Clock, store::FileWait,
    transport::RemoteFolder,
};
use tokio::sync::watch;

use super::trick::{TrickFolder, error};
use crate::hub::{Hub, now};

/// Waits until something holds, for as long as a loaded machine may need.
async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..3_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it did not happen in a minute: {what}");
}

/// Attends to an inbox while `play` is played, and then stops.
async fn attend(inbox: &Inbox, arrived: &AtomicU32, play: impl Future<Output = ()>) {
    let (stop, stopped) = watch::channel(false);
    let ring = || {
        arrived.fetch_add(1, Ordering::SeqCst);
    };
    let clock = now;
    let attending = inbox.attend(&clock, &ring, stopped);
    let playing = async {
        play.await;
        stop.send(true).unwrap();
    };
    tokio::join!(attending, playing);
}

fn every_second(hub: &Hub, folder: Arc<dyn RemoteFolder>) -> Inbox {
    hub.inbox_with(folder, |settings| {
        settings.poll_interval_secs = 1;
        settings.large_file_bytes = 1_000;
        settings.back_off.first = SignedDuration::from_millis(10);
        settings.back_off.longest = SignedDuration::from_millis(50);
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn huge_files_hold_up_no_small_one_and_are_taken_after_a_stop() {
    let hub = Hub::new();
    for name in ["h1", "h2", "h3", "h4", "h5", "h6", "h7", "h8", "h9"] {
        hub.upload(&format!("{name}.zip"), &[name.as_bytes(); 600].concat());
    }
    let folder = TrickFolder::new(hub.sender_door(), |_, _| Ok(()));
    *folder.hangs.lock().unwrap() = Some(("read", 1_000));
    let inbox = every_second(&hub, folder);
    let arrived = AtomicU32::new(0);
    let claimed = || hub.names("sender/.kuori/taking").len();
    attend(&inbox, &arrived, async {
        until("large files take half of the places", || claimed() == 4).await;
        hub.upload("small.zip", b"PK small");
        until("the small one is taken", || {
            arrived.load(Ordering::SeqCst) == 1
        })
        .await;
    })
    .await;
    assert_eq!(claimed(), 4);
    assert_eq!(hub.store.arrivals("example-city").unwrap().len(), 4);
    assert_eq!(hub.store.batches(99).unwrap().len(), 1);
    let inbox = hub.inbox_through(hub.sender_door());
    assert_eq!(inbox.poll(now()).await.unwrap().len(), 9);
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_recorded_and_looked_for_until_it_is_back() {
    let hub = Hub::new();
    hub.upload("letters.zip", b"PK");
    let is_away = Arc::new(AtomicBool::new(true));
    let away = Arc::clone(&is_away);
    let folder = TrickFolder::new(hub.sender_door(), move |_, _| {
        if away.load(Ordering::SeqCst) {
            return Err(error(io::ErrorKind::ConnectionRefused));
        }
        Ok(())
    });
    let inbox = every_second(&hub, folder);
    let error = || {
        let look = hub.store.inbox_looks().unwrap().pop();
        look.and_then(|look| look.error)
    };
    let arrived = AtomicU32::new(0);
    attend(&inbox, &arrived, async {
        until("it is away", || error().is_some()).await;
        is_away.store(false, Ordering::SeqCst);
        until("its file is taken", || arrived.load(Ordering::SeqCst) == 1).await;
        until("it is back", || error().is_none()).await;
    })
    .await;
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_does_not_end_is_given_up() {
    let hub = Hub::new();
    let folder = TrickFolder::new(hub.sender_door(), |_, _| Ok(()));
    *folder.hangs.lock().unwrap() = Some(("list", 0));
    let inbox = hub.inbox_with(folder, |settings| {
        settings.look_timeout_secs = 1;
    });
    let error = inbox.poll(now()).await.unwrap_err();
    assert!(error.to_string().contains("longer than 1 s"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_looks_into_every_inbox_of_a_sender_and_when_it_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for inbox in ["own/inbox", "own/receipts", "portal", "print/pickup"] {
        fs::create_dir_all(path(inbox)).unwrap();
    }
    let at = folder.path().display();
    let text = format!(
        r#"
poll_interval_secs = 3600
[server]
enabled = false
[senders.example-city]
directory = "{at}/own"
upload.complete_when = "renamed"
[[senders.example-city.inboxes]]
name = "portal"
directory = "{at}/portal"
folder = ""
upload = {{ complete_when = "renamed", done_folder = "done" }}
"#
    );
    let config = config::parse_at(&text, path("data")).unwrap();
    let daemon = Daemon::start(&config, Clock::new(Timestamp::now))
        .await
        .unwrap();
    let store = daemon.store();
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(daemon.run(stopped));
    let looks = || store.inbox_looks().unwrap();
    until("both were looked into", || looks().len() == 2).await;
    let places: Vec<_> = looks().into_iter().map(|look| look.place).collect();
    assert_eq!(places, ["example-city", "example-city/portal"]);
    fs::write(path("portal/letters.zip"), "PK").unwrap();
    let asked_at: Timestamp = looks()[1].looked_at;
    store.request_look("example-city/portal", asked_at).unwrap();
    until("the file is taken", || store.batches(9).unwrap().len() == 1).await;
    until("it is put away", || path("portal/done").exists()).await;
    let requested = || store.requested_look("example-city/portal").unwrap();
    until("the request is answered", || requested().is_none()).await;
    let data = path("data");
    let said = tokio::task::spawn_blocking(move || {
        let mut kuori = std::process::Command::new(env!("CARGO_BIN_EXE_kuori"));
        kuori.arg("inbox").arg("poll").arg("--data-dir").arg(data);
        kuori.output().unwrap()
    });
    let said = said.await.unwrap();
    assert!(said.status.success(), "{said:?}");
    let text = String::from_utf8(said.stdout).unwrap();
    assert!(text.contains("example-city/portal"), "{text}");
    stop.send(true).unwrap();
    running.await.unwrap().unwrap();
    let files = looks().remove(1).files;
    assert!(files.iter().all(|file| file.wait == FileWait::Taking));
}
