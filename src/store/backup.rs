//! A consistent copy of the data folder while the daemon works in it.
//!
//! First the rows, of one moment, then the files that these rows name, then keys and mailboxes. Files of
//! the spool never change, so those that are still there are those of the moment; where one has gone
//! meanwhile, the moment is taken again. Mailboxes come after the rows: what these say is delivered
//! is there, and what was delivered since is found there by its id.

mod files;
mod manifest;
mod restore;

use std::{
    collections::{BTreeMap, HashSet},
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};

use self::manifest::Sums;
pub use self::{
    manifest::BackupFacts,
    restore::{Mended, restore, verify},
};
use super::{Error, NewEvent, SpoolKey, Store, error::Doing, events};
use crate::crash_points;

const DATABASE: &str = "kuori.sqlite";
/// How often the moment is taken again before it is given up.
const TRIES: u32 = 5;

/// What a backup is to hold, and from which it may take files.
#[derive(Debug, Clone, Default)]
pub struct BackupWish {
    /// Folders of the data folder that are copied whole: host keys, mailboxes.
    pub folders: Vec<PathBuf>,
    pub has_mailboxes: bool,
    /// An earlier backup: files of the spool that it holds are given a second name.
    pub earlier: Option<PathBuf>,
}

/// What was copied.
#[derive(Debug, Clone)]
pub struct BackupMade {
    pub facts: BackupFacts,
    /// Files that share their bytes with the spool or with an earlier backup.
    pub linked: u64,
    /// Spooled files that are not what their rows say, and for which no earlier backup has better.
    pub damaged: Vec<SpoolKey>,
    /// Files below the folders whose names cannot be listed.
    pub left_out: u64,
}

/// The backups below a folder of dated ones, oldest first.
pub fn dated_backups(folder: &Path) -> Vec<PathBuf> {
    manifest::dated(folder)
}

impl Store {
    /// Copies the house as of one moment to `to`, which must be empty or not there: it appears whole.
    /// `tell` hears how many files are done, and of how many.
    pub fn back_up(
        &self,
        to: &Path,
        wish: &BackupWish,
        action: &NewEvent,
        tell: &dyn Fn(u64, u64),
    ) -> Result<BackupMade, Error> {
        if !files::is_vacant(to)? {
            return Err(Error::NotEmpty(to.to_owned()));
        }
        let unfinished = beside(to, "unfinished");
        remove_unfinished(&unfinished)?;
        files::make_folder(&unfinished)?;
        let earlier = wish.earlier.as_deref().map(Earlier::open).transpose()?;
        let copy = Copy {
            store: self,
            wish,
            earlier,
            to: unfinished,
            sums: Sums::new(),
            bytes: 0,
            linked: 0,
            damaged: Vec::new(),
            left_out: 0,
        };
        let made = copy.make(action.at, tell)?;
        crash_points::before("rename", "store: keep a backup");
        files::put_in_place(&beside(to, "unfinished"), to)?;
        crash_points::after("rename", "store: keep a backup");
        self.write("note a backup", |tx| {
            events::note_house(tx, action, "backed up")
        })?;
        Ok(made)
    }
}

/// `<name>.<ending>` in the same folder.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}

/// What a run that was killed has left.
fn remove_unfinished(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(files::failed("remove", folder)(error))
        }
        _ => Ok(()),
    }
}

/// An earlier backup, with what it says of its files.
struct Earlier {
    folder: PathBuf,
    sums: Sums,
}

impl Earlier {
    fn open(folder: &Path) -> Result<Self, Error> {
        let facts = manifest::facts(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            sums: manifest::sums(folder, &facts)?,
        })
    }
}

/// A file of the spool as a row has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    sha256: String,
    bytes: u64,
}

/// A backup that is being made.
struct Copy<'a> {
    store: &'a Store,
    wish: &'a BackupWish,
    earlier: Option<Earlier>,
    to: PathBuf,
    sums: Sums,
    bytes: u64,
    linked: u64,
    damaged: Vec<SpoolKey>,
    left_out: u64,
}

