//! Others bring files of consents: over an account of their own on the embedded server, into a folder,
//! and while the program is killed at every point of taking one.

use std::{fs, path::Path};

use kuori::{
    assemble::Party,
    store::{ConsentStatus, Store},
    transport::{HostKey, Login, ReadBack, RemoteFolder, SftpFolder, SftpSettings},
};
use tokio::time::{Duration, sleep};

use crate::{
    program::{InHands, Site, until},
    sftp::contract::path,
};

const FIRST: &str = "010190-999W";
const SECOND: &str = "010190-900P";

fn list(rows: &[(&str, &str, &str)]) -> String {
    let row = |(id, status, since): &(&str, &str, &str)| format!("{id},{status},{since}\n");
    let rows: String = rows.iter().map(row).collect();
    format!("recipient_id,status,since\n{rows}")
}

fn both() -> String {
    list(&[
        (FIRST, "granted", "2026-01-01"),
        (SECOND, "granted", "2026-01-01"),
    ])
}

fn store(site: &Site) -> Store {
    Store::open(&site.data()).unwrap()
}

fn status(site: &Site, id: &str) -> Option<ConsentStatus> {
    let consent = store(site).consent(&id.parse().unwrap()).unwrap();
    consent.said.map(|said| said.status)
}

/// A site whose server is open for the feed `register`, and whose sender is served there too.
fn served() -> Site {
    let site = Site::new();
    let settings = fs::read_to_string(site.path("kuori.toml")).unwrap();
    let key = |name: &str| Party::make_key(name, &site.path(name)).unwrap();
    let sender = format!("directory = \"{}\"", site.path("sender").display());
    let settings = settings
        .replace("enabled = false", "listen = \"127.0.0.1:0\"")
        .replace(&sender, "")
        .replace(
            "[senders.example-city.upload]\ncomplete_when = \"renamed\"\n",
            "",
        );
    let accounts = format!(
        "[senders.example-city.account]\npublic_keys = [\"{}\"]\n\
         [consent_feeds.register.account]\npublic_keys = [\"{}\"]\n",
        key("example-city").trim(),
        key("register").trim()
    );
    fs::write(site.path("kuori.toml"), settings + &accounts).unwrap();
    site
}

/// Logs in once the server is open.
async fn log_in(site: &Site, name: &str) -> SftpFolder {
    until("it serves", || site.log().contains("serving SFTP"));
    let log = site.log().replace('\u{1b}', "");
    let port = log.split("address=127.0.0.1:").nth(1).unwrap();
    let port = port.split(|c: char| !c.is_ascii_digit()).next().unwrap();
    let host_key = site.data().join("sftp-host-keys/ssh_host_ed25519_key");
    let host_key = russh::keys::load_secret_key(host_key, None).unwrap();
    let pin = host_key.fingerprint(russh::keys::HashAlg::Sha256);
    let settings = SftpSettings {
        host: "127.0.0.1".to_owned(),
        port: port.parse().unwrap(),
        user: name.to_owned(),
        login: Login::Key(site.path(name)),
        host_key: HostKey::Fingerprints(vec![pin.to_string()]),
        ..SftpSettings::default()
    };
    SftpFolder::connect(settings).await.unwrap()
}

async fn put(folder: &SftpFolder, from: &Path, to: &str) {
    let uploaded = folder.upload(from, &path(to), ReadBack::Size).await;
    uploaded.unwrap();
}

