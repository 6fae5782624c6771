//! A backup becomes a data folder again, in which nothing is done until an operator says so.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags};

use super::{
    BackupFacts, DATABASE, beside, files,
    manifest::{self, Sums},
    named_files, path_of, remove_unfinished,
};
use crate::{
    crash_points,
    store::{Error, NewEvent, SpoolKey, Store, error::Doing, events},
};

/// Reads every file of a backup, and holds it to what the backup says of it. `tell` hears how many
/// are done, and of how many.
///
/// # Errors
///
/// [`Error::BackupDamaged`] names the first that is missing or another.
pub fn verify(folder: &Path, tell: &dyn Fn(u64, u64)) -> Result<BackupFacts, Error> {
    let facts = manifest::facts(folder)?;
    let sums = manifest::sums(folder, &facts)?;
    let length = sums.len() as u64;
    let mut wrong = Wrong::default();
    for (done, (path, sha256)) in (1..).zip(&sums) {
        match files::digest_of_file(&folder.join(path)) {
            Ok((_, found)) if found == *sha256 => {}
            Ok(_) => wrong.add(path),
            Err(Error::Backup { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                wrong.add(path);
            }
            Err(error) => return Err(error),
        }
        tell(done, length);
    }
    if wrong.count == 0 {
        check_rows(folder, &sums, &mut wrong)?;
    }
    wrong.told(folder)?;
    Ok(facts)
}

#[derive(Default)]
struct Wrong {
    count: usize,
    first: Option<String>,
}

impl Wrong {
    fn add(&mut self, path: &str) {
        self.count += 1;
        self.first.get_or_insert_with(|| path.to_owned());
    }

    fn told(self, folder: &Path) -> Result<(), Error> {
        match self.first {
            None => Ok(()),
            Some(first) => Err(Error::BackupDamaged {
                folder: folder.to_owned(),
                count: self.count,
                first,
            }),
        }
    }
}

/// The database is sound, and what its rows name is in the backup.
fn check_rows(folder: &Path, sums: &Sums, wrong: &mut Wrong) -> Result<(), Error> {
    let doing = "check the rows of a backup";
    let database = folder.join(DATABASE);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(&database, flags).doing(doing)?;
    let found: String = db
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .doing(doing)?;
    if found != "ok" {
        wrong.add(DATABASE);
    }
    for key in named_files(&database)?.keys() {
        let path = path_of(key);
        if !sums.contains_key(&path) {
            wrong.add(&path);
        }
    }
    Ok(())
}

/// Makes a data folder of a backup, which is verified first. `to` must be empty or not there: it
/// appears whole, and marked as restored.
pub fn restore(
    folder: &Path,
    to: &Path,
    action: &NewEvent,
    tell: &dyn Fn(u64, u64),
) -> Result<BackupFacts, Error> {
    if !files::is_vacant(to)? {
        return Err(Error::NotEmpty(to.to_owned()));
    }
    let facts = verify(folder, tell)?;
    let unfinished = beside(to, "unfinished");
    remove_unfinished(&unfinished)?;
    files::make_folder(&unfinished)?;
    check_room(&unfinished, &facts)?;
    let sums = manifest::sums(folder, &facts)?;
    let length = sums.len() as u64;
    for (done, (path, sha256)) in (1..).zip(&sums) {
        copy_checked(folder, &unfinished, path, sha256)?;
        tell(done, length);
    }
    let store = Store::open(&unfinished)?;
    store.mark_restored(facts.taken_at, action)?;
    drop(store);
    crash_points::before("rename", "store: restore a backup");
    files::put_in_place(&unfinished, to)?;
    crash_points::after("rename", "store: restore a backup");
    Ok(facts)
}

fn check_room(folder: &Path, facts: &BackupFacts) -> Result<(), Error> {
    let (free, needed) = (files::free_bytes(folder)?, facts.bytes);
    if free >= needed {
        return Ok(());
    }
    Err(Error::NoRoom {
        folder: folder.to_owned(),
        free,
        needed,
    })
}

fn copy_checked(from: &Path, to: &Path, path: &str, sha256: &str) -> Result<(), Error> {
    let (_, found) = files::copy(&from.join(path), &to.join(path))?;
    if found == sha256 {
        return Ok(());
    }
    Err(Error::BackupDamaged {
        folder: from.to_owned(),
        count: 1,
        first: path.to_owned(),
    })
}

impl Store {
    /// Brings files of the spool that are missing or damaged back from a backup, each only where the
    /// backup has what its row says. Returns their names.
    pub fn mend_from(&self, folder: &Path, action: &NewEvent) -> Result<Mended, Error> {
        let facts = manifest::facts(folder)?;
        let sums = manifest::sums(folder, &facts)?;
        let mut mended = Mended::default();
        for (key, sha256) in self.named_digests()? {
            if self.is_sound(&key, &sha256)? {
                continue;
            }
            let path = path_of(&key);
            if sums.get(&path) == Some(&sha256) {
                self.bring_back(&folder.join(&path), &key, &sha256)?;
                mended.brought_back.push(key.to_string());
            } else {
                mended.not_there.push(key.to_string());
            }
        }
        if !mended.brought_back.is_empty() {
            let what = format!("brought back {} files", mended.brought_back.len());
            self.write("note what was brought back", |tx| {
                events::note_house(tx, action, &what)
            })?;
        }
        Ok(mended)
    }

    fn is_sound(&self, key: &SpoolKey, sha256: &str) -> Result<bool, Error> {
        match self.spool().map_checked(key, sha256) {
            Ok(_) => Ok(true),
            Err(Error::Missing { .. } | Error::Damaged { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn bring_back(&self, from: &Path, key: &SpoolKey, sha256: &str) -> Result<(), Error> {
        let read = files::failed("read", from);
        let mut source = fs::File::open(from).map_err(&read)?;
        let mut file = self.spool().begin()?;
        io::copy(&mut source, &mut file).map_err(read)?;
        if file.sha256() != sha256 {
            return Err(Error::BackupDamaged {
                folder: PathBuf::from(from.parent().unwrap_or(from)),
                count: 1,
                first: key.to_string(),
            });
        }
        file.keep(key).map(drop)
    }
}

/// What became of spooled files that were missing or damaged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mended {
    pub brought_back: Vec<String>,
    /// Missing or damaged still: the backup does not have them.
    pub not_there: Vec<String>,
}
