use std::collections::HashSet;

use super::{Error, SpoolKey, Store, error::Doing};
use crate::domain::{BatchId, BundleId};

/// Folders of the spool whose files rows point to.
pub(super) const KEPT: [&str; 3] = ["batches", "quarantine", "outgoing"];
/// Folders whose files can be made again from those: emptied at every start.
const SCRATCH: [&str; 2] = ["temporary", "documents"];

impl Store {
    /// Removes what a crash left behind. Only for a start, under the folder's lock: a file that is
    /// being written has no row yet. Returns how many files went.
    ///
    /// # Errors
    ///
    /// [`Error::OlderThanSpool`] where the spool has files of batches that the database does not know:
    /// it is empty, or of another moment, and what looks left over is all that is left. Nothing is
    /// removed.
    pub fn sweep(&self) -> Result<usize, Error> {
        self.spool_is_no_newer()?;
        let named = self.named_files()?;
        let mut removed = 0;
        for folder in SCRATCH.into_iter().chain(KEPT) {
            for key in self.spool().keys_in(folder)? {
                if !named.contains(&key) {
                    self.spool().remove(&key)?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    /// Files that a row names and that are not there: damage that only a backup can mend.
    pub fn missing_files(&self) -> Result<Vec<SpoolKey>, Error> {
        let named = self.named_files()?;
        Ok(named
            .into_iter()
            .filter(|key| !self.spool().contains(key))
            .collect())
    }

    /// Such files are written for rows that are on the disk.
    fn spool_is_no_newer(&self) -> Result<(), Error> {
        let sql = "SELECT (SELECT COALESCE(MAX(id), 0) FROM batches),
                          (SELECT COALESCE(MAX(id), 0) FROM bundles)";
        let newest = |db: &rusqlite::Connection| {
            db.query_row(sql, [], |row| {
                Ok((BatchId(row.get(0)?), BundleId(row.get(1)?)))
            })
            .doing("look for the newest batch")
        };
        let (batch, bundle) = self.read(newest)?;
        for folder in ["quarantine", "outgoing"] {
            for key in self.spool().keys_in(folder)? {
                let name = key.file_name();
                let id = name.split('.').next().unwrap_or_default();
                let of_batch = id.parse::<BatchId>().is_ok_and(|id| id > batch);
                let of_bundle = id.parse::<BundleId>().is_ok_and(|id| id > bundle);
                if of_batch || of_bundle {
                    let file = key.to_string();
                    return Err(Error::OlderThanSpool {
                        newest: batch,
                        file,
                    });
                }
            }
        }
        Ok(())
    }

    fn named_files(&self) -> Result<HashSet<SpoolKey>, Error> {
        // What was purged is named still, so that it can be told; it is not there.
        let sql = "SELECT spool FROM batches WHERE payload_purged_at IS NULL
             UNION SELECT f.spool FROM outgoing_files f JOIN outgoing o ON o.id = f.outgoing
              JOIN batches b ON b.id = o.batch
              WHERE o.state <> 'withdrawn' AND (o.bundle IS NULL OR b.payload_purged_at IS NULL)";
        self.read(|db| {
            let mut query = db.prepare(sql).doing("list named files")?;
            let rows = query.query_map([], |row| Ok(SpoolKey(row.get(0)?)));
            rows.doing("list named files")?
                .collect::<Result<_, _>>()
                .doing("list named files")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(store: &Store, key: &SpoolKey) {
        store.spool().begin().unwrap().keep(key).unwrap();
    }

    #[test]
    fn an_empty_database_beside_a_spool_with_work_removes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let left_over = SpoolKey::new("batches", "example-city-0a.zip");
        keep(&store, &left_over);
        for name in [
            "outgoing/B-0001.acknowledgement-0.xml",
            "outgoing/P-0001.pdf",
        ] {
            let of_a_row = SpoolKey(name.to_owned());
            keep(&store, &of_a_row);
            let refused = store.sweep().unwrap_err();
            assert!(matches!(refused, Error::OlderThanSpool { .. }), "{refused}");
            assert!(store.spool().contains(&left_over));
            store.spool().remove(&of_a_row).unwrap();
        }
        assert_eq!(store.sweep().unwrap(), 1);
    }
}
