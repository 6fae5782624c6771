use std::collections::HashSet;

use super::{Error, SpoolKey, Store, error::Doing};

/// Folders of the spool whose files rows point to.
const KEPT: [&str; 3] = ["batches", "quarantine", "outgoing"];
/// Folders whose files can be made again from those: emptied at every start.
const SCRATCH: [&str; 2] = ["temporary", "documents"];

impl Store {
    /// Removes what a crash left behind. Only for a start, under the folder's lock: a file that is
    /// being written has no row yet. Returns how many files went.
    pub fn sweep(&self) -> Result<usize, Error> {
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
