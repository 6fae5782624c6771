//! A spooled file that changes on the disk, or goes: what needs it is held, and all else goes on.

use std::{fs, io::Write, path::PathBuf};

use super::{run_to_the_end, site, until_all_is_done};
use crate::program::{Site, until};

fn spooled_zip(site: &Site) -> PathBuf {
    site.files("data/spool/batches").remove(0)
}

fn damage(file: &PathBuf) {
    let mut opened = fs::File::options().write(true).open(file).unwrap();
    opened.write_all(b"these bytes are others").unwrap();
}

/// The batch is to be composed once more, out of a file that is not what it was.
fn begin(site: &Site, spoil: impl Fn(&PathBuf)) -> PathBuf {
    let batch = site.sample("kirjeet_1.zip", "--letters 6 --seed 1");
    site.upload(&batch);
    run_to_the_end(site, 1);
    site.done("backup saved --config kuori.toml");
    // A backup on the same disk shares the file: another one takes its place, and is spoiled.
    let zip = spooled_zip(site);
    let bytes = fs::read(&zip).unwrap();
    fs::remove_file(&zip).unwrap();
    fs::write(&zip, bytes).unwrap();
    spoil(&zip);
    site.done("reprocess B-0001 --from compose --print-again --reason tests");
    site.upload(&site.sample("kirjeet_2.zip", "--letters 6 --seed 2"));
    batch
}

fn held_and_the_other_goes_on(site: &Site, told: &str) {
    let daemon = site.start();
    until("the other batch is reported and this one held", || {
        let other = site.kuori("batch show B-0002 --json");
        other.code == Some(0)
            && other.json()["state"] == "reported"
            && site.json("batch show B-0001")["state"] == "held"
    });
    daemon.stop();
    let reason = site.json("batch show B-0001")["reason"].clone();
    assert!(reason.as_str().unwrap().contains(told), "{reason}");
}

fn goes_on(site: &Site) {
    site.done("reprocess B-0001 --from compose --print-again --reason tests");
    let daemon = site.start();
    until("it is reported", || {
        site.json("batch show B-0001")["state"] == "reported"
    });
    until_all_is_done(site, "", 2);
    daemon.stop();
}

#[test]
fn a_batch_whose_file_is_damaged_is_held_until_its_sender_sends_it_again() {
    let site = site();
    let batch = begin(&site, damage);
    held_and_the_other_goes_on(&site, "is damaged");
    let backed_up = site.kuori("backup second --config kuori.toml --json");
    assert_eq!(backed_up.code, Some(3), "{backed_up:?}");
    assert_eq!(backed_up.json()["damaged"].as_array().unwrap().len(), 1);
    site.upload(&batch);
    let daemon = site.start();
    until("it has come again", || {
        // Claimed first, gone once it is recorded.
        let folders = ["sender/inbox", "sender/.kuori/taking"];
        folders.iter().all(|folder| site.names(folder).is_empty())
    });
    daemon.stop();
    goes_on(&site);
}

#[test]
fn a_batch_whose_file_is_missing_is_held_until_it_comes_back_from_a_backup() {
    let site = site();
    begin(&site, |zip| fs::remove_file(zip).unwrap());
    held_and_the_other_goes_on(&site, "is not there");
    assert!(site.log().contains("missing in the spool"));
    let mended = site.json("restore files saved");
    assert_eq!(mended["brought_back"].as_array().unwrap().len(), 1);
    assert!(spooled_zip(&site).exists());
    goes_on(&site);
    let mended = site.json("restore files saved");
    assert_eq!(mended["brought_back"].as_array().unwrap().len(), 0);
}
