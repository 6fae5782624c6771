use std::{fmt::Write, fs::File, io::Read, path::PathBuf};

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::{
    answer::answer,
    error::Error,
    folders::{Folders, Kept, Waiting, shown, waiting},
    rows::Rows,
    take::{Desk, Refusal, Taken, Told, Wish, changed_at, count, take},
};
use crate::store::{Store, TakenConsents};

/// Where the files of a feed lie, and how they are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Gets `.kuori` and `receipts`.
    pub folder: PathBuf,
    /// Below `folder`: where the files are put; empty is `folder` itself.
    pub inbox: &'static str,
    /// A file that was changed more recently may not be whole.
    pub settle: SignedDuration,
    pub how: How,
}

/// How each file of a feed is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct How {
    /// Each file has all consents: who is not in it has withdrawn.
    pub is_full: bool,
    /// The greatest share of consents that may be missing in a full list.
    pub most_missing_percent: u8,
}

/// Said of a file that is taken up again.
const CUT_OFF: &str =
    "it was cut off before, and is taken up again: what was recorded by then is not counted";

/// A folder into which somebody else puts files of consents.
pub struct Feed<'a> {
    settings: &'a Settings,
}

/// What one look has done.
#[derive(Debug, Default)]
pub struct Fed {
    pub files: Vec<FedFile>,
    /// Files that may not be whole yet.
    pub unsettled: u64,
    pub standing: Standing,
    /// Why the first of those that could not be taken was not. The others were.
    pub untaken: Option<Error>,
}

/// What waits for somebody after a look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Refused files that are kept.
    pub refused: u64,
    /// Where the first of them by name lies.
    pub refused_path: Option<PathBuf>,
    /// Files that are kept because some of their rows could not be used.
    pub bad: u64,
    pub bad_path: Option<PathBuf>,
    /// Files in the inbox that are not named `*.csv`, and since when the first of them lies there.
    pub others: u64,
    pub others_since: Option<Timestamp>,
}

/// What became of one file.
#[derive(Debug)]
pub struct FedFile {
    /// Identity codes in it are masked.
    pub name: String,
    pub state: FileState,
    /// Of a file that was refused, or taken up again after it was cut off.
    pub why: Option<String>,
    /// Where it is kept for an operator, seen from the feed's folder.
    pub kept: Option<String>,
    pub told: Told,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    Taken,
    /// The same bytes were taken before, and the file is no newer: nothing was done.
    Repeated,
    /// It is kept for an operator.
    Refused,
}

impl FileState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Repeated => "repeated",
            Self::Refused => "refused",
        }
    }
}

impl<'a> Feed<'a> {
    pub fn new(settings: &'a Settings) -> Self {
        Self { settings }
    }

    /// Takes each file that is whole: claimed, recorded, answered, removed. Each of these may be done again,
    /// so what was cut off before is ended first.
    ///
    /// # Errors
    ///
    /// Where a folder cannot be used or the store cannot write. The file in hand stays claimed, and the
    /// next look goes on with it. A single file that cannot be read holds up no other
    /// ([`Fed::untaken`]).
    pub fn look(&self, desk: &Desk<'_>) -> Result<Fed, Error> {
        let folders = Folders::open(&self.settings.folder, self.settings.inbox)?;
        let mut fed = Fed::default();
        for name in folders.claimed()? {
            fed.add(self.take(&name, true, &folders, desk).map(Some))?;
        }
        let waiting = self.waiting(desk.action.at)?;
        for name in &waiting.ready {
            if (desk.is_stopped)() {
                break;
            }
            let claimed = folders.claim(name);
            let take = |claimed: String| self.take(&claimed, false, &folders, desk);
            fed.add(claimed.and_then(|claimed| claimed.map(take).transpose()))?;
        }
        let (refused, bad) = (folders.kept(Kept::Refused)?, folders.kept(Kept::BadRows)?);
        fed.unsettled = waiting.unsettled;
        fed.standing = Standing {
            refused: refused.count,
            refused_path: refused.first,
            bad: bad.count,
            bad_path: bad.first,
            others: waiting.others,
            others_since: waiting.others_since,
        };
        Ok(fed)
    }

    /// Reads and checks the files, records nothing, and leaves them where they are. `store` is needed for
    /// full lists.
    pub fn rehearse(&self, desk: Option<&Desk<'_>>, now: Timestamp) -> Result<Fed, Error> {
        let waiting = self.waiting(now)?;
        let mut fed = Fed {
            unsettled: waiting.unsettled,
            ..Fed::default()
        };
        for name in &waiting.ready {
            fed.add(self.rehearse_one(name, desk, now).map(Some))?;
        }
        Ok(fed)
    }

