//! A database that is damaged, gone, or not to be written to: only a backup helps, and until then
//! nothing is removed and nothing is written.

use std::{
    fs,
    io::{Seek, SeekFrom, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use rusqlite::Connection;

use crate::program::{Said, Site, until};

/// A site that has done a batch and was stopped.
fn with_a_batch() -> Site {
    let site = Site::new();
    let batch = site.sample("kirjeet.zip", "--letters 10");
    let daemon = site.start();
    site.upload(&batch);
    until("the batch is reported", || is_reported(&site));
    daemon.stop();
    site
}

fn start_and_stop(site: &Site) {
    let starts = || site.log().matches("kuori::cli::run: running").count();
    let before = starts();
    let daemon = site.start();
    until("the daemon runs", || starts() > before);
    daemon.stop();
}

fn is_reported(site: &Site) -> bool {
    let receipts = site.names("sender/receipts");
    receipts.iter().any(|name| name.contains(".delivery."))
}

/// Overwrites the first page of a table or an index.
fn damage(database: &Path, what: &str) {
    let sql = "SELECT rootpage FROM sqlite_master WHERE name = ?";
    let db = Connection::open(database).unwrap();
    let page: u64 = db.query_row(sql, [what], |row| row.get(0)).unwrap();
    drop(db);
    let mut file = fs::File::options().write(true).open(database).unwrap();
    file.seek(SeekFrom::Start((page - 1) * 4096)).unwrap();
    file.write_all(&[0xa5; 4096]).unwrap();
}

fn assert_stops_and_says_what_helps(site: &Site, said: &Said) {
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("kuori.sqlite` is damaged"), "{said:?}");
    assert!(said.err.contains("kuori restore"), "{said:?}");
    assert!(!said.err.contains("panicked"), "{said:?}");
    assert!(!site.files("data/spool").is_empty());
}

#[test]
fn a_daemon_whose_database_is_damaged_at_the_start_says_what_helps_and_removes_nothing() {
    for what in ["batches", "outgoing", "outgoing_files", "senders"] {
        let site = with_a_batch();
        let files = site.files("data/spool");
        damage(&site.path("data/kuori.sqlite"), what);
        let said = site.kuori("run --config kuori.toml");
        assert_stops_and_says_what_helps(&site, &said);
        assert_eq!(site.files("data/spool"), files, "{what}");
    }
}

#[test]
fn a_daemon_that_meets_a_damaged_page_stops_and_writes_no_more() {
    let site = with_a_batch();
    let batch = site.sample("more.zip", "--letters 10 --seed 2");
    damage(&site.path("data/kuori.sqlite"), "messages");
    let daemon = site.start();
    site.upload(&batch);
    let (code, _) = daemon.wait();
    let said = Said {
        code,
        out: String::new(),
        err: site.log(),
    };
    assert_stops_and_says_what_helps(&site, &said);
}

#[test]
fn a_database_that_is_no_database_is_told_of() {
    let site = with_a_batch();
    fs::write(site.path("data/kuori.sqlite"), [0x5a; 8192]).unwrap();
    let said = site.kuori("run --config kuori.toml");
    assert_stops_and_says_what_helps(&site, &said);
}

#[test]
fn an_empty_database_in_place_of_the_right_one_is_refused_and_the_spool_is_kept() {
    let site = with_a_batch();
    let files = site.files("data/spool");
    let database = site.path("data/kuori.sqlite");
    let kept = fs::read(&database).unwrap();
    fs::write(&database, "").unwrap();
    let said = site.kuori("run --config kuori.toml");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("older than its spool"), "{said:?}");
    assert_eq!(site.files("data/spool"), files);
    fs::write(&database, kept).unwrap();
    start_and_stop(&site);
}

#[test]
fn a_log_that_was_removed_after_a_crash_is_noticed_where_work_would_be_lost_with_it() {
    let site = Site::new();
    let batch = site.sample("kirjeet.zip", "--letters 10");
    let daemon = site.start();
    site.upload(&batch);
    until("the batch is reported", || is_reported(&site));
    daemon.kill();
    let files = site.files("data/spool");
    fs::remove_file(site.path("data/kuori.sqlite-wal")).unwrap();
    let said = site.kuori("run --config kuori.toml");
    assert_ne!(said.code, Some(0), "{said:?}");
    assert!(!said.err.contains("panicked"), "{said:?}");
    assert_eq!(site.files("data/spool"), files);
}

#[test]
fn a_database_or_a_folder_that_may_not_be_written_to_is_told_of() {
    // Whoever is root may write everywhere.
    if rustix::process::geteuid().is_root() {
        return;
    }
    for (what, mode) in [
        ("data/kuori.sqlite", 0o400),
        ("data/spool", 0o500),
        ("data", 0o500),
    ] {
        let site = with_a_batch();
        let before = fs::metadata(site.path(what)).unwrap().permissions();
        fs::set_permissions(site.path(what), fs::Permissions::from_mode(mode)).unwrap();
        let said = site.kuori("run --config kuori.toml");
        fs::set_permissions(site.path(what), before).unwrap();
        assert_ne!(said.code, Some(0), "{what}: {said:?}");
        assert!(!said.err.contains("panicked"), "{what}: {said:?}");
        start_and_stop(&site);
    }
}
