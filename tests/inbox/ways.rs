use std::{fs, io, path::Path, sync::Arc, time::Duration};

use jiff::SignedDuration;
use kuori::{
    inbox::{Afterwards, Completeness, Settings, Way},
    store::{FileWait, Received},
    transport::RemoteFolder,
};

use super::trick::{TrickFolder, error};
use crate::{
    chaos::{ChaosFolder, TROUBLES, start_again},
    hub::{Hub, now},
    sftp::house::House,
};

const BYTES: &[u8] = b"what a batch is does not matter here";

fn read_only() -> Way {
    Way::ReadOnly { forget_days: 30 }
}

fn keep(keep_days: Option<u32>) -> Way {
    Way::Claim {
        afterwards: Afterwards::Keep {
            folder: "old/done".parse().unwrap(),
            keep_days,
        },
    }
}

/// A copy that breaks goes on soon.
fn quick(settings: &mut Settings) {
    settings.back_off.first = SignedDuration::from_millis(5);
}

/// Polls with trouble at every call, one after the other, and once more without.
async fn at_every_call(
    change: impl Fn(&mut Settings) + Copy,
    prepare: impl Fn(&Hub),
    is_right: impl Fn(&Hub, &str),
) -> u32 {
    let mut points = 0;
    for trouble in TROUBLES {
        for at in 1.. {
            let hub = Hub::new();
            hub.upload("letters.zip", BYTES);
            prepare(&hub);
            let settings = |settings: &mut Settings| {
                quick(settings);
                change(settings);
            };
            let folder = Arc::new(ChaosFolder::new(hub.sender_door(), trouble, at));
            let inbox = hub.inbox_with(folder.clone(), settings);
            folder.until_stopped(inbox.poll(now())).await;
            drop(inbox);
            start_again(&hub);
            let inbox = hub.inbox_with(hub.sender_door(), settings);
            inbox.poll(now()).await.unwrap();
            let when = format!("{trouble:?} at call {at}");
            let batches = hub.store.batches(10).unwrap();
            assert_eq!(batches.len(), 1, "{when}");
            let spooled = hub.store.spool().map(&batches[0].spool).unwrap();
            assert_eq!(spooled.as_ref(), BYTES, "{when}");
            assert_eq!(hub.store.came_again(batches[0].id).unwrap(), [], "{when}");
            assert!(hub.store.arrivals("example-city").unwrap().is_empty());
            assert_eq!(hub.names("sender/.kuori/taking"), [""; 0], "{when}");
            is_right(&hub, &when);
            hub.run().await;
            if !folder.has_struck() {
                break;
            }
            points += 1;
        }
    }
    points
}