/// The answer to the file with this stem, as its sender fetches it.
async fn answer(folder: &SftpFolder, stem: &str) -> String {
    for _ in 0..600 {
        let listed = folder.list(&path("receipts")).await.unwrap().files;
        if let Some(file) = listed.iter().find(|file| file.name.starts_with(stem)) {
            let mut text = Vec::new();
            let from = path("receipts").join(&file.name).unwrap();
            folder.download(&from, &mut text).await.unwrap();
            folder.remove(&from).await.unwrap();
            return String::from_utf8(text).unwrap();
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("no answer to {stem}");
}

/// Bundles may be on their way to the print house: they are not counted.
fn letters_in_mailboxes(site: &Site) -> usize {
    let hands = InHands::count(&site.data().join("mailboxes"), &site.path("no-bundles"));
    hands.in_mailboxes.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_feed_brings_over_sftp_is_answered_and_heeded_by_the_next_batch() {
    let site = served();
    let sample = |name: &str, seed: u32| {
        site.done(&format!(
            "sample sampled/{name} --letters 4 --seed {seed} --consents sampled/{name}.csv"
        ));
    };
    sample("one.zip", 1);
    sample("two.zip", 2);
    let daemon = site.start();
    let register = log_in(&site, "register").await;
    let city = log_in(&site, "example-city").await;

    put(
        &register,
        &site.path("sampled/one.zip.csv"),
        "inbox/monday.csv",
    )
    .await;
    let answered = answer(&register, "monday.").await;
    assert!(answered.contains("result,\"taken\""), "{answered}");
    assert!(!answered.contains("bad,\"1\""), "{answered}");
    put(&city, &site.path("sampled/one.zip"), "inbox/one.zip").await;
    until("the first batch is through", || {
        site.json("batch list")["batches"][0]["state"] == "reported"
    });
    let delivered = letters_in_mailboxes(&site);
    assert!(delivered > 0);

    // The second batch has recipients of its own, and they take back what they have said.
    let consents = fs::read_to_string(site.path("sampled/two.zip.csv")).unwrap();
    let withdrawn = consents.replace(",granted,2026-01", ",withdrawn,2026-02");
    assert_ne!(withdrawn, consents);
    fs::write(site.path("withdrawn.csv"), withdrawn).unwrap();
    put(
        &register,
        &site.path("sampled/two.zip.csv"),
        "inbox/tuesday.csv",
    )
    .await;
    answer(&register, "tuesday.").await;
    put(
        &register,
        &site.path("withdrawn.csv"),
        "inbox/wednesday.csv",
    )
    .await;
    answer(&register, "wednesday.").await;
    put(&city, &site.path("sampled/two.zip"), "inbox/two.zip").await;
    until("the second batch is through", || {
        let batches = site.json("batch list");
        let batches = batches["batches"].as_array().unwrap();
        batches.len() == 2 && batches.iter().all(|batch| batch["state"] == "reported")
    });
    assert_eq!(letters_in_mailboxes(&site), delivered);

    // Neither account sees what the other one does, and a sender's files of consents are no such thing.
    for elsewhere in ["pickup", "example-city/inbox"] {
        assert!(register.list(&path(elsewhere)).await.is_err());
    }
    assert!(city.list(&path("register/inbox")).await.is_err());
    fs::write(site.path("mine.csv"), both()).unwrap();
    put(&city, &site.path("mine.csv"), "inbox/mine.csv").await;
    put(
        &register,
        &site.path("sampled/one.zip.csv"),
        "inbox/again.csv",
    )
    .await;
    // The same bytes, written anew: the register has what they say.
    let again = answer(&register, "again.").await;
    assert!(again.contains("changed,\"0\""), "{again}");
    assert_eq!(status(&site, FIRST), None);
    daemon.stop();
}

/// A site with a folder into which full lists are put.
fn with_folder() -> Site {
    let site = Site::new();
    fs::create_dir_all(site.path("feed/inbox")).unwrap();
    let settings = fs::read_to_string(site.path("kuori.toml")).unwrap();
    let feed = format!(
        "[consent_feeds.register]\ndirectory = \"{}\"\nfull = true\nsettle_secs = 0\n",
        site.path("feed").display()
    );
    fs::write(site.path("kuori.toml"), settings + &feed).unwrap();
    site
}

fn bring(site: &Site, name: &str, text: &str) {
    fs::write(site.path(name), text).unwrap();
    fs::rename(site.path(name), site.path("feed/inbox").join(name)).unwrap();
}

#[test]
fn a_list_that_lacks_half_of_all_is_kept_and_told_until_somebody_has_seen_to_it() {
    let site = with_folder();
    let daemon = site.start();
    bring(&site, "all.csv", &both());
    until("all are known", || {
        site.data().exists() && status(&site, SECOND).is_some()
    });
    bring(
        &site,
        "half.csv",
        &list(&[(FIRST, "granted", "2026-01-01")]),
    );
    let told = || site.kuori("status").out;
    until("operators are told", || told().contains("consents-refused"));
    let said = told();
    let refused = site.files("feed/.kuori/refused").remove(0);
    let import = format!("kuori consent import '{}' --full", refused.display());
    assert!(said.contains(&import), "{said}");
    assert!(said.contains("does not have 1 of 2 consents"), "{said}");
    assert_eq!(status(&site, SECOND), Some(ConsentStatus::Granted));
    let receipts = site.names("feed/receipts");
    assert_eq!(receipts.len(), 2, "{receipts:?}");

    site.done(&format!(
        "consent import {} --full --allow-withdrawals",
        refused.display()
    ));
    assert_eq!(status(&site, SECOND), Some(ConsentStatus::Withdrawn));
    fs::remove_file(refused).unwrap();
    until("it is over", || !told().contains("consents-refused"));

    // A folder that is away is told too, and what was put there by then is taken once it is back.
    fs::rename(site.path("feed/inbox"), site.path("feed/away")).unwrap();
    until("the folder is missed", || {
        told().contains("consent-feed-down")
    });
    fs::rename(site.path("feed/away"), site.path("feed/inbox")).unwrap();
    until("it is back", || !told().contains("consent-feed-down"));
    daemon.stop();
}

/// A file that is taken passes them, or one that is refused.
const TAKING: [&str; 7] = [
    "rename/consents: claim",
    "commit/take consents",
    "commit/owe an answer to a file of consents",
    "write/consents: answer",
    "rename/consents: answer",
    "commit/note a file of consents",
    "remove/consents: taken",
];

fn kill_a_call(point: &str, text: &str) -> Site {
    let site = Site::new();
    store(&site);
    fs::create_dir(site.path("feed")).unwrap();
    fs::write(site.path("feed/all.csv"), text).unwrap();
    let killed = site
        .command("consent feed feed --settle-secs 0")
        .env("KUORI_CRASH_AT", format!("{point}#1"))
        .output()
        .unwrap();
    assert_eq!(killed.status.code(), None, "{point} is not passed");
    site
}

fn assert_taken_once_after_a_kill_at(point: &str) {
    let site = kill_a_call(point, &both());
    site.done("consent feed feed --settle-secs 0");
    for id in [FIRST, SECOND] {
        let words = store(&site).consent_history(&id.parse().unwrap()).unwrap();
        assert_eq!(words.len(), 1, "{point}");
    }
    assert_eq!(site.names("feed"), [".kuori", "receipts"], "{point}");
    assert_eq!(
        site.names("feed/.kuori"),
        ["bad-rows", "refused"],
        "{point}"
    );
    let receipts = site.files("feed/receipts");
    let texts: Vec<_> = receipts
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let is_taken = |text: &String| text.contains("result,\"taken\"");
    assert!(texts.iter().any(is_taken), "{point}: {texts:?}");
    site.done("consent feed feed --settle-secs 0");
    assert_eq!(site.files("feed/receipts").len(), receipts.len());
}

#[test]
fn a_feed_that_is_killed_anywhere_takes_its_file_once_and_answers_it() {
    std::thread::scope(|scope| {
        for point in TAKING {
            for side in ["before", "after"] {
                scope.spawn(move || assert_taken_once_after_a_kill_at(&format!("{point}/{side}")));
            }
        }
    });
}

#[test]
fn a_refused_file_and_one_with_bad_rows_are_kept_whenever_their_feed_is_killed() {
    let bad = both() + "nobody,granted,2026-01-01\n";
    for (kept, text) in [("refused", "recipient_id,status\n"), ("bad-rows", &bad)] {
        for point in [
            "rename/consents: keep/before",
            "rename/consents: keep/after",
            "commit/owe an answer to a file of consents/after",
            "commit/note a file of consents/before",
        ] {
            let site = kill_a_call(point, text);
            let again = site.kuori("consent feed feed --settle-secs 0");
            assert!(matches!(again.code, Some(0 | 3)), "{point}: {again:?}");
            let files = site.files(&format!("feed/.kuori/{kept}"));
            assert_eq!(files.len(), 1, "{point}: {files:?}");
            assert_eq!(fs::read_to_string(&files[0]).unwrap(), text, "{point}");
        }
    }
}
