//! A house that is brought back from a backup of any moment sends nothing twice and loses nothing.

use std::{fs, process::Stdio, thread, time::Duration};

use super::until_all_is_done;
use crate::program::{Dice, InHands, Running, Site, until};

const LETTERS: u32 = 60;
const BATCHES: usize = 3;

/// A site whose mailboxes outlive its data folder, as those of a service do.
fn site() -> Site {
    let site = Site::new();
    let settings = fs::read_to_string(site.path("kuori.toml")).unwrap();
    let mailboxes = site.path("mailboxes");
    let mailboxes = format!("[mailbox.maildir]\nfolder = \"{}\"\n", mailboxes.display());
    let settings = format!("{settings}{mailboxes}");
    fs::write(site.path("kuori.toml"), &settings).unwrap();
    let other = settings.replace(
        &format!("{}\"", site.data().display()),
        &format!("{}\"", site.path("restored").display()),
    );
    assert_ne!(other, settings);
    fs::write(site.path("restored.toml"), other).unwrap();
    site
}

#[test]
fn a_house_restored_from_any_moment_sends_nothing_twice_and_loses_nothing() {
    play_often(2, Dice(20_261_123));
}

#[test]
#[ignore = "takes a minute"]
fn houses_restored_from_many_moments_send_nothing_twice_and_lose_nothing() {
    play_often(12, Dice(7));
}

fn play_often(rounds: u32, mut dice: Dice) {
    let mut unfinished = 0;
    for _ in 0..rounds {
        unfinished += u32::from(play(dice.below(1_500)));
    }
    eprintln!("restored {rounds} houses, {unfinished} of them from the middle of their work");
}

/// Whether the backup was made before all was done.
fn play(wait_millis: u64) -> bool {
    let site = site();
    for number in 1..=BATCHES {
        let options = format!("--letters {LETTERS} --seed {number}");
        site.upload(&site.sample(&format!("kirjeet_{number}.zip"), &options));
    }
    let daemon = site.start();
    until("every batch is received", || {
        let known = site.data().join("kuori.sqlite").exists();
        known
            && site
                .kuori("batch list --json")
                .out
                .matches("\"batch\":")
                .count()
                == BATCHES
    });
    thread::sleep(Duration::from_millis(wait_millis));
    let backed_up = site.json("backup saved --config kuori.toml");
    assert_eq!(backed_up["damaged"].as_array().unwrap().len(), 0);
    until_all_is_done(&site, "", BATCHES);
    daemon.stop();
    let before = InHands::count(&site.path("mailboxes"), &site.path("print-house/pickup"));
    before.assert_nothing_twice();
    assert_eq!(before.letters(), LETTERS * u32::try_from(BATCHES).unwrap());
    // The sender has fetched its receipts. The disk is lost, and so is all that was noted since.
    fs::remove_dir_all(site.path("sender/receipts")).unwrap();
    fs::rename(site.data(), site.path("lost")).unwrap();

    restore(&site);
    let after = InHands::count(&site.path("mailboxes"), &site.path("print-house/pickup"));
    after.assert_nothing_twice();
    assert_eq!(after, before);
    site.json("batch show B-0001 --data-dir lost")
        != site.json("batch show B-0001 --data-dir saved-as-it-was")
}

fn restore(site: &Site) {
    site.done("backup verify saved");
    site.done("restore saved --data-dir restored");
    // What the rows were, to compare with.
    site.done("restore saved --data-dir saved-as-it-was");
    let refused = site.kuori("run --config restored.toml");
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("kuori restore status"), "{refused:?}");
    site.done("restore status --data-dir restored");
    site.done("restore printed print-house/pickup --reason tests --data-dir restored");
    site.done("restore accept --consents-complete --reason tests --data-dir restored");
    let daemon = Running(
        site.command("run --config restored.toml")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    until_all_is_done(site, "--data-dir restored", BATCHES);
    daemon.stop();
    for number in 1..=BATCHES {
        let shown = site.json(&format!("batch show B-000{number} --data-dir restored"));
        assert_eq!(shown["state"], "reported");
    }
}

