//! What the last look into each inbox found, for operators.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    Error, Store, Transaction,
    columns::{Columns, Word, maybe_millis, millis},
    error::Doing,
};
use crate::domain::{SenderId, without_identity_codes};

/// Why a file has not been taken yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileWait {
    /// Nothing is in its way.
    Due,
    /// It is being claimed, read or recorded.
    Taking,
    /// Its size or time changes.
    Grows,
    /// It has to stay the same for a while; `until` says how long.
    Settles,
    /// Its marker, `detail`, is not there.
    Marker,
    /// It does not end as a ZIP does.
    NoZipEnd,
    /// It has the name of an upload in progress.
    Unfinished,
    /// Its name is not one that is taken.
    Name,
    /// Its name cannot be used at all.
    OddName,
    /// It has more bytes than `detail`.
    TooLarge,
    /// The disk would be too full.
    DiskFull,
    /// Too much is in hand.
    Backlog,
    /// It could not be taken; `detail` says why.
    Failed,
}

impl FileWait {
    pub const ALL: [Self; 13] = [
        Self::Due,
        Self::Taking,
        Self::Grows,
        Self::Settles,
        Self::Marker,
        Self::NoZipEnd,
        Self::Unfinished,
        Self::Name,
        Self::OddName,
        Self::TooLarge,
        Self::DiskFull,
        Self::Backlog,
        Self::Failed,
    ];

    pub fn as_str(self) -> &'static str {
        self.word()
    }
}

impl Word for FileWait {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Due, "due"),
        (Self::Taking, "taking"),
        (Self::Grows, "grows"),
        (Self::Settles, "settles"),
        (Self::Marker, "marker"),
        (Self::NoZipEnd, "no-zip-end"),
        (Self::Unfinished, "unfinished"),
        (Self::Name, "name"),
        (Self::OddName, "odd-name"),
        (Self::TooLarge, "too-large"),
        (Self::DiskFull, "disk-full"),
        (Self::Backlog, "backlog"),
        (Self::Failed, "failed"),
    ];
}

/// A file that stands in an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingFile {
    /// As its sender called it. An identity code in it is not kept.
    pub name: String,
    pub bytes: u64,
    pub wait: FileWait,
    pub detail: Option<String>,
    pub since: Timestamp,
    pub until: Option<Timestamp>,
}

/// A look into one inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxLook {
    /// The name of the inbox in the settings.
    pub place: String,
    pub sender: SenderId,
    pub looked_at: Timestamp,
    /// Why nothing could be seen.
    pub error: Option<String>,
    /// Since when looks have been going well, or badly.
    pub since: Timestamp,
    /// How many files are there; `files` has the first of them.
    pub waiting: u64,
    /// By name.
    pub files: Vec<WaitingFile>,
}

/// A look takes no longer, nor does what comes before it is recorded.
const AHEAD_MILLIS: i64 = 15 * 60 * 1_000;

impl Store {
    /// Records a look, in place of the one before it, and ends the requests that it answers.
    pub fn record_look(&self, look: &InboxLook) -> Result<(), Error> {
        self.write("record a look into an inbox", |tx| {
            put_look(tx, look)?;
            // Nobody asks in time to come: what seems so was asked before the clock was set back.
            let sql = "DELETE FROM inbox_requests
                 WHERE place = ?1 AND (asked_at <= ?2 OR asked_at > ?2 + ?3)";
            let given = params![look.place, millis(look.looked_at), AHEAD_MILLIS];
            tx.execute(sql, given).doing("end a request")?;
            // What was seen before nothing could be seen is still the best that is known.
            if look.error.is_none() {
                put_files(tx, look)?;
            }
            Ok(())
        })
    }

    /// The last look into each inbox, by name.
    pub fn inbox_looks(&self) -> Result<Vec<InboxLook>, Error> {
        self.read(|db| {
            let sql = "SELECT * FROM inbox_looks ORDER BY place";
            let mut query = db.prepare_cached(sql).doing("list looks")?;
            let rows = query.query_map([], look_row).doing("list looks")?;
            let mut looks = rows.collect::<Result<Vec<_>, _>>().doing("list looks")?;
            for look in &mut looks {
                look.files = files_of(db, &look.place)?;
            }
            Ok(looks)
        })
    }

