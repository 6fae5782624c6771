//! What SSH can do besides SFTP, and channels used as nobody should.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::{
    bytes::Packet,
    greed::{sftp, stops_soon},
    panics,
    ssh::{PATIENCE, Ssh, msg, request},
    wire::{a_good_client_works, kind},
};
use crate::sftp::house::House;

async fn logged_in(house: &House) -> Ssh {
    let address = house.server.local_addr();
    Ssh::log_in(address, "city", &house.key("city"))
        .await
        .unwrap()
}

#[tokio::test]
async fn only_sessions_of_sftp_are_to_be_had() {
    let house = House::start().await;
    let mut ssh = logged_in(&house).await;
    for kind in [
        "direct-tcpip",
        "forwarded-tcpip",
        "direct-streamlocal@openssh.com",
        "forwarded-streamlocal@openssh.com",
        "x11",
        "auth-agent@openssh.com",
        "tun@openssh.com",
        "no-such-kind",
    ] {
        let open = Packet::ssh(msg::CHANNEL_OPEN)
            .string(kind)
            .u32(0)
            .u32(1 << 20)
            .u32(32_768);
        let open = match kind {
            "x11" => open.string("127.0.0.1").u32(6000),
            "direct-tcpip" | "forwarded-tcpip" => {
                open.string("127.0.0.1").u32(22).string("127.0.0.1").u32(22)
            }
            "direct-streamlocal@openssh.com" => open.string("/tmp/x").string("").u32(0),
            "forwarded-streamlocal@openssh.com" => open.string("/tmp/x").string(""),
            _ => open,
        };
        ssh.send(&open.payload()).await.unwrap();
        let answers = [msg::CHANNEL_OPEN_CONFIRMATION, msg::CHANNEL_OPEN_FAILURE];
        let answer = ssh.expect_any(&answers).await.unwrap();
        assert_eq!(answer[0], msg::CHANNEL_OPEN_FAILURE, "{kind}");
    }
    for kind in [
        "tcpip-forward",
        "streamlocal-forward@openssh.com",
        "no-such-kind",
    ] {
        let global = Packet::ssh(msg::GLOBAL_REQUEST).string(kind).raw(&[1]);
        let global = match kind {
            "tcpip-forward" => global.string("").u32(0),
            "streamlocal-forward@openssh.com" => global.string("/tmp/x"),
            _ => global,
        };
        ssh.send(&global.payload()).await.unwrap();
        let answers = [msg::REQUEST_FAILURE, msg::REQUEST_FAILURE - 1];
        let answer = ssh.expect_any(&answers).await.unwrap();
        assert_eq!(answer[0], msg::REQUEST_FAILURE, "{kind}");
    }
}

#[tokio::test]
async fn no_request_on_a_channel_but_sftp_is_granted() {
    let house = House::start().await;
    let mut ssh = logged_in(&house).await;
    let channel = ssh.open_channel(1 << 20).await.unwrap();
    let asked = |kind| request(channel, kind);
    for request in [
        asked("pty-req").string("xterm").raw(&[0; 16]).string([0]),
        asked("env").string("LD_PRELOAD").string("/tmp/x.so"),
        asked("exec").string("sh -c 'touch /tmp/x'"),
        asked("shell"),
        asked("auth-agent-req@openssh.com"),
        asked("x11-req").raw(&[0]).string("x").string("x").u32(0),
        asked("subsystem").string("netconf"),
        asked("subsystem").string("sftp\0"),
        asked("subsystem").string("/usr/lib/sftp-server"),
        asked("no-such-kind"),
    ] {
        let bytes = request.payload();
        ssh.send(&bytes).await.unwrap();
        let answers = [msg::CHANNEL_SUCCESS, msg::CHANNEL_FAILURE];
        let answer = ssh.expect_any(&answers).await.unwrap();
        assert_eq!(answer[0], msg::CHANNEL_FAILURE, "{bytes:?}");
    }
    ssh.send(&asked("subsystem").string("sftp").payload())
        .await
        .unwrap();
    assert!(ssh.expect(msg::CHANNEL_SUCCESS).await.is_some());
}

#[tokio::test]
async fn a_connection_may_open_so_many_channels_and_no_more() {
    let house = House::start_with(|settings| settings.max_channels_per_connection = 3).await;
    let mut ssh = logged_in(&house).await;
    for _ in 0..3 {
        assert!(ssh.open_channel(1 << 20).await.is_some());
    }
    assert!(ssh.open_channel(1 << 20).await.is_none());
    // Another connection has its own.
    let mut other = logged_in(&house).await;
    assert!(other.open_channel(1 << 20).await.is_some());
}

#[tokio::test]
async fn data_on_a_channel_that_asked_for_nothing_does_not_stop_the_server() {
    let house = House::start().await;
    let mut ssh = logged_in(&house).await;
    let channel = ssh.open_channel(1 << 20).await.unwrap();
    for _ in 0..1000 {
        if ssh.data(channel, &[0; 1000]).await.is_none() {
            break;
        }
    }
    drop(ssh);
    all_places_come_back(&house).await;
    stops_soon(house).await;
}

#[tokio::test]
async fn a_thousand_requests_on_a_channel_do_not_stop_the_server() {
    let house = House::start().await;
    let mut ssh = logged_in(&house).await;
    let channel = ssh.open_channel(1 << 20).await.unwrap();
    let env = request(channel, "env").string("LANG").string("C").payload();
    for _ in 0..1000 {
        if ssh.send(&env).await.is_none() {
            break;
        }
    }
    drop(ssh);
    all_places_come_back(&house).await;
    stops_soon(house).await;
}

