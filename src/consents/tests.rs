//! Feeds, look by look, with files of known times.

use std::{
    fs::{self, File},
    io::Write,
    os::unix::fs::PermissionsExt,
    time::{Duration, SystemTime},
};

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use super::{Desk, Fed, FedFile, Feed, FileState, How, MOST_MISSING, Settings};
use crate::store::{NewEvent, Store};

const FIRST: &str = "010190-999W";

/// A folder into which files are put, and the register that they change.
struct House {
    store: Store,
    settings: Settings,
    folder: TempDir,
}

fn at(second: u64) -> Timestamp {
    Timestamp::from_second(i64::try_from(second).unwrap()).unwrap()
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let feed = folder.path().join("feed");
        fs::create_dir(&feed).unwrap();
        Self {
            store: Store::open(&folder.path().join("data")).unwrap(),
            settings: Settings {
                folder: feed,
                inbox: "",
                settle: SignedDuration::ZERO,
                how: How {
                    is_full: false,
                    most_missing_percent: MOST_MISSING,
                },
            },
            folder,
        }
    }

    /// Puts a file there that was changed in that second.
    fn put(&self, name: &str, text: &str, second: u64) {
        self.put_at(name, text, Duration::from_secs(second));
    }

    fn put_at(&self, name: &str, text: &str, since_epoch: Duration) {
        let mut file = File::create(self.settings.folder.join(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + since_epoch)
            .unwrap();
    }

    fn look(&self, second: u64) -> Fed {
        let desk = Desk {
            store: &self.store,
            source: "brought by register".to_owned(),
            action: NewEvent {
                at: at(second),
                actor: "feed register".to_owned(),
                why: String::new(),
            },
            progress: &|_| {},
            is_stopped: &|| false,
        };
        Feed::new(&self.settings).look(&desk).unwrap()
    }

    fn one(&self, second: u64) -> FedFile {
        let mut files = self.look(second).files;
        assert_eq!(files.len(), 1);
        files.remove(0)
    }

    fn is_on_paper(&self, id: &str) -> bool {
        let consent = self.store.consent(&id.parse().unwrap()).unwrap();
        !consent.print_only_matters.is_empty()
    }
}

fn school(print_only: bool) -> String {
    format!("recipient_id,status,since,matter,print_only\n{FIRST},,,school,{print_only}\n")
}

#[test]
fn what_was_said_before_is_said_anew_by_a_later_file_and_not_by_the_same_one() {
    let house = House::new();
    for (day, print_only) in [(1, true), (2, false), (3, true)] {
        house.put("matters.csv", &school(print_only), day * 100);
        let file = house.one(day * 100 + 10);
        assert_eq!(file.state, FileState::Taken, "day {day}");
        assert_eq!(house.is_on_paper(FIRST), print_only, "day {day}");
    }
    house.put("matters.csv", &school(false), 200);
    assert_eq!(house.one(400).state, FileState::Repeated);
    assert!(house.is_on_paper(FIRST));
}

#[test]
fn of_files_of_one_second_the_one_that_was_written_first_is_said_first() {
    let house = House::new();
    for (name, print_only, millis) in [("b.csv", true, 100_100), ("a.csv", false, 100_200)] {
        house.put_at(name, &school(print_only), Duration::from_millis(millis));
    }
    let fed = house.look(110);
    let taken: Vec<_> = fed.files.iter().map(|file| &*file.name).collect();
    assert_eq!(taken, ["b.csv", "a.csv"]);
    assert!(!house.is_on_paper(FIRST));
}

const BAD: &str = "recipient_id,status,since
010190-999W,granted,2026-01-01
010190-9991,withdrawn,2026-01-01
";

#[test]
fn a_file_with_rows_that_could_not_be_used_is_kept_under_a_name_that_says_nothing() {
    let house = House::new();
    house.put("maija-meikalainen.csv", BAD, 100);
    let file = house.one(1_800_000_000);
    assert_eq!((file.state, file.told.bad), (FileState::Taken, 1));
    let kept = file.kept.unwrap();
    assert!(kept.starts_with(".kuori/bad-rows/bad-rows-"), "{kept}");
    let path = house.settings.folder.join(kept);
    assert_eq!(fs::read_to_string(&path).unwrap(), BAD);
    let standing = house.look(1_800_000_001).standing;
    assert_eq!((standing.bad, standing.refused), (1, 0));
    assert_eq!(standing.bad_path, Some(path));
}

#[test]
fn a_refused_file_is_kept_where_an_operator_is_told_that_it_lies() {
    let house = House::new();
    for _ in 0..2 {
        house.put("010190-999W.csv", "recipient_id,status\n", 100);
        assert_eq!(house.one(200).state, FileState::Refused);
    }
    let standing = house.look(300).standing;
    assert_eq!(standing.refused, 2);
    let path = standing.refused_path.unwrap();
    assert!(!path.to_str().unwrap().contains("010190"));
    assert!(path.exists(), "{}", path.display());
}