#[tokio::test(flavor = "multi_thread")]
async fn a_done_file_is_moved_once_whatever_happens_at_any_call() {
    let points = at_every_call(
        |settings| settings.way = keep(None),
        |_| {},
        |hub, when| {
            assert_eq!(hub.names("sender/inbox"), [""; 0], "{when}");
            let done = hub.names("sender/old/done");
            assert_eq!(done.len(), 1, "{when}");
            assert!(done[0].ends_with("_letters.zip"), "{done:?}");
            let kept = hub.sender_folder().join("old/done").join(&done[0]);
            assert_eq!(fs::read(kept).unwrap(), BYTES);
        },
    )
    .await;
    assert!(points > 35, "{points}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_stays_is_recorded_once_whatever_happens_at_any_call() {
    let points = at_every_call(
        |settings| settings.way = read_only(),
        |_| {},
        |hub, when| {
            assert_eq!(hub.names("sender/inbox"), ["letters.zip"], "{when}");
            // The house that is otherwise set up claims: it is not to find it.
            fs::remove_file(hub.sender_folder().join("inbox/letters.zip")).unwrap();
        },
    )
    .await;
    assert!(points >= 8, "{points}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_a_marker_is_taken_once_whatever_happens_at_any_call() {
    let points = at_every_call(
        |settings| {
            settings.completeness = Completeness::Marker {
                ending: ".done".to_owned(),
            };
        },
        |hub| hub.upload("letters.zip.done", b""),
        |hub, when| assert_eq!(hub.names("sender/inbox"), [""; 0], "{when}"),
    )
    .await;
    assert!(points > 25, "{points}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_houses_at_one_inbox_one_gets_each_file() {
    let (one, other) = (Hub::new(), Hub::new());
    for number in 0..20 {
        one.upload(&format!("{number}.zip"), format!("PK {number}").as_bytes());
    }
    let doors = [
        one.inbox_through(one.sender_door()),
        other.inbox_through(one.sender_door()),
    ];
    let (first, second) = tokio::join!(doors[0].poll(now()), doors[1].poll(now()));
    let received: Vec<_> = first.unwrap().into_iter().chain(second.unwrap()).collect();
    // A house that came second to a file has forgotten it by its next look.
    for door in &doors {
        assert_eq!(door.poll(now()).await.unwrap(), []);
    }
    assert_eq!(received.len(), 20);
    assert!(received.iter().all(|r| matches!(r, Received::New(_))));
    let mut digests = Vec::new();
    for hub in [&one, &other] {
        let batches = hub.store.batches(99).unwrap();
        digests.extend(batches.into_iter().map(|batch| batch.sha256));
        assert!(hub.store.arrivals("example-city").unwrap().is_empty());
        hub.run().await;
    }
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), 20);
    assert_eq!(one.names("sender/.kuori/taking"), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_house_has_claimed_is_left_to_it() {
    let hub = Hub::new();
    let taking = hub.sender_folder().join(".kuori/taking");
    fs::create_dir_all(&taking).unwrap();
    let ours = format!("{}-77", hub.store.house_name().unwrap());
    fs::write(taking.join("beefbeef-1"), "PK theirs").unwrap();
    fs::write(taking.join(&ours), "PK ours").unwrap();
    let inbox = hub.inbox_through(hub.sender_door());
    assert_eq!(inbox.poll(now()).await.unwrap().len(), 1);
    assert_eq!(inbox.poll(now()).await.unwrap().len(), 0);
    assert_eq!(hub.names("sender/.kuori/taking"), ["beefbeef-1"]);
    let batch = hub.store.batches(9).unwrap().remove(0);
    assert_eq!(batch.file_name, format!("recovered-{ours}.zip"));
    hub.run().await;
}

fn set_modified(path: &Path, seconds: u64) {
    let file = fs::File::options().append(true).open(path).unwrap();
    let time = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    file.set_modified(time).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_stays_is_new_with_another_size_or_time_unless_its_bytes_are_the_same() {
    let hub = Hub::new();
    let path = hub.sender_folder().join("inbox/letters.zip");
    hub.upload("letters.zip", b"PK one");
    set_modified(&path, 1_000_000);
    let inbox = hub.inbox_with(hub.sender_door(), |s| s.way = read_only());
    let poll = async || inbox.poll(now()).await.unwrap();
    let first = poll().await;
    assert!(matches!(first[..], [Received::New(_)]));
    assert_eq!(poll().await, []);
    // Another time, the same bytes: nobody is told again.
    set_modified(&path, 2_000_000);
    assert_eq!(poll().await, []);
    assert_eq!(poll().await, []);
    hub.upload("letters.zip", b"PK two");
    set_modified(&path, 3_000_000);
    assert!(matches!(poll().await[..], [Received::New(_)]));
    hub.upload("letters.zip", b"PK three");
    set_modified(&path, 3_000_000);
    assert!(matches!(poll().await[..], [Received::New(_)]));
    assert_eq!(hub.names("sender/inbox"), ["letters.zip"]);
    assert_eq!(hub.names("sender"), ["inbox", "pickup", "receipts"]);
    // The same bytes under another name are the batch that is known.
    hub.upload("again.zip", b"PK one");
    assert_eq!(poll().await, [Received::Again(batch(first[0]))]);
    fs::remove_file(&path).unwrap();
    fs::remove_file(hub.sender_folder().join("inbox/again.zip")).unwrap();
    hub.run().await;
}

fn batch(received: Received) -> kuori::domain::BatchId {
    let (Received::New(batch) | Received::Again(batch)) = received;
    batch
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_gone_is_forgotten_a_while_later_and_not_before() {
    let hub = Hub::new();
    let path = hub.sender_folder().join("inbox/letters.zip");
    hub.upload("letters.zip", b"PK one");
    let inbox = hub.inbox_with(hub.sender_door(), |s| s.way = read_only());
    let known = || hub.store.known_files("example-city").unwrap();
    inbox.poll(now()).await.unwrap();
    let bytes = fs::read(&path).unwrap();
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    fs::remove_file(&path).unwrap();
    inbox.poll(now()).await.unwrap();
    // A mount that was away for a day.
    fs::write(&path, bytes).unwrap();
    let file = fs::File::options().append(true).open(&path).unwrap();
    file.set_modified(modified).unwrap();
    let days = |days: i64| now() + SignedDuration::from_hours(24 * days);
    assert_eq!(inbox.poll(days(1)).await.unwrap(), []);
    assert_eq!(known()["letters.zip"].missing_since, None);
    fs::remove_file(&path).unwrap();
    inbox.poll(days(2)).await.unwrap();
    inbox.poll(days(32)).await.unwrap();
    assert_eq!(known().len(), 1);
    inbox
        .poll(days(32) + SignedDuration::from_secs(1))
        .await
        .unwrap();
    assert_eq!(known().len(), 0);
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn done_files_are_cleared_when_they_are_old_by_the_time_in_their_names() {
    let hub = Hub::new();
    let done = hub.sender_folder().join("old/done");
    fs::create_dir_all(&done).unwrap();
    for name in [
        "20261113T210000Z_beef-1_old.zip",
        "20261113T210001Z_beef-2_not-yet.zip",
        "theirs.zip",
    ] {
        fs::write(done.join(name), "PK").unwrap();
    }
    let inbox = hub.inbox_with(hub.sender_door(), |settings| settings.way = keep(Some(10)));
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let (clock, arrived) = (now, || ());
    let attending = inbox.attend(&clock, &arrived, stopped);
    let watching = async {
        for _ in 0..600 {
            if hub.names("sender/old/done").len() < 3 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stop.send(true).unwrap();
    };
    tokio::join!(attending, watching);
    let left = ["20261113T210001Z_beef-2_not-yet.zip", "theirs.zip"];
    assert_eq!(hub.names("sender/old/done"), left);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_is_denied_says_what_to_do_and_falls_back_to_nothing() {
    let hub = Hub::new();
    hub.upload("letters.zip", BYTES);
    let folder = TrickFolder::new(hub.sender_door(), |call, _| match call {
        "rename" => Err(error(io::ErrorKind::PermissionDenied)),
        _ => Ok(()),
    });
    let inbox = hub.inbox_through(folder.clone());
    for _ in 0..2 {
        assert_eq!(inbox.poll(now()).await.unwrap(), []);
        assert!(hub.store.arrivals("example-city").unwrap().is_empty());
    }
    assert_eq!(*folder.reads.lock().unwrap(), []);
    let inbox = hub.inbox_with(folder, |settings| settings.way = read_only());
    assert_eq!(inbox.poll(now()).await.unwrap().len(), 1);
    fs::remove_file(hub.sender_folder().join("inbox/letters.zip")).unwrap();
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_sftp_a_claim_that_is_denied_is_told_and_reading_works() {
    let house = House::start().await;
    let hub = Hub::new();
    let pickup = house.on_disk("print/pickup");
    fs::create_dir_all(&pickup).unwrap();
    fs::write(pickup.join("letters.zip"), BYTES).unwrap();
    let folder: Arc<dyn RemoteFolder> = Arc::new(house.folder("print").await);
    let in_pickup = |settings: &mut Settings| settings.folder = "pickup".parse().unwrap();
    // The embedded server lets a print house read and delete there, and make no folder.
    let inbox = hub.inbox_with(Arc::clone(&folder), in_pickup);
    assert_eq!(inbox.poll(now()).await.unwrap(), []);
    assert_eq!(inbox.poll(now()).await.unwrap(), []);
    let looks = hub.store.inbox_looks().unwrap();
    let file = &looks[0].files[0];
    assert_eq!(file.wait, FileWait::Failed, "{file:?}");
    let why = file.detail.as_deref().unwrap();
    assert!(why.contains("read-only"), "{why}");
    let inbox = hub.inbox_with(folder, |settings| {
        in_pickup(settings);
        settings.way = read_only();
    });
    assert_eq!(inbox.poll(now()).await.unwrap().len(), 1);
    assert_eq!(inbox.poll(now()).await.unwrap().len(), 0);
    assert!(pickup.join("letters.zip").exists());
    hub.run().await;
    house.server.stop().await;
}
