//! Another process holds the database.

use std::{
    thread,
    time::{Duration, Instant},
};

use rusqlite::Connection;

use crate::program::{InHands, Site, until};

#[test]
fn a_daemon_whose_database_is_held_for_longer_than_it_waits_goes_on_afterwards() {
    let site = Site::new();
    let batch = site.sample("kirjeet.zip", "--letters 20");
    let daemon = site.start();
    until("the daemon runs", || site.log().contains("running"));
    let other = Connection::open(site.path("data/kuori.sqlite")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let since = Instant::now();
    site.upload(&batch);
    until("the daemon has tried", || site.log().contains("locked"));
    let said = site.kuori("batch list");
    assert_eq!(said.code, Some(0), "who only reads does not wait: {said:?}");
    let said = site.kuori("sender hold example-city --reason test");
    assert_eq!(said.code, Some(75), "{said:?}");
    assert!(said.err.contains("hint: "), "{said:?}");
    thread::sleep(Duration::from_secs(8).saturating_sub(since.elapsed()));
    other.execute_batch("ROLLBACK").unwrap();
    until("the batch is reported", || {
        site.names("sender/receipts")
            .iter()
            .any(|name| name.contains(".delivery."))
    });
    daemon.stop();
    let hands = InHands::count(
        &site.path("data/mailboxes"),
        &site.path("print-house/pickup"),
    );
    hands.assert_nothing_twice();
    assert_eq!(hands.letters(), 20);
}
