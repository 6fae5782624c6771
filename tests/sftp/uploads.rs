//! Uploads that break off, that are gone on with, and that are closed together.

use std::{fs, sync::Arc, time::Duration};

use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::sftp::house::{House, Raw, noise, until};

const GO_ON: OpenFlags = OpenFlags::WRITE;

/// Uploads `content` as far as it goes, and loses the connection.
async fn break_off(house: &House, path: &str, content: &[u8]) {
    let raw = house.raw("city").await;
    let handle = raw.create(path).await.unwrap();
    raw.write(&handle, content).await.unwrap();
}

/// Opens an upload that the server may not know yet to be broken off.
async fn open_soon(raw: &Raw, path: &str, flags: OpenFlags) -> String {
    let opening = async {
        loop {
            match raw.open(path, flags).await {
                Ok(handle) => return handle,
                Err(_) => sleep(Duration::from_millis(10)).await,
            }
        }
    };
    timeout(Duration::from_secs(20), opening).await.unwrap()
}

fn received(house: &House, name: &str) -> Option<Vec<u8>> {
    fs::read(house.on_disk("city/inbox").join(name)).ok()
}

#[tokio::test]
async fn a_broken_upload_is_kept_for_its_sender_and_can_be_gone_on_with() {
    let house = House::start().await;
    break_off(&house, "inbox/a.zip", b"half").await;
    let raw = house.raw("city").await;
    assert_eq!(raw.size("inbox/a.zip").await, Some(4));
    assert_eq!(raw.names("inbox").await, ["a.zip"]);
    assert_eq!(received(&house, "a.zip"), None);
    let other = house.raw("other").await;
    assert_eq!(other.size("inbox/a.zip").await, None);
    let handle = open_soon(&raw, "inbox/a.zip", GO_ON).await;
    raw.write_at(&handle, 4, b" and half").await.unwrap();
    raw.close(&handle).await.unwrap();
    assert_eq!(received(&house, "a.zip").unwrap(), b"half and half");
    assert_eq!(house.staged("city"), 0);
    // It is as final as any.
    assert!(raw.open("inbox/a.zip", GO_ON).await.is_err());
}

#[tokio::test]
async fn a_restart_of_the_server_keeps_broken_uploads() {
    let house = House::start_with(|settings| settings.stop_grace_secs = 0).await;
    break_off(&house, "inbox/a.zip.part", b"half").await;
    let house = house.restart().await;
    let raw = house.raw("city").await;
    assert_eq!(raw.size("inbox/a.zip.part").await, Some(4));
    // Not before it was gone on with to its end.
    let early = raw.rename("inbox/a.zip.part", "inbox/a.zip").await;
    assert_eq!(early, Err(StatusCode::Failure));
    let append = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::APPEND;
    let handle = open_soon(&raw, "inbox/a.zip.part", append).await;
    raw.write_at(&handle, 0, b" and").await.unwrap();
    raw.write_at(&handle, 0, b" half").await.unwrap();
    raw.close(&handle).await.unwrap();
    assert_eq!(received(&house, "a.zip.part"), None);
    raw.rename("inbox/a.zip.part", "inbox/a.zip").await.unwrap();
    assert_eq!(received(&house, "a.zip").unwrap(), b"half and half");
}

