//! What has been taken of inboxes where files stay as they stand.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::{
    Error, Store, Transaction,
    columns::{Columns, millis},
    error::Doing,
};
use crate::domain::BatchId;

/// A file as it stands in an inbox.
#[derive(Debug, Clone, Copy)]
pub struct SeenFile<'a> {
    pub place: &'a str,
    pub file_name: &'a str,
    pub bytes: u64,
    /// By the clock of the other side, in whole seconds.
    pub modified: Option<Timestamp>,
}

/// A file that was taken and left where it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFile {
    pub bytes: u64,
    pub modified: Option<Timestamp>,
    /// In lower-case hex.
    pub sha256: String,
    pub batch: BatchId,
    /// Since when no look has found it.
    pub missing_since: Option<Timestamp>,
}

impl Store {
    /// The known files of one inbox, by name.
    pub fn known_files(&self, place: &str) -> Result<HashMap<String, KnownFile>, Error> {
        self.read(|db| {
            let sql = "SELECT * FROM known_files WHERE place = ?";
            let mut query = db.prepare_cached(sql).doing("list known files")?;
            let rows = query.query_map([place], known_row);
            rows.doing("list known files")?
                .collect::<Result<_, _>>()
                .doing("list known files")
        })
    }

    /// What is known of a file of this name.
    pub fn known_file(&self, seen: &SeenFile<'_>) -> Result<Option<KnownFile>, Error> {
        self.read(|db| {
            let sql = "SELECT * FROM known_files WHERE place = ? AND file_name = ?";
            let given = params![seen.place, seen.file_name];
            let known = db.query_row(sql, given, known_row).optional();
            Ok(known
                .doing("look for a known file")?
                .map(|(_, known)| known))
        })
    }

    /// Notes that a known file has another time now, and the bytes that it had.
    pub fn know_file_again(
        &self,
        seen: &SeenFile<'_>,
        sha256: &str,
        batch: BatchId,
    ) -> Result<(), Error> {
        self.write("note a known file", |tx| note(tx, seen, sha256, batch))
    }

    /// Notes which known files are no longer there, and which are there again, and forgets those
    /// that have been gone since before `forget`.
    pub fn miss_known_files(
        &self,
        place: &str,
        gone: &[&str],
        back: &[&str],
        now: Timestamp,
        forget: Timestamp,
    ) -> Result<(), Error> {
        self.write("note missing files", |tx| {
            let set =
                "UPDATE known_files SET missing_since = ?3 WHERE place = ?1 AND file_name = ?2";
            let mut set = tx.prepare_cached(set).doing("note a missing file")?;
            for name in gone {
                set.execute(params![place, name, millis(now)])
                    .doing("note a missing file")?;
            }
            for name in back {
                set.execute(params![place, name, None::<i64>])
                    .doing("note a file that is back")?;
            }
            let sql = "DELETE FROM known_files WHERE place = ?1 AND missing_since < ?2";
            tx.execute(sql, params![place, millis(forget)])
                .doing("forget missing files")?;
            Ok(())
        })
    }
}

pub(super) fn note(
    tx: &Transaction<'_>,
    seen: &SeenFile<'_>,
    sha256: &str,
    batch: BatchId,
) -> Result<(), Error> {
    let sql = "INSERT OR REPLACE INTO known_files
             (place, file_name, bytes, modified, sha256, batch, missing_since)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL)";
    let modified = seen.modified.map(Timestamp::as_second);
    let given = params![
        seen.place,
        seen.file_name,
        seen.bytes,
        modified,
        sha256,
        batch.0
    ];
    tx.execute(sql, given).doing("note a known file")?;
    Ok(())
}

fn known_row(row: &Row<'_>) -> rusqlite::Result<(String, KnownFile)> {
    let modified: Option<i64> = row.get("modified")?;
    let known = KnownFile {
        bytes: row.get("bytes")?,
        modified: modified.and_then(|seconds| Timestamp::from_second(seconds).ok()),
        sha256: row.get("sha256")?,
        batch: row.batch("batch")?,
        missing_since: row.maybe_time("missing_since")?,
    };
    Ok((row.get("file_name")?, known))
}
