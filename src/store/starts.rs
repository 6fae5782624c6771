//! When daemons began and ended to work in the data folder.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    Error, Store,
    columns::{Columns, millis},
    error::Doing,
};

/// A daemon that works in the data folder, or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    pub id: i64,
    pub started_at: Timestamp,
    pub version: String,
    pub pid: u32,
    /// `None`: it runs, or did not end by itself.
    pub stopped_at: Option<Timestamp>,
}

/// Starts that are kept: older ones tell nothing.
const KEPT: i64 = 1_000;

impl Store {
    /// Records that a daemon begins. Only under the folder's lock.
    pub fn record_start(&self, version: &str, pid: u32, now: Timestamp) -> Result<Start, Error> {
        let doing = "record a start";
        let sql = "INSERT INTO daemon_starts (started_at, version, pid) VALUES (?1, ?2, ?3)
             RETURNING *";
        self.write(doing, |tx| {
            let start = tx.query_row(sql, params![millis(now), version, pid], start_row);
            let start = start.doing(doing)?;
            let forget = "DELETE FROM daemon_starts WHERE id <= ?1";
            tx.execute(forget, [start.id - KEPT]).doing(doing)?;
            Ok(start)
        })
    }

    /// Records that the daemon ends because it was told to.
    pub fn record_stop(&self, start: &Start, now: Timestamp) -> Result<(), Error> {
        let sql = "UPDATE daemon_starts SET stopped_at = ?2 WHERE id = ?1";
        self.write("record a stop", |tx| {
            tx.execute(sql, params![start.id, millis(now)])
                .doing("record a stop")?;
            Ok(())
        })
    }

    /// Writes something, to see whether that works.
    pub fn try_to_write(&self, start: &Start, now: Timestamp) -> Result<(), Error> {
        let sql = "UPDATE daemon_starts SET written_at = ?2 WHERE id = ?1";
        self.write("try to write", |tx| {
            tx.execute(sql, params![start.id, millis(now)])
                .doing("try to write")?;
            Ok(())
        })
    }
}

pub(super) fn newest(db: &Connection) -> Result<Option<Start>, Error> {
    let sql = "SELECT * FROM daemon_starts ORDER BY id DESC LIMIT 1";
    let found = db.query_row(sql, [], start_row).optional();
    found.doing("find the last start")
}

/// How many starts before the newest did not end by themselves, back to one that did.
pub(super) fn crashes_in_a_row(db: &Connection) -> Result<u64, Error> {
    let sql = "SELECT COUNT(*) FROM daemon_starts
         WHERE id < (SELECT MAX(id) FROM daemon_starts)
           AND id > COALESCE((SELECT MAX(id) FROM daemon_starts WHERE stopped_at IS NOT NULL), 0)";
    db.query_row(sql, [], |row| row.get(0))
        .doing("count crashes")
}

fn start_row(row: &Row<'_>) -> rusqlite::Result<Start> {
    Ok(Start {
        id: row.get("id")?,
        started_at: row.time("started_at")?,
        version: row.get("version")?,
        pid: row.get("pid")?,
        stopped_at: row.maybe_time("stopped_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_that_did_not_end_by_themselves_are_counted_back_to_one_that_did() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let crashes = || store.status(now).unwrap().crashes_in_a_row;
        let first = store.record_start("0.1.0", 7, now).unwrap();
        assert_eq!(crashes(), 0);
        store.record_stop(&first, now).unwrap();
        store.record_start("0.1.0", 8, now).unwrap();
        assert_eq!(crashes(), 0);
        store.record_start("0.1.0", 9, now).unwrap();
        let last = store.record_start("0.1.0", 10, now).unwrap();
        assert_eq!(crashes(), 2);
        store.record_stop(&last, now).unwrap();
        assert_eq!(crashes(), 0);
    }
}
