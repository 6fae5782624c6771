//! Who gets in, and how often.

use std::{fs, time::Duration};

use kuori::{
    domain::Disposition,
    transport::{Error, HostKey, Login, RemoteFolder, SftpFolder, SftpSettings},
};
use russh::{ChannelMsg, client};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::sftp::{
    contract::path,
    house::{AnyHost, House, make_key, until},
};

#[tokio::test]
async fn a_host_key_that_is_not_pinned_is_refused_with_its_fingerprint() {
    let house = House::start().await;
    let mut settings = house.settings("city");
    settings.host_key = HostKey::Fingerprints(vec![]);
    let unknown = connect_error(settings.clone()).await;
    assert!(
        matches!(unknown, Error::HostKeyUnknown { .. }),
        "{unknown:?}"
    );
    settings.host_key = HostKey::Fingerprints(vec!["SHA256:AAAA".to_owned()]);
    let changed = connect_error(settings.clone()).await;
    assert!(
        matches!(changed, Error::HostKeyChanged { .. }),
        "{changed:?}"
    );
    settings.host_key = HostKey::KnownHosts(house.key("no-such-file"));
    let no_file = connect_error(settings).await;
    for error in [unknown, changed, no_file] {
        let shown = error.to_string();
        let pins = house.server.fingerprints();
        assert!(pins.iter().any(|pin| shown.contains(pin)), "{shown}");
        assert_eq!(error.disposition(), Disposition::Hold);
    }
}

#[tokio::test]
async fn a_known_hosts_file_pins_by_key_and_asks_for_that_kind_of_key() {
    let house = House::start().await;
    let port = house.server.local_addr().port();
    let known = |key: &str| {
        let line = format!("[127.0.0.1]:{port} {key}\n");
        HostKey::KnownHosts(house.local("known_hosts", line.as_bytes()))
    };
    let mut settings = house.settings("city");
    for host_key in ["ssh_host_ed25519_key", "ssh_host_ecdsa_key"] {
        let path = house.dir.path().join("host-keys").join(host_key);
        let key = russh::keys::load_secret_key(path, None).unwrap();
        settings.host_key = known(&key.public_key().to_openssh().unwrap());
        SftpFolder::connect(settings.clone()).await.unwrap();
    }
    settings.host_key = known(&make_key(&house.key("another-host")));
    let changed = connect_error(settings).await;
    assert!(
        matches!(changed, Error::HostKeyChanged { .. }),
        "{changed:?}"
    );
}

#[tokio::test]
async fn a_wrong_key_and_an_unknown_user_are_refused_alike() {
    let house = House::start().await;
    let mut shown = Vec::new();
    for (user, key) in [("city", "other"), ("nobody", "city")] {
        let mut settings = house.settings(user);
        settings.login = Login::Key(house.key(key));
        let refused = connect_error(settings).await;
        assert!(matches!(refused, Error::LoginRefused { .. }), "{refused:?}");
        shown.push(refused.to_string().replace(user, ""));
    }
    assert_eq!(shown[0], shown[1]);
}

