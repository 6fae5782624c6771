//! Feeds, look by look, with files of known times.

use std::{
    fs::{self, File},
    io::Write,
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
    _folder: TempDir,
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
            _folder: folder,
        }
    }

    /// Puts a file there that was changed then.
    fn put(&self, name: &str, text: &str, second: u64) {
        let mut file = File::create(self.settings.folder.join(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(second))
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
