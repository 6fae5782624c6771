//! What waits for somebody in the feeds of consents.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::{
    Error, Queue, Store, Transaction,
    columns::{Columns, maybe_millis, millis},
    error::Doing,
};
use crate::domain::without_identity_codes;

/// How a feed does, as of its last look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentFeed {
    pub name: String,
    /// Each of its files is a list of all consents.
    pub is_full: bool,
    /// Since when its folders cannot be used, and why.
    pub failing: Option<(Timestamp, String)>,
    /// Refused files that are kept.
    pub refused: Queue,
    /// Where the first of them lies.
    pub refused_path: Option<String>,
    /// Why the newest of them was refused.
    pub refused_why: Option<String>,
    /// Files that were taken and are kept, because some of their rows could not be used.
    pub bad: Queue,
    /// Where the first of them lies.
    pub bad_path: Option<String>,
    /// Files that nobody takes, because of their names.
    pub others: Queue,
}

/// What a look has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentFeedLook {
    pub name: String,
    pub is_full: bool,
    pub found: Result<ConsentFeedFound, String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConsentFeedFound {
    pub refused: u64,
    pub refused_path: Option<String>,
    /// Of a file that was refused in this look.
    pub refused_why: Option<String>,
    pub bad: u64,
    pub bad_path: Option<String>,
    pub others: u64,
    pub others_since: Option<Timestamp>,
    /// Why a file could not be taken, where the others were.
    pub untaken: Option<String>,
}

impl Store {
    /// Notes what a look has found, where that is something new.
    pub fn note_consent_feed(&self, look: &ConsentFeedLook, now: Timestamp) -> Result<(), Error> {
        let before = self.read(|db| feed(db, &look.name))?;
        let after = look.after(before.as_ref(), now);
        if before.as_ref() == Some(&after) {
            return Ok(());
        }
        self.write("note how a feed of consents does", |tx| put(tx, &after))
    }

    /// Forgets the feeds that are not among these.
    pub fn keep_consent_feeds(&self, names: &[&str]) -> Result<(), Error> {
        let doing = "forget a feed of consents";
        let known = self.read(feeds)?;
        let is_gone = |feed: &&ConsentFeed| !names.contains(&feed.name.as_str());
        let gone: Vec<_> = known.iter().filter(is_gone).collect();
        if gone.is_empty() {
            return Ok(());
        }
        self.write(doing, |tx| {
            for feed in gone {
                tx.execute("DELETE FROM consent_feeds WHERE name = ?", [&feed.name])
                    .doing(doing)?;
            }
            Ok(())
        })
    }
}

impl ConsentFeedLook {
    fn after(&self, before: Option<&ConsentFeed>, now: Timestamp) -> ConsentFeed {
        let mut after = before.cloned().unwrap_or_else(|| ConsentFeed {
            name: self.name.clone(),
            is_full: self.is_full,
            failing: None,
            refused: Queue::default(),
            refused_path: None,
            refused_why: None,
            bad: Queue::default(),
            bad_path: None,
            others: Queue::default(),
        });
        after.is_full = self.is_full;
        let error = self.found.as_ref().map(|found| found.untaken.as_ref());
        let failing_since = after.failing.map_or(now, |(since, _)| since);
        after.failing = error
            .unwrap_or_else(Some)
            .map(|error| (failing_since, without_identity_codes(error).into_owned()));
        if let Ok(found) = &self.found {
            after.follow(found, now);
        }
        after
    }
}

impl ConsentFeed {
    fn follow(&mut self, found: &ConsentFeedFound, now: Timestamp) {
        let kept = |count, before: Queue| Queue {
            count,
            since: (count > 0).then(|| before.since.unwrap_or(now)),
        };
        self.refused = kept(found.refused, self.refused);
        self.refused_path.clone_from(&found.refused_path);
        if found.refused == 0 || found.refused_why.is_some() {
            self.refused_why.clone_from(&found.refused_why);
        }
        self.bad = kept(found.bad, self.bad);
        self.bad_path.clone_from(&found.bad_path);
        self.others = Queue {
            count: found.others,
            since: found.others_since,
        };
    }
}

/// All feeds that have been looked into, by name.
pub(super) fn feeds(db: &Connection) -> Result<Vec<ConsentFeed>, Error> {
    let doing = "list the feeds of consents";
    let sql = "SELECT * FROM consent_feeds ORDER BY name";
    let mut query = db.prepare_cached(sql).doing(doing)?;
    let rows = query.query_map([], row).doing(doing)?;
    rows.collect::<Result<_, _>>().doing(doing)
}

fn feed(db: &Connection, name: &str) -> Result<Option<ConsentFeed>, Error> {
    let doing = "look at a feed of consents";
    let sql = "SELECT * FROM consent_feeds WHERE name = ?";
    let mut query = db.prepare_cached(sql).doing(doing)?;
    query.query_row([name], row).optional().doing(doing)
}

