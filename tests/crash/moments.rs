//! The real program, killed at random moments and started again: nothing is lost, nothing goes
//! twice.
//!
//! `KUORI_CRASHES=200 cargo test crash` kills it more often than the normal run does.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::Path,
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::program::{Dice, InHands, Running, Site, until};

const LETTERS: u32 = 200;

fn kills() -> u64 {
    let asked = std::env::var("KUORI_CRASHES").ok();
    asked.map_or(8, |asked| asked.parse().expect("KUORI_CRASHES is a number"))
}

#[test]
fn a_daemon_killed_at_random_moments_loses_nothing_and_sends_nothing_twice() {
    let site = Site::new();
    fs::create_dir_all(site.path("printed")).unwrap();
    let is_over = AtomicBool::new(false);
    let (killed, batches) = thread::scope(|scope| {
        scope.spawn(|| take_bundles(&site, &is_over));
        // Whatever comes of it, the print house closes.
        let counted = catch_unwind(AssertUnwindSafe(|| kill_often(&site)));
        is_over.store(true, Ordering::Relaxed);
        counted.unwrap_or_else(|failed| resume_unwind(failed))
    });
    // What the print house had not fetched when it closed.
    take_whole_bundles(&site);
    assert_all_is_where_it_belongs(&site, batches);
    let letters = u64::from(LETTERS) * batches;
    eprintln!("checked {letters} letters in {batches} batches after {killed} kills of the daemon");
}

/// Keeps the daemon busy with one batch after the other and kills it; then lets it finish.
fn kill_often(site: &Site) -> (u64, u64) {
    let mut dice = Dice(20_261_123);
    let mut batches = 0;
    for _ in 0..kills() {
        if reported(site) == [batches; 2] {
            batches += 1;
            let name = format!("kirjeet_{batches}.zip");
            let options = format!("--letters {LETTERS} --seed {batches}");
            site.upload(&site.sample(&name, &options));
        }
        let daemon = site.start();
        thread::sleep(Duration::from_millis(dice.below(900)));
        daemon.kill();
    }
    let daemon = site.start();
    until("every batch is reported and handed over", || {
        reported(site) == [batches; 2] && nothing_is_due(site)
    });
    daemon.stop();
    (kills(), batches)
}

/// How many batches the sender has a processing report of, and how many a delivery report.
fn reported(site: &Site) -> [u64; 2] {
    let receipts = site.names("sender/receipts");
    [".processing.xml", ".delivery.xml"].map(|ending| {
        let reports = receipts.iter().filter(|name| name.ends_with(ending));
        reports.count() as u64
    })
}

fn nothing_is_due(site: &Site) -> bool {
    let batches = site.json("batch list --limit 100000");
    let batches = batches["batches"].as_array().unwrap();
    batches.iter().all(|batch| {
        let shown = site.json(&format!("batch show {}", text(&batch["batch"])));
        let hand_overs = shown["hand_overs"].as_array().unwrap();
        shown["due_at"].is_null() && hand_overs.iter().all(|one| one["state"] == "handed-over")
    })
}

/// The print house: takes a bundle away, folder and all, the moment its marker stands there.
fn take_bundles(site: &Site, is_over: &AtomicBool) {
    while !is_over.load(Ordering::Relaxed) {
        take_whole_bundles(site);
        thread::sleep(Duration::from_millis(1));
    }
}

fn take_whole_bundles(site: &Site) {
    for bundle in site.names("print-house/pickup") {
        let folder = site.path("print-house/pickup").join(&bundle);
        if folder.join(format!("{bundle}.ok")).exists() {
            let printed = site.path("printed").join(&bundle);
            // Not replaced: a bundle that comes a second time fails the test.
            assert!(!printed.exists(), "{bundle} came twice");
            fs::rename(folder, printed).unwrap();
        }
    }
}

fn assert_all_is_where_it_belongs(site: &Site, batches: u64) {
    let hands = InHands::count(&site.path("data/mailboxes"), &site.path("printed"));
    hands.assert_nothing_twice();
    assert_eq!(u64::from(hands.letters()), u64::from(LETTERS) * batches);
    let listed = site.json("batch list --limit 100000")["batches"].clone();
    assert_eq!(listed.as_array().unwrap().len() as u64, batches, "{listed}");
    for batch in listed.as_array().unwrap() {
        assert_rows_agree(site, text(&batch["batch"]), &hands);
    }
    assert_eq!(site.names("sender/inbox"), [""; 0]);
    assert_eq!(site.names("sender/.kuori/taking"), [""; 0]);
    assert_eq!(site.names("print-house/pickup"), [""; 0]);
    assert_no_file_is_left_over(site, batches);
}

/// What the house says of a batch is what the files say, and what a house says that was never
/// killed.
fn assert_rows_agree(site: &Site, batch: &str, hands: &InHands) {
    let shown = site.json(&format!("batch show {batch}"));
    assert_eq!(shown["state"], "reported");
    assert_adds_up(&shown["messages"]);
    let messages = messages(site, batch);
    for (message, state) in &messages {
        let place = match state.as_str() {
            "delivered" => &hands.in_mailboxes,
            "handed-over" => &hands.in_piece_lists,
            other => panic!("{message} is {other}"),
        };
        assert_eq!(place.get(message), Some(&1), "{message} is {state}");
    }
    let states: Vec<_> = messages.into_iter().map(|(_, state)| state).collect();
    assert_eq!(
        states,
        undisturbed(site, text(&shown["file_name"])),
        "{batch}"
    );
}

