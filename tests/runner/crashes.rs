//! Batches in the middle of which the program ends.

use std::{fs, process::Stdio};

use kuori::{domain::BatchState, store::Store};
use serde_json::Value;

use super::{Yard, letters, one_place};
use crate::{
    hub::now,
    program::{Running, Site, until},
};

/// As if the program had ended while it worked on what is due, and had been started again.
fn crash(store: &Store) {
    let lease = now() + jiff::SignedDuration::from_mins(5);
    while store.claim_due_batch(now(), lease).unwrap().is_some() {}
    store.release_leases().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_ended_the_program_three_times_is_held_and_told_of() {
    let yard = Yard::new();
    let batch = yard.receive("example-city", &letters(2, 1));
    for _ in 0..3 {
        crash(&yard.store);
    }
    let other = yard.receive("example-city", &letters(2, 2));
    yard.runner(one_place()).run_until_idle().await.unwrap();
    let row = yard.store.batch(batch).unwrap();
    assert_eq!((row.state, row.reports), (BatchState::Held, 1));
    let reason = row.reason.unwrap();
    assert_eq!(
        reason,
        "the program has ended 3 times in the middle of `open`: killed, or out of memory"
    );
    assert_eq!(yard.state(other), BatchState::Reported);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_well_and_what_was_told_to_stop_does_not_count() {
    let yard = Yard::new();
    let batch = yard.receive("example-city", &letters(2, 1));
    yard.store.note_stopping(true).unwrap();
    for _ in 0..5 {
        crash(&yard.store);
    }
    assert_eq!(yard.store.batch(batch).unwrap().crashes, 0);
    yard.store.note_stopping(false).unwrap();
    for _ in 0..2 {
        crash(&yard.store);
    }
    assert_eq!(yard.store.batch(batch).unwrap().crashes, 2);
    yard.runner(one_place()).run_until_idle().await.unwrap();
    yard.assert_all_gone(&[batch]);
    assert_eq!(yard.store.batch(batch).unwrap().crashes, 0);
}

/// What is no ZIP goes to quarantine, and the program ends each time that it does; a service manager
/// starts it again.
#[test]
fn a_batch_that_kills_the_daemon_is_found_out_and_the_others_go_on() {
    let site = Site::new();
    let settings = fs::read_to_string(site.path("kuori.toml")).unwrap();
    let usual = settings.replace("max_crashes = 1000", "max_crashes = 3");
    fs::write(site.path("kuori.toml"), usual).unwrap();
    fs::write(site.path("sampled/broken.zip"), "this is no ZIP").unwrap();
    site.upload(&site.path("sampled/broken.zip"));
    for seed in [1, 2] {
        let options = format!("--letters 3 --seed {seed}");
        site.upload(&site.sample(&format!("letters-{seed}.zip"), &options));
    }
    let mut ends = 0;
    let over = || {
        let states = states(&site);
        states.len() == 3
            && states
                .iter()
                .all(|state| state == "held" || state == "reported")
    };
    while !over() {
        let mut daemon = Running(
            site.command("run --config kuori.toml")
                .env("KUORI_CRASH_AT", "commit/quarantine a file/before#1")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        );
        until("it ends, or nothing ends it any more", || {
            let has_ended = daemon.0.try_wait().unwrap().is_some();
            ends += u32::from(has_ended);
            has_ended || over()
        });
        assert!(ends <= 3, "it is started again for ever");
    }
    assert_eq!(ends, 3);
    let mut states = states(&site);
    states.sort();
    assert_eq!(states, ["held", "reported", "reported"]);
}

fn states(site: &Site) -> Vec<String> {
    let listed = site.json("batch list");
    let batches = listed["batches"].as_array().unwrap().iter();
    let state = |batch: &Value| batch["state"].as_str().unwrap().to_owned();
    batches.map(state).collect()
}
