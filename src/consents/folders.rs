use std::{
    fs::File,
    io::{self, Write},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};
use rustix::{
    fs::{
        AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags, RenameFlags, ResolveFlags, Stat,
        flock, fsync, mkdirat, openat, openat2, renameat_with, statat, unlinkat,
    },
    io::Errno,
};

use super::error::Error;
use crate::{crash_points::around, domain::without_identity_codes};

const TAKING: &str = ".kuori";
const REFUSED: &str = ".kuori/refused";
const BAD_ROWS: &str = ".kuori/bad-rows";
const RECEIPTS: &str = "receipts";

/// Bytes of a file's name that its answer takes over: a digest, a time, a number and the marks of an
/// unfinished file have room beside them.
const MAX_STEM: usize = 200;

/// The folders of a feed, each behind a handle of its own: others write there, and no link of theirs is
/// followed, whenever they make it.
pub(super) struct Folders {
    base: PathBuf,
    inbox_path: PathBuf,
    inbox: OwnedFd,
    /// Holds what was claimed and not ended; locked for as long as we are at work.
    taking: OwnedFd,
    refused: OwnedFd,
    bad_rows: OwnedFd,
    receipts: OwnedFd,
}

/// Why a file is kept for an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    Refused,
    /// It was taken, and some of its rows could not be used.
    BadRows,
}

/// Files that are kept for one reason.
#[derive(Debug, Default)]
pub(super) struct KeptFiles {
    pub(super) count: u64,
    /// Where the first of them by name lies.
    pub(super) first: Option<PathBuf>,
}

/// What lies in a feed's inbox.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Names of files that can be taken, oldest first.
    pub(super) ready: Vec<String>,
    /// Files that may not be whole yet.
    pub(super) unsettled: u64,
    /// Files that are not named `*.csv`, and since when the first of them lies there.
    pub(super) others: u64,
    pub(super) others_since: Option<Timestamp>,
}

/// Looks into an inbox, and changes nothing.
pub(super) fn waiting(
    base: &Path,
    inbox: &str,
    settle: SignedDuration,
    now: Timestamp,
) -> Result<Waiting, Error> {
    let folder = open_inbox(base, inbox)?;
    let failed = |error: Errno| failure("list", base.join(inbox), error);
    let mut waiting = Waiting::default();
    let mut found = Vec::new();
    for (name, file) in files(folder.as_fd()).map_err(failed)? {
        let changed = changed(&file).unwrap_or(now);
        // A clock that is ahead of ours makes no file wait for ever.
        let is_settled = now.duration_since(changed).abs() >= settle;
        match (is_csv(&name), is_settled) {
            (true, true) => found.push((name, file)),
            (true, false) => waiting.unsettled += 1,
            (false, true) if !name.starts_with('.') => {
                waiting.others += 1;
                let since = waiting.others_since.unwrap_or(changed).min(changed);
                waiting.others_since = Some(since);
            }
            (false, _) => {}
        }
    }
    waiting.ready = in_order(found);
    Ok(waiting)
}

impl Folders {
    /// Makes the folders that are missing beside the inbox, and keeps others from taking the same files.
    pub(super) fn open(base: &Path, inbox: &str) -> Result<Self, Error> {
        // Where it is a mount that is missing, nothing is made in its place.
        let (inbox, inbox_path) = (open_inbox(base, inbox)?, base.join(inbox));
        let top = openat(
            CWD,
            base,
            OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(|error| failure("open", base.to_owned(), error))?;
        let taking = make(base, &top, TAKING)?;
        let refused = make(base, &top, REFUSED)?;
        let bad_rows = make(base, &top, BAD_ROWS)?;
        let receipts = make(base, &top, RECEIPTS)?;
        match flock(&taking, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self {
                base: base.to_owned(),
                inbox_path,
                inbox,
                taking,
                refused,
                bad_rows,
                receipts,
            }),
            Err(Errno::WOULDBLOCK) => Err(Error::InUse {
                folder: base.to_owned(),
            }),
            Err(error) => Err(failure("lock", base.join(TAKING), error)),
        }
    }

    /// What was claimed and not ended.
    pub(super) fn claimed(&self) -> Result<Vec<String>, Error> {
        self.names(&self.taking, TAKING)
    }