    /// Forgets the looks into inboxes that the settings no longer have.
    pub fn keep_looks(&self, places: &[&str]) -> Result<(), Error> {
        let gone: Vec<_> = self
            .inbox_looks()?
            .into_iter()
            .map(|look| look.place)
            .collect();
        let gone = gone
            .iter()
            .filter(|place| !places.contains(&place.as_str()));
        self.write("forget looks", |tx| {
            for place in gone {
                for table in ["inbox_looks", "inbox_files", "inbox_requests"] {
                    tx.execute(&format!("DELETE FROM {table} WHERE place = ?"), [place])
                        .doing("forget looks")?;
                }
            }
            Ok(())
        })
    }

    /// Asks the daemon to look into an inbox now.
    pub fn request_look(&self, place: &str, now: Timestamp) -> Result<(), Error> {
        self.write("ask for a look", |tx| {
            let sql = "INSERT OR REPLACE INTO inbox_requests VALUES (?1, ?2)";
            tx.execute(sql, params![place, millis(now)])
                .doing("ask for a look")?;
            Ok(())
        })
    }

    /// The inboxes that a look was asked for into, and that have not had it.
    pub fn requested_looks(&self) -> Result<Vec<String>, Error> {
        self.read(|db| {
            let sql = "SELECT place FROM inbox_requests";
            let mut query = db.prepare_cached(sql).doing("list requests")?;
            let places = query.query_map([], |row| row.get(0));
            places
                .doing("list requests")?
                .collect::<Result<_, _>>()
                .doing("list requests")
        })
    }

    /// When a look into an inbox was asked for that has not been had yet.
    pub fn requested_look(&self, place: &str) -> Result<Option<Timestamp>, Error> {
        self.read(|db| {
            let sql = "SELECT asked_at FROM inbox_requests WHERE place = ?";
            db.query_row(sql, [place], |row| row.time("asked_at"))
                .optional()
                .doing("look for a request")
        })
    }
}

fn put_look(tx: &Transaction<'_>, look: &InboxLook) -> Result<(), Error> {
    let sql = "INSERT OR REPLACE INTO inbox_looks (place, sender, looked_at, error, since, waiting)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let (at, since) = (millis(look.looked_at), millis(look.since));
    let sender = look.sender.as_str();
    let error = look.error.as_deref().map(without_identity_codes);
    let given = params![look.place, sender, at, error, since, look.waiting];
    tx.execute(sql, given).doing("record a look")?;
    Ok(())
}

