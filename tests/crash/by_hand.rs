//! `kuori process`, killed at every point and called again as an operator would.

use std::{
    fs,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use super::{
    matrix::{AT_ONCE, seed},
    points::{Passed, Who},
};
use crate::program::{Dice, InHands, Site};

const LETTERS: u32 = 60;

#[test]
fn a_batch_processed_by_hand_and_killed_at_a_dozen_drawn_points_is_whole() {
    let mut dice = Dice(seed());
    let points = points();
    let draw = |_| {
        let drawn = usize::try_from(dice.below(points.len() as u64)).unwrap();
        points[drawn].clone()
    };
    play_all(&(0..12).map(draw).collect::<Vec<_>>());
}

#[test]
#[ignore = "takes a minute: each point"]
fn a_batch_processed_by_hand_and_killed_at_every_point_is_whole() {
    play_all(&points());
}

#[test]
fn drafts_of_a_killed_delivery_go_where_consent_ended_meanwhile() {
    let (site, line) = site();
    let mut command = site.command(&line);
    let at = "rename/mailbox: show/before#1";
    let killed = command.env("KUORI_CRASH_AT", at).output().unwrap();
    assert_eq!(killed.status.signal(), Some(9));
    let root = site.path("data/mailboxes");
    let in_a_mailbox = |file: &&PathBuf| file.parent() != Some(root.as_path());
    let drafts = || {
        site.files("data/mailboxes")
            .iter()
            .filter(in_a_mailbox)
            .count()
    };
    assert!(drafts() > 0, "no draft was written");

    let consents = fs::read_to_string(site.path("sampled/letters.zip.csv")).unwrap();
    let withdrawn = consents.replace(",granted,2026-01", ",withdrawn,2026-02");
    assert_ne!(withdrawn, consents);
    fs::write(site.path("withdrawn.csv"), withdrawn).unwrap();
    site.done("consent import withdrawn.csv");
    let processed = site.json(&line);
    assert_eq!(processed["printed"], LETTERS, "{processed}");
    assert_eq!(drafts(), 0);
}

/// Points that `kuori process` passes.
pub(super) fn passed() -> Passed {
    let (site, line) = site();
    let log = site.path("points.log");
    let mut command = site.command(&line);
    let done = command.env("KUORI_CRASH_LOG", &log).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    let mut passed = Passed::default();
    passed.count(Who::Command, &log);
    passed
}

fn points() -> Vec<String> {
    passed().0.into_keys().map(|(_, point)| point).collect()
}

fn play_all(points: &[String]) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                    play(point);
                }
            });
        }
    });
    let letters = points.len() as u64 * u64::from(LETTERS);
    eprintln!(
        "{} kills of `kuori process`, {letters} letters checked",
        points.len()
    );
}

fn play(point: &str) {
    let (site, line) = site();
    let mut command = site.command(&line);
    let killed = command.env("KUORI_CRASH_AT", format!("{point}#1")).output();
    assert_eq!(killed.unwrap().status.signal(), Some(9), "{point}");

    let processed = site.json(&line);
    assert_eq!(processed["received"], LETTERS, "{point}: {processed}");
    let hands = InHands::count(&site.path("data/mailboxes"), &site.path("data/pickup"));
    hands.assert_nothing_twice();
    assert_eq!(hands.letters(), LETTERS, "{point}");
    let batches = site.json("batch list")["batches"].clone();
    assert_eq!(batches.as_array().unwrap().len(), 1, "{point}");
    assert_eq!(site.names("data/receipts").len(), 3, "{point}");
    for folder in ["inbox", "spool/temporary", "spool/documents"] {
        let left = site.names(&format!("data/{folder}"));
        assert_eq!(left, [""; 0], "{point}: {folder}");
    }
    for file in site.files("data") {
        let is_part = file.extension().is_some_and(|ending| ending == "part");
        assert!(!is_part, "{point}: {} is left", file.display());
    }
}

fn site() -> (Site, String) {
    let site = Site::new();
    let options = format!("--letters {LETTERS} --shape many-pairs");
    let batch = site.sample("letters.zip", &options);
    (site, format!("process {}", batch.display()))
}