    /// Those that an operator is to look at.
    pub(super) fn kept(&self, kept: Kept) -> Result<KeptFiles, Error> {
        let (folder, path) = self.folder_of(kept);
        let names = self.names(folder, path)?;
        Ok(KeptFiles {
            count: names.len() as u64,
            first: names.first().map(|name| self.base.join(path).join(name)),
        })
    }

    /// Takes a file away from whoever put it there, so that nobody changes it any more. Answers its name
    /// from then on; `None` where it is gone. One that cannot be read is left where its owner can mend that.
    pub(super) fn claim(&self, name: &str) -> Result<Option<String>, Error> {
        match open(&self.inbox, name) {
            Ok(_) => {}
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(failure("read", self.inbox_path.join(shown(name)), error)),
        }
        let claimed = around("rename", "consents: claim", || {
            shift(&self.inbox, name, &self.taking)
        });
        match claimed {
            Ok(claimed) => Ok(Some(claimed)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.failure("claim", TAKING, name, error)),
        }
    }

    pub(super) fn open_claimed(&self, name: &str) -> Result<File, Error> {
        open(&self.taking, name).map_err(|error| self.failure("read", TAKING, name, error))
    }

    /// Keeps a claimed file for an operator, under a name that says nothing of anybody. Answers where it lies,
    /// seen from the feed's folder.
    pub(super) fn keep(&self, name: &str, kept: Kept, sha256: &str) -> Result<String, Error> {
        let (folder, path) = self.folder_of(kept);
        let stem = path.rsplit('/').next().unwrap_or(path);
        let digits = beginning(sha256);
        let new = around("rename", "consents: keep", || {
            shift_as(&self.taking, name, folder, &format!("{stem}-{digits}.csv"))
        });
        let new = new.map_err(|error| self.failure("put aside", TAKING, name, error))?;
        Ok(format!("{path}/{new}"))
    }

    fn folder_of(&self, kept: Kept) -> (&OwnedFd, &'static str) {
        match kept {
            Kept::Refused => (&self.refused, REFUSED),
            Kept::BadRows => (&self.bad_rows, BAD_ROWS),
        }
    }

    /// Ends a claimed file whose answer was given.
    pub(super) fn remove(&self, name: &str) -> Result<(), Error> {
        let removed = around("remove", "consents: taken", || {
            unlinkat(&self.taking, name, AtFlags::empty())
        });
        removed.map_err(|error| self.failure("remove", TAKING, name, error))
    }

    /// Puts the answer to a file where its sender reads it: it is there whole, or not at all.
    pub(super) fn answer(
        &self,
        name: &str,
        sha256: &str,
        answer: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let stem = stem_of_answer(name, sha256);
        let name = format!("{stem}.{}.csv", now.strftime("%Y%m%dT%H%M%SZ"));
        let failed = |source: io::Error| Error::File {
            doing: "write",
            path: self.base.join(RECEIPTS).join(&name),
            source,
        };
        let temporary = format!(".{name}.part");
        let written = around("write", "consents: answer", || {
            self.write_new(&temporary, answer.as_bytes())
        });
        written.map_err(failed)?;
        let renamed = around("rename", "consents: answer", || {
            shift_as(&self.receipts, &temporary, &self.receipts, &name)
        });
        renamed.map_err(|error| failed(error.into()))?;
        fsync(&self.receipts).map_err(|error| failed(error.into()))
    }