#[test]
fn a_file_that_cannot_be_read_holds_up_no_other() {
    // Whoever is root may read everything.
    if rustix::process::geteuid().is_root() {
        return;
    }
    let house = House::new();
    house.put("first.csv", &school(true), 100);
    house.put("second.csv", &school(false), 200);
    let first = house.settings.folder.join("first.csv");
    let readable = |mode| {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(&first, mode).unwrap();
    };
    readable(0o000);
    let fed = house.look(300);
    let taken: Vec<_> = fed.files.iter().map(|file| &*file.name).collect();
    assert_eq!(taken, ["second.csv"]);
    assert!(fed.untaken.unwrap().to_string().contains("first.csv"));
    readable(0o600);
    let fed = house.look(400);
    assert_eq!(fed.files.len(), 1);
    assert!(fed.untaken.is_none());
}

#[test]
fn what_was_said_later_waits_for_a_file_that_the_house_cannot_read() {
    let house = House::new();
    // A file of this size needs the data folder.
    let blank = " ".repeat(60_000) + "\n";
    house.put("first.csv", &(school(true) + &blank.repeat(300)), 100);
    house.put("second.csv", &school(false), 200);
    assert!(!house.is_on_paper(FIRST));
    let data = house.folder.path().join("data");
    rustix::fs::rename(&data, data.with_extension("away")).unwrap();
    for second in [300, 400] {
        let fed = house.look(second);
        assert!(fed.files.is_empty() && fed.untaken.is_some());
        assert!(house.settings.folder.join("second.csv").exists());
    }
    rustix::fs::rename(data.with_extension("away"), &data).unwrap();
    let fed = house.look(500);
    assert_eq!(fed.files.len(), 2);
    assert!(!house.is_on_paper(FIRST));
}

/// An operator says that letters about school go by mailbox again.
fn take_back(house: &House, second: u64) {
    let person = FIRST.parse().unwrap();
    let store = &house.store;
    let taken_back = store.set_print_only_matter(&person, "school", false, at(second));
    taken_back.unwrap();
}

/// Whatever lies there under that name lets no answer be written at that second.
fn hinder_answer(house: &House, name: &str) {
    let receipts = house.settings.folder.join("receipts");
    fs::create_dir_all(receipts.join(name)).unwrap();
}

#[test]
fn a_file_that_cannot_be_answered_is_said_once_and_holds_up_no_other() {
    let house = House::new();
    hinder_answer(&house, ".matters.19700101T000150Z.csv.part");
    house.put("matters.csv", &school(true), 100);
    house.put("other.csv", BAD, 101);
    let fed = house.look(110);
    let taken: Vec<_> = fed.files.iter().map(|file| &*file.name).collect();
    assert_eq!(taken, ["other.csv"]);
    assert!(fed.untaken.is_some());
    assert!(house.is_on_paper(FIRST));
    take_back(&house, 115);

    let file = house.one(120);
    assert_eq!(
        (file.name.as_str(), file.state),
        ("matters.csv", FileState::Taken)
    );
    assert_eq!((file.told.rows, file.told.changed), (1, Some(1)));
    assert!(!house.is_on_paper(FIRST));
    let answer = "receipts/matters.19700101T000200Z.csv";
    let answer = fs::read_to_string(house.settings.folder.join(answer)).unwrap();
    assert!(answer.contains("changed,\"1\""), "{answer}");
    assert!(house.look(130).files.is_empty());
}

#[test]
fn a_refused_file_that_cannot_be_answered_is_kept_once_it_is() {
    let house = House::new();
    hinder_answer(&house, ".matters.19700101T000150Z.csv.part");
    house.put("matters.csv", &(school(true) + "\"open"), 100);
    assert!(house.look(110).untaken.is_some());
    take_back(&house, 115);
    let file = house.one(120);
    assert_eq!(file.state, FileState::Refused);
    assert!(file.why.unwrap().contains("has no other") && file.kept.is_some());
    assert!(!house.is_on_paper(FIRST));
    assert_eq!(house.look(130).standing.refused, 1);
}

#[test]
fn the_answer_to_a_file_with_a_long_name_has_its_beginning() {
    let house = House::new();
    let stem = "010190-999W".to_owned() + &"ä".repeat(119);
    for ending in ["a", "b"] {
        house.put(&format!("{stem}{ending}.csv"), &school(ending == "a"), 100);
    }
    let fed = house.look(110);
    assert_eq!(fed.files.len(), 2);
    assert!(fed.untaken.is_none());
    let answers = fs::read_dir(house.settings.folder.join("receipts")).unwrap();
    let names: Vec<_> = answers
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.len(), 2);
    for name in names {
        assert!(
            name.starts_with("[hidden]ääää") && name.len() < 240,
            "{name}"
        );
        assert!(name.ends_with(".19700101T000150Z.csv"), "{name}");
    }
}

#[test]
fn the_answer_to_a_file_that_was_cut_off_says_that_its_counts_are_not_all() {
    let house = House::new();
    house.look(100);
    house.put(".kuori/claimed.csv", &school(true), 100);
    let file = house.one(200);
    assert_eq!(file.state, FileState::Taken);
    assert!(file.why.unwrap().contains("cut off before"));
    let mut answers = fs::read_dir(house.settings.folder.join("receipts")).unwrap();
    let answer = fs::read_to_string(answers.next().unwrap().unwrap().path()).unwrap();
    assert!(answer.contains("cut off before"), "{answer}");
}
