//! What the server answers to odd packets, and to many of them.

use std::{sync::Arc, time::Duration};

use kuori::transport::RemoteFolder;
use russh::ChannelMsg;
use russh_sftp::protocol::OpenFlags;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::sftp::{
    contract::path,
    house::{House, noise, put},
};

#[tokio::test]
async fn a_session_may_have_so_many_handles_and_no_more() {
    let house = House::start_with(|settings| settings.max_handles = 3).await;
    let raw = house.raw("city").await;
    let mut open = Vec::new();
    for n in 0..3 {
        open.push(raw.create(&format!("inbox/{n}")).await.unwrap());
    }
    assert!(raw.create("inbox/3").await.is_err());
    assert_eq!(house.staged("city"), 3);
    raw.close(&open[0]).await.unwrap();
    raw.create("inbox/3").await.unwrap();
}

#[tokio::test]
async fn a_thousand_reads_at_once_are_all_answered() {
    let house = House::start().await;
    let content = noise(32_000_000);
    put(&house.on_disk("city/receipts/big"), &content);
    let raw = house.raw("city").await;
    let handle = raw.open("receipts/big", OpenFlags::READ).await.unwrap();
    let raw = Arc::new(raw);
    let mut reads = JoinSet::new();
    for n in 0..1000_u64 {
        let (raw, handle) = (raw.clone(), handle.clone());
        reads.spawn(async move {
            let data = raw.sftp.read(handle, n * 32_000, 32_000).await.unwrap();
            (n, data.data)
        });
    }
    let all = timeout(Duration::from_mins(1), reads.join_all()).await;
    for (n, data) in all.expect("the session hangs") {
        let at = usize::try_from(n).unwrap() * 32_000;
        assert!(data == content[at..at + 32_000], "chunk {n}");
    }
}

#[tokio::test]
async fn a_read_of_four_gigabytes_gets_a_short_answer() {
    let house = House::start().await;
    put(&house.on_disk("city/receipts/big"), &noise(300 * 1024));
    let raw = house.raw("city").await;
    let handle = raw.open("receipts/big", OpenFlags::READ).await.unwrap();
    let data = raw.sftp.read(&*handle, 0, u32::MAX).await.unwrap().data;
    assert_eq!(data.len(), 255 * 1024);
    let past = raw.sftp.read(&*handle, u64::MAX, 10).await;
    assert!(past.is_err());
}

#[tokio::test]
async fn a_packet_that_cannot_be_read_ends_the_session() {
    let too_long = (256 * 1024 + 1_u32).to_be_bytes().to_vec();
    let broken_open = vec![0, 0, 0, 9, 3, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff];
    let second_greeting = vec![0, 0, 0, 5, 1, 0, 0, 0, 3];
    for bad in [too_long, broken_open, second_greeting, vec![0, 0, 0, 0]] {
        let house = House::start().await;
        let messages = converse(&house, &bad).await;
        let said_success = messages
            .iter()
            .any(|message| matches!(message, ChannelMsg::ExitStatus { exit_status: 0 }));
        assert!(!said_success, "{bad:?}: {messages:?}");
    }
}

#[tokio::test]
async fn a_packet_may_have_the_limit_of_bytes() {
    let house = House::start().await;
    let mut packet = vec![0; 4 + 256 * 1024];
    packet[..9].copy_from_slice(&[0, 4, 0, 0, 99, 0, 0, 0, 42]);
    let messages = converse(&house, &packet).await;
    let ended_well = messages
        .iter()
        .any(|message| matches!(message, ChannelMsg::ExitStatus { exit_status: 0 }));
    assert!(ended_well, "{messages:?}");
}

#[tokio::test]
async fn an_unknown_request_is_answered_under_its_own_number() {
    let house = House::start().await;
    let messages = converse(&house, &[0, 0, 0, 5, 99, 0, 0, 0, 42]).await;
    let replies: Vec<u8> = messages
        .iter()
        .filter_map(|message| match message {
            ChannelMsg::Data { data } => Some(data.to_vec()),
            _ => None,
        })
        .flatten()
        .collect();
    // Type 101 (status), request 42, code 8 (unsupported).
    let status = [101, 0, 0, 0, 42, 0, 0, 0, 8];
    assert!(replies.windows(status.len()).any(|part| part == status));
}

#[tokio::test]
async fn a_name_in_latin_1_is_refused_under_its_own_number() {
    let house = House::start().await;
    let mut open = vec![3, 0, 0, 0, 7, 0, 0, 0, 14];
    open.extend(b"inbox/J\xf6rg.zip");
    open.extend([0, 0, 0, 0x1a, 0, 0, 0, 0]);
    let length = u32::try_from(open.len()).unwrap().to_be_bytes();
    let messages = converse(&house, &[length.to_vec(), open].concat()).await;
    let replies: Vec<u8> = messages
        .iter()
        .filter_map(|message| match message {
            ChannelMsg::Data { data } => Some(data.to_vec()),
            _ => None,
        })
        .flatten()
        .collect();
    // Type 101 (status), request 7, code 3 (permission denied).
    let status = [101, 0, 0, 0, 7, 0, 0, 0, 3];
    assert!(replies.windows(status.len()).any(|part| part == status));
    let words = b"file names must be UTF-8";
    assert!(replies.windows(words.len()).any(|part| part == words));
    assert_eq!(house.staged("city"), 0);
}

#[tokio::test]
async fn a_session_that_ends_well_has_exit_status_0() {
    let house = House::start().await;
    let messages = converse(&house, &[]).await;
    let order: Vec<_> = messages
        .iter()
        .filter_map(|message| match message {
            ChannelMsg::ExitStatus { exit_status } => Some(format!("exit {exit_status}")),
            ChannelMsg::Eof => Some("eof".to_owned()),
            ChannelMsg::Close => Some("close".to_owned()),
            _ => None,
        })
        .collect();
    assert_eq!(order[..2], ["exit 0", "eof"], "{messages:?}");
}

/// Greets, sends `bytes`, ends, and returns all that came back until the server closed.
async fn converse(house: &House, bytes: &[u8]) -> Vec<ChannelMsg> {
    let ssh = house.ssh("city").await;
    let mut channel = ssh.channel_open_session().await.unwrap();
    channel.request_subsystem(true, "sftp").await.unwrap();
    let greeting = [0, 0, 0, 5, 1, 0, 0, 0, 3];
    channel.data(greeting.as_slice()).await.unwrap();
    channel.data(bytes).await.unwrap();
    channel.eof().await.unwrap();
    let mut messages = Vec::new();
    let all = async {
        while let Some(message) = channel.wait().await {
            messages.push(message);
        }
    };
    timeout(Duration::from_secs(5), all)
        .await
        .expect("not closed");
    messages
}

#[tokio::test]
async fn a_cancelled_transfer_gives_its_handle_back() {
    let house = House::start_with(|settings| settings.max_handles = 1).await;
    put(&house.on_disk("city/receipts/big"), &noise(20_000_000));
    let folder = house.folder("city").await;
    let from = path("receipts/big");
    for millis in [0, 1, 2, 5, 10] {
        let mut got = Vec::new();
        let download = folder.download(&from, &mut got);
        assert!(
            timeout(Duration::from_millis(millis), download)
                .await
                .is_err()
        );
        // Giving back takes a round trip; a listing needs a handle too.
        for _ in 0..200 {
            if folder.list(&path("receipts")).await.is_ok() {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
    let digest = folder.digest(&from).await.unwrap().unwrap();
    assert_eq!(digest.bytes, 20_000_000);
}
