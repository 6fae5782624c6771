//! Passwords, addresses, old signatures, and accounts that change while people are logged in.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use kuori::sftp_server::{hash_password, network};
use russh::{
    client,
    keys::{Algorithm, PrivateKey, PrivateKeyWithHashAlg, key::safe_rng},
};
use russh_sftp::protocol::OpenFlags;
use tokio::{
    io::AsyncReadExt,
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::timeout,
};

use crate::sftp::house::{AnyHost, House, make_key, until};

/// Long enough for a machine that is busy with everything else.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_password_opens_the_account_that_has_one_and_no_other() {
    let house = House::start().await;
    let mut ssh = house.greet().await;
    assert!(!with_password(&mut ssh, "city", "correct horse").await);
    let hash = hash_password("correct horse").unwrap();
    house.change_account("city", |city| city.password_hash = Some(hash));
    for (user, password, gets_in) in [
        ("city", "correct horse", true),
        ("city", "wrong horse", false),
        ("city", "", false),
        ("other", "correct horse", false),
        ("nobody", "correct horse", false),
    ] {
        let mut ssh = house.greet().await;
        let entered = with_password(&mut ssh, user, password).await;
        assert_eq!(entered, gets_in, "{user} {password}");
    }
    // Who mistyped it may try again on the same connection, and a key does as before.
    let mut ssh = house.greet().await;
    assert!(!with_password(&mut ssh, "city", "wrong horse").await);
    assert!(with_password(&mut ssh, "city", "correct horse").await);
    house.raw("city").await;
}

#[tokio::test]
async fn passwords_are_tried_as_often_as_the_settings_say() {
    let house = House::start_with(|settings| settings.login_tries = 2).await;
    let hash = hash_password("correct horse").unwrap();
    house.change_account("city", |city| city.password_hash = Some(hash));
    for (wrong, gets_in) in [(1, true), (2, false)] {
        let mut ssh = house.greet().await;
        for _ in 0..wrong {
            assert!(!with_password(&mut ssh, "city", "wrong").await);
        }
        let entered = with_password(&mut ssh, "city", "correct horse").await;
        assert_eq!(entered, gets_in);
    }
}

#[tokio::test]
async fn an_account_that_is_shut_loses_its_connection_and_the_others_notice_nothing() {
    let house = House::start().await;
    let (city, other) = (house.ssh("city").await, house.raw("other").await);
    let open = other.create("inbox/a.zip").await.unwrap();
    house.change_account("city", |city| city.public_keys.clear());
    until(|| city.is_closed()).await;
    other.write(&open, b"x").await.unwrap();
    other.close(&open).await.unwrap();
    let mut again = house.greet().await;
    assert!(!with_key(&mut again, "city", house.loaded_key("city")).await);
    house.change_account("city", |_| {});
    house.raw("city").await;
}

#[tokio::test]
async fn a_rotated_key_opens_and_the_old_one_is_closed_when_it_goes() {
    let house = House::start().await;
    let by_old = house.ssh("city").await;
    let newer = make_key(&house.key("newer"));
    let both = house.accounts().remove(0).public_keys;
    let both = [both, vec![newer.clone()]].concat();
    house.change_account("city", |city| city.public_keys = both);
    let mut by_newer = house.greet().await;
    assert!(with_key(&mut by_newer, "city", house.loaded_key("newer")).await);
    assert!(!by_old.is_closed());
    house.change_account("city", |city| city.public_keys = vec![newer]);
    until(|| by_old.is_closed()).await;
    assert!(!by_newer.is_closed());
    let mut by_old = house.greet().await;
    assert!(!with_key(&mut by_old, "city", house.loaded_key("city")).await);
}

#[tokio::test]
async fn other_terms_close_the_connection_and_a_wrong_account_changes_nothing() {
    let house = House::start().await;
    let city = house.ssh("city").await;
    let mut accounts = house.accounts();
    accounts[0].public_keys = vec!["no key".to_owned()];
    assert!(house.server.set_accounts(accounts).is_err());
    house.change_account("other", |other| other.quota_files = Some(3));
    house.raw("city").await;
    assert!(!city.is_closed());
    house.change_account("city", |city| city.quota_files = Some(3));
    until(|| city.is_closed()).await;
}

