use std::fs;

use rusqlite::Connection;

use super::{run_to_the_end, site};
use crate::program::{Site, files_below};

/// What the rows say of people: names, streets, subjects, and the codes of those who are in no
/// register of consents.
fn people(site: &Site) -> Vec<String> {
    let db = Connection::open(site.data().join("kuori.sqlite")).unwrap();
    let mut words = Vec::new();
    for sql in [
        "SELECT DISTINCT name FROM messages WHERE name IS NOT NULL",
        "SELECT DISTINCT street FROM messages WHERE street IS NOT NULL",
        "SELECT DISTINCT recipient_id FROM messages WHERE recipient_id IS NOT NULL
            AND recipient_id NOT IN (SELECT recipient_id FROM consents)",
    ] {
        let mut query = db.prepare(sql).unwrap();
        let found = query.query_map([], |row| row.get::<_, String>(0)).unwrap();
        words.extend(found.map(Result::unwrap).filter(|word| word.len() > 5));
    }
    words
}

/// The words that stand in any file of the data folder, mailboxes left out.
fn found(site: &Site, words: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let mailboxes = site.data().join("mailboxes");
    for file in files_below(&site.data()) {
        if file.starts_with(&mailboxes) {
            continue;
        }
        let bytes = fs::read(&file).unwrap();
        for word in words {
            if bytes
                .windows(word.len())
                .any(|piece| piece == word.as_bytes())
            {
                found.push(format!("{word} in {}", file.display()));
            }
        }
    }
    found
}

#[test]
fn what_is_purged_stands_in_no_file_any_more() {
    let site = site();
    let batch = site.sample("kirjeet.zip", "--letters 40 --seed 7");
    site.upload(&batch);
    run_to_the_end(&site, 1);
    let words = people(&site);
    assert!(words.len() > 60, "{words:?}");
    assert!(found(&site, &words).len() >= words.len());
    let counts = site.json("batch show B-0001")["messages"].clone();
    let receipts = site.names("data/spool/outgoing");

    let rehearsed = site.json("purge --batch B-0001 --with-rows --dry-run");
    assert_eq!(rehearsed["messages"], 40);
    assert!(rehearsed["files"].as_u64().unwrap() >= 5, "{rehearsed}");
    let purged = site.json("purge --batch B-0001 --with-rows --reason tests");
    for key in ["files", "bytes", "messages"] {
        assert_eq!(purged[key], rehearsed[key], "{key}");
    }

    assert_eq!(found(&site, &words), [""; 0]);
    assert_eq!(site.names("data/spool/batches"), [""; 0]);
    let left = site.names("data/spool/outgoing");
    assert!(
        left.iter()
            .all(|name| receipts.contains(name) && !name.starts_with("P-"))
    );
    assert!(!left.is_empty(), "receipts stay");
    assert_eq!(site.json("batch show B-0001")["messages"], counts);
    let again = site.json("purge --batch B-0001 --with-rows --reason tests");
    assert_eq!(again["files"], 0);
    // What is gone is missed by nobody, and the same file is still known.
    fs::remove_dir_all(site.path("sender/receipts")).unwrap();
    site.upload(&batch);
    let daemon = site.start();
    crate::program::until("the receipts come again", || {
        site.names("sender/receipts").len() >= 2 && site.names("sender/inbox").is_empty()
    });
    daemon.stop();
    assert_eq!(
        site.json("batch list")["batches"].as_array().unwrap().len(),
        1
    );
    assert_eq!(site.names("data/spool/batches"), [""; 0]);
    assert!(
        !site.log().contains("missing in the spool"),
        "{}",
        site.log()
    );
}

#[test]
fn one_person_is_erased_and_the_others_stay() {
    let site = site();
    site.upload(&site.sample("kirjeet.zip", "--letters 6 --seed 3"));
    run_to_the_end(&site, 1);
    let db = Connection::open(site.data().join("kuori.sqlite")).unwrap();
    let name = |position: u32| -> Option<String> {
        let sql = "SELECT name FROM messages WHERE position = ?";
        db.query_row(sql, [position], |row| row.get(0)).unwrap()
    };
    assert!(name(2).is_some());
    let erased = site.json("purge --message B-0001-2 --reason asked-for");
    assert_eq!(erased["erased"]["letter_stays"], true);
    assert_eq!(erased["files"], 0);
    assert_eq!((name(1).is_some(), name(2)), (true, None));
    let erased = site.json("purge --message B-0001-2 --with-batch --reason asked-for");
    assert_eq!(erased["erased"]["done_before"], true);
    assert_eq!(erased["erased"]["letter_stays"], false);
    assert_eq!(site.names("data/spool/batches"), [""; 0]);
    assert!(site.done("events B-0001").out.contains("erased B-0001-2"));
}

#[test]
fn what_is_not_at_its_end_is_kept_whatever_its_age() {
    let site = Site::new();
    site.upload(&site.sample("kirjeet.zip", "--letters 6 --seed 3"));
    run_to_the_end(&site, 1);
    // Its bundle stands at the print house, and nobody has fetched it.
    let refused = site.kuori("purge --batch B-0001 --reason tests");
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("was not picked up"), "{refused:?}");
    assert_eq!(site.names("data/spool/batches").len(), 1);
    let message = site.kuori("purge --message B-0001-1 --with-batch --reason tests");
    assert_eq!(message.code, Some(1), "{message:?}");
    assert_eq!(site.names("data/spool/batches").len(), 1);
    // By the settings nothing is old enough.
    let purged = site.json("purge --config kuori.toml --reason tests");
    assert_eq!(
        (&purged["files"], &purged["messages"]),
        (&0.into(), &0.into())
    );
}

#[test]
fn a_purge_that_is_killed_is_finished_by_the_next_start() {
    let site = site();
    site.upload(&site.sample("kirjeet.zip", "--letters 6 --seed 3"));
    run_to_the_end(&site, 1);
    let bundles = || {
        let names = site.names("data/spool/outgoing");
        names.iter().filter(|name| name.starts_with("P-")).count()
    };
    let killed = site
        .command("purge --batch B-0001 --reason tests")
        .env("KUORI_CRASH_AT", "remove/store: purge a file/before#2")
        .output()
        .unwrap();
    assert_eq!(killed.status.code(), None, "{killed:?}");
    assert!(bundles() > 0, "it was killed before they went");
    let daemon = site.start();
    crate::program::until("what was left is swept", || bundles() == 0);
    daemon.stop();
    assert!(
        !site.log().contains("missing in the spool"),
        "{}",
        site.log()
    );
}
