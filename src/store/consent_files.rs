//! Files of consents that were taken, by what they hold.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::{
    Error, Store, Transaction,
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

    /// Notes what became of a file whose rows are recorded, in the words of whoever answers it, until that
    /// is done.
    pub fn owe_consent_answer(&self, sha256: &str, file: &str) -> Result<(), Error> {
        let doing = "owe an answer to a file of consents";
        let sql = "INSERT OR REPLACE INTO owed_consent_answers (sha256, file) VALUES (?1, ?2)";
        self.write(doing, |tx| {
            tx.execute(sql, [sha256, file]).doing(doing).map(drop)
        })
    }

    /// What became of a file with these bytes that was not answered.
    pub fn owed_consent_answer(&self, sha256: &str) -> Result<Option<String>, Error> {
        let doing = "look for an answer that is owed";
        let sql = "SELECT file FROM owed_consent_answers WHERE sha256 = ?";
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing(doing)?;
            let found = query.query_row([sha256], |row| row.get("file"));
            found.optional().doing(doing)
        })
    }

    /// Notes that a file was taken and answered: its bytes are known from now on.
    pub fn note_taken_consents(&self, file: &TakenConsents, now: Timestamp) -> Result<(), Error> {
        let doing = "note a file of consents";
        let sql = "INSERT OR REPLACE INTO consent_files (sha256, taken_at, rows, bad, changed)
             VALUES (?1, ?2, ?3, ?4, ?5)";
        self.write(doing, |tx| {
            let (sha256, at) = (&file.sha256, millis(now));
            let given = params![sha256, at, file.rows, file.bad, file.changed];
            tx.execute(sql, given).doing(doing)?;
            answered(tx, sha256, doing)
        })
    }

    /// Notes that a refused file was answered. The same bytes are read again.
    pub fn note_refused_consents(&self, sha256: &str) -> Result<(), Error> {
        let doing = "note a file of consents";
        self.write(doing, |tx| answered(tx, sha256, doing))
    }
}

fn answered(tx: &Transaction<'_>, sha256: &str, doing: &'static str) -> Result<(), Error> {
    let sql = "DELETE FROM owed_consent_answers WHERE sha256 = ?";
    tx.execute(sql, [sha256]).doing(doing).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> TakenConsents {
        TakenConsents {
            sha256: "ab".repeat(32),
            rows: 3,
            bad: 1,
            changed: 2,
        }
    }

    #[test]
    fn a_file_is_known_by_its_bytes_with_the_time_at_which_it_was_taken_last() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let file = file();
        assert_eq!(store.consents_taken_at(&file.sha256).unwrap(), None);
        for time in ["2026-03-01T08:00:00Z", "2026-03-02T08:00:00Z"] {
            let at = time.parse().unwrap();
            store.note_taken_consents(&file, at).unwrap();
            assert_eq!(store.consents_taken_at(&file.sha256).unwrap(), Some(at));
        }
        assert_eq!(store.consents_taken_at("cd").unwrap(), None);
    }

    #[test]
    fn an_answer_is_owed_until_its_file_is_noted() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let file = file();
        let owed = || store.owed_consent_answer(&file.sha256).unwrap();
        assert_eq!(owed(), None);
        for is_taken in [true, false] {
            for words in ["one", "other"] {
                store.owe_consent_answer(&file.sha256, words).unwrap();
                assert_eq!(owed().as_deref(), Some(words));
            }
            let noted = if is_taken {
                store.note_taken_consents(&file, Timestamp::UNIX_EPOCH)
            } else {
                store.note_refused_consents(&file.sha256)
            };
            noted.unwrap();
            assert_eq!(owed(), None);
        }
    }
}
