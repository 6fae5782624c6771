use std::{fmt::Write, fs::File, io::Read, ops::ControlFlow, path::PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
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
    /// Why the first of those that could not be taken was not. Newer ones wait for it, unless it is the
    /// file's own fault, or its rows are recorded and it lacks its answer alone.
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
#[derive(Debug, Serialize, Deserialize)]
pub struct FedFile {
    /// Identity codes in it are masked.
    #[serde(skip)]
    pub name: String,
    pub state: FileState,
    /// Of a file that was refused, or taken up again after it was cut off.
    pub why: Option<String>,
    /// Where it is kept for an operator, seen from the feed's folder.
    #[serde(skip)]
    pub kept: Option<String>,
    pub told: Told,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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

/// Why a file was not taken to its end.
enum Failure {
    /// It says nothing of the others.
    Alone(Error),
    /// What was said later has to wait: some of it has no time of its own.
    HoldsUp(Error),
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
    /// next look goes on with it. Of a single file that cannot be taken, [`Fed::untaken`] tells.
    pub fn look(&self, desk: &Desk<'_>) -> Result<Fed, Error> {
        let folders = Folders::open(&self.settings.folder, self.settings.inbox)?;
        let mut fed = Fed::default();
        let ended = self.end_claimed(&folders, desk, &mut fed)?;
        let waiting = self.waiting(desk.action.at)?;
        if ended.is_continue() {
            self.take_ready(&waiting.ready, &folders, desk, &mut fed)?;
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

    fn end_claimed(
        &self,
        folders: &Folders,
        desk: &Desk<'_>,
        fed: &mut Fed,
    ) -> Result<ControlFlow<()>, Error> {
        for name in folders.claimed()? {
            let taken = self.take(&name, true, folders, desk);
            if fed.add(taken.map(Some))?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn take_ready(
        &self,
        names: &[String],
        folders: &Folders,
        desk: &Desk<'_>,
        fed: &mut Fed,
    ) -> Result<(), Error> {
        for name in names {
            if (desk.is_stopped)() {
                break;
            }
            let claimed = folders.claim(name).map_err(Failure::before_its_rows);
            let take = |claimed: String| self.take(&claimed, false, folders, desk);
            let taken = claimed.and_then(|claimed| claimed.map(take).transpose());
            if fed.add(taken)?.is_break() {
                break;
            }
        }
        Ok(())
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
            let read = self.rehearse_one(name, desk, now).map(Some);
            let _ = fed.add(read.map_err(Failure::Alone))?;
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
    ) -> Result<FedFile, Failure> {
        let recorded = self.record(name, was_cut_off, folders, desk);
        let (file, sha256) = recorded.map_err(Failure::before_its_rows)?;
        end(name, file, &sha256, folders, desk).map_err(Failure::Alone)
    }

    /// Records the rows of a file, once: what became of them is kept until it is answered. Gives its digest
    /// with that.
    fn record(
        &self,
        name: &str,
        was_cut_off: bool,
        folders: &Folders,
        desk: &Desk<'_>,
    ) -> Result<(FedFile, String), Error> {
        let now = desk.action.at;
        let mut claimed = folders.open_claimed(name)?;
        let changed = claimed.metadata().map_err(Error::Read)?;
        let changed = changed_at(&changed, now);
        // Whoever wrote it may have it open still: what is looked at is what is recorded.
        let bytes = desk.store.scratch().keep(&mut claimed);
        let bytes = bytes.map_err(Error::Read)?;
        let sha256 = sha256(bytes.as_ref());
        if was_cut_off && let Some(file) = FedFile::unanswered(name, desk.store, &sha256)? {
            return Ok((file, sha256));
        }
        if was_taken(desk.store, &sha256, changed)? {
            return Ok((FedFile::repeated(name), sha256));
        }
        let wish = self.wish(changed, false);
        let mut file = FedFile::of(name, read(bytes.as_ref(), &wish, Some(desk), now)?);
        if was_cut_off && file.state == FileState::Taken {
            file.why = Some(CUT_OFF.to_owned());
        }
        let owed = json!(file).to_string();
        desk.store.owe_consent_answer(&sha256, &owed)?;
        Ok((file, sha256))
    }
}

/// Answers a file whose rows are recorded, keeps it where an operator is to look at it, and removes it
/// else.
fn end(
    name: &str,
    mut file: FedFile,
    sha256: &str,
    folders: &Folders,
    desk: &Desk<'_>,
) -> Result<FedFile, Error> {
    let now = desk.action.at;
    folders.answer(name, sha256, &answer(&file, sha256), now)?;
    if let Some(kept) = file.to_be_kept() {
        file.kept = Some(folders.keep(name, kept, sha256)?);
    }
    // Not before: who is cut off in between answers again, with the bad rows.
    match file.state {
        FileState::Taken => desk.store.note_taken_consents(&file.taken(sha256), now)?,
        FileState::Refused => desk.store.note_refused_consents(sha256)?,
        FileState::Repeated => {}
    }
    if file.kept.is_none() {
        folders.remove(name)?;
    }
    Ok(file)
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
    /// Whether the next file may be taken.
    fn add(&mut self, taken: Result<Option<FedFile>, Failure>) -> Result<ControlFlow<()>, Error> {
        let (error, next) = match taken {
            Ok(file) => {
                self.files.extend(file);
                return Ok(ControlFlow::Continue(()));
            }
            Err(Failure::Alone(error)) => (error, ControlFlow::Continue(())),
            Err(Failure::HoldsUp(error)) => (error, ControlFlow::Break(())),
        };
        match error {
            Error::File { .. } | Error::Read(_) => {
                self.untaken.get_or_insert(error);
                Ok(next)
            }
            Error::Store(_) | Error::InUse { .. } | Error::Stopped => Err(error),
        }
    }
}

impl Failure {
    fn before_its_rows(error: Error) -> Self {
        if error.is_of_one_file() {
            Self::Alone(error)
        } else {
            Self::HoldsUp(error)
        }
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

    /// A file whose rows an earlier look has recorded, and which was not answered. What another program has
    /// written is not known, and the rows are recorded again.
    fn unanswered(name: &str, store: &Store, sha256: &str) -> Result<Option<Self>, Error> {
        let owed = store.owed_consent_answer(sha256)?;
        let file: Option<Self> = owed.and_then(|owed| serde_json::from_str(&owed).ok());
        Ok(file.map(|file| Self {
            name: shown(name),
            ..file
        }))
    }

    fn to_be_kept(&self) -> Option<Kept> {
        match self.state {
            FileState::Refused => Some(Kept::Refused),
            FileState::Taken if self.told.bad > 0 => Some(Kept::BadRows),
            FileState::Taken | FileState::Repeated => None,
        }
    }

    fn taken(&self, sha256: &str) -> TakenConsents {
        TakenConsents {
            sha256: sha256.to_owned(),
            rows: self.told.rows,
            bad: self.told.bad,
            changed: self.told.changed.unwrap_or(0),
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
