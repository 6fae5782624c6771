//! What operators type beside a running daemon.

use std::fs;

use serde_json::Value;

use crate::program::{InHands, Running, Site, until};

/// A site whose new senders' batches wait.
fn cautious() -> Site {
    let site = Site::new();
    let settings = fs::read_to_string(site.path("kuori.toml")).unwrap();
    let settings = settings.replace("hold_first_batch = false", "hold_first_batch = true");
    fs::write(site.path("kuori.toml"), settings).unwrap();
    site
}

/// The same with the daemon running.
fn started() -> (Site, Running) {
    let site = cautious();
    let daemon = site.start();
    until("the daemon has opened its data folder", || {
        site.kuori("sender list").out.contains("example-city")
    });
    (site, daemon)
}

fn upload(site: &Site, number: u32) {
    let options = format!("--letters 6 --seed {number}");
    site.upload(&site.sample(&format!("{number}.zip"), &options));
}

fn batch(site: &Site, batch: &str) -> Value {
    let said = site.kuori(&format!("batch show {batch} --json"));
    if said.code == Some(0) {
        said.json()
    } else {
        Value::Null
    }
}

/// Waits until a batch stands still in a state, and its sender has been told.
fn until_told(site: &Site, id: &str, state: &str) {
    until(&format!("{id} is {state}"), || {
        let shown = batch(site, id);
        let hand_overs = shown["hand_overs"].as_array().cloned().unwrap_or_default();
        let is_done = |one: &Value| one["state"] == "handed-over" || one["state"] == "withdrawn";
        shown["state"] == state && shown["due_at"].is_null() && hand_overs.iter().all(is_done)
    });
}

#[test]
fn approving_cancelling_holding_and_releasing_work_beside_the_daemon() {
    let (site, daemon) = started();
    upload(&site, 1);
    until_told(&site, "B-0001", "held");
    site.done("batch approve B-0001 --reason looked-at");
    until_told(&site, "B-0001", "reported");

    let unknown = site.kuori("sender hold example-cyti --reason x");
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.err.contains("did you mean `example-city`?"));
    site.done("sender hold example-city --reason old-letters");
    upload(&site, 2);
    upload(&site, 3);
    until_told(&site, "B-0002", "held");
    until_told(&site, "B-0003", "held");
    site.done("batch cancel B-0003 --reason a-mistake");
    until_told(&site, "B-0003", "cancelled");
    let plan = site.json("sender release example-city --dry-run");
    assert_eq!(plan["freed"], serde_json::json!(["B-0002"]));
    assert_eq!(
        site.json("sender list")["senders"][0]["hold"]["why"],
        "old-letters"
    );
    site.done("sender release example-city");
    until_told(&site, "B-0002", "reported");
    daemon.stop();

    let hands = InHands::count(
        &site.path("data/mailboxes"),
        &site.path("print-house/pickup"),
    );
    hands.assert_nothing_twice();
    assert_eq!(hands.letters(), 12);
}

#[test]
fn a_hold_outlives_the_daemon() {
    let (site, daemon) = started();
    site.done("sender hold example-city --reason old-letters");
    daemon.kill();
    let daemon = site.start();
    upload(&site, 1);
    until_told(&site, "B-0001", "held");
    let shown = batch(&site, "B-0001");
    let causes: Vec<_> = shown["holds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hold| &hold["cause"])
        .collect();
    assert_eq!(causes, ["first-batch", "sender"]);
    daemon.kill();
    let daemon = site.start();
    site.done("batch approve B-0001 --reason looked-at");
    until_told(&site, "B-0001", "reported");
    daemon.stop();
}

#[test]
fn a_batch_that_is_processed_by_hand_waits_too_and_goes_on_with_the_next_call() {
    let site = cautious();
    let batch = site.sample("letters.zip", "--letters 6");
    let line = format!("process {} --config kuori.toml", batch.display());
    let said = site.kuori(&line);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(
        said.out
            .contains("State      held; this is the sender's first batch"),
        "{said:?}"
    );
    site.done("batch approve B-0001 --reason looked-at");
    assert_eq!(site.json(&line)["state"], "reported");
    let hands = InHands::count(&site.path("data/mailboxes"), &site.path("data/pickup"));
    hands.assert_nothing_twice();
    assert_eq!(hands.letters(), 6);
}
