//! The real program, told to stop in the middle of a long step, once and twice, and started again.

use std::{path::PathBuf, process::Stdio, time::Duration};

use serde_json::Value;

use crate::program::{Dice, InHands, Running, Site, until};

const LETTERS: u32 = 600;

fn uploaded(site: &Site) {
    let batch = site.sample(
        "letters.zip",
        &format!("--letters {LETTERS} --shape csv --seed 7"),
    );
    site.upload(&batch);
}

/// What `batch list` says of the only batch; null where none is there yet.
fn batch(site: &Site) -> Value {
    site.json("batch list")["batches"][0].clone()
}

const STATES: [&str; 6] = [
    "received",
    "opened",
    "routed",
    "delivered",
    "composed",
    "reported",
];

/// Waits until the step that follows `state` has been under way for a while; less where it is over
/// by then.
fn in_the_middle_after(site: &Site, state: &str, dice: &mut Dice) {
    let place = |state: &str| STATES.iter().position(|known| *known == state);
    until("the step is under way", || {
        let found = batch(site);
        found["state"].as_str().and_then(place) >= place(state)
    });
    std::thread::sleep(Duration::from_millis(dice.below(300)));
}

/// Lets it finish, and checks that every letter has gone once.
fn assert_comes_to_the_same_end(site: &Site) {
    let daemon = site.start();
    until("it is reported and handed over", || {
        let is_reported = batch(site)["state"] == "reported";
        let shown = is_reported.then(|| site.json("batch show B-0001"));
        shown.is_some_and(|shown| {
            let hand_overs = shown["hand_overs"].as_array().unwrap();
            hand_overs.iter().all(|one| one["state"] == "handed-over")
        })
    });
    daemon.stop();
    let hands = InHands::count(
        &site.path("data/mailboxes"),
        &site.path("print-house/pickup"),
    );
    hands.assert_nothing_twice();
    assert_eq!(hands.letters(), LETTERS);
    assert_eq!(site.names("data/spool/temporary"), [""; 0]);
    let log = site.log();
    assert!(!log.contains("the program ended in the middle"), "{log}");
}

#[test]
fn a_daemon_told_to_stop_in_the_middle_of_a_step_puts_it_down_and_goes_on_at_the_next_start() {
    let (site, mut dice) = (Site::new(), Dice(11));
    uploaded(&site);
    for state in ["received", "opened", "routed"] {
        let daemon = site.start();
        in_the_middle_after(&site, state, &mut dice);
        daemon.signal("TERM");
        let (code, took) = daemon.wait();
        assert_eq!(code, Some(0), "{state}");
        assert!(took < Duration::from_mins(1), "{state}: {took:?}");
    }
    assert_comes_to_the_same_end(&site);
}

#[test]
fn a_second_signal_ends_the_daemon_at_once_and_nothing_of_it_is_to_be_seen() {
    let (site, mut dice) = (Site::new(), Dice(12));
    uploaded(&site);
    for state in [
        "received", "received", "opened", "opened", "routed", "routed",
    ] {
        let daemon = site.start();
        in_the_middle_after(&site, state, &mut dice);
        let heard = |site: &Site| site.log().matches("once more to stop at once").count();
        let before = heard(&site);
        daemon.signal("TERM");
        until("the first signal is heard", || heard(&site) > before);
        // Only once the house has noted that it stops is no step taken for the cause of its end; it may
        // have ended by then.
        std::thread::sleep(Duration::from_millis(100));
        daemon.signal("INT");
        let (code, _) = daemon.wait();
        assert!([Some(0), Some(130)].contains(&code), "{state}: {code:?}");
    }
    assert_comes_to_the_same_end(&site);
}

/// `kuori process` with the sample batch, quietly.
fn process(site: &Site) -> (Running, PathBuf) {
    let zip = site.path("sampled/letters.zip");
    let mut command = site.command(&format!("process {}", zip.display()));
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    (Running(quiet.spawn().unwrap()), zip)
}

#[test]
fn a_batch_processed_by_hand_can_be_stopped_and_gone_on_with() {
    let (site, mut dice) = (Site::new(), Dice(13));
    site.sample(
        "letters.zip",
        &format!("--letters {LETTERS} --shape csv --seed 7"),
    );
    for signals in [1, 2, 1] {
        let (running, _) = process(&site);
        until("it is under way", || {
            let listed = site.kuori("batch list --json");
            listed.code == Some(0) && !listed.json()["batches"].as_array().unwrap().is_empty()
        });
        std::thread::sleep(Duration::from_millis(dice.below(800)));
        running.signal("INT");
        if signals == 2 {
            std::thread::sleep(Duration::from_millis(100));
            running.signal("INT");
        }
        let (code, _) = running.wait();
        // It may have been done before it heard.
        let codes = [Some(75), Some(130), Some(0)];
        assert!(codes.contains(&code), "{signals} signals: {code:?}");
    }
    let zip = site.path("sampled/letters.zip");
    let done = site.json(&format!("process {}", zip.display()));
    assert_eq!(done["received"], LETTERS);
    let hands = InHands::count(&site.path("data/mailboxes"), &site.path("data/pickup"));
    hands.assert_nothing_twice();
    assert_eq!(hands.letters(), LETTERS);
}
