//! Files of consents that were taken, by what they hold.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::{
    Error, Store,
    columns::{Columns, millis},
    error::Doing,
};

/// A file of consents that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenConsents {
    /// Of the file, in hexadecimal digits.
    pub sha256: String,
    pub rows: u64,
    pub bad: u64,
    pub changed: u64,
}

impl Store {
    /// When a file with these bytes was taken last.
    pub fn consents_taken_at(&self, sha256: &str) -> Result<Option<Timestamp>, Error> {
        let doing = "look for a file of consents";
        let sql = "SELECT taken_at FROM consent_files WHERE sha256 = ?";
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing(doing)?;
            let found = query.query_row([sha256], |row| row.time("taken_at"));
            found.optional().doing(doing)
        })
    }

    /// Notes that a file was taken. Its rows are recorded by then: where this fails they are taken again,
    /// which changes nothing.
    pub fn note_taken_consents(&self, file: &TakenConsents, now: Timestamp) -> Result<(), Error> {
        let doing = "note a file of consents";
        let sql = "INSERT OR REPLACE INTO consent_files (sha256, taken_at, rows, bad, changed)
             VALUES (?1, ?2, ?3, ?4, ?5)";
        self.write(doing, |tx| {
            let (sha256, at) = (&file.sha256, millis(now));
            let given = params![sha256, at, file.rows, file.bad, file.changed];
            tx.execute(sql, given).doing(doing)?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_bytes_with_the_time_at_which_it_was_taken_last() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let file = TakenConsents {
            sha256: "ab".repeat(32),
            rows: 3,
            bad: 1,
            changed: 2,
        };
        assert_eq!(store.consents_taken_at(&file.sha256).unwrap(), None);
        for time in ["2026-03-01T08:00:00Z", "2026-03-02T08:00:00Z"] {
            let at = time.parse().unwrap();
            store.note_taken_consents(&file, at).unwrap();
            assert_eq!(store.consents_taken_at(&file.sha256).unwrap(), Some(at));
        }
        assert_eq!(store.consents_taken_at("cd").unwrap(), None);
    }
}
