//! One daemon a house, and how it stops.

use std::{thread, time::Duration};

use crate::program::{InHands, Site, until};

#[test]
fn a_second_daemon_on_the_same_data_folder_is_refused() {
    let site = Site::new();
    let first = site.start();
    until("the first one runs", || site.log().contains("running"));
    let said = site.kuori("run --config kuori.toml");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("another kuori works in"), "{said:?}");
    assert!(said.err.contains("hint: "), "{said:?}");
    first.stop();
}

#[test]
fn a_daemon_stops_gracefully_in_the_middle_of_a_batch() {
    for signal in ["TERM", "INT"] {
        let site = Site::new();
        site.upload(&site.sample("letters.zip", "--letters 400"));
        let daemon = site.start();
        until("the batch is received", || site.log().contains("received"));
        thread::sleep(Duration::from_millis(100));
        daemon.signal(signal);
        let (code, took) = daemon.wait();
        assert_eq!(code, Some(0), "SIG{signal}: {}", site.log());
        assert!(took < Duration::from_secs(10), "SIG{signal} took {took:?}");

        let again = site.start();
        until("the sender has the reports", || {
            site.names("sender/receipts").len() == 3
        });
        again.stop();
        let hands = InHands::count(
            &site.path("data/mailboxes"),
            &site.path("print-house/pickup"),
        );
        hands.assert_nothing_twice();
        assert_eq!(hands.letters(), 400, "SIG{signal}");
    }
}

#[test]
fn a_daemon_puts_a_long_step_down_when_it_is_told_to_stop() {
    let site = Site::new();
    site.upload(&site.sample("letters.zip", "--letters 1500 --pages 1 --digital-share 1"));
    let daemon = site.start();
    until("the batch is being delivered", || {
        site.log().contains(r#"step="route""#)
    });
    daemon.stop();
    assert!(site.log().contains("put down"), "{}", site.log());
    let batch = site.json("batch show B-0001");
    assert_eq!(
        (&batch["state"], &batch["is_worked_on"]),
        (&"routed".into(), &false.into())
    );

    let again = site.start();
    until("the sender has the reports", || {
        site.names("sender/receipts").len() == 3
    });
    again.stop();
    let hands = InHands::count(
        &site.path("data/mailboxes"),
        &site.path("print-house/pickup"),
    );
    hands.assert_nothing_twice();
    assert_eq!(hands.letters(), 1500);
}

#[test]
fn a_daemon_outlives_a_database_that_somebody_else_holds_for_long() {
    let site = Site::new();
    let batch = site.sample("letters.zip", "--letters 10");
    let daemon = site.start();
    until("it runs", || site.log().contains("running"));
    let holder = rusqlite::Connection::open(site.path("data/kuori.sqlite")).unwrap();
    site.upload(&batch);
    until("the batch is received", || site.log().contains("received"));
    holder.busy_timeout(Duration::from_secs(10)).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let is_told = || site.log().contains("asked again") || site.log().contains("tried again");
    until("it says that the store does not work", is_told);
    holder.execute_batch("COMMIT").unwrap();
    until("the sender has the reports", || {
        site.names("sender/receipts").len() == 3
    });
    daemon.stop();
}
