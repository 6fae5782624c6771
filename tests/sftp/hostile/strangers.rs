//! Clients that have no account, or say so.

use std::{
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::timeout,
};

use super::{
    bytes::Packet,
    greed::stops_soon,
    panics,
    ssh::{Offer, PATIENCE, Ssh, msg},
    wire::a_good_client_works,
};
use crate::sftp::house::House;

async fn house() -> House {
    House::start_with(|settings| settings.login_time_secs = 2).await
}

/// From an address of its own, so that what the server does to it does not hit the good client.
async fn connect(address: SocketAddr) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().ok()?;
    socket.bind("127.0.0.9:0".parse().unwrap()).ok()?;
    socket.connect(address).await.ok()
}

async fn greet(address: SocketAddr) -> Option<Ssh> {
    Ssh::on(connect(address).await?).await
}

async fn meet(address: SocketAddr) -> Option<Ssh> {
    let mut ssh = greet(address).await?;
    ssh.exchange_keys().await?;
    Some(ssh)
}

#[tokio::test]
async fn who_stays_half_way_is_closed_in_time_and_keeps_nobody_out() {
    let house = house().await;
    let address = house.server.local_addr();
    let mut held = Vec::new();
    for _ in 0..5 {
        held.push(connect(address).await.unwrap());
    }
    let mut half = Vec::new();
    for _ in 0..5 {
        half.push(greet(address).await.unwrap());
        let mut begun = greet(address).await.unwrap();
        begun.begin_exchange().await.unwrap();
        half.push(begun);
        half.push(meet(address).await.unwrap());
        let mut asked = meet(address).await.unwrap();
        asked.request_userauth().await.unwrap();
        half.push(asked);
    }
    a_good_client_works(&house, "beside.zip").await;
    for ssh in &mut half {
        assert!(ssh.is_closed().await);
    }
    for stream in held {
        let closed = timeout(PATIENCE, closed(stream)).await;
        assert!(closed.is_ok(), "a silent connection stays");
    }
    stops_soon(house).await;
}

async fn closed(mut stream: TcpStream) {
    use tokio::io::AsyncReadExt;
    let mut buffer = [0; 1024];
    while matches!(stream.read(&mut buffer).await, Ok(1..)) {}
}

#[tokio::test]
async fn who_talks_nonsense_is_closed() {
    let house = house().await;
    let address = house.server.local_addr();
    let mut all: Vec<Vec<u8>> = vec![
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        b"SSH-1.5-old\r\n".to_vec(),
        b"SSH-2.0-\r\n\0\0\0\0".to_vec(),
        vec![b'a'; 1_000_000],
        b"\r\n".repeat(100_000),
        vec![0; 100_000],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
    ];
    for length in [0, 1, 2, 5, 12, 35_001, 262_145, 1 << 30, 1 << 31, u32::MAX] {
        let mut bytes = b"SSH-2.0-x\r\n".to_vec();
        bytes.extend(u32::to_be_bytes(length));
        bytes.extend([0xff; 64]);
        all.push(bytes);
    }
    let mut talking = JoinSet::new();
    for bytes in all {
        talking.spawn(async move {
            let mut stream = connect(address).await.unwrap();
            let _ = timeout(PATIENCE, stream.write_all(&bytes)).await;
            timeout(PATIENCE, closed(stream)).await.is_ok()
        });
    }
    assert!(talking.join_all().await.into_iter().all(|closed| closed));
    let mut met = meet(address).await.unwrap();
    met.send_length(u32::MAX).await;
    assert!(met.is_closed().await);
    assert_eq!(panics::seen(), Vec::<String>::new());
    a_good_client_works(&house, "after.zip").await;
}