impl Copy<'_> {
    fn make(mut self, now: Timestamp, tell: &dyn Fn(u64, u64)) -> Result<BackupMade, Error> {
        self.rows_and_spool(tell)?;
        self.top_files()?;
        for folder in &self.wish.folders {
            self.folder(folder)?;
        }
        let mut facts = BackupFacts {
            taken_at: now,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            house: self.store.house_name()?,
            files: self.sums.len() as u64,
            bytes: self.bytes,
            has_mailboxes: self.wish.has_mailboxes,
            sums_sha256: String::new(),
        };
        files::sync_disk(&self.to)?;
        manifest::write(&self.to, &self.sums, &mut facts)?;
        Ok(BackupMade {
            facts,
            linked: self.linked,
            damaged: self.damaged,
            left_out: self.left_out,
        })
    }

    fn rows_and_spool(&mut self, tell: &dyn Fn(u64, u64)) -> Result<(), Error> {
        for _ in 0..TRIES {
            let named = self.rows()?;
            self.drop_all_but(&named)?;
            self.check_room(&named)?;
            if self.spool(&named, tell)? {
                let (bytes, sha256) = files::digest_of_file(&self.to.join(DATABASE))?;
                self.add(DATABASE.to_owned(), bytes, sha256);
                return Ok(());
            }
        }
        Err(Error::Unsteady)
    }

    /// The rows of one moment, and the files that they name.
    fn rows(&self) -> Result<BTreeMap<SpoolKey, Named>, Error> {
        let doing = "copy the rows of one moment";
        let path = self.to.join(DATABASE);
        let _ = fs::remove_file(&path);
        drop(files::new_file(&path)?);
        let apart = self.store.connect_apart()?;
        let size = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        let needed = apart.query_row(size, [], |row| row.get(0)).doing(doing)?;
        self.room_for(needed)?;
        let to = path.to_string_lossy();
        apart.execute("VACUUM INTO ?", [&*to]).doing(doing)?;
        named_files(&path)
    }

    /// What an earlier try copied and the rows of this one do not name.
    fn drop_all_but(&mut self, named: &BTreeMap<SpoolKey, Named>) -> Result<(), Error> {
        let paths: HashSet<_> = named.keys().map(path_of).collect();
        let gone: Vec<_> = self
            .sums
            .keys()
            .filter(|path| !paths.contains(*path))
            .cloned()
            .collect();
        for path in gone {
            let file = self.to.join(&path);
            fs::remove_file(&file).map_err(files::failed("remove", &file))?;
            self.sums.remove(&path);
        }
        Ok(())
    }

    fn check_room(&self, named: &BTreeMap<SpoolKey, Named>) -> Result<(), Error> {
        let spool = self.store.spool().data_folder().join("spool");
        if files::share_a_disk(&spool, &self.to) {
            return Ok(());
        }
        let is_new = |key: &SpoolKey, named: &Named| !self.has_earlier(&path_of(key), named);
        let new = named.iter().filter(|(key, named)| is_new(key, named));
        self.room_for(new.map(|(_, named)| named.bytes).sum())
    }

    fn room_for(&self, needed: u64) -> Result<(), Error> {
        let free = files::free_bytes(&self.to)?;
        if free >= needed {
            return Ok(());
        }
        Err(Error::NoRoom {
            folder: self.to.clone(),
            free,
            needed,
        })
    }

    fn has_earlier(&self, path: &str, named: &Named) -> bool {
        let earlier = self.earlier.as_ref();
        earlier.is_some_and(|earlier| earlier.sums.get(path) == Some(&named.sha256))
    }

    /// `false` where a file has gone since the moment of the rows.
    fn spool(
        &mut self,
        named: &BTreeMap<SpoolKey, Named>,
        tell: &dyn Fn(u64, u64),
    ) -> Result<bool, Error> {
        let length = named.len() as u64;
        for (done, (key, named)) in (1..).zip(named) {
            if !self.sums.contains_key(&path_of(key)) && !self.spooled(key, named)? {
                return Ok(false);
            }
            tell(done, length);
        }
        Ok(true)
    }

    /// One file of the spool: out of an earlier backup, by a second name, or as a copy.
    fn spooled(&mut self, key: &SpoolKey, named: &Named) -> Result<bool, Error> {
        let path = path_of(key);
        let to = self.to.join(&path);
        if self.has_earlier(&path, named)
            && let Some(earlier) = &self.earlier
            && files::link(&earlier.folder.join(&path), &to).unwrap_or(false)
        {
            self.linked += 1;
            self.add(path, named.bytes, named.sha256.clone());
            return Ok(true);
        }
        let from = self.store.spool().path(key);
        let (is_linked, bytes, sha256) = match link_or_copy(&from, &to) {
            Err(Error::Backup { source, .. })
                if source.kind() == io::ErrorKind::NotFound && !from.exists() =>
            {
                return Ok(false);
            }
            done => done?,
        };
        self.linked += u64::from(is_linked);
        if sha256 != named.sha256 {
            self.damaged.push(key.clone());
        }
        self.add(path, bytes, sha256);
        Ok(true)
    }

    /// Keys and what else stands beside the database.
    fn top_files(&mut self) -> Result<(), Error> {
        let data = self.store.spool().data_folder().to_owned();
        let list = files::failed("list", &data);
        for entry in fs::read_dir(&data).map_err(&list)? {
            let entry = entry.map_err(&list)?;
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            let name = entry.file_name();
            let is_ours = |name: &str| name.starts_with(DATABASE) || name == "kuori.lock";
            if is_file && !name.to_str().is_some_and(is_ours) {
                self.file(&data.join(&name), Path::new(&name))?;
            }
        }
        Ok(())
    }

    /// Everything below a folder. Of a Maildir `new` before `cur`, as messages move, and no message of
    /// both; drafts are left out.
    fn folder(&mut self, below: &Path) -> Result<(), Error> {
        let from = self.store.spool().data_folder().join(below);
        let mut entries = match fs::read_dir(&from) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            listed => listed
                .and_then(Iterator::collect::<io::Result<Vec<_>>>)
                .map_err(files::failed("list", &from))?,
        };
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.file_name()));
        for entry in entries {
            let path = below.join(entry.file_name());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && entry.file_name() != "tmp" => self.folder(&path)?,
                Ok(kind) if kind.is_file() && !self.has_moved(&path) => {
                    self.file(&entry.path(), &path)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a message was copied out of `new` before a mail program moved it.
    fn has_moved(&self, path: &Path) -> bool {
        let above = path.parent();
        if above
            .and_then(Path::file_name)
            .is_none_or(|name| name != "cur")
        {
            return false;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.split(':').next().unwrap_or_default().to_owned();
        let new = above
            .and_then(Path::parent)
            .map(|maildir| maildir.join("new"));
        new.and_then(|new| Some(new.join(&name).to_str()?.to_owned()))
            .is_some_and(|path| self.sums.contains_key(&path))
    }

    fn file(&mut self, from: &Path, below: &Path) -> Result<(), Error> {
        let listed = below.to_str().filter(|path| !path.contains(['\n', '\\']));
        let Some(path) = listed else {
            self.left_out += 1;
            return Ok(());
        };
        match files::copy(from, &self.to.join(path)) {
            // Moved or removed meanwhile by its owner.
            Err(Error::Backup { source, .. })
                if source.kind() == io::ErrorKind::NotFound && !from.exists() =>
            {
                Ok(())
            }
            copied => {
                let (bytes, sha256) = copied?;
                self.add(path.to_owned(), bytes, sha256);
                Ok(())
            }
        }
    }

    fn add(&mut self, path: String, bytes: u64, sha256: String) {
        self.bytes += bytes;
        self.sums.insert(path, sha256);
    }
}

fn link_or_copy(from: &Path, to: &Path) -> Result<(bool, u64, String), Error> {
    if files::link(from, to)? {
        let (bytes, sha256) = files::digest_of_file(to)?;
        return Ok((true, bytes, sha256));
    }
    let (bytes, sha256) = files::copy(from, to)?;
    Ok((false, bytes, sha256))
}

fn path_of(key: &SpoolKey) -> String {
    format!("spool/{key}")
}

/// The files that the rows of a copied database name.
fn named_files(database: &Path) -> Result<BTreeMap<SpoolKey, Named>, Error> {
    let doing = "list the files of a backup";
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(database, flags).doing(doing)?;
    let sql = "SELECT spool, sha256, bytes FROM batches WHERE payload_purged_at IS NULL
         UNION SELECT f.spool, f.sha256, f.bytes FROM outgoing_files f
           JOIN outgoing o ON o.id = f.outgoing JOIN batches b ON b.id = o.batch
          WHERE o.state <> 'withdrawn' AND (o.bundle IS NULL OR b.payload_purged_at IS NULL)";
    let mut query = db.prepare(sql).doing(doing)?;
    let rows = query.query_map([], |row| {
        let (sha256, bytes) = (row.get(1)?, row.get(2)?);
        Ok((SpoolKey(row.get(0)?), Named { sha256, bytes }))
    });
    rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)
}