#[tokio::test]
async fn a_channel_of_a_session_that_broke_does_not_stop_the_server() {
    let house = House::start().await;
    let mut ssh = logged_in(&house).await;
    let channel = ssh.open_sftp(16).await.unwrap();
    // No packet: the session ends, and the window is too narrow to say so at length.
    for _ in 0..1000 {
        if ssh.data(channel, &[0xff; 1000]).await.is_none() {
            break;
        }
    }
    let second = ssh.open_sftp(1 << 20).await.unwrap();
    let path = Packet::empty().string("inbox");
    ssh.data(second, &sftp(kind::REALPATH, &path)).await;
    assert!(ssh.expect(msg::CHANNEL_DATA).await.is_some());
    drop(ssh);
    all_places_come_back(&house).await;
    stops_soon(house).await;
}

/// As many connections as the account may have.
async fn all_places_come_back(house: &House) {
    let address = house.server.local_addr();
    for _ in 0..200 {
        let mut all = Vec::new();
        while all.len() < 16 {
            match Ssh::log_in(address, "city", &house.key("city")).await {
                Some(ssh) => all.push(ssh),
                None => break,
            }
        }
        if all.len() == 16 {
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("a connection that is gone keeps its place");
}

#[tokio::test]
async fn sessions_that_end_without_a_close_from_the_client_give_their_places_back() {
    let house = House::start_with(|settings| settings.max_sessions_per_connection = 2).await;
    let mut ssh = logged_in(&house).await;
    for n in 0..50 {
        let since = Instant::now();
        let channel = loop {
            // The place is free a moment after the client hears of the end.
            if let Some(channel) = ssh.open_sftp(1 << 20).await {
                break channel;
            }
            assert!(since.elapsed() < PATIENCE, "{n} sessions were to be had");
            sleep(Duration::from_millis(10)).await;
        };
        let eof = Packet::ssh(msg::CHANNEL_EOF).u32(channel);
        ssh.send(&eof.payload()).await.unwrap();
        ssh.expect(msg::CHANNEL_CLOSE).await.unwrap();
    }
}

#[tokio::test]
async fn sessions_without_end_on_one_connection_come_to_an_end() {
    let house = House::start().await;
    let mut ssh = logged_in(&house).await;
    // Each that its client does not close leaves a little memory behind.
    let mut refused = 0;
    for _ in 0..1500 {
        match ssh.open_channel(1 << 20).await {
            Some(channel) => {
                let close = Packet::ssh(msg::CHANNEL_CLOSE).u32(channel);
                ssh.send(&close.payload()).await;
            }
            None => refused += 1,
        }
    }
    assert_eq!(refused, 500);
    drop(ssh);
    a_good_client_works(&house, "after.zip").await;
}

#[tokio::test]
async fn messages_for_channels_that_are_not_there_do_no_harm() {
    let house = House::start().await;
    let mut ssh = logged_in(&house).await;
    let real = ssh.open_sftp(1 << 20).await.unwrap();
    for channel in [real + 1, 7, u32::MAX] {
        ssh.data(channel, b"data").await;
        let extended = Packet::ssh(msg::CHANNEL_EXTENDED_DATA).u32(channel).u32(1);
        ssh.send(&extended.string("data").payload()).await;
        let wider = Packet::ssh(msg::CHANNEL_WINDOW_ADJUST).u32(channel);
        ssh.send(&wider.u32(u32::MAX).payload()).await;
        for number in [msg::CHANNEL_EOF, msg::CHANNEL_CLOSE] {
            ssh.send(&Packet::ssh(number).u32(channel).payload()).await;
        }
        ssh.send(&request(channel, "subsystem").string("sftp").payload())
            .await;
    }
    let path = Packet::empty().string("inbox");
    ssh.data(real, &sftp(kind::REALPATH, &path)).await;
    assert!(ssh.expect(msg::CHANNEL_DATA).await.is_some());
    assert_eq!(panics::seen(), Vec::<String>::new());
}

#[tokio::test]
async fn data_beyond_the_window_without_bytes_or_of_another_kind_does_no_harm() {
    let house = House::start().await;
    let mut ssh = logged_in(&house).await;
    let channel = ssh.open_sftp(1 << 20).await.unwrap();
    let extended = Packet::ssh(msg::CHANNEL_EXTENDED_DATA).u32(channel).u32(1);
    for _ in 0..5000 {
        ssh.data(channel, b"").await.unwrap();
        ssh.send(&extended.clone().string("data").payload())
            .await
            .unwrap();
    }
    // A write of nothing to no handle, again and again: twenty times the window in all.
    let write = Packet::empty()
        .string("none")
        .u64(0)
        .string(vec![0; 30_000]);
    for _ in 0..1400 {
        if ssh
            .data(channel, &sftp(kind::WRITE, &write))
            .await
            .is_none()
        {
            break;
        }
    }
    drop(ssh);
    a_good_client_works(&house, "after.zip").await;
    stops_soon(house).await;
}

#[tokio::test]
async fn a_storm_of_key_exchanges_harms_nobody() {
    let house = House::start().await;
    let mut ssh = logged_in(&house).await;
    for n in 0..100 {
        if ssh.exchange_keys().await.is_none() {
            break;
        }
        if n % 25 == 0 {
            a_good_client_works(&house, &format!("{n}.zip")).await;
        }
    }
    drop(ssh);
    let mut half = logged_in(&house).await;
    half.begin_exchange().await.unwrap();
    let global = Packet::ssh(msg::GLOBAL_REQUEST)
        .string("x")
        .raw(&[1])
        .payload();
    for _ in 0..100_000 {
        if half.send(&global).await.is_none() {
            break;
        }
    }
    assert!(
        half.is_closed().await,
        "requests pile up behind an exchange"
    );
    a_good_client_works(&house, "after.zip").await;
}
