use std::{
    fs, io,
    os::unix::{ffi::OsStrExt, fs::symlink},
    sync::atomic::{AtomicBool, Ordering},
};

use kuori::store::FileWait;

use super::trick::{TrickFolder, error};
use crate::hub::{Hub, now};

#[tokio::test(flavor = "multi_thread")]
async fn folders_links_and_names_that_cannot_be_used_are_left_and_an_empty_file_is_answered() {
    let hub = Hub::new();
    let inbox_folder = hub.sender_folder().join("inbox");
    fs::create_dir(inbox_folder.join("folder.zip")).unwrap();
    let elsewhere = hub.path().join("elsewhere");
    fs::write(&elsewhere, "PK a file of ours").unwrap();
    symlink(&elsewhere, inbox_folder.join("link.zip")).unwrap();
    let odd = std::ffi::OsStr::from_bytes(b"odd\xff\n.zip");
    fs::write(inbox_folder.join(odd), "PK").unwrap();
    fs::write(inbox_folder.join("sub.zip.ok"), "").unwrap();
    hub.upload("empty.zip", b"");
    let inbox = hub.inbox_through(hub.sender_door());
    assert_eq!(inbox.poll(now()).await.unwrap().len(), 1);
    assert_eq!(inbox.poll(now()).await.unwrap().len(), 0);
    let batch = hub.store.batches(9).unwrap().remove(0);
    assert_eq!((batch.file_name.as_str(), batch.bytes), ("empty.zip", 0));
    let files = hub.store.inbox_looks().unwrap().remove(0).files;
    let waits: Vec<_> = files.iter().map(|file| file.wait).collect();
    assert!(waits.contains(&FileWait::OddName), "{files:?}");
    assert!(fs::symlink_metadata(inbox_folder.join("link.zip")).is_ok());
    assert!(elsewhere.exists());
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_vanishes_between_look_and_claim_leaves_nothing_behind() {
    let hub = Hub::new();
    hub.upload("letters.zip", b"PK");
    let path = hub.sender_folder().join("inbox/letters.zip");
    let folder = TrickFolder::new(hub.sender_door(), move |call, _| {
        if call == "rename" {
            fs::remove_file(&path).unwrap();
        }
        Ok(())
    });
    let inbox = hub.inbox_through(folder);
    assert_eq!(inbox.poll(now()).await.unwrap(), []);
    assert!(hub.store.arrivals("example-city").unwrap().is_empty());
    assert_eq!(hub.store.batches(9).unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_file_of_the_name_waits_for_the_first_and_both_are_taken() {
    let hub = Hub::new();
    hub.upload("letters.zip", b"PK first");
    let folder = TrickFolder::new(hub.sender_door(), |call, _| match call {
        "read" => Err(error(io::ErrorKind::ConnectionReset)),
        _ => Ok(()),
    });
    let inbox = hub.inbox_through(folder);
    assert_eq!(inbox.poll(now()).await.unwrap(), []);
    hub.upload("letters.zip", b"PK second");
    assert_eq!(inbox.poll(now()).await.unwrap(), []);
    assert_eq!(hub.names("sender/inbox"), ["letters.zip"]);
    assert_eq!(hub.store.arrivals("example-city").unwrap().len(), 1);
    let inbox = hub.inbox_through(hub.sender_door());
    assert_eq!(inbox.poll(now()).await.unwrap().len(), 2);
    let batches = hub.store.batches(9).unwrap();
    assert!(batches.iter().all(|row| row.file_name == "letters.zip"));
    assert_eq!(batches.len(), 2);
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_its_marker_is_not_taken_for_one_that_had_it_before_a_crash() {
    let hub = Hub::new();
    hub.upload("letters.zip", b"PK first");
    hub.upload("letters.zip.ok", b"");
    let folder = TrickFolder::new(hub.sender_door(), |call, _| match call {
        "rename" => Err(error(io::ErrorKind::ConnectionReset)),
        _ => Ok(()),
    });
    let inbox = hub.inbox_with_markers(folder);
    assert_eq!(inbox.poll(now()).await.unwrap(), []);
    assert_eq!(hub.store.arrivals("example-city").unwrap().len(), 1);
    // Its sender takes it back, and begins another of the name.
    fs::remove_file(hub.sender_folder().join("inbox/letters.zip.ok")).unwrap();
    hub.upload("letters.zip", b"PK half of");
    let inbox = hub.inbox_with_markers(hub.sender_door());
    assert_eq!(inbox.poll(now()).await.unwrap(), []);
    hub.upload("letters.zip", b"PK half of the second");
    hub.upload("letters.zip.ok", b"");
    assert_eq!(inbox.poll(now()).await.unwrap().len(), 1);
    assert_eq!(hub.store.batches(9).unwrap()[0].bytes, 21);
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_taking_panics_is_told_and_left_alone_for_a_while() {
    let hub = Hub::new();
    hub.upload("letters.zip", b"PK");
    let folder = TrickFolder::new(hub.sender_door(), |call, _| {
        assert_ne!(call, "read", "this one panics on purpose");
        Ok(())
    });
    let inbox = hub.inbox_through(folder);
    assert_eq!(inbox.poll(now()).await.unwrap(), []);
    inbox.poll(now()).await.unwrap();
    let files = hub.store.inbox_looks().unwrap().remove(0).files;
    assert_eq!(files[0].wait, FileWait::Failed);
    let why = files[0].detail.clone().unwrap();
    assert!(why.contains("a bug in kuori"), "{why}");
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_only_inspects_changes_nothing() {
    let hub = Hub::new();
    hub.upload("letters.zip", b"PK");
    hub.upload("letters.txt", b"no");
    let has_touched = std::sync::Arc::new(AtomicBool::new(false));
    let touched = std::sync::Arc::clone(&has_touched);
    let folder = TrickFolder::new(hub.sender_door(), move |call, _| {
        touched.fetch_or(call != "list", Ordering::SeqCst);
        Ok(())
    });
    let look = hub.inbox_through(folder).inspect(now()).await.unwrap();
    let waits: Vec<_> = look
        .files
        .iter()
        .map(|file| (&*file.name, file.wait))
        .collect();
    assert!(waits.contains(&("letters.zip", FileWait::Due)), "{waits:?}");
    assert!(
        waits.contains(&("letters.txt", FileWait::Name)),
        "{waits:?}"
    );
    assert!(!has_touched.load(Ordering::SeqCst));
    assert_eq!(hub.store.inbox_looks().unwrap(), []);
    assert!(hub.store.arrivals("example-city").unwrap().is_empty());
    hub.run().await;
}
