//! The same plan makes the same bundle, whenever and wherever it is composed.

use std::{collections::BTreeMap, fs, os::unix::process::ExitStatusExt, process::Command, thread};

use crate::program::Site;

#[test]
fn a_plan_is_composed_to_the_same_bytes_in_two_houses_at_different_times() {
    let first = Site::new();
    let batch = first.sample("letters.zip", "--letters 80 --digital-share 0.2");
    let process = format!("process {}", batch.display());
    kill_at(&first, &process, "commit/record a plan/after#1");
    let second = Site::new();
    copy(&first, &second);
    first.done(&process);

    // Times in bundles are told in whole seconds.
    thread::sleep(std::time::Duration::from_millis(1_100));
    // This one writes a part of them twice.
    kill_at(&second, &process, "rename/spool: keep/after#2");
    second.done(&process);
    let composed = bundles(&first);
    let kinds = ["job.xml", "ok", "pdf", "pieces.csv"];
    for kind in kinds {
        let is_there = composed.keys().any(|name| name.ends_with(kind));
        assert!(is_there, "no {kind} among {:?}", composed.keys());
    }
    for (name, bytes) in bundles(&second) {
        assert!(composed[&name] == bytes, "{name} is another file");
    }
    assert_eq!(bundles(&second).len(), composed.len());
}

fn kill_at(site: &Site, line: &str, point: &str) {
    let mut command = site.command(line);
    let killed = command.env("KUORI_CRASH_AT", point).output().unwrap();
    assert_eq!(killed.status.signal(), Some(9), "{point}: {killed:?}");
}

fn copy(from: &Site, to: &Site) {
    let copied = Command::new("cp")
        .args([
            "-a".as_ref(),
            from.data().as_os_str(),
            to.data().as_os_str(),
        ])
        .status();
    assert!(copied.unwrap().success());
}

/// All files at the print house, by their names.
fn bundles(site: &Site) -> BTreeMap<String, Vec<u8>> {
    let files = site.files("data/pickup").into_iter();
    files
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            (name.to_owned(), fs::read(&path).unwrap())
        })
        .collect()
}
