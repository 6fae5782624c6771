//! The disk of the mailboxes is away, and the folder that it is mounted on is empty: all that needs them
//! waits, and goes on once it is back.

use std::fs;

use jiff::SignedDuration;
use kuori::{
    domain::{BatchState, MessageId},
    monitor::{AlertSettings, troubles},
    pipeline::ReadSettings,
    sample::Spec,
};

use crate::{
    hub::{Hub, sample_bytes},
    program::{InHands, Site, until},
};

const TOLD: &str = "not the ones that this house has delivered into";

fn unmount(hub: &Hub) {
    let root = hub.path().join("mailboxes");
    fs::rename(&root, hub.path().join("disk")).unwrap();
    fs::create_dir(root).unwrap();
}

fn mount(hub: &Hub) {
    let root = hub.path().join("mailboxes");
    // Fails where anything was written below the mount point.
    fs::remove_dir(&root).unwrap();
    fs::rename(hub.path().join("disk"), root).unwrap();
}

fn letters(seed: u64) -> Spec {
    Spec {
        letters: 30,
        seed,
        ..Spec::default()
    }
}

/// A house with messages in mailboxes that go on paper where nobody reads them in a day. Somebody has read
/// the first, which nobody has seen yet.
async fn delivered() -> Hub {
    let hub = Hub::with(|sender| sender.patience.print_if_unread_days = Some(1));
    hub.consent(&letters(1));
    hub.process("first.zip", &sample_bytes(&letters(1))).await;
    let messages = hub.mailbox_messages();
    assert!(messages.len() > 5);
    let cur = messages[0].parent().unwrap().with_file_name("cur");
    let name = messages[0].file_name().unwrap().to_str().unwrap();
    fs::rename(&messages[0], cur.join(format!("{name}:2,S"))).unwrap();
    hub.store.note_look(None, hub.time()).unwrap();
    hub
}

fn told(hub: &Hub) -> Vec<(String, String)> {
    let status = hub.store.status(hub.time()).unwrap();
    let found = troubles(&status, &AlertSettings::default(), hub.time());
    let about = found.into_iter().filter(|it| it.text.contains(TOLD));
    about
        .map(|it| (it.code.as_str().to_owned(), it.text))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_waits_for_its_mailboxes_and_is_delivered_once_they_are_back() {
    let hub = delivered().await;
    let before = hub.mailbox_messages().len();
    unmount(&hub);
    hub.consent(&letters(2));
    hub.upload_sample("second.zip", &letters(2));
    hub.run().await;
    // More often than a batch may fail.
    for _ in 0..20 {
        hub.try_again_now();
        hub.run_steps().await;
    }
    let waiting = hub.store.batches(1).unwrap().remove(0);
    assert_eq!(waiting.state, BatchState::Routed);
    assert_eq!(hub.counts().delivered, 0);
    let codes: Vec<_> = told(&hub).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["step-fails"]);

    mount(&hub);
    hub.try_again_now();
    hub.run().await;
    assert_eq!(told(&hub), []);
    let counts = hub.counts();
    assert_eq!((counts.delivered + counts.printed, counts.held), (30, 0));
    let delivered = hub.mailbox_messages().len() - before;
    assert_eq!(counts.delivered, delivered as u64);
    let root = hub.path().join("mailboxes");
    InHands::count(&root, &hub.print_house_folder().join("pickup")).assert_nothing_twice();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_on_paper_that_may_be_read_in_mailboxes_that_are_away() {
    let hub = delivered().await;
    let look = async || hub.try_to_look(None, ReadSettings::default()).await;
    unmount(&hub);
    for _ in 0..2 {
        hub.pass(SignedDuration::from_hours(25));
        let error = look().await.unwrap_err();
        assert!(error.is_of_the_house(), "{error}");
        assert_eq!(hub.fire_timers().printed, 0);
        let told = told(&hub);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].0, "events-late");
    }
    mount(&hub);
    assert_eq!(look().await.unwrap().read, 1);
    hub.store.note_look(None, hub.time()).unwrap();
    assert_eq!(told(&hub), []);
    // After two days of which nobody knows, nothing goes for another one.
    assert_eq!(hub.fire_timers().printed, 0);
    hub.pass(SignedDuration::from_hours(25));
    assert_eq!(look().await.unwrap().read, 0);
    hub.store.note_look(None, hub.time()).unwrap();
    let unread = hub.store.awaited_reads(None, 100).unwrap();
    let unread: Vec<MessageId> = unread.into_iter().map(|it| it.id).collect();
    assert_eq!(unread.len(), hub.mailbox_messages().len());
    assert_eq!(hub.fire_timers().printed, unread.len() as u64);
    assert_eq!(hub.fire_timers().printed, 0);
}

#[test]
fn no_command_takes_an_empty_mount_point_for_the_mailboxes() {
    let site = Site::new();
    site.upload(&site.sample("letters.zip", "--letters 10 --digital-share 1"));
    let daemon = site.start();
    until("the sender has the reports", || {
        site.names("sender/receipts").len() == 3
    });
    daemon.stop();
    let (root, disk) = (site.data().join("mailboxes"), site.path("disk"));
    fs::rename(&root, &disk).unwrap();
    let batch = site.sample("more.zip", "--letters 10 --seed 2");
    let process = format!("process {} --config kuori.toml", batch.display());
    for line in ["run --config kuori.toml", &process] {
        let refused = site.kuori(line);
        assert_eq!(refused.code, Some(75), "{line}: {refused:?}");
        assert!(refused.err.contains("hint: mount the disk"), "{refused:?}");
        assert!(!root.exists(), "{line}");
    }
    // A mount point is there, with or without its disk.
    fs::create_dir(&root).unwrap();
    for line in ["run --config kuori.toml", "verify --deep", &process] {
        let refused = site.kuori(line);
        assert_eq!(refused.code, Some(75), "{line}: {refused:?}");
        assert!(refused.err.contains(TOLD), "{line}: {refused:?}");
    }
    fs::remove_dir(&root).unwrap();
    fs::rename(&disk, &root).unwrap();
    site.done("verify --deep");
}
