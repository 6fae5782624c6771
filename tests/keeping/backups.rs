use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
};

use super::{run_to_the_end, site};
use crate::program::{Site, files_below};

fn filled() -> Site {
    let site = site();
    site.upload(&site.sample("kirjeet.zip", "--letters 6 --seed 3"));
    run_to_the_end(&site, 1);
    site
}

#[test]
fn a_backup_holds_what_the_rows_name_and_is_for_its_owner_alone() {
    let site = filled();
    let told = site.json("backup saved --config kuori.toml");
    let files = files_below(&site.path("saved"));
    // The two that tell of the others are not counted.
    assert_eq!(told["files"].as_u64().unwrap() + 2, files.len() as u64);
    for spooled in files_below(&site.data().join("spool")) {
        let below = spooled.strip_prefix(site.data()).unwrap();
        assert!(
            site.path("saved").join(below).exists(),
            "{}",
            below.display()
        );
    }
    assert!(site.path("saved/mailbox.key").exists());
    assert!(
        files
            .iter()
            .any(|file| file.starts_with(site.path("saved/mailboxes")))
    );
    for file in &files {
        let mode = fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} is open to others", file.display());
    }
    let refused = site.kuori("backup saved --config kuori.toml");
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("is not empty"), "{refused:?}");
}

#[test]
fn dated_backups_share_their_files_and_the_oldest_go() {
    let site = filled();
    let mut folders = Vec::new();
    for _ in 0..3 {
        let told = site.json("backup saved --keep 2 --config kuori.toml");
        folders.push(told["folder"].as_str().unwrap().to_owned());
        // Their names are seconds.
        std::thread::sleep(std::time::Duration::from_millis(1_100));
    }
    assert_eq!(site.names("saved").len(), 2);
    assert!(!site.path(&folders[0]).exists());
    let zip = |folder: &str| {
        let files = files_below(&site.path(folder).join("spool/batches"));
        fs::metadata(&files[0]).unwrap()
    };
    assert_eq!(zip(&folders[1]).ino(), zip(&folders[2]).ino());
    for folder in &folders[1..] {
        site.done(&format!("backup verify {folder}"));
    }
}

#[test]
fn a_backup_that_was_changed_is_told_and_not_restored() {
    let site = filled();
    site.done("backup saved --config kuori.toml");
    let key = site.path("saved/mailbox.key");
    fs::write(&key, b"another key").unwrap();
    for line in ["backup verify saved", "restore saved --data-dir restored"] {
        let said = site.kuori(line);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.err.contains("mailbox.key"), "{said:?}");
    }
    assert!(!site.path("restored").exists());
    fs::remove_file(site.path("saved/backup.json")).unwrap();
    let said = site.kuori("backup verify saved");
    assert!(said.err.contains("is no backup"), "{said:?}");
}

#[test]
fn nothing_is_restored_over_a_folder_that_holds_something() {
    let site = filled();
    site.done("backup saved --config kuori.toml");
    let said = site.kuori("restore saved --data-dir data");
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("`data` is not empty"), "{said:?}");
    let daemon = site.start();
    crate::program::until("the daemon holds its folder", || {
        site.kuori("restore saved --data-dir data")
            .err
            .contains("a kuori works in")
    });
    daemon.stop();
}

#[test]
fn a_second_daemon_is_told_who_holds_the_folder() {
    let site = site();
    let daemon = site.start();
    let number = daemon.0.id().to_string();
    crate::program::until("the second is refused", || {
        let said = site.kuori("process nothing.zip --data-dir data");
        let lock = fs::read_to_string(site.data().join("kuori.lock")).unwrap_or_default();
        !said.err.is_empty() && lock.trim() == number
    });
    let second = site.kuori("run --config kuori.toml");
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(
        second.err.contains(&format!("process {number}")),
        "{second:?}"
    );
    daemon.kill();
    // What a dead process has left holds nobody up.
    assert!(site.data().join("kuori.lock").exists());
    let third = site.start();
    crate::program::until("the third has the folder", || {
        let lock = fs::read_to_string(site.data().join("kuori.lock")).unwrap_or_default();
        lock.trim() == third.0.id().to_string()
    });
    third.stop();
}

#[test]
fn a_house_restored_without_its_mailboxes_starts_with_no_others() {
    let site = filled();
    site.done("backup saved --without-mailboxes --config kuori.toml");
    assert!(site.path("saved/mailboxes.id").exists());
    fs::rename(site.data(), site.path("lost")).unwrap();
    site.done("restore saved --data-dir data");
    site.done("restore accept --fetched --consents-complete --reason tests --data-dir data");
    let refused = site.kuori("run --config kuori.toml");
    assert_eq!(refused.code, Some(75), "{refused:?}");
    assert!(
        refused.err.contains("not the ones that this house"),
        "{refused:?}"
    );
    assert!(!site.data().join("mailboxes").exists());
    fs::rename(site.path("lost/mailboxes"), site.data().join("mailboxes")).unwrap();
    fs::remove_file(site.path("daemon.log")).unwrap();
    let daemon = site.start();
    crate::program::until("the house goes on", || site.log().contains("running"));
    daemon.stop();
}

#[test]
fn a_backup_that_lacks_the_mailboxes_is_made_only_where_that_is_asked_for() {
    let site = filled();
    fs::rename(site.data().join("mailboxes"), site.path("disk")).unwrap();
    fs::create_dir(site.data().join("mailboxes")).unwrap();
    let refused = site.kuori("backup saved --keep 2 --config kuori.toml");
    assert_eq!(refused.code, Some(75), "{refused:?}");
    assert!(refused.err.contains("--without-mailboxes"), "{refused:?}");
    assert_eq!(site.names("saved").len(), 0);
    site.done("backup saved --keep 2 --without-mailboxes --config kuori.toml");
    assert_eq!(site.names("saved").len(), 1);
}