#[tokio::test]
async fn host_keys_stay_the_same_and_private() {
    use std::os::unix::fs::PermissionsExt;

    let house = House::start().await;
    let first = house.server.fingerprints();
    let keys = house.dir.path().join("host-keys");
    let again = House::start_with(|settings| settings.host_keys = keys.clone()).await;
    assert_eq!(again.server.fingerprints(), first);
    for key in fs::read_dir(&keys).unwrap() {
        let mode = key.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn an_account_may_have_so_many_connections_and_no_more() {
    let house = House::start_with(|settings| settings.max_connections_per_account = 2).await;
    let first = house.folder("city").await;
    let _second = house.folder("city").await;
    let refused = connect_error(house.settings("city")).await;
    assert!(matches!(refused, Error::LoginRefused { .. }), "{refused:?}");
    house.folder("other").await;
    drop(first);
    sleep(Duration::from_millis(200)).await;
    house.folder("city").await;
}

#[tokio::test]
async fn an_address_may_have_so_many_connections_and_no_more() {
    let house = House::start_with(|settings| settings.max_connections_per_address = 2).await;
    let address = house.server.local_addr();
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut socket = TcpStream::connect(address).await.unwrap();
        assert_ne!(socket.read(&mut [0; 64]).await.unwrap(), 0);
        held.push(socket);
    }
    let mut third = TcpStream::connect(address).await.unwrap();
    assert_eq!(third.read(&mut [0; 64]).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn so_many_may_be_connected_and_no_more() {
    let house = House::start_with(|settings| settings.max_connections = 2).await;
    let (first, _second) = (house.raw("city").await, house.raw("other").await);
    let refused = connect_error(house.settings("print")).await;
    assert!(matches!(refused, Error::Connect { .. }), "{refused:?}");
    assert_eq!(refused.disposition(), Disposition::Retry);
    drop(first);
    sleep(Duration::from_millis(200)).await;
    house.raw("print").await;
}

#[tokio::test]
async fn a_login_may_fail_so_many_times_and_no_more() {
    let house = House::start_with(|settings| settings.login_tries = 2).await;
    for (wrong, gets_in) in [(1, true), (2, false)] {
        let mut ssh = house.greet().await;
        for _ in 0..wrong {
            assert!(!log_in(&mut ssh, &house, "other").await);
        }
        assert_eq!(log_in(&mut ssh, &house, "city").await, gets_in);
    }
}

/// Tries to log in as `city` with somebody's key.
async fn log_in(ssh: &mut client::Handle<AnyHost>, house: &House, whose: &str) -> bool {
    let answer = ssh.authenticate_publickey("city", house.loaded_key(whose));
    answer.await.is_ok_and(|answer| answer.success())
}

#[tokio::test]
async fn who_is_idle_for_too_long_is_disconnected() {
    let house = House::start_with(|settings| settings.idle_secs = 1).await;
    let ssh = house.ssh("city").await;
    until(|| ssh.is_closed()).await;
}

#[tokio::test]
async fn a_connection_that_broke_is_made_anew() {
    let house = House::start().await;
    let folder = house.folder("city").await;
    let house = house.restart().await;
    folder.list(&path("inbox")).await.unwrap();
    house.server.stop().await;
    let refused = folder.list(&path("inbox")).await.unwrap_err();
    assert_eq!(refused.disposition(), Disposition::Retry);
}

#[tokio::test]
async fn who_does_not_log_in_in_time_is_disconnected() {
    let house = House::start_with(|settings| settings.login_time_secs = 1).await;
    let mut silent = TcpStream::connect(house.server.local_addr()).await.unwrap();
    // One that greets and then stalls in the key exchange.
    let mut stalled = TcpStream::connect(house.server.local_addr()).await.unwrap();
    stalled.write_all(b"SSH-2.0-stall\r\n").await.unwrap();
    let logged_in = house.raw("city").await;
    for socket in [&mut silent, &mut stalled] {
        let mut rest = Vec::new();
        let ended = timeout(Duration::from_secs(4), socket.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "still connected");
    }
    logged_in.upload("inbox/a.zip", b"x").await.unwrap();
}

#[tokio::test]
async fn there_is_no_shell_no_command_and_no_forwarding() {
    let house = House::start().await;
    let ssh = house.ssh("city").await;
    let mut shell = ssh.channel_open_session().await.unwrap();
    shell.request_shell(true).await.unwrap();
    assert!(matches!(shell.wait().await, Some(ChannelMsg::Failure)));
    shell.exec(true, "id").await.unwrap();
    assert!(matches!(shell.wait().await, Some(ChannelMsg::Failure)));
    let other = shell.request_subsystem(true, "netconf").await;
    assert!(other.is_ok() && matches!(shell.wait().await, Some(ChannelMsg::Failure)));
    let forward = ssh.channel_open_direct_tcpip("127.0.0.1", 22, "127.0.0.1", 1);
    assert!(forward.await.is_err());
}

#[tokio::test]
async fn a_connection_may_have_so_many_sessions_at_once() {
    let house = House::start_with(|settings| settings.max_sessions_per_connection = 2).await;
    let ssh = house.ssh("city").await;
    let _first = ssh.channel_open_session().await.unwrap();
    for _ in 0..5 {
        // One after the other they may be many.
        let mut next = ssh.channel_open_session().await.unwrap();
        next.request_subsystem(true, "sftp").await.unwrap();
        assert!(ssh.channel_open_session().await.is_err());
        next.eof().await.unwrap();
        while next.wait().await.is_some() {}
        sleep(Duration::from_millis(50)).await;
    }
}

async fn connect_error(settings: SftpSettings) -> Error {
    match SftpFolder::connect(settings).await {
        Ok(_) => panic!("connected"),
        Err(error) => error,
    }
}