#[tokio::test]
async fn an_account_is_used_from_its_addresses_only() {
    let house = House::start().await;
    let networks = vec![
        network("127.0.0.2").unwrap(),
        network("192.0.2.0/24").unwrap(),
    ];
    house.change_account("city", |city| city.allowed_addresses = networks);
    for (from, gets_in) in [("127.0.0.1:0", false), ("127.0.0.2:0", true)] {
        let mut ssh = greet_from(&house, from).await.unwrap();
        let key = house.loaded_key("city");
        assert_eq!(with_key(&mut ssh, "city", key).await, gets_in, "{from}");
    }
    // One that is logged in leaves when its address is not allowed any more.
    let city = greet_from(&house, "127.0.0.2:0").await.unwrap();
    let mut city = city;
    assert!(with_key(&mut city, "city", house.loaded_key("city")).await);
    house.change_account("city", |city| {
        city.allowed_addresses = vec![network("192.0.2.0/24").unwrap()];
    });
    until(|| city.is_closed()).await;
}

#[tokio::test]
async fn an_rsa_signature_over_sha1_is_taken_where_the_account_says_so() {
    let house = House::start().await;
    let rsa = PrivateKey::random(&mut safe_rng(), Algorithm::Rsa { hash: None }).unwrap();
    let line = rsa.public_key().to_openssh().unwrap();
    let key = || PrivateKeyWithHashAlg::new(Arc::new(rsa.clone()), None);
    for (allows, gets_in) in [(false, false), (true, true)] {
        house.change_account("city", |city| {
            city.public_keys = vec![line.clone()];
            city.allows_sha1_rsa = allows;
        });
        let mut ssh = house.greet().await;
        assert_eq!(with_key(&mut ssh, "city", key()).await, gets_in);
        // The signatures of today are taken in any case.
        let newer =
            PrivateKeyWithHashAlg::new(Arc::new(rsa.clone()), Some(russh::keys::HashAlg::Sha256));
        let mut ssh = house.greet().await;
        assert!(with_key(&mut ssh, "city", newer).await);
    }
}

#[tokio::test]
async fn an_address_from_which_too_many_logins_fail_is_shut_out_and_others_are_not() {
    let house = House::start_with(|settings| settings.login_failures_per_address = 4).await;
    for _ in 0..2 {
        let mut ssh = greet_from(&house, "127.0.0.3:0").await.unwrap();
        for _ in 0..2 {
            assert!(!with_key(&mut ssh, "city", house.loaded_key("other")).await);
        }
    }
    assert!(is_closed_at_once(&house, "127.0.0.3:0").await);
    house.raw("city").await;
    // Where somebody has logged in from, wrong tries of others shut nobody out.
    for _ in 0..6 {
        let mut ssh = house.greet().await;
        assert!(!with_key(&mut ssh, "city", house.loaded_key("other")).await);
    }
    house.raw("city").await;
}