fn put_files(tx: &Transaction<'_>, look: &InboxLook) -> Result<(), Error> {
    tx.execute("DELETE FROM inbox_files WHERE place = ?", [&look.place])
        .doing("clear the files of a look")?;
    let sql = "INSERT OR REPLACE INTO inbox_files
             (place, file_name, bytes, wait, detail, since, until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let mut put = tx.prepare_cached(sql).doing("record a waiting file")?;
    for file in &look.files {
        let (since, until) = (millis(file.since), maybe_millis(file.until));
        let wait = file.wait.word();
        let name = without_identity_codes(&file.name);
        let detail = file.detail.as_deref().map(without_identity_codes);
        let given = params![look.place, name, file.bytes, wait, detail, since, until];
        put.execute(given).doing("record a waiting file")?;
    }
    Ok(())
}

fn files_of(db: &Connection, place: &str) -> Result<Vec<WaitingFile>, Error> {
    let sql = "SELECT * FROM inbox_files WHERE place = ? ORDER BY file_name";
    let mut query = db.prepare_cached(sql).doing("list waiting files")?;
    let rows = query
        .query_map([place], file_row)
        .doing("list waiting files")?;
    rows.collect::<Result<_, _>>().doing("list waiting files")
}

pub(super) fn look_row(row: &Row<'_>) -> rusqlite::Result<InboxLook> {
    Ok(InboxLook {
        place: row.get("place")?,
        sender: row.parsed("sender")?,
        looked_at: row.time("looked_at")?,
        error: row.get("error")?,
        since: row.time("since")?,
        waiting: row.get("waiting")?,
        files: Vec::new(),
    })
}

fn file_row(row: &Row<'_>) -> rusqlite::Result<WaitingFile> {
    Ok(WaitingFile {
        name: row.get("file_name")?,
        bytes: row.get("bytes")?,
        wait: row.word("wait")?,
        detail: row.get("detail")?,
        since: row.time("since")?,
        until: row.maybe_time("until")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn look(place: &str, error: Option<&str>) -> InboxLook {
        let file = |name: &str, wait| WaitingFile {
            name: name.to_owned(),
            bytes: 7,
            wait,
            detail: None,
            since: at(3),
            until: None,
        };
        InboxLook {
            place: place.to_owned(),
            sender: "example-city".parse().unwrap(),
            looked_at: at(9),
            error: error.map(str::to_owned),
            since: at(1),
            waiting: 2,
            files: vec![file("a.zip", FileWait::Grows), file("b.zip", FileWait::Due)],
        }
    }

    #[test]
    fn a_look_is_kept_until_the_next_and_answers_requests_from_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.request_look("example-city", at(8)).unwrap();
        store.request_look("other", at(8)).unwrap();
        store.record_look(&look("example-city", None)).unwrap();
        assert_eq!(store.inbox_looks().unwrap(), [look("example-city", None)]);
        assert_eq!(store.requested_look("example-city").unwrap(), None);
        assert_eq!(store.requested_look("other").unwrap(), Some(at(8)));
        // A request made after the look began is not answered by it.
        store.request_look("example-city", at(10)).unwrap();
        store.record_look(&look("example-city", None)).unwrap();
        assert_eq!(store.requested_look("example-city").unwrap(), Some(at(10)));
    }

    #[test]
    fn a_request_from_before_the_clock_was_set_back_is_answered_too() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let seen = look("example-city", None);
        let ahead = at(9 + AHEAD_MILLIS / 1_000);
        store.request_look("example-city", ahead).unwrap();
        store.record_look(&seen).unwrap();
        assert_eq!(store.requested_look("example-city").unwrap(), Some(ahead));
        let next = ahead + jiff::SignedDuration::from_secs(1);
        store.request_look("example-city", next).unwrap();
        store.record_look(&seen).unwrap();
        assert_eq!(store.requested_look("example-city").unwrap(), None);
    }

    #[test]
    fn nobodys_identity_code_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let mut seen = look("example-city", Some("cannot list `010190-999W`"));
        store.record_look(&seen).unwrap();
        seen.error = None;
        seen.files.truncate(1);
        seen.files[0].name = "010190-999W.zip".to_owned();
        seen.files[0].detail = Some("010190-999W.zip.ok".to_owned());
        let error = store.inbox_looks().unwrap().remove(0).error.unwrap();
        assert!(!error.contains("999W"), "{error}");
        store.record_look(&seen).unwrap();
        let files = store.inbox_looks().unwrap().remove(0).files;
        assert_eq!(files[0].name, "[hidden].zip");
        assert_eq!(files[0].detail.as_deref(), Some("[hidden].zip.ok"));
    }

    #[test]
    fn a_look_that_failed_leaves_the_files_of_the_one_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.record_look(&look("example-city", None)).unwrap();
        let failed = InboxLook {
            files: Vec::new(),
            ..look("example-city", Some("the server is away"))
        };
        store.record_look(&failed).unwrap();
        let looks = store.inbox_looks().unwrap();
        assert_eq!(looks[0].error.as_deref(), Some("the server is away"));
        assert_eq!(looks[0].files.len(), 2);
        store.keep_looks(&["other"]).unwrap();
        assert_eq!(store.inbox_looks().unwrap(), []);
    }

    #[test]
    fn every_wait_has_a_word() {
        for wait in FileWait::ALL {
            assert_eq!(FileWait::of(wait.as_str()), Some(wait));
        }
    }
}
