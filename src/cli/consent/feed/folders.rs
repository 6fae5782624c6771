use std::{
    ffi::OsStr,
    fs::{self, File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};
use rustix::fs::{FlockOperation, flock};

use crate::{
    cli::{CommandError, consent::import::changed_at, error::ErrorKind},
    domain::without_identity_codes,
};

/// Files that can be taken, oldest first, and how many may not be whole yet.
pub(super) struct Waiting {
    pub(super) ready: Vec<PathBuf>,
    pub(super) unsettled: u64,
}

/// Looks which files lie in the folder.
pub(super) fn waiting(
    folder: &Path,
    settle: SignedDuration,
    now: Timestamp,
) -> Result<Waiting, CommandError> {
    let mut waiting = Waiting {
        ready: Vec::new(),
        unsettled: 0,
    };
    let mut found = Vec::new();
    for path in files(folder)? {
        let unread = |error: io::Error| CommandError::file("look at", &path, &error);
        let modified = fs::symlink_metadata(&path).map_err(unread)?;
        let changed = changed_at(&modified, Timestamp::MAX);
        // A clock that is ahead of ours makes no file wait for ever.
        if now.duration_since(changed).abs() < settle {
            waiting.unsettled += 1;
        } else {
            found.push((changed, path));
        }
    }
    found.sort();
    waiting.ready = found.into_iter().map(|(_, path)| path).collect();
    Ok(waiting)
}

/// Plain files named `*.csv`. A link leads where its maker has no business, and is no file.
fn files(folder: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let unread = |error: io::Error| CommandError::file("list", folder, &error);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(unread)? {
        let entry = entry.map_err(unread)?;
        let path = entry.path();
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        let is_csv = extension.eq_ignore_ascii_case("csv") && !name.starts_with('.');
        if is_csv && entry.file_type().map_err(unread)?.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Where files go that are taken, and what is answered.
pub(super) struct Folders<'a> {
    folder: &'a Path,
    /// Held for as long as we are at work.
    _lock: File,
}

const TAKING: &str = ".kuori";
const REFUSED: &str = ".kuori/refused";
const RECEIPTS: &str = "receipts";

impl<'a> Folders<'a> {
    /// Makes the folders that are missing, and keeps others from taking the same files.
    pub(super) fn open(folder: &'a Path) -> Result<Self, CommandError> {
        for name in [TAKING, REFUSED, RECEIPTS] {
            make(&folder.join(name))?;
        }
        // The folder itself is locked: no file of ours can be made into a link to somewhere else.
        let path = folder.join(TAKING);
        let failed = |error: io::Error| CommandError::file("lock", &path, &error);
        let lock = File::open(&path).map_err(failed)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self {
                folder,
                _lock: lock,
            }),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let error = "another call takes the files of this folder";
                Err(CommandError::new(ErrorKind::TryLater, error))
            }
            Err(error) => Err(failed(error.into())),
        }
    }

    /// What was claimed and not ended.
    pub(super) fn claimed(&self) -> Result<Vec<PathBuf>, CommandError> {
        files(&self.folder.join(TAKING))
    }

    /// Takes a file away from whoever put it there, so that nobody changes it any more.
    pub(super) fn claim(&self, path: &Path) -> Result<PathBuf, CommandError> {
        let claimed = self.folder.join(TAKING).join(name_of(path));
        shift(path, &claimed)?;
        Ok(claimed)
    }

    /// Keeps a file of which nothing was recorded, for an operator to look at.
    pub(super) fn refuse(&self, claimed: &Path) -> Result<(), CommandError> {
        shift(claimed, &self.folder.join(REFUSED).join(name_of(claimed)))
    }

    /// Ends a claimed file whose answer was given.
    pub(super) fn remove(claimed: &Path) -> Result<(), CommandError> {
        let failed = |error: io::Error| CommandError::file("remove", claimed, &error);
        fs::remove_file(claimed).map_err(failed)
    }

    /// Puts the answer to a file where its sender reads it: it is there whole, or not at all.
    pub(super) fn answer(
        &self,
        claimed: &Path,
        answer: &str,
        now: Timestamp,
    ) -> Result<(), CommandError> {
        let folder = self.folder.join(RECEIPTS);
        let stem = claimed.file_stem().and_then(OsStr::to_str);
        let stem = without_identity_codes(stem.unwrap_or_default());
        let name = format!("{stem}.{}.csv", now.strftime("%Y%m%dT%H%M%SZ"));
        let path = folder.join(name);
        let written = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(&folder)?;
            file.write_all(answer.as_bytes())?;
            // It names nobody, and is for somebody else.
            let readable = Permissions::from_mode(0o644);
            file.as_file().set_permissions(readable)?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            File::open(&folder)?.sync_all()
        };
        written().map_err(|error| CommandError::file("write", &path, &error))
    }
}

/// A folder of ours; a link in its place would lead our files elsewhere.
fn make(path: &Path) -> Result<(), CommandError> {
    let failed = |error: io::Error| CommandError::file("make", path, &error);
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let is_folder = fs::symlink_metadata(path).map_err(failed)?.is_dir();
    if is_folder {
        return Ok(());
    }
    let error = format!("`{}` is no folder", path.display());
    Err(CommandError::failed(error))
}

#[expect(
    clippy::disallowed_methods,
    reason = "in a folder of others; what a crash undoes is done again"
)]
fn shift(from: &Path, to: &Path) -> Result<(), CommandError> {
    fs::rename(from, to).map_err(|error| CommandError::file("move", from, &error))
}

fn name_of(path: &Path) -> &OsStr {
    path.file_name().unwrap_or_default()
}