#[tokio::test]
async fn nothing_is_open_to_those_who_have_not_logged_in() {
    let house = house().await;
    let address = house.server.local_addr();
    let open = Packet::ssh(msg::CHANNEL_OPEN)
        .string("session")
        .u32(0)
        .u32(1 << 20)
        .u32(32_768)
        .payload();
    let forward = Packet::ssh(msg::GLOBAL_REQUEST)
        .string("tcpip-forward")
        .raw(&[1])
        .string("0.0.0.0")
        .u32(0)
        .payload();
    let key = house.key("city");
    let mut trying = JoinSet::new();
    for with_keys in [false, true] {
        for early in [
            open.clone(),
            forward.clone(),
            vec![msg::USERAUTH_SUCCESS],
            vec![msg::NEWKEYS],
        ] {
            let open = open.clone();
            trying.spawn(async move {
                let mut ssh = greet(address).await.unwrap();
                if with_keys {
                    ssh.exchange_keys().await.unwrap();
                }
                ssh.send(&early).await;
                ssh.send(&open).await;
                let answers = [
                    msg::CHANNEL_OPEN_CONFIRMATION,
                    msg::USERAUTH_SUCCESS,
                    msg::REQUEST_FAILURE + 1,
                ];
                assert!(ssh.expect_any(&answers).await.is_none(), "{early:?}");
            });
        }
    }
    trying.join_all().await;
    // A login that is right but comes before the service was asked for.
    let mut ssh = meet(address).await.unwrap();
    let signed = ssh.signed_login("city", &key);
    ssh.send(&signed).await;
    assert!(ssh.expect(msg::USERAUTH_SUCCESS).await.is_none());
}

#[tokio::test]
async fn a_key_without_its_signature_is_no_login_however_often() {
    let house = house().await;
    let address = house.server.local_addr();
    let mut ssh = meet(address).await.unwrap();
    ssh.request_userauth().await.unwrap();
    let unsigned = Ssh::unsigned_login("city", &house.key("city"));
    let answers = [
        msg::USERAUTH_PK_OK,
        msg::USERAUTH_FAILURE,
        msg::USERAUTH_SUCCESS,
    ];
    for _ in 0..500 {
        ssh.send(&unsigned).await;
        match ssh.expect_any(&answers).await {
            Some(answer) => assert_ne!(answer[0], msg::USERAUTH_SUCCESS),
            None => return,
        }
    }
    assert!(ssh.open_channel(1 << 20).await.is_none());
}

#[tokio::test]
async fn a_signature_is_good_for_its_own_connection_user_and_key() {
    let house = house().await;
    let address = house.server.local_addr();
    let key = house.key("city");
    let replayed = meet(address).await.unwrap().signed_login("city", &key);
    let mut spoiled = replayed.clone();
    *spoiled.last_mut().unwrap() ^= 1;
    let mut trying = JoinSet::new();
    for wrong in [replayed, spoiled] {
        trying.spawn(async move { assert!(!gets_in(address, wrong).await) });
    }
    let long = "a".repeat(30_000);
    for user in [
        "", "other", "city\0", "city ", "CITY", "../city", ".staging", "root", &long,
    ] {
        let (user, key) = (user.to_owned(), key.clone());
        trying.spawn(async move { assert!(!signs_in(address, &user, &key).await, "{user:?}") });
    }
    for method in [
        "none",
        "password",
        "keyboard-interactive",
        "hostbased",
        "gssapi-with-mic",
        "\0",
    ] {
        let request = Packet::ssh(msg::USERAUTH_REQUEST)
            .string("city")
            .string("ssh-connection")
            .string(method)
            .raw(&[0])
            .string("city")
            .payload();
        trying.spawn(async move { assert!(!gets_in(address, request).await, "{method:?}") });
    }
    trying.join_all().await;
    assert!(signs_in(address, "city", &key).await);
    assert_eq!(panics::seen(), Vec::<String>::new());
}

async fn signs_in(address: SocketAddr, user: &str, key: &Path) -> bool {
    let mut ssh = Ssh::meet(address).await.unwrap();
    ssh.request_userauth().await.unwrap();
    let signed = ssh.signed_login(user, key);
    is_success(ssh, signed).await
}

