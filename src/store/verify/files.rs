//! Files that rows name, and files that none does.

use std::{
    collections::HashSet,
    fs,
    time::{Duration, SystemTime},
};

use rusqlite::params;

use super::{
    super::{Error, SpoolKey, Store, error::Doing, sweep::KEPT},
    Verification, Verified, VerifyProgress,
};
use crate::domain::Breach;

/// A file gets its row within this time of being written.
const ON_ITS_WAY: Duration = Duration::from_hours(1);

/// A file of the spool as a row names it.
pub(super) struct NamedFile {
    pub(super) key: SpoolKey,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

impl Store {
    pub(super) fn verify_files(
        &self,
        named: &[NamedFile],
        options: &Verification,
        found: &mut Verified,
        on_progress: &dyn Fn(VerifyProgress),
    ) -> Result<(), Error> {
        let all = named.iter().map(|file| file.bytes).sum();
        let mut done = 0;
        for file in named {
            on_progress(VerifyProgress::Files(done, all));
            if let Some((breach, how)) = self.look_at(file, options.deep)
                && self.is_named(&file.key)?
            {
                found.add(breach, &file.key, how);
            }
            done += file.bytes;
        }
        found.files = named.len() as u64;
        found.bytes = all;
        if options.batches.is_empty() {
            self.look_for_unnamed(named, options, found)?;
        }
        Ok(())
    }

    /// What is wrong with a file.
    fn look_at(&self, file: &NamedFile, deep: bool) -> Option<(Breach, String)> {
        let spool = self.spool();
        let found = match fs::metadata(spool.path(&file.key)) {
            Ok(found) => found.len(),
            Err(error) => return Some((Breach::FileMissing, error.to_string())),
        };
        if found != file.bytes {
            let how = format!("it has {found} bytes and should have {}", file.bytes);
            return Some((Breach::FileDamaged, how));
        }
        if !deep {
            return None;
        }
        match spool.map_checked(&file.key, &file.sha256) {
            Ok(_) => None,
            Err(Error::Damaged { .. }) => {
                let how = "its digest is not the one recorded".to_owned();
                Some((Breach::FileDamaged, how))
            }
            Err(error) => Some((Breach::FileDamaged, error.to_string())),
        }
    }

    /// Whether a row names the file at this moment.
    fn is_named(&self, key: &SpoolKey) -> Result<bool, Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM batches
                  WHERE spool = ?1 AND payload_purged_at IS NULL)
             OR EXISTS (SELECT 1 FROM outgoing_files f
                  JOIN outgoing o ON o.id = f.outgoing JOIN batches b ON b.id = o.batch
                  WHERE f.spool = ?1 AND o.state <> 'withdrawn'
                    AND (o.bundle IS NULL OR b.payload_purged_at IS NULL))";
        self.read(|db| {
            db.query_row(sql, params![key.0], |row| row.get(0))
                .doing("look for a file's row")
        })
    }

    fn look_for_unnamed(
        &self,
        named: &[NamedFile],
        options: &Verification,
        found: &mut Verified,
    ) -> Result<(), Error> {
        let known: HashSet<&SpoolKey> = named.iter().map(|file| &file.key).collect();
        for folder in KEPT {
            for key in self.spool().keys_in(folder)? {
                if known.contains(&key)
                    || options.is_worked_on && self.may_be_on_its_way(&key, options)
                {
                    continue;
                }
                if !self.is_named(&key)? {
                    found.add(Breach::FileUnnamed, &key, "no row names it");
                }
            }
        }
        Ok(())
    }

    fn may_be_on_its_way(&self, key: &SpoolKey, options: &Verification) -> bool {
        let written = fs::metadata(self.spool().path(key)).and_then(|found| found.modified());
        let now = SystemTime::from(options.now);
        // One that is gone by now was, at least.
        written.map_or(true, |at| {
            now.duration_since(at).unwrap_or_default() < ON_ITS_WAY
        })
    }
}