    fn write_new(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        // One that a crash left.
        match unlinkat(&self.receipts, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
        // It names nobody, and is for somebody else.
        let mode = Mode::from_raw_mode(0o644);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mut file = File::from(openat(&self.receipts, name, flags, mode)?);
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn names(&self, folder: &OwnedFd, shown: &'static str) -> Result<Vec<String>, Error> {
        let found = files(folder.as_fd());
        let found = found.map_err(|error| failure("list", self.base.join(shown), error))?;
        let found = found.into_iter().filter(|(name, _)| is_csv(name));
        Ok(in_order(found.collect()))
    }

    fn failure(&self, doing: &'static str, folder: &str, name: &str, error: Errno) -> Error {
        failure(doing, self.base.join(folder).join(shown(name)), error)
    }
}

/// Whoever named a file may have named it after somebody.
pub(super) fn shown(name: &str) -> String {
    without_identity_codes(name).into_owned()
}

/// Of a long name the beginning, and which file it is.
fn stem_of_answer(name: &str, sha256: &str) -> String {
    let stem = shown(name.rsplit_once('.').map_or(name, |(stem, _)| stem));
    if stem.len() <= MAX_STEM {
        return stem;
    }
    let (stem, _) = stem.split_at(stem.floor_char_boundary(MAX_STEM));
    format!("{stem}-{}", beginning(sha256))
}

fn beginning(sha256: &str) -> &str {
    sha256.get(..8).unwrap_or(sha256)
}

fn open(folder: &OwnedFd, name: &str) -> rustix::io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    openat(folder, name, flags, Mode::empty()).map(File::from)
}

fn open_inbox(base: &Path, inbox: &str) -> Result<OwnedFd, Error> {
    let path = base.join(inbox);
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = openat(CWD, &path, flags, Mode::empty());
    opened.map_err(|error| failure("list", path, error))
}

/// A folder of ours; a link in its place would lead our files elsewhere.
fn make(base: &Path, top: &OwnedFd, name: &str) -> Result<OwnedFd, Error> {
    let failed = |error| failure("make", base.join(name), error);
    match mkdirat(top, name, Mode::from_raw_mode(0o777)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(failed(error)),
    }
    let within = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat2(top, name, flags, Mode::empty(), within).map_err(failed)
}

/// Plain files by name. A link leads where its maker has no business, and is no file; a name that is not
/// UTF-8 is none that could be answered.
fn files(folder: BorrowedFd<'_>) -> rustix::io::Result<Vec<(String, Stat)>> {
    let mut found = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().to_str() else {
            continue;
        };
        // It may have been taken away since the folder was read.
        let Ok(file) = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) else {
            continue;
        };
        if FileType::from_raw_mode(file.st_mode) == FileType::RegularFile {
            found.push((name.to_owned(), file));
        }
    }
    Ok(found)
}

fn is_csv(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    ending.is_some_and(|ending| ending.eq_ignore_ascii_case("csv")) && !name.starts_with('.')
}

/// The oldest first: what has no time of its own counts by the order in which it is said.
fn in_order(mut found: Vec<(String, Stat)>) -> Vec<String> {
    found.sort_by(|(name, file), (other, than)| {
        let at = |file: &Stat| (file.st_mtime, file.st_mtime_nsec);
        at(file).cmp(&at(than)).then_with(|| name.cmp(other))
    });
    found.into_iter().map(|(name, _)| name).collect()
}

fn changed(file: &Stat) -> Option<Timestamp> {
    Timestamp::from_second(file.st_mtime).ok()
}

/// Moves a file and answers its name there.
fn shift(from: &OwnedFd, name: &str, to: &OwnedFd) -> rustix::io::Result<String> {
    shift_as(from, name, to, name)
}

/// What stands there under that name stays, and the file gets another one.
fn shift_as(from: &OwnedFd, name: &str, to: &OwnedFd, wanted: &str) -> rustix::io::Result<String> {
    let (stem, ending) = wanted.rsplit_once('.').unwrap_or((wanted, ""));
    for number in 1_u32.. {
        let new = match number {
            1 => wanted.to_owned(),
            _ => format!("{stem}.{number}.{ending}"),
        };
        match renameat_with(from, name, to, &new, RenameFlags::NOREPLACE) {
            Err(Errno::EXIST) => {}
            // Some network file systems lack the flag; the lock keeps others of us away.
            Err(Errno::INVAL) => match statat(to, &new, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(_) => {}
                Err(Errno::NOENT) => {
                    return rustix::fs::renameat(from, name, to, &new).map(|()| new);
                }
                Err(error) => return Err(error),
            },
            renamed => return renamed.map(|()| new),
        }
    }
    Err(Errno::EXIST)
}

fn failure(doing: &'static str, path: PathBuf, error: Errno) -> Error {
    Error::File {
        doing,
        path,
        source: error.into(),
    }
}