async fn gets_in(address: SocketAddr, request: Vec<u8>) -> bool {
    let mut ssh = meet(address).await.unwrap();
    ssh.request_userauth().await.unwrap();
    is_success(ssh, request).await
}

async fn is_success(mut ssh: Ssh, request: Vec<u8>) -> bool {
    ssh.send(&request).await;
    let answers = [msg::USERAUTH_SUCCESS, msg::USERAUTH_FAILURE];
    let answer = ssh.expect_any(&answers).await;
    answer.is_some_and(|answer| answer[0] == msg::USERAUTH_SUCCESS)
}

#[tokio::test]
async fn who_is_in_stays_who_they_are() {
    let house = house().await;
    let address = house.server.local_addr();
    let mut ssh = Ssh::log_in(address, "city", &house.key("city"))
        .await
        .unwrap();
    // RFC 4252, section 5.1: ignored in silence.
    let other = ssh.signed_login("other", &house.key("other"));
    ssh.send(&other).await;
    super::super::house::put(&house.on_disk("other/receipts/secret"), b"secret");
    let channel = ssh.open_sftp(1 << 20).await.unwrap();
    let path = Packet::empty().string("receipts/secret");
    let stat = super::greed::sftp(super::wire::kind::STAT, &path);
    ssh.data(channel, &stat).await.unwrap();
    let version = ssh.expect(msg::CHANNEL_DATA).await.unwrap();
    let answer = match version[13] {
        2 => ssh.expect(msg::CHANNEL_DATA).await.unwrap(),
        _ => version,
    };
    // A status, request 7, code 2: no such file.
    assert_eq!(answer[13..22], [101, 0, 0, 0, 7, 0, 0, 0, 2]);
}

#[tokio::test]
async fn weak_algorithms_get_no_answer_even_from_one_who_asks_for_nothing_else() {
    let house = house().await;
    let address = house.server.local_addr();
    let mut offers = Vec::new();
    for kex in [
        "diffie-hellman-group1-sha1",
        "diffie-hellman-group14-sha1",
        "diffie-hellman-group-exchange-sha1",
        "none",
    ] {
        offers.push(Offer { kex, ..Offer::GOOD });
    }
    for host_key in ["ssh-dss", "ssh-rsa", "none"] {
        offers.push(Offer {
            host_key,
            ..Offer::GOOD
        });
    }
    for cipher in [
        "none",
        "3des-cbc",
        "aes128-cbc",
        "aes256-cbc",
        "arcfour",
        "blowfish-cbc",
    ] {
        offers.push(Offer {
            cipher,
            ..Offer::GOOD
        });
    }
    for mac in ["none", "hmac-md5", "hmac-sha1", "hmac-sha1-96"] {
        offers.push(Offer {
            cipher: "aes256-ctr",
            mac,
            ..Offer::GOOD
        });
    }
    offers.push(Offer {
        compression: "zlib",
        ..Offer::GOOD
    });
    for offer in offers {
        let ssh = greet(address).await.unwrap();
        let said = [
            offer.kex,
            offer.host_key,
            offer.cipher,
            offer.mac,
            offer.compression,
        ];
        assert!(!ssh.offers(offer).await, "{said:?}");
    }
    assert!(greet(address).await.unwrap().offers(Offer::GOOD).await);
}

#[tokio::test]
async fn a_message_slipped_into_the_first_exchange_ends_it() {
    // What the prefix truncation of CVE-2023-48795 needs; strict key exchange forbids it.
    let house = house().await;
    let mut ssh = greet(house.server.local_addr()).await.unwrap();
    ssh.begin_exchange().await.unwrap();
    ssh.send(&Packet::ssh(msg::IGNORE).string("").payload())
        .await;
    assert!(ssh.expect(msg::KEXINIT).await.is_some());
    let since = Instant::now();
    assert!(ssh.is_closed().await);
    assert!(
        since.elapsed() < Duration::from_millis(1900),
        "closed by the deadline only"
    );
}