    fn rehearse_one(
        &self,
        name: &str,
        desk: Option<&Desk<'_>>,
        now: Timestamp,
    ) -> Result<FedFile, Error> {
        let path = self.settings.folder.join(self.settings.inbox).join(name);
        let unread = |source| Error::File {
            doing: "read",
            path: path.with_file_name(shown(name)),
            source,
        };
        let file = File::open(&path).map_err(unread)?;
        let wish = self.wish(changed_at(&file.metadata().map_err(unread)?, now), true);
        Ok(FedFile::of(name, read(file, &wish, desk, now)?))
    }

    fn waiting(&self, now: Timestamp) -> Result<Waiting, Error> {
        let Settings {
            folder,
            inbox,
            settle,
            ..
        } = self.settings;
        waiting(folder, inbox, *settle, now)
    }

    fn wish(&self, as_of: Timestamp, dry_run: bool) -> Wish {
        Wish {
            is_full: self.settings.how.is_full,
            as_of,
            most_missing_percent: Some(self.settings.how.most_missing_percent),
            dry_run,
        }
    }

    /// Takes a file that was claimed; `was_cut_off`: by an earlier look, which may have recorded some of it.
    fn take(
        &self,
        name: &str,
        was_cut_off: bool,
        folders: &Folders,
        desk: &Desk<'_>,
    ) -> Result<FedFile, Error> {
        let now = desk.action.at;
        let mut claimed = folders.open_claimed(name)?;
        let changed = claimed.metadata().map_err(Error::Read)?;
        let changed = changed_at(&changed, now);
        // Whoever wrote it may have it open still: what is looked at is what is recorded.
        let bytes = desk.store.scratch().keep(&mut claimed);
        let bytes = bytes.map_err(Error::Read)?;
        let sha256 = sha256(bytes.as_ref());
        if was_taken(desk.store, &sha256, changed)? {
            let file = FedFile::repeated(name);
            folders.answer(name, &sha256, &answer(&file, &sha256), now)?;
            folders.remove(name)?;
            return Ok(file);
        }
        let wish = self.wish(changed, false);
        let taken = read(bytes.as_ref(), &wish, Some(desk), now)?;
        let mut file = FedFile::of(name, taken);
        if was_cut_off && file.state == FileState::Taken {
            file.why = Some(CUT_OFF.to_owned());
        }
        folders.answer(name, &sha256, &answer(&file, &sha256), now)?;
        if file.state == FileState::Refused {
            file.kept = Some(folders.keep(name, Kept::Refused, &sha256)?);
            return Ok(file);
        }
        if file.told.bad > 0 {
            file.kept = Some(folders.keep(name, Kept::BadRows, &sha256)?);
        }
        // Not before the answer: who is cut off in between answers again, with the bad rows.
        let taken = TakenConsents {
            sha256,
            rows: file.told.rows,
            bad: file.told.bad,
            changed: file.told.changed.unwrap_or(0),
        };
        desk.store.note_taken_consents(&taken, now)?;
        if file.kept.is_none() {
            folders.remove(name)?;
        }
        Ok(file)
    }
}

/// The same bytes say something new when they are written anew: what stands in the register by then may be
/// another word, and a full list says that all others have withdrawn by its time.
fn was_taken(store: &Store, sha256: &str, changed: Timestamp) -> Result<bool, Error> {
    let taken_at = store.consents_taken_at(sha256)?;
    Ok(taken_at.is_some_and(|taken_at| changed <= taken_at))
}

fn read<R: Read>(
    file: R,
    wish: &Wish,
    desk: Option<&Desk<'_>>,
    now: Timestamp,
) -> Result<Taken, Error> {
    match (Rows::open(file, now)?, desk) {
        (Ok(rows), Some(desk)) => take(rows, wish, desk),
        (Ok(rows), None) => count(rows, &|_| {}),
        (Err(unusable), _) => Ok(Taken {
            told: Told::default(),
            refusal: Some(unusable.into()),
        }),
    }
}

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

impl Fed {
    /// Goes on past a file that cannot be taken, where that says nothing of the others.
    fn add(&mut self, taken: Result<Option<FedFile>, Error>) -> Result<(), Error> {
        match taken {
            Ok(file) => self.files.extend(file),
            Err(error @ (Error::File { .. } | Error::Read(_))) => {
                self.untaken.get_or_insert(error);
            }
            Err(error @ (Error::Store(_) | Error::InUse { .. } | Error::Stopped)) => {
                return Err(error);
            }
        }
        Ok(())
    }
}

impl FedFile {
    fn of(name: &str, Taken { told, refusal }: Taken) -> Self {
        Self {
            name: shown(name),
            state: match refusal {
                Some(_) => FileState::Refused,
                None => FileState::Taken,
            },
            why: refusal.map(|refusal: Refusal| refusal.to_string()),
            kept: None,
            told,
        }
    }

    fn repeated(name: &str) -> Self {
        Self {
            name: shown(name),
            state: FileState::Repeated,
            why: None,
            kept: None,
            told: Told::default(),
        }
    }
}