fn put(tx: &Transaction<'_>, feed: &ConsentFeed) -> Result<(), Error> {
    let sql =
        "INSERT OR REPLACE INTO consent_feeds VALUES (:name, :is_full, :failing_since, :error,
         :refused, :refused_since, :refused_path, :refused_why, :others, :others_since,
         :bad, :bad_since, :bad_path)";
    let (failing_since, error) = feed.failing.as_ref().map(|(at, why)| (*at, why)).unzip();
    let given = named_params! {
        ":name": feed.name,
        ":is_full": feed.is_full,
        ":failing_since": failing_since.map(millis),
        ":error": error,
        ":refused": feed.refused.count,
        ":refused_since": maybe_millis(feed.refused.since),
        ":refused_path": feed.refused_path,
        ":refused_why": feed.refused_why,
        ":others": feed.others.count,
        ":others_since": maybe_millis(feed.others.since),
        ":bad": feed.bad.count,
        ":bad_since": maybe_millis(feed.bad.since),
        ":bad_path": feed.bad_path,
    };
    tx.execute(sql, given)
        .doing("note how a feed of consents does")?;
    Ok(())
}

fn row(row: &Row<'_>) -> rusqlite::Result<ConsentFeed> {
    let failing_since = row.maybe_time("failing_since")?;
    let error: Option<String> = row.get("error")?;
    Ok(ConsentFeed {
        name: row.get("name")?,
        is_full: row.get("is_full")?,
        failing: failing_since.zip(error),
        refused: Queue {
            count: row.get("refused")?,
            since: row.maybe_time("refused_since")?,
        },
        refused_path: row.get("refused_path")?,
        refused_why: row.get("refused_why")?,
        bad: Queue {
            count: row.get("bad")?,
            since: row.maybe_time("bad_since")?,
        },
        bad_path: row.get("bad_path")?,
        others: Queue {
            count: row.get("others")?,
            since: row.maybe_time("others_since")?,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn look(found: Result<ConsentFeedFound, &str>) -> ConsentFeedLook {
        ConsentFeedLook {
            name: "register".to_owned(),
            is_full: true,
            found: found.map_err(str::to_owned),
        }
    }

    fn refused(why: Option<&str>) -> ConsentFeedLook {
        look(Ok(ConsentFeedFound {
            refused: 1,
            refused_path: Some("/feeds/a.csv".to_owned()),
            refused_why: why.map(str::to_owned),
            ..ConsentFeedFound::default()
        }))
    }

    #[test]
    fn a_refused_file_is_told_with_its_reason_until_it_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let told = |given: &ConsentFeedLook, second| {
            store.note_consent_feed(given, at(second)).unwrap();
            store.read(feeds).unwrap().remove(0)
        };
        told(&refused(Some("the list is empty")), 1);
        let still = told(&refused(None), 2);
        assert_eq!(still.refused.since, Some(at(1)));
        assert_eq!(still.refused_why.as_deref(), Some("the list is empty"));
        // A folder that is away says nothing of what lies there.
        told(&look(Err("no such folder 010190-999W")), 3);
        let away = told(&look(Err("no such folder 010190-999W")), 4);
        assert_eq!(away.refused.count, 1);
        let error = "no such folder [hidden]".to_owned();
        assert_eq!(away.failing, Some((at(3), error)));
        let gone = told(&look(Ok(ConsentFeedFound::default())), 5);
        assert_eq!((gone.refused, gone.refused_why), (Queue::default(), None));
        assert_eq!(gone.failing, None);
    }

    #[test]
    fn a_file_that_cannot_be_taken_is_told_beside_what_the_others_left() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let found = ConsentFeedFound {
            bad: 2,
            bad_path: Some("/feeds/b.csv".to_owned()),
            untaken: Some("cannot read `010190-999W.csv`".to_owned()),
            ..ConsentFeedFound::default()
        };
        for second in [1, 2] {
            let given = look(Ok(found.clone()));
            store.note_consent_feed(&given, at(second)).unwrap();
        }
        let told = store.read(feeds).unwrap().remove(0);
        let error = "cannot read `[hidden].csv`".to_owned();
        assert_eq!(told.failing, Some((at(1), error)));
        assert_eq!((told.bad.count, told.bad.since), (2, Some(at(1))));
        assert_eq!(told.bad_path.as_deref(), Some("/feeds/b.csv"));
    }

    #[test]
    fn a_feed_that_the_settings_do_not_have_any_more_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.note_consent_feed(&refused(None), at(1)).unwrap();
        store.keep_consent_feeds(&["register"]).unwrap();
        assert_eq!(store.read(feeds).unwrap().len(), 1);
        store.keep_consent_feeds(&["other"]).unwrap();
        assert_eq!(store.read(feeds).unwrap(), []);
    }
}
