//! Clients that are logged in and want more than their share.

use std::{
    collections::HashSet,
    fs,
    os::unix::fs::MetadataExt,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::{
    bytes::Packet,
    ssh::{Ssh, msg},
    wire::{Wire, a_good_client_works, kind, open},
};
use crate::sftp::house::{House, put};

#[tokio::test]
async fn of_twenty_thousand_opens_without_close_a_few_are_granted_and_the_rest_answered() {
    let house = House::start_with(|settings| settings.max_handles = 8).await;
    put(&house.on_disk("city/receipts/a"), b"a");
    let mut wire = Wire::greeted(&house, "city").await;
    let (mut granted, mut refused) = (0, 0);
    let fields = Packet::empty().string("receipts/a").u32(open::READ).u32(0);
    for _ in 0..200 {
        let opens = (0..100).map(|_| wire.request(kind::OPEN, &fields).1);
        let opens: Vec<u8> = opens.flatten().collect();
        wire.send(&opens).await;
        for _ in 0..100 {
            match wire.reply().await.unwrap().handle() {
                Some(_) => granted += 1,
                None => refused += 1,
            }
        }
    }
    assert_eq!((granted, refused), (8, 19_992));
    a_good_client_works(&house, "beside.zip").await;
}

#[tokio::test]
async fn the_sessions_of_an_account_may_have_so_much_open_together_and_no_more() {
    let house = House::start_with(|settings| settings.max_handles_per_account = 25).await;
    put(&house.on_disk("city/receipts/a"), b"a");
    let (mut wires, mut granted) = (Vec::new(), 0);
    for _ in 0..5 {
        let mut wire = Wire::greeted(&house, "city").await;
        for _ in 0..6 {
            let opened = wire.open("receipts/a", open::READ).await.unwrap();
            granted += usize::from(opened.handle().is_some());
        }
        wires.push(wire);
    }
    assert_eq!(granted, 25);
    a_good_client_works(&house, "beside.zip").await;
    let closed = wires[0].on_handle(kind::CLOSE, b"1").await.unwrap();
    assert_eq!(closed.status(), Some(0));
    let opened = wires[4].open("receipts/a", open::READ).await.unwrap();
    assert!(opened.handle().is_some());
}

#[tokio::test]
async fn uploads_that_are_never_closed_cost_no_more_than_the_handles_of_the_session() {
    let house = House::start_with(|settings| settings.max_handles = 8).await;
    for _ in 0..10 {
        let mut wire = Wire::greeted(&house, "city").await;
        for n in 0..20 {
            let flags = open::WRITE | open::CREATE | open::TRUNCATE;
            let opened = wire.open(format!("inbox/{n}.zip"), flags).await.unwrap();
            if let Some(handle) = opened.handle() {
                wire.write(&handle, 0, b"half").await.unwrap();
            }
        }
    }
    // Ten times as many would be there if a dead connection's uploads were kept twice.
    let since = Instant::now();
    while house.staged("city") > 20 {
        assert!(since.elapsed() < Duration::from_mins(1));
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(
        fs::read_dir(house.on_disk("city/inbox")).unwrap().count(),
        0
    );
    a_good_client_works(&house, "beside.zip").await;
}

#[tokio::test]
async fn a_listing_is_whole_and_its_end_stays_the_end() {
    let house = House::start().await;
    for n in 0..20_000 {
        put(&house.on_disk(&format!("city/receipts/{n:0>200}")), b"");
    }
    let mut wire = Wire::greeted(&house, "city").await;
    let folder = Packet::empty().string("receipts");
    let handle = wire.ask(kind::OPENDIR, folder).await.unwrap().handle();
    let handle = handle.unwrap();
    let (mut names, mut ends) = (HashSet::new(), 0);
    while ends < 1000 {
        let asked = Packet::empty().string(&handle);
        let asks = (0..100).map(|_| wire.request(kind::READDIR, &asked).1);
        let asks: Vec<u8> = asks.flatten().collect();
        wire.send(&asks).await;
        for _ in 0..100 {
            let reply = wire.reply().await.unwrap();
            assert!(reply.rest.len() < 256 * 1024);
            match reply.status() {
                Some(1) => ends += 1,
                Some(other) => panic!("status {other}"),
                None => names.extend(names_of_200(&reply.rest)),
            }
        }
    }
    assert_eq!(names.len(), 20_000);
}

/// Names of 200 digits in a listing, each of which stands there twice (draft, section 7).
fn names_of_200(rest: &[u8]) -> Vec<Vec<u8>> {
    rest.windows(204)
        .filter(|part| part[..4] == [0, 0, 0, 200] && part[4..].iter().all(u8::is_ascii_digit))
        .map(|part| part[4..].to_vec())
        .collect()
}

#[tokio::test]
async fn a_write_far_behind_the_end_counts_as_if_it_were_full() {
    let house = House::start_with_quota(|_| {}, Some(1_000_000), None).await;
    let mut wire = Wire::greeted(&house, "city").await;
    let flags = open::WRITE | open::CREATE | open::TRUNCATE;
    let handle = wire.open("inbox/a.zip", flags).await.unwrap().handle();
    let handle = handle.unwrap();
    for offset in [1_000_000, 1 << 31, 1 << 32, 1 << 62, 1 << 63, u64::MAX] {
        let written = wire.write(&handle, offset, b"x").await.unwrap();
        assert_ne!(written.status(), Some(0), "{offset}");
        let size = Packet::empty()
            .string(&handle)
            .u32(1)
            .u64(offset + u64::from(offset < 2_000_000));
        let sized = wire.ask(kind::FSETSTAT, size).await.unwrap();
        assert_ne!(sized.status(), Some(0), "{offset}");
    }
    // An upload of which a write was refused is not received.
    let closed = wire.on_handle(kind::CLOSE, &handle).await.unwrap();
    assert_ne!(closed.status(), Some(0));
    assert!(!house.on_disk("city/inbox/a.zip").exists());
    let handle = wire.open("inbox/a.zip", flags).await.unwrap().handle();
    let handle = handle.unwrap();
    let last = wire.write(&handle, 999_999, b"x").await.unwrap();
    assert_eq!(last.status(), Some(0));
    let second = wire.upload("inbox/b.zip", b"x").await;
    assert_ne!(second, Some(0), "a hole was not counted");
    assert_eq!(
        wire.on_handle(kind::CLOSE, &handle).await.unwrap().status(),
        Some(0)
    );
    let found = fs::metadata(house.on_disk("city/inbox/a.zip")).unwrap();
    assert_eq!(found.size(), 1_000_000);
}

#[tokio::test]
async fn reads_of_any_length_anywhere_are_answered_within_the_packet() {
    let house = House::start().await;
    put(&house.on_disk("city/receipts/a"), &vec![1; 300_000]);
    let mut wire = Wire::greeted(&house, "city").await;
    let handle = wire.open("receipts/a", open::READ).await.unwrap();
    let handle = handle.handle().unwrap();
    for offset in [
        0,
        1,
        299_999,
        300_000,
        1 << 62,
        1 << 63,
        u64::MAX - 1,
        u64::MAX,
    ] {
        for len in [0, 1, 255 * 1024, 256 * 1024, 1 << 31, u32::MAX] {
            let reply = wire.read(&handle, offset, len).await.unwrap();
            assert!(reply.rest.len() <= 256 * 1024, "{offset} {len}");
            assert_eq!(reply.data().is_some(), offset < 300_000 || len == 0);
        }
    }
}

#[tokio::test]
async fn a_client_that_takes_no_replies_is_cut_off_and_harms_nobody() {
    let house = House::start().await;
    put(&house.on_disk("city/receipts/a"), &vec![1; 300_000]);
    let address = house.server.local_addr();
    let mut ssh = Ssh::log_in(address, "city", &house.key("city"))
        .await
        .unwrap();
    let channel = ssh.open_sftp(64).await.unwrap();
    let read = Packet::empty().string("receipts/a").u32(1).u32(0);
    ssh.data(channel, &sftp(kind::OPEN, &read)).await.unwrap();
    let read = Packet::empty().string("1").u64(0).u32(u32::MAX);
    let reads = sftp(kind::READ, &read).repeat(1000);
    let mut sent = 0_u64;
    // Eight times what a session may keep waiting.
    while sent < 64 * 1024 * 1024 && ssh.data(channel, &reads).await.is_some() {
        sent += 26_000;
        if sent.is_multiple_of(2_600_000) {
            a_good_client_works(&house, &format!("{sent}.zip")).await;
        }
    }
    ssh.send(&Packet::ssh(msg::CHANNEL_EOF).u32(channel).payload())
        .await;
    a_good_client_works(&house, "after.zip").await;
    stops_soon(house).await;
}

#[tokio::test]
async fn a_window_that_opens_by_a_byte_at_a_time_gets_every_reply() {
    let house = House::start().await;
    let address = house.server.local_addr();
    let mut ssh = Ssh::log_in(address, "city", &house.key("city"))
        .await
        .unwrap();
    let channel = ssh.open_sftp(1).await.unwrap();
    let path = Packet::empty().string("inbox");
    ssh.data(channel, &sftp(kind::REALPATH, &path))
        .await
        .unwrap();
    let mut received = Vec::new();
    let expected = b"/inbox";
    while !received.windows(6).any(|part| part == expected) {
        let data = ssh.expect(msg::CHANNEL_DATA).await.unwrap();
        received.extend_from_slice(&data[9..]);
        let wider = Packet::ssh(msg::CHANNEL_WINDOW_ADJUST).u32(channel).u32(1);
        ssh.send(&wider.payload()).await.unwrap();
    }
}

#[tokio::test]
async fn a_window_of_more_than_there_are_numbers_does_no_harm() {
    let house = House::start().await;
    let address = house.server.local_addr();
    let mut ssh = Ssh::log_in(address, "city", &house.key("city"))
        .await
        .unwrap();
    let channel = ssh.open_sftp(u32::MAX).await.unwrap();
    for amount in [0, 1, u32::MAX, u32::MAX, 0] {
        let wider = Packet::ssh(msg::CHANNEL_WINDOW_ADJUST)
            .u32(channel)
            .u32(amount);
        ssh.send(&wider.payload()).await;
    }
    let path = Packet::empty().string("inbox");
    ssh.data(channel, &sftp(kind::REALPATH, &path)).await;
    ssh.expect(msg::CHANNEL_DATA).await;
    a_good_client_works(&house, "after.zip").await;
}

pub(crate) fn sftp(kind: u8, fields: &Packet) -> Vec<u8> {
    let fields = fields.clone().payload();
    Packet::sftp(kind).u32(7).raw(&fields).framed()
}

/// # Panics
///
/// Where the server, told to stop, waits for somebody who does not listen.
pub(crate) async fn stops_soon(house: House) {
    let stopped = tokio::time::timeout(Duration::from_secs(45), house.server.stop());
    stopped.await.expect("the server does not stop");
}
