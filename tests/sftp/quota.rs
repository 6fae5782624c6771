//! How much an account may store, and how fast.

use std::{
    fs,
    time::{Duration, Instant},
};

use russh_sftp::protocol::StatusCode;

use crate::sftp::house::House;

const FULL: Result<(), StatusCode> = Err(StatusCode::Failure);

#[tokio::test]
async fn a_file_may_fill_the_quota_and_no_more() {
    let house = House::start_with_quota(|_| {}, Some(10), None).await;
    let raw = house.raw("city").await;
    raw.upload("inbox/a", b"0123").await.unwrap();
    let handle = raw.create("inbox/b").await.unwrap();
    assert_eq!(raw.write(&handle, b"0123456").await, FULL);
    assert_eq!(raw.close(&handle).await, FULL);
    raw.upload("inbox/b", b"012345").await.unwrap();
    assert_eq!(raw.create("inbox/c").await, Err(StatusCode::Failure));
    // The poller takes a file.
    fs::remove_file(house.on_disk("city/inbox/a")).unwrap();
    raw.upload("inbox/c", b"0123").await.unwrap();
}

#[tokio::test]
async fn a_file_of_which_a_part_was_refused_is_not_taken() {
    let house = House::start_with_quota(|_| {}, Some(10), None).await;
    let raw = house.raw("city").await;
    let handle = raw.create("inbox/a.zip").await.unwrap();
    raw.write(&handle, b"01234567").await.unwrap();
    assert_eq!(raw.write_at(&handle, 8, b"89a").await, FULL);
    // Some clients go on, and close.
    raw.write_at(&handle, 8, b"8").await.unwrap();
    assert_eq!(raw.close(&handle).await, FULL);
    assert!(!house.on_disk("city/inbox/a.zip").exists());
    assert_eq!(house.staged("city"), 0);
    raw.upload("inbox/a.zip", b"0123456789").await.unwrap();
}

#[tokio::test]
async fn of_two_uploads_only_one_gets_the_last_bytes() {
    let house = House::start_with_quota(|_| {}, Some(10), None).await;
    let (first, second) = (house.raw("city").await, house.raw("city").await);
    let (a, b) = (
        first.create("inbox/a").await.unwrap(),
        second.create("inbox/b").await.unwrap(),
    );
    let both = tokio::join!(first.write(&a, b"012345"), second.write(&b, b"012345"));
    assert_eq!(
        [both.0, both.1].iter().filter(|done| done.is_ok()).count(),
        1
    );
}

#[tokio::test]
async fn a_broken_upload_counts_and_its_removal_frees() {
    let house = House::start_with_quota(|_| {}, Some(10), Some(1)).await;
    let raw = house.raw("city").await;
    let handle = raw.create("inbox/a.zip").await.unwrap();
    raw.write(&handle, b"0123456789").await.unwrap();
    drop(raw);
    let raw = house.raw("city").await;
    assert_eq!(raw.create("inbox/b.zip").await, Err(StatusCode::Failure));
    while raw.sftp.remove("inbox/a.zip").await.is_err() {
        tokio::task::yield_now().await;
    }
    raw.upload("inbox/b.zip", b"0123456789").await.unwrap();
}

#[tokio::test]
async fn a_file_may_have_so_many_bytes_and_no_more() {
    let house = House::start_with(|settings| settings.max_file_bytes = 8).await;
    let raw = house.raw("city").await;
    let handle = raw.create("inbox/a").await.unwrap();
    raw.write(&handle, b"01234567").await.unwrap();
    for offset in [8, u64::MAX] {
        let past = raw.sftp.write(&*handle, offset, vec![1]).await;
        assert!(past.is_err(), "{offset}");
    }
}

#[tokio::test]
async fn an_account_may_have_so_many_files_and_no_more() {
    let house = House::start_with_quota(|_| {}, None, Some(2)).await;
    let raw = house.raw("city").await;
    raw.upload("inbox/a", b"").await.unwrap();
    let second = raw.create("inbox/b").await.unwrap();
    assert_eq!(raw.create("inbox/c").await, Err(StatusCode::Failure));
    raw.close(&second).await.unwrap();
    assert_eq!(raw.create("inbox/c").await, Err(StatusCode::Failure));
}

#[tokio::test]
async fn a_folder_may_have_so_many_files_and_no_more() {
    let house = House::start_with(|settings| settings.max_folder_entries = 2).await;
    let raw = house.raw("city").await;
    raw.upload("inbox/a", b"").await.unwrap();
    raw.upload("inbox/b.part", b"").await.unwrap();
    assert_eq!(raw.create("inbox/c").await, Err(StatusCode::Failure));
    house
        .raw("other")
        .await
        .upload("inbox/c", b"")
        .await
        .unwrap();
}

#[tokio::test]
async fn an_account_sees_its_quota_as_the_size_of_the_disk() {
    let house = House::start_with_quota(|_| {}, Some(10 * 4096), Some(5)).await;
    let raw = house.raw("city").await;
    raw.upload("inbox/a", &[0; 4097]).await.unwrap();
    let space = raw.sftp.statvfs("/").await.unwrap();
    assert_eq!(space.blocks * space.fragment_size, 10 * 4096);
    assert_eq!(space.blocks_avail * space.fragment_size, 8 * 4096);
    assert_eq!((space.inodes, space.inodes_avail), (5, 4));
}

#[tokio::test]
async fn an_account_is_slowed_down_to_its_rate_both_ways() {
    let rate = |account: &mut kuori::sftp_server::Account| {
        account.max_bytes_per_sec = Some(100_000);
    };
    let house = House::start_with_accounts(|_| {}, rate).await;
    let raw = house.raw("city").await;
    let started = Instant::now();
    let handle = raw.create("inbox/a.zip").await.unwrap();
    for n in 0..10 {
        raw.write_at(&handle, n * 20_000, &vec![0; 20_000])
            .await
            .unwrap();
    }
    // A second's worth goes at once.
    assert!(started.elapsed() >= Duration::from_secs(1));
    let started = Instant::now();
    for n in 0..10 {
        raw.sftp.read(&*handle, n * 20_000, 20_000).await.unwrap();
    }
    assert!(started.elapsed() >= Duration::from_millis(900));
}
