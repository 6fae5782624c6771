//! Files of senders.

use std::{fs, sync::Arc};

use super::{ChaosFolder, TROUBLES, Trouble, start_again};
use crate::hub::{Hub, now};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_taken_once_whatever_happens_at_any_call() {
    let mut points = 0;
    for trouble in TROUBLES {
        for at in 1.. {
            let hub = Hub::new();
            hub.upload("letters.zip", b"what a batch is does not matter here");
            let folder = Arc::new(ChaosFolder::new(hub.sender_door(), trouble, at));
            let inbox = hub.inbox_through(folder.clone());
            folder.until_stopped(inbox.poll(now())).await;
            start_again(&hub);
            hub.inbox_through(hub.sender_door())
                .poll(now())
                .await
                .unwrap();
            assert_taken_once(&hub, &format!("{trouble:?} at call {at}"));
            hub.run().await;
            if !folder.has_struck() {
                break;
            }
            points += 1;
        }
    }
    assert!(points > 25, "{points} points");
}

fn assert_taken_once(hub: &Hub, when: &str) {
    let batches = hub.store.batches(10).unwrap();
    assert_eq!(batches.len(), 1, "{when}");
    let file = hub.store.spool().map(&batches[0].spool).unwrap();
    assert_eq!(
        file.as_ref(),
        b"what a batch is does not matter here",
        "{when}"
    );
    assert_eq!(hub.names("sender/inbox"), [""; 0], "{when}");
    assert_eq!(hub.names("sender/.kuori/taking"), [""; 0], "{when}");
    assert!(
        hub.store.arrivals("example-city").unwrap().is_empty(),
        "{when}"
    );
    assert_eq!(hub.names("data/spool/temporary"), [""; 0], "{when}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_taken_is_begun_once_and_taken_when_it_can_be() {
    let hub = Hub::new();
    hub.upload("letters.zip", b"PK");
    let inbox = hub.inbox_through(hub.sender_door());
    // A file where the folder of claimed files has to be.
    fs::create_dir_all(hub.path().join("sender/.kuori")).unwrap();
    fs::write(hub.path().join("sender/.kuori/taking"), "").unwrap();
    for _ in 0..3 {
        assert!(inbox.poll(now()).await.unwrap().is_empty());
        assert_eq!(hub.store.arrivals("example-city").unwrap().len(), 1);
    }
    fs::remove_file(hub.path().join("sender/.kuori/taking")).unwrap();
    assert_eq!(inbox.poll(now()).await.unwrap().len(), 1);
    assert!(hub.store.arrivals("example-city").unwrap().is_empty());
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claimed_file_without_a_row_is_adopted() {
    let hub = Hub::new();
    let taking = hub.sender_folder().join(".kuori/taking");
    fs::create_dir_all(&taking).unwrap();
    // Ids start at 1 again with a lost database: one orphan has the id that is given next.
    for orphan in ["1", "2", "77"] {
        fs::write(taking.join(orphan), format!("PK {orphan}")).unwrap();
    }
    let inbox = hub.inbox_through(hub.sender_door());
    let received = inbox.poll(now()).await.unwrap().len() + inbox.poll(now()).await.unwrap().len();
    assert_eq!(received, 3);
    let rows = hub.store.batches(10).unwrap();
    let mut contents: Vec<_> = rows
        .iter()
        .map(|row| hub.store.spool().map(&row.spool).unwrap().as_ref().to_vec())
        .collect();
    contents.sort();
    assert_eq!(contents, [&b"PK 1"[..], b"PK 2", b"PK 77"]);
    assert!(
        rows.iter()
            .all(|row| row.file_name.starts_with("recovered-"))
    );
    assert_eq!(hub.names("sender/.kuori/taking"), [""; 0]);
    assert!(hub.store.arrivals("example-city").unwrap().is_empty());
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_arrival_is_ended_only_where_the_claimed_files_can_be_seen() {
    let hub = Hub::new();
    let sender = "example-city".parse().unwrap();
    let inbox = hub.inbox_through(hub.sender_door());
    let arrivals = || hub.store.arrivals("example-city").unwrap().len();
    hub.store
        .begin_arrival(&sender, "example-city", "letters.zip", now())
        .unwrap();
    inbox.poll(now()).await.unwrap();
    assert_eq!(arrivals(), 1);
    fs::create_dir_all(hub.sender_folder().join(".kuori/taking")).unwrap();
    inbox.poll(now()).await.unwrap();
    assert_eq!(arrivals(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_marker_of_a_second_file_of_the_same_name_is_left_to_it() {
    let hub = Hub::new();
    hub.upload("letters.zip", b"PK first");
    hub.upload("letters.zip.ok", b"");
    // The claim is done and the copy fails: list ×2, two folders, rename, stat and remove of the
    // marker, stat of the copy, download.
    let folder = ChaosFolder::new(hub.sender_door(), Trouble::FailsBefore, 9);
    let inbox = hub.inbox_with_markers(Arc::new(folder));
    assert!(inbox.poll(now()).await.unwrap().is_empty());
    assert_eq!(hub.names("sender/inbox"), [""; 0]);

    hub.upload("letters.zip", b"PK second");
    hub.upload("letters.zip.ok", b"");
    for _ in 0..2 {
        inbox.poll(now()).await.unwrap();
    }
    assert_eq!(hub.store.batches(10).unwrap().len(), 2);
    assert_eq!(hub.names("sender/inbox"), [""; 0]);
    hub.run().await;
}