#[tokio::test]
async fn who_exchanges_keys_for_nothing_is_shut_out_too() {
    let house = House::start_with(|settings| settings.login_failures_per_address = 3).await;
    for _ in 0..3 {
        drop(greet_from(&house, "127.0.0.4:0").await.unwrap());
    }
    let mut is_shut_out = false;
    for _ in 0..200 {
        is_shut_out = is_closed_at_once(&house, "127.0.0.4:0").await;
        if is_shut_out {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(is_shut_out);
}

#[tokio::test]
async fn half_open_connections_take_no_place_of_those_who_are_in() {
    let house = House::start_with(|settings| {
        settings.max_connections = 2;
        settings.max_connections_before_login = 3;
    })
    .await;
    let mut held = Vec::new();
    for last in 11..14 {
        let from = format!("127.0.0.{last}:0");
        let mut socket = socket_from(&house, &from).await;
        assert_ne!(socket.read(&mut [0; 64]).await.unwrap(), 0);
        held.push(socket);
    }
    assert!(is_closed_at_once(&house, "127.0.0.14:0").await);
    drop(held.pop());
    // The first login from here frees its place again, and from then on there are more.
    let mut ssh = None;
    for _ in 0..200 {
        ssh = greet_from(&house, "127.0.0.15:0").await.ok();
        if ssh.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut ssh = ssh.unwrap();
    assert!(with_key(&mut ssh, "city", house.loaded_key("city")).await);
    let mut second = greet_from(&house, "127.0.0.15:0").await.unwrap();
    assert!(with_key(&mut second, "other", house.loaded_key("other")).await);
}

#[tokio::test]
async fn right_logins_go_on_while_many_guess() {
    let house = House::start_with(|settings| settings.login_tries = 3).await;
    let hash = hash_password("correct horse").unwrap();
    house.change_account("other", |other| other.password_hash = Some(hash));
    house.raw("city").await;
    let mut guesses = JoinSet::new();
    for guesser in 0..20 {
        let address = house.server.local_addr();
        guesses.spawn(async move {
            let from = format!("127.0.1.{guesser}:0");
            for _ in 0..20 {
                let Ok(mut ssh) = greet(address, &from).await else {
                    continue;
                };
                assert!(!with_password(&mut ssh, "other", "guess").await);
            }
        });
    }
    for _ in 0..5 {
        timeout(PATIENCE, house.raw("city")).await.unwrap();
    }
    guesses.shutdown().await;
}

#[tokio::test]
async fn a_stop_waits_for_nothing_where_nothing_is_in_hand() {
    let house = House::start_with(|settings| settings.stop_grace_secs = 600).await;
    let raw = house.raw("city").await;
    raw.open("inbox", OpenFlags::READ).await.ok();
    timeout(PATIENCE, house.server.stop()).await.unwrap();
}

#[tokio::test]
async fn an_upload_in_hand_is_finished_at_a_stop_and_no_other_is_begun() {
    let house = House::start_with(|settings| settings.stop_grace_secs = 600).await;
    let (busy, arrived) = (house.raw("city").await, house.on_disk("city/inbox/a.zip"));
    let upload = busy.create("inbox/a.zip").await.unwrap();
    let address = house.server.local_addr();
    let stopping = tokio::spawn(house.server.stop());
    // The door is shut once the server stops.
    until(|| std::net::TcpStream::connect(address).is_err()).await;
    assert!(!stopping.is_finished());
    busy.write(&upload, b"x").await.unwrap();
    // Who does not hear this sends the file again.
    busy.close(&upload).await.unwrap();
    timeout(PATIENCE, stopping).await.unwrap().unwrap();
    assert_eq!(std::fs::read(arrived).unwrap(), b"x");
}

#[tokio::test]
async fn an_upload_that_takes_too_long_does_not_hold_a_stop() {
    let house = House::start_with(|settings| settings.stop_grace_secs = 1).await;
    let slow = house.raw("city").await;
    let _upload = slow.create("inbox/a.zip").await.unwrap();
    timeout(PATIENCE, house.server.stop()).await.unwrap();
}

#[tokio::test]
async fn an_account_that_has_to_wait_for_its_turn_does_not_hold_a_stop() {
    let house = House::start_with_accounts(
        |settings| settings.stop_grace_secs = 0,
        |account| account.max_bytes_per_sec = Some(1024),
    )
    .await;
    let slow = house.raw("city").await;
    let upload = slow.create("inbox/a.zip").await.unwrap();
    let data = vec![7; 200_000];
    let writes = async {
        // More than a session takes in while it waits, so that it does not hear of the end either.
        let write = |n: u64| slow.sftp.write(&upload, n * 200_000, data.clone());
        let _ = tokio::join!(write(0), write(1), write(2), write(3), write(4));
    };
    let stop = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        timeout(PATIENCE, house.server.stop()).await
    };
    let ((), stopped) = tokio::join!(writes, stop);
    stopped.unwrap();
}

#[tokio::test]
async fn who_came_is_told_once() {
    let house = House::start().await;
    house.raw("city").await;
    let mut ssh = house.greet().await;
    assert!(!with_key(&mut ssh, "other", house.loaded_key("city")).await);
    assert!(!with_key(&mut ssh, "nobody", house.loaded_key("city")).await);
    let visits = house.server.take_visits();
    assert_eq!(visits.keys().collect::<Vec<_>>(), ["city", "other"]);
    let (from, key) = visits["city"].login.clone().unwrap();
    assert!(from.is_loopback() && key.starts_with("SHA256:"), "{key}");
    assert_eq!(visits["other"].refused, 1);
    assert!(house.server.take_visits().is_empty());
}

async fn with_password(ssh: &mut client::Handle<AnyHost>, user: &str, password: &str) -> bool {
    let answer = ssh.authenticate_password(user, password).await;
    answer.is_ok_and(|answer| answer.success())
}

async fn with_key(
    ssh: &mut client::Handle<AnyHost>,
    user: &str,
    key: PrivateKeyWithHashAlg,
) -> bool {
    let answer = ssh.authenticate_publickey(user, key).await;
    answer.is_ok_and(|answer| answer.success())
}

async fn greet_from(house: &House, from: &str) -> Result<client::Handle<AnyHost>, russh::Error> {
    greet(house.server.local_addr(), from).await
}

/// A connection from another address of this machine.
async fn greet(address: SocketAddr, from: &str) -> Result<client::Handle<AnyHost>, russh::Error> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(from.parse().unwrap())?;
    let socket = socket.connect(address).await?;
    socket.set_nodelay(true)?;
    let config = Arc::new(client::Config::default());
    client::connect_stream(config, socket, AnyHost).await
}

async fn socket_from(house: &House, from: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(from.parse().unwrap()).unwrap();
    socket.connect(house.server.local_addr()).await.unwrap()
}

async fn is_closed_at_once(house: &House, from: &str) -> bool {
    let mut socket = socket_from(house, from).await;
    socket.read(&mut [0; 64]).await.unwrap_or(0) == 0
}