#[test]
fn new_numbers_go_on_where_the_lost_house_has_given_none() {
    let site = site();
    site.upload(&site.sample("kirjeet_1.zip", "--letters 6 --seed 1"));
    super::run_to_the_end(&site, 1);
    site.done("backup saved --config kuori.toml");
    site.done("restore saved --data-dir restored");
    let asked = site.kuori("restore accept --consents-complete --reason tests --data-dir restored");
    assert_eq!(
        asked.code,
        Some(1),
        "the bundle that stood there: {asked:?}"
    );
    assert!(asked.err.contains("P-0001"), "{asked:?}");
    site.done("restore accept --fetched --consents-complete --reason tests --data-dir restored");
    site.upload(&site.sample("kirjeet_2.zip", "--letters 6 --seed 2"));
    let daemon = Running(
        site.command("run --config restored.toml")
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    until_all_is_done(&site, "--data-dir restored", 2);
    daemon.stop();
    let shown = site.json("batch show B-10001 --data-dir restored");
    assert_eq!(shown["state"], "reported");
}

/// A house with one batch that is done, backed up then and restored.
fn restored_when_done() -> Site {
    let site = site();
    site.upload(&site.sample("kirjeet_1.zip", "--letters 20 --seed 1"));
    super::run_to_the_end(&site, 1);
    site.done("backup saved --config kuori.toml");
    site.done("restore saved --data-dir restored");
    site
}

fn run_restored(site: &Site) {
    let daemon = Running(
        site.command("run --config restored.toml")
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    until_all_is_done(site, "--data-dir restored", 1);
    daemon.stop();
    site.done("verify --deep --data-dir restored");
}

#[test]
fn a_letter_that_was_printed_before_a_restore_is_printed_anew_where_that_is_asked_for() {
    let site = restored_when_done();
    site.done("restore printed print-house/pickup --reason tests --data-dir restored");
    site.done("restore accept --consents-complete --reason tests --data-dir restored");
    let listed = site.json("message list B-0001 --state handed-over --data-dir restored");
    let message = listed["messages"][0]["message"].as_str().unwrap();
    let again = format!("reprocess --message {message} --from compose --data-dir restored");
    let refused = site.kuori(&format!("{again} --reason tests"));
    assert_eq!(refused.code, Some(1), "{refused:?}");
    site.done(&format!("{again} --print-again --reason tests"));
    run_restored(&site);
    let bundle = site.json("bundle show P-10001 --data-dir restored");
    assert_eq!(bundle["state"], "handed-over", "{bundle}");
}

#[test]
fn a_bundle_that_the_print_house_never_got_is_handed_over_again() {
    let site = restored_when_done();
    let told = site.kuori("status --data-dir restored");
    assert!(told.out.contains("kuori restore accept"), "{told:?}");
    let pickup = site.path("print-house/pickup");
    let before = crate::program::files_below(&pickup);
    assert!(!before.is_empty());
    fs::remove_dir_all(&pickup).unwrap();
    fs::create_dir(&pickup).unwrap();
    let accept = "restore accept --not-printed P-0001 --fetched --consents-complete";
    site.done(&format!("{accept} --reason tests --data-dir restored"));
    run_restored(&site);
    assert_eq!(crate::program::files_below(&pickup), before);
}

#[test]
fn a_bundle_of_which_a_letter_is_printed_is_not_handed_over_again_whole() {
    let site = restored_when_done();
    let lists = crate::program::files_below(&site.path("print-house/pickup"));
    let is_first = |path: &&std::path::PathBuf| path.ends_with("P-0001.pieces.csv");
    let whole = fs::read_to_string(lists.iter().find(is_first).unwrap()).unwrap();
    let first: Vec<_> = whole.lines().take(2).collect();
    assert!(whole.lines().count() > 2, "{whole}");
    fs::write(site.path("P-0099.pieces.csv"), first.join("\n")).unwrap();
    site.done("restore printed P-0099.pieces.csv --reason tests --data-dir restored");
    let refused =
        site.kuori("restore accept --not-printed P-0001 --reason tests --data-dir restored");
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.err.contains("some letters of bundle"),
        "{refused:?}"
    );
    site.done("restore accept --fetched --consents-complete --reason tests --data-dir restored");
}
