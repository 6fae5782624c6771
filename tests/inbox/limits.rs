use std::{fs::File, sync::Arc};

use kuori::{
    inbox::{Headroom, Inbox, Limits, Settings},
    store::{FileWait, Received},
};

use crate::hub::{Hub, now};

fn with_limits(hub: &Hub, limits: Limits, change: impl FnOnce(&mut Settings)) -> Inbox {
    let mut settings = hub.inbox_through(hub.sender_door()).settings().clone();
    change(&mut settings);
    let headroom = Headroom::new(limits);
    Inbox::with_headroom(
        Arc::clone(&hub.store),
        hub.sender_door(),
        settings,
        headroom,
    )
}

fn waits(hub: &Hub) -> Vec<(String, FileWait)> {
    let files = hub.store.inbox_looks().unwrap().remove(0).files;
    files
        .into_iter()
        .map(|file| (file.name, file.wait))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_is_taken_than_may_be_in_hand_and_it_goes_on_when_that_is_done() {
    let hub = Hub::new();
    for name in ["a.zip", "b.zip", "c.zip"] {
        hub.upload(name, format!("PK {name}").as_bytes());
    }
    let limits = Limits {
        max_waiting_batches: 2,
        ..Limits::default()
    };
    let inbox = with_limits(&hub, limits, |_| {});
    assert_eq!(inbox.poll(now()).await.unwrap().len(), 2);
    assert_eq!(inbox.poll(now()).await.unwrap(), []);
    let left = hub.names("sender/inbox").remove(0);
    assert_eq!(waits(&hub), [(left, FileWait::Backlog)]);
    assert!(hub.store.arrivals("example-city").unwrap().is_empty());
    // What is in hand gets done by a house that takes nothing more.
    hub.run_steps().await;
    assert_eq!(inbox.poll(now()).await.unwrap().len(), 1);
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_file_is_taken_where_a_huge_one_has_no_room() {
    let hub = Hub::new();
    // A hole of 8 TiB takes no room here, and has none there.
    let huge = File::create(hub.sender_folder().join("inbox/a-huge.zip")).unwrap();
    huge.set_len(1 << 43).unwrap();
    hub.upload("b-small.zip", b"PK small");
    let inbox = with_limits(&hub, Limits::default(), |settings| {
        settings.max_file_bytes = u64::MAX;
    });
    let received = inbox.poll(now()).await.unwrap();
    assert!(matches!(received[..], [Received::New(_)]));
    assert_eq!(waits(&hub), [("a-huge.zip".to_owned(), FileWait::DiskFull)]);
    std::fs::remove_file(hub.sender_folder().join("inbox/a-huge.zip")).unwrap();
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_taken_at_the_size_that_is_allowed_and_left_one_byte_past_it() {
    let hub = Hub::new();
    hub.upload("a.zip", b"PK45");
    hub.upload("b.zip", b"PK456");
    hub.upload("c.txt", b"PK");
    let inbox = with_limits(&hub, Limits::default(), |settings| {
        settings.max_file_bytes = 4;
        settings.take_names = vec!["?.ZIP".to_owned()];
    });
    assert_eq!(inbox.poll(now()).await.unwrap().len(), 1);
    assert_eq!(hub.names("sender/inbox"), ["b.zip", "c.txt"]);
    let expected = [
        ("b.zip".to_owned(), FileWait::TooLarge),
        ("c.txt".to_owned(), FileWait::Name),
    ];
    assert_eq!(waits(&hub), expected);
    std::fs::remove_file(hub.sender_folder().join("inbox/b.zip")).unwrap();
    hub.run().await;
}
