//! A disk that is full, and is emptied.

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use kuori::domain::BatchState;
use rusqlite::Connection;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::outcome::{Outcome, house, run_to_the_end, undisturbed};
use crate::{
    hub::Hub,
    outside::sftp::small_disk::SmallDisk,
    program::{InHands, Running, Site, until},
};

const LETTERS: u32 = 100;

/// Pages of the database with what the log holds of it.
fn pages(hub: &Hub) -> u32 {
    let db = Connection::open(hub.path().join("data/kuori.sqlite")).unwrap();
    db.query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_may_not_grow_at_any_step_goes_on_when_there_is_room() {
    let (expected, _) = undisturbed(LETTERS).await;
    let mut refusals = 0;
    for more in [0, 1, 3, 6, 10] {
        let hub = house(LETTERS);
        hub.store.limit_pages(pages(&hub) + more).unwrap();
        for _ in 0..3 {
            let _ = hub.try_to_run().await;
            hub.store.release_leases().unwrap();
        }
        let rows = hub.store.batches(1).unwrap();
        let is_done = rows
            .first()
            .is_some_and(|row| row.state == BatchState::Reported);
        refusals += u32::from(!is_done);
        hub.store.limit_pages(u32::MAX - 1).unwrap();
        run_to_the_end(&hub).await;
        let when = format!("{more} pages");
        expected.assert_same(&Outcome::of(&hub), &when);
    }
    assert!(refusals > 1, "the limit stopped {refusals} houses");
}

/// The daemon, with a limit of how large its files may grow that ends no process.
fn start(site: &Site) -> Running {
    let log = fs::File::create(site.path("daemon.log")).unwrap();
    let mut daemon = Command::new("sh");
    daemon
        .args(["-c", "trap '' XFSZ; exec \"$0\" run --config kuori.toml"])
        .arg(env!("CARGO_BIN_EXE_kuori"))
        .current_dir(site.path(""))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    Running(daemon.spawn().unwrap())
}

fn limit_files(daemon: &Running, bytes: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(daemon.0.id()).unwrap());
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(pid, Resource::Fsize, limit).unwrap();
}

/// How many batches the sender has a processing report of.
fn reported(site: &Site) -> usize {
    let receipts = site.names("sender/receipts");
    let reports = receipts
        .iter()
        .filter(|name| name.ends_with(".delivery.xml"));
    reports.count()
}

#[test]
fn a_daemon_whose_files_may_not_grow_waits_says_so_seldom_and_goes_on_by_itself() {
    let site = Site::new();
    let daemon = start(&site);
    until("the daemon runs", || site.log().contains("running"));
    let mut batches = 0;
    for kilobytes in [16_u64, 90, 400] {
        batches += 1;
        let options = format!("--letters 30 --seed {batches}");
        let batch = site.sample(&format!("kirjeet_{batches}.zip"), &options);
        limit_files(&daemon, Some(kilobytes << 10));
        site.upload(&batch);
        thread::sleep(Duration::from_secs(2));
        limit_files(&daemon, None);
        until("the batch is reported", || reported(&site) == batches);
    }
    daemon.stop();
    let log = site.log();
    let told = log.matches("the store does not work").count();
    assert!(told <= 2 * batches, "{told} times: {log}");
    assert!(!log.contains(" held"), "{log}");
    let hands = InHands::count(
        &site.path("data/mailboxes"),
        &site.path("print-house/pickup"),
    );
    hands.assert_nothing_twice();
    assert_eq!(hands.letters() as usize, 30 * batches);
}

#[test]
#[ignore = "takes root to mount a small disk"]
fn a_disk_that_is_full_before_during_and_after_a_start_loses_nothing() {
    let site = Site::new();
    let settings = fs::read_to_string(site.path("kuori.toml")).unwrap();
    let settings = format!("{settings}[inboxes]\nmin_free_bytes = 0\n");
    fs::write(site.path("kuori.toml"), settings).unwrap();
    fs::create_dir(site.data()).unwrap();
    let disk = SmallDisk::mount_at(site.data());
    let full = disk.fill();
    let said = site.kuori("run --config kuori.toml");
    assert_eq!(said.code, Some(75), "a start on a full disk: {said:?}");
    assert!(said.err.contains("nothing is lost"), "{said:?}");
    fs::remove_file(full).unwrap();

    let mut batches = 0;
    let daemon = site.start();
    until("the daemon runs", || site.log().contains("running"));
    for kilobytes in [0_u64, 100, 300, 600, 1_000] {
        batches += 1;
        let options = format!("--letters 30 --seed {batches}");
        let batch = site.sample(&format!("kirjeet_{batches}.zip"), &options);
        let full = disk.fill();
        let left = fs::metadata(&full).unwrap().len() - (kilobytes << 10);
        fs::File::options()
            .write(true)
            .open(&full)
            .and_then(|file| file.set_len(left))
            .unwrap();
        site.upload(&batch);
        thread::sleep(Duration::from_secs(4));
        fs::remove_file(full).unwrap();
        until("the batch is reported", || reported(&site) == batches);
    }
    daemon.stop();
    assert!(!site.log().contains(" held"), "{}", site.log());
    let hands = InHands::count(
        &site.path("data/mailboxes"),
        &site.path("print-house/pickup"),
    );
    hands.assert_nothing_twice();
    assert_eq!(hands.letters() as usize, 30 * batches);
}
