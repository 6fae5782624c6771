//! What a backup says of itself: `SHA256SUMS`, which `sha256sum -c` reads, and `backup.json`, which is
//! written last. Without it a folder is no backup.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::files;
use crate::store::Error;

pub(super) const SUMS: &str = "SHA256SUMS";
pub(super) const FACTS: &str = "backup.json";

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupFacts {
    /// The moment that all its rows are of; nothing later is in them.
    pub taken_at: Timestamp,
    /// The program that made it.
    pub version: String,
    /// The data folder's own name.
    pub house: String,
    /// Files, those that tell of the backup itself left out.
    pub files: u64,
    pub bytes: u64,
    /// Whether recipients' mailboxes are in it.
    pub has_mailboxes: bool,
    /// Digest of `SHA256SUMS`.
    pub sums_sha256: String,
}

/// Digests by path below the backup's folder, `/` between folders.
pub(super) type Sums = BTreeMap<String, String>;

/// Writes both, the facts last.
pub(super) fn write(folder: &Path, sums: &Sums, facts: &mut BackupFacts) -> Result<(), Error> {
    let mut text = String::new();
    for (path, sha256) in sums {
        text.push_str(sha256);
        text.push_str("  ");
        text.push_str(path);
        text.push('\n');
    }
    facts.sums_sha256 = files::digest_of(text.as_bytes());
    write_file(&folder.join(SUMS), text.as_bytes())?;
    let json = serde_json::to_vec_pretty(facts).map_err(|error| Error::Backup {
        doing: "write",
        path: folder.join(FACTS),
        source: error.into(),
    })?;
    write_file(&folder.join(FACTS), &json)
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let write = files::failed("write", path);
    let mut file = files::new_file(path)?;
    file.write_all(bytes).map_err(&write)?;
    file.sync_all().map_err(&write)
}

pub(super) fn facts(folder: &Path) -> Result<BackupFacts, Error> {
    let path = folder.join(FACTS);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Error::NoBackup(folder.to_owned()));
        }
        read => read.map_err(files::failed("read", &path))?,
    };
    serde_json::from_slice(&bytes).map_err(|_| damaged(folder, FACTS))
}

/// The digests, held to the facts.
pub(super) fn sums(folder: &Path, facts: &BackupFacts) -> Result<Sums, Error> {
    let path = folder.join(SUMS);
    let read = files::failed("read", &path);
    if files::digest_of_file(&path)?.1 != facts.sums_sha256 {
        return Err(damaged(folder, SUMS));
    }
    let mut sums = Sums::new();
    for line in BufReader::new(File::open(&path).map_err(&read)?).lines() {
        let line = line.map_err(&read)?;
        let (sha256, name) = line.split_once("  ").ok_or_else(|| damaged(folder, SUMS))?;
        let is_below = Path::new(name)
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
        if !is_below {
            return Err(damaged(folder, SUMS));
        }
        sums.insert(name.to_owned(), sha256.to_owned());
    }
    Ok(sums)
}

fn damaged(folder: &Path, file: &str) -> Error {
    Error::BackupDamaged {
        folder: folder.to_owned(),
        count: 1,
        first: file.to_owned(),
    }
}

/// The newest whole backup below a folder of dated ones.
pub(super) fn dated(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_dated = |name: &str| name.len() == 16 && name.ends_with('Z') && name.contains('T');
    let mut found: Vec<_> = entries
        .filter(|entry| entry.file_name().to_str().is_some_and(is_dated))
        .map(|entry| entry.path())
        .filter(|path| path.join(FACTS).exists())
        .collect();
    found.sort();
    found
}
