use std::{collections::BTreeSet, fs, panic};

use kuori::domain::Finding;

use super::{
    invariants::{TARGETS, settings, told},
    seeds::{samples, seeds},
};
use crate::committed::{files_below, in_repository};

#[test]
fn what_once_went_wrong_stays_mended() {
    let files = files_below("fuzz/regressions");
    let failed: Vec<_> = files.iter().filter(|path| !holds(path)).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Whether the target that a file's folder names has nothing to say about it.
fn holds(path: &str) -> bool {
    let folder = path.split('/').nth(2).unwrap();
    let (_, check) = TARGETS
        .into_iter()
        .find(|(name, _)| *name == folder)
        .unwrap();
    let bytes = fs::read(in_repository(path)).unwrap();
    panic::catch_unwind(|| check(&bytes)).is_ok()
}

#[test]
fn the_samples_and_what_is_in_them_keep_the_invariants() {
    let check = |target| {
        TARGETS
            .into_iter()
            .find(|(name, _)| *name == target)
            .unwrap()
            .1
    };
    let holds = |target, bytes: &[u8]| panic::catch_unwind(|| check(target)(bytes)).is_ok();
    let failed: Vec<_> = seeds()
        .into_iter()
        .filter(|seed| !holds(seed.target, &seed.bytes))
        .map(|seed| format!("{}: {}", seed.target, seed.name))
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn valid_samples_stay_within_the_small_limits() {
    for path in samples("samples/batches/valid") {
        let findings = told(&fs::read(in_repository(&path)).unwrap(), &settings());
        assert!(
            !findings.iter().any(Finding::is_error),
            "{path}: {findings:#?}"
        );
    }
}

#[test]
fn every_target_is_a_program_and_every_program_a_target() {
    let targets = TARGETS.map(|(name, _)| name);
    let manifest = fs::read_to_string(in_repository("fuzz/Cargo.toml")).unwrap();
    let (_, programs) = manifest.split_once("[[bin]]").unwrap();
    let programs = programs
        .lines()
        .filter_map(|line| line.strip_prefix("name = \""));
    let programs: Vec<_> = programs.map(|name| name.trim_end_matches('"')).collect();
    assert_eq!(programs, targets);
    let files = targets.map(|name| format!("fuzz/fuzz_targets/{name}.rs"));
    assert_eq!(files_below("fuzz/fuzz_targets"), files);
    for ((name, _), file) in TARGETS.iter().zip(files) {
        let program = fs::read_to_string(in_repository(&file)).unwrap();
        assert!(
            program.contains(&format!("kuori_fuzz::{name}(bytes)")),
            "{file}"
        );
    }
}

#[test]
fn what_is_fuzzed_is_what_runs() {
    let text = |path| fs::read_to_string(in_repository(path)).unwrap();
    let (house, rooms) = (text("Cargo.toml"), text("fuzz/rooms/Cargo.toml"));
    let (_, dependencies) = rooms.split_once("[dependencies]\n").unwrap();
    for line in dependencies.lines() {
        assert!(house.lines().any(|known| known == line), "{line}");
    }
    let (house, fuzzed) = (text("Cargo.lock"), text("fuzz/Cargo.lock"));
    let (house, fuzzed) = (locked(&house), locked(&fuzzed));
    let is_shared = |name: &str| house.iter().any(|(known, _)| *known == name);
    let other: Vec<_> = fuzzed
        .difference(&house)
        .filter(|(name, _)| is_shared(name))
        .collect();
    assert!(
        other.is_empty(),
        "copy Cargo.lock into fuzz/ and build there: {other:?}"
    );
}

/// Names and versions.
fn locked(lock: &str) -> BTreeSet<(&str, &str)> {
    let packages = lock.split("[[package]]\n").skip(1);
    let pairs = packages.map(|package| {
        let mut values = package.split('"').skip(1).step_by(2);
        (values.next().unwrap(), values.next().unwrap())
    });
    pairs.collect()
}
