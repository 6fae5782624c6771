//! What our client does when a server is away, comes back, or says nothing more.

use std::time::{Duration, Instant};

use kuori::transport::{
    Error, ReadBack, RemoteFolder, SftpFolder, SftpServers, SftpSettings, show_host_keys,
};

use crate::sftp::{
    contract::path,
    house::{House, put},
    line::Line,
};

/// Longest that anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_server_that_is_away_is_not_asked_again_at_once() {
    let house = House::start().await;
    let settings = house.settings("city");
    house.server.stop().await;
    let folder = SftpFolder::new(settings);
    let first = folder.list(&path("inbox")).await.unwrap_err();
    assert!(matches!(first, Error::Connect { .. }), "{first:?}");
    // The wait is thrown by dice; not every throw can be next to nothing.
    let started = Instant::now();
    let put_off = loop {
        match folder.list(&path("inbox")).await.unwrap_err() {
            error @ Error::NotYet { .. } => break error,
            error => assert!(matches!(error, Error::Connect { .. }), "{error:?}"),
        }
        assert!(started.elapsed() < PATIENCE);
    };
    let told = put_off.to_string();
    assert!(told.contains("not asked again before"), "{told}");
    assert_eq!(put_off.disposition(), first.disposition());
}

#[tokio::test]
async fn a_server_that_comes_back_is_used_again() {
    let house = House::start().await;
    let folder = house.folder("city").await;
    folder.list(&path("inbox")).await.unwrap();
    let house = house.restart().await;
    let started = Instant::now();
    while let Err(error) = folder.list(&path("inbox")).await {
        assert!(started.elapsed() < PATIENCE, "{error:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    house.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_more_is_given_up() {
    let house = House::start().await;
    let line = Line::to(house.server.local_addr());
    let folder = SftpFolder::connect(SftpSettings {
        port: line.address().port(),
        request_timeout_secs: 1,
        ..house.settings("city")
    });
    let folder = folder.await.unwrap();
    folder.list(&path("inbox")).await.unwrap();
    line.stall();
    let silent = folder.list(&path("inbox")).await.unwrap_err();
    assert!(
        format!("{silent:?}").contains("Silent"),
        "{silent:?}: the line hangs"
    );
    house.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn places_on_one_server_share_its_connection() {
    let house = House::start().await;
    let line = Line::to(house.server.local_addr());
    let servers = SftpServers::default();
    for root in ["inbox", "receipts", ""] {
        let settings = SftpSettings {
            port: line.address().port(),
            root: root.to_owned(),
            ..house.settings("city")
        };
        let folder = SftpFolder::on(&servers, &settings);
        folder.list(&path("")).await.unwrap();
    }
    assert_eq!(line.carried().connections, 1);
    house.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_may_have_as_many_entries_as_the_settings_say_and_no_more() {
    let house = House::start().await;
    let folder = SftpFolder::connect(SftpSettings {
        max_folder_entries: 300,
        ..house.settings("print")
    });
    let folder = folder.await.unwrap();
    let add = |n: usize| put(&house.on_disk("print/pickup").join(n.to_string()), b"");
    (0..300).for_each(add);
    let listed = folder.list(&path("pickup")).await.unwrap();
    assert_eq!(listed.files.len(), 300);
    add(300);
    let too_many = folder.list(&path("pickup")).await.unwrap_err();
    assert!(
        matches!(too_many, Error::TooManyEntries { most: 300, .. }),
        "{too_many:?}"
    );
    house.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn handles_are_given_back_whatever_became_of_what_they_were_opened_for() {
    let house = House::start_with(|settings| settings.max_handles = 4).await;
    let folder = house.folder("print").await;
    put(&house.on_disk("print/pickup/a"), &vec![7; 1_000_000]);
    let from = path("pickup/a");
    for n in 0..30 {
        let (mut got, mut none) = (Vec::new(), Vec::new());
        let read = folder.read_from(&from, 0, &mut got);
        // Dropped at some point of its way.
        let _ = tokio::time::timeout(Duration::from_micros(200 * n), read).await;
        let past = folder.read_from(&from, 2_000_000, &mut none).await;
        assert!(past.is_err());
    }
    let local = house.local("local", b"x");
    let to = path("feedback/x");
    let up = folder.upload(&local, &to, ReadBack::Digest).await;
    up.unwrap();
    house.server.stop().await;
}

#[tokio::test]
async fn a_server_shows_all_of_its_keys() {
    let house = House::start().await;
    let port = house.server.local_addr().port();
    let shown = show_host_keys("127.0.0.1", port, PATIENCE).await.unwrap();
    let mut fingerprints: Vec<_> = shown.iter().map(|key| key.fingerprint.clone()).collect();
    let mut ours = house.server.fingerprints();
    fingerprints.sort();
    ours.sort();
    assert_eq!(fingerprints, ours);
    let begins = format!("[127.0.0.1]:{port} {} ", shown[0].algorithm);
    assert!(shown[0].known_hosts_line.starts_with(&begins), "{shown:?}");
    house.server.stop().await;
}