/// The states of the same batch in a house that nobody kills.
fn undisturbed(killed: &Site, file: &str) -> Vec<String> {
    let site = Site::new();
    let sampled = killed.path("sampled");
    let (zip, consents) = (sampled.join(file), sampled.join(format!("{file}.csv")));
    site.done(&format!("consent import {}", consents.display()));
    site.done(&format!("process {}", zip.display()));
    let messages = messages(&site, "B-0001").into_iter();
    messages.map(|(_, state)| state).collect()
}

/// Message ids and states in the order of the batch.
fn messages(site: &Site, batch: &str) -> Vec<(String, String)> {
    let listed = site.json(&format!("message list {batch} --limit 100000"));
    let lines = listed["messages"].as_array().unwrap().iter();
    lines
        .map(|line| {
            (
                text(&line["message"]).to_owned(),
                text(&line["state"]).to_owned(),
            )
        })
        .collect()
}

fn assert_adds_up(counts: &Value) {
    let count = |name: &str| counts[name].as_u64().unwrap();
    let ends = ["delivered", "printed", "refused", "held"].map(count);
    assert_eq!(count("received"), ends.iter().sum::<u64>(), "{counts}");
}

/// Every spooled file belongs to a batch, a receipt or a bundle that was handed over.
fn assert_no_file_is_left_over(site: &Site, batches: u64) {
    let bundles = site.json("bundle list --limit 100000")["bundles"].clone();
    let bundles = bundles.as_array().unwrap().iter();
    let handed_over = bundles.filter(|bundle| bundle["state"] == "handed-over");
    let mut expected: Vec<_> = handed_over
        .flat_map(|bundle| {
            let id = text(&bundle["bundle"]).to_owned();
            ["job.xml", "ok", "pdf", "pieces.csv"].map(|ending| format!("{id}.{ending}"))
        })
        .collect();
    for number in 1..=batches {
        let kinds = ["acknowledgement", "delivery", "processing"];
        expected.extend(kinds.map(|kind| format!("B-{number:04}.{kind}-1.xml")));
    }
    expected.sort();
    assert_eq!(site.names("data/spool/outgoing"), expected);
    assert_eq!(site.names("data/spool/batches").len() as u64, batches);
    assert_eq!(site.names("data/spool/temporary"), [""; 0]);
    assert_eq!(site.names("data/spool/documents"), [""; 0]);
    let receipts = site.names("sender/receipts");
    assert_eq!(receipts.len() as u64, 3 * batches, "{receipts:?}");
}

#[test]
fn a_batch_processed_by_hand_can_be_killed_after_any_time() {
    let whole = time_of_a_whole_run();
    let stops = 5_u32;
    for stop in 0..stops {
        let site = Site::new();
        let batch = site.sample("letters.zip", "--letters 60 --shape many-pairs");
        let line = format!("process {}", batch.display());
        let mut command = site.command(&line);
        let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
        let running = Running(quiet.spawn().unwrap());
        thread::sleep(whole * stop / stops);
        running.kill();

        let processed = site.json(&line);
        assert_eq!(processed["received"], 60, "{stop}: {processed}");
        assert_adds_up(&processed);
        let hands = InHands::count(&site.path("data/mailboxes"), &site.path("data/pickup"));
        hands.assert_nothing_twice();
        assert_eq!(hands.letters(), 60, "killed at {stop}/{stops}");
        assert_eq!(
            site.json("batch list")["batches"].as_array().unwrap().len(),
            1
        );
        assert_eq!(site.names("data/spool/temporary"), [""; 0]);
    }
    eprintln!("checked 60 letters after each of {stops} kills of `kuori process`");
}

fn time_of_a_whole_run() -> Duration {
    let site = Site::new();
    let batch = site.sample("letters.zip", "--letters 60 --shape many-pairs");
    let since = Instant::now();
    site.done(&format!("process {}", batch.display()));
    since.elapsed()
}

#[test]
fn a_demo_killed_in_the_middle_goes_on_in_the_same_folder() {
    let site = Site::new();
    let mut dice = Dice(7);
    for _ in 0..4 {
        let mut command = site.command("demo --letters 100 --dir demo");
        let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
        let running = Running(quiet.spawn().unwrap());
        thread::sleep(Duration::from_millis(300 + dice.below(1_800)));
        running.kill();
    }
    let summary = site.json("demo --letters 100 --dir demo");
    assert_eq!(summary["received"], 100);
    assert_adds_up(&summary);
    let hands = InHands::count(&site.path("demo/house/mailboxes"), &demo_pickup(&site));
    hands.assert_nothing_twice();
    assert_eq!(hands.letters(), 100);
    let inbox = site.names("demo/house/sftp/example-city/inbox");
    assert_eq!(inbox, [""; 0], "the demo ended before its upload was taken");
}

fn demo_pickup(site: &Site) -> std::path::PathBuf {
    let pickup = site.path("demo/house/sftp/example-print/pickup");
    assert!(Path::new(&pickup).is_dir());
    pickup
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