#[tokio::test]
async fn a_broken_upload_can_be_started_over_or_removed() {
    let house = House::start().await;
    break_off(&house, "inbox/a.zip", b"a long first try").await;
    let raw = house.raw("city").await;
    let exclusive = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::EXCLUDE;
    assert!(raw.open("inbox/a.zip", exclusive).await.is_err());
    let anew = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
    let handle = open_soon(&raw, "inbox/a.zip", anew).await;
    raw.write(&handle, b"second").await.unwrap();
    raw.close(&handle).await.unwrap();
    assert_eq!(received(&house, "a.zip").unwrap(), b"second");
    break_off(&house, "inbox/b.zip", b"half").await;
    until(|| house.staged("city") == 1).await;
    while raw.sftp.remove("inbox/b.zip").await.is_err() {
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(raw.names("inbox").await, ["a.zip"]);
}

#[tokio::test]
async fn an_empty_upload_that_breaks_off_leaves_nothing() {
    let house = House::start().await;
    let raw = house.raw("city").await;
    raw.create("inbox/a.zip").await.unwrap();
    assert_eq!(house.staged("city"), 1);
    drop(raw);
    until(|| house.staged("city") == 0).await;
}

#[tokio::test]
async fn where_none_are_kept_a_broken_upload_leaves_nothing() {
    let house = House::start_with(|settings| settings.keep_partial_hours = 0).await;
    break_off(&house, "inbox/a.zip", b"half").await;
    until(|| house.staged("city") == 0).await;
    assert_eq!(received(&house, "a.zip"), None);
}

#[tokio::test]
async fn two_connections_do_not_write_one_name() {
    let house = House::start().await;
    let (first, second) = (house.raw("city").await, house.raw("city").await);
    let handle = first.create("inbox/a.zip").await.unwrap();
    first.write(&handle, b"first").await.unwrap();
    for flags in [GO_ON, GO_ON | OpenFlags::CREATE | OpenFlags::TRUNCATE] {
        let refused = second.open("inbox/a.zip", flags).await;
        assert_eq!(refused, Err(StatusCode::Failure));
    }
    assert!(second.sftp.remove("inbox/a.zip").await.is_err());
    first.close(&handle).await.unwrap();
    assert_eq!(received(&house, "a.zip").unwrap(), b"first");
}

#[tokio::test]
async fn a_connection_that_fell_silent_loses_its_upload_to_the_next() {
    let house = House::start_with(|settings| settings.takeover_secs = 0).await;
    let (dead, alive) = (house.raw("city").await, house.raw("city").await);
    let lost = dead.create("inbox/a.zip").await.unwrap();
    dead.write(&lost, b"half").await.unwrap();
    let handle = alive.open("inbox/a.zip", GO_ON).await.unwrap();
    alive.write_at(&handle, 4, b" and half").await.unwrap();
    // It lives, after all.
    assert_eq!(dead.write(&lost, b"HALF").await, Err(StatusCode::Failure));
    assert_eq!(dead.close(&lost).await, Err(StatusCode::Failure));
    drop(dead);
    alive.close(&handle).await.unwrap();
    assert_eq!(received(&house, "a.zip").unwrap(), b"half and half");
}

#[tokio::test]
async fn files_that_are_closed_together_all_arrive_whole() {
    let house = House::start_with(|settings| settings.max_requests_at_once = 7).await;
    let raw = Arc::new(house.raw("city").await);
    let mut uploads = JoinSet::new();
    for n in 0..60_usize {
        let raw = Arc::clone(&raw);
        uploads.spawn(async move {
            let (temporary, name) = (format!("inbox/{n}.part"), format!("inbox/{n}.zip"));
            raw.upload(&temporary, &noise(1000 + n)).await.unwrap();
            raw.rename(&temporary, &name).await.unwrap();
        });
    }
    let all = timeout(Duration::from_mins(1), uploads.join_all()).await;
    all.expect("the session hangs");
    for n in 0..60 {
        let content = received(&house, &format!("{n}.zip")).unwrap();
        assert!(content == noise(1000 + n), "{n}");
    }
    assert_eq!(house.staged("city"), 0);
}

#[tokio::test]
async fn a_request_about_a_name_waits_for_the_close_of_its_file() {
    let house = House::start().await;
    let raw = house.raw("city").await;
    for n in 0..20 {
        let (part, name) = (format!("inbox/{n}.part"), format!("inbox/{n}.zip"));
        let handle = raw.create(&part).await.unwrap();
        // None of them waits for the answer to the one before.
        let (written, closed, renamed, size) = tokio::join!(
            biased;
            raw.write(&handle, b"data"),
            raw.close(&handle),
            raw.rename(&part, &name),
            raw.size(&name),
        );
        assert_eq!((written, closed, renamed), (Ok(()), Ok(()), Ok(())));
        assert_eq!(size, Some(4));
    }
}

#[tokio::test]
async fn a_temporary_file_may_be_cut_when_nobody_writes_it() {
    let house = House::start().await;
    let raw = house.raw("city").await;
    raw.upload("inbox/a.part", b"0123456789").await.unwrap();
    let size = FileAttributes {
        size: Some(4),
        ..FileAttributes::empty()
    };
    raw.sftp.setstat("inbox/a.part", size).await.unwrap();
    raw.rename("inbox/a.part", "inbox/a.zip").await.unwrap();
    assert_eq!(received(&house, "a.zip").unwrap(), b"0123");
}

#[tokio::test]
async fn a_file_that_its_sender_has_closed_is_not_lost_by_a_size_that_is_refused() {
    let house = House::start_with_quota(|_| {}, Some(10), None).await;
    let raw = house.raw("city").await;
    raw.upload("inbox/a.part", b"0123").await.unwrap();
    let size = FileAttributes {
        size: Some(11),
        ..FileAttributes::empty()
    };
    assert!(raw.sftp.setstat("inbox/a.part", size).await.is_err());
    raw.rename("inbox/a.part", "inbox/a.zip").await.unwrap();
    assert_eq!(received(&house, "a.zip").unwrap(), b"0123");
}

#[tokio::test]
async fn a_file_that_was_taken_at_once_is_still_told_of_to_its_sender() {
    let house = House::start().await;
    let raw = house.raw("city").await;
    raw.upload("inbox/a.zip", b"0123").await.unwrap();
    raw.upload("inbox/b.part", b"01234").await.unwrap();
    raw.rename("inbox/b.part", "inbox/b.zip").await.unwrap();
    raw.upload("inbox/c.zip", b"012").await.unwrap();
    raw.rename("inbox/c.zip", "inbox/d.zip").await.unwrap();
    for taken in ["a.zip", "b.zip", "d.zip"] {
        fs::remove_file(house.on_disk("city/inbox").join(taken)).unwrap();
    }
    let times = FileAttributes {
        mtime: Some(1),
        ..FileAttributes::empty()
    };
    for (name, bytes) in [("a.zip", 4), ("b.zip", 5), ("d.zip", 3)] {
        let path = format!("inbox/{name}");
        assert_eq!(raw.size(&path).await, Some(bytes), "{name}");
        raw.sftp.setstat(&path, times.clone()).await.unwrap();
    }
    for gone in ["b.part", "c.zip"] {
        assert_eq!(raw.size(&format!("inbox/{gone}")).await, None, "{gone}");
    }
    assert!(raw.names("inbox").await.is_empty());
    // Its name is free, and other sessions, of the same account too, see nothing of it.
    for account in ["city", "other"] {
        let other = house.raw(account).await;
        assert_eq!(other.size("inbox/a.zip").await, None);
    }
    raw.upload("inbox/a.zip", b"0").await.unwrap();
    assert_eq!(raw.size("inbox/a.zip").await, Some(1));
}

#[tokio::test]
async fn a_server_that_stops_lets_uploads_in_hand_finish() {
    let house = House::start_with(|settings| settings.stop_grace_secs = 60).await;
    let raw = house.raw("city").await;
    let handle = raw.create("inbox/a.zip").await.unwrap();
    let House { server, dir, .. } = house;
    let stopping = tokio::spawn(server.stop());
    // From some moment on no upload is begun.
    let mut n = 0;
    while raw.upload(&format!("inbox/{n}.zip"), b"x").await.is_ok() {
        n += 1;
    }
    raw.write(&handle, b"whole").await.unwrap();
    raw.close(&handle).await.unwrap();
    let stopped = timeout(Duration::from_secs(30), stopping).await;
    stopped.unwrap().unwrap();
    let path = dir.path().join("root/city/inbox/a.zip");
    assert_eq!(fs::read(path).unwrap(), b"whole");
}
