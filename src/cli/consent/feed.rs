mod folders;

use std::{
    ffi::OsStr,
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};

use self::folders::{Folders, Waiting};
use super::{
    Feed,
    import::{BadRow, How, Imported, MOST_WITHDRAWN, Refusal, changed_at, take_file},
};
use crate::{
    cli::{CommandError, Invocation, error::Outcome, words::counted},
    domain::without_identity_codes,
    store::{Store, TakenConsents},
};

/// `kuori consent feed`: what became of the files of a folder. Nobody is named.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct Fed {
    dry_run: bool,
    files: Vec<FileFed>,
    /// Files that may not be whole yet.
    unsettled: u64,
}

#[derive(Serialize, JsonSchema)]
struct FileFed {
    name: String,
    state: FileState,
    /// Of a file that was refused.
    why: Option<String>,
    rows: u64,
    changed: Option<u64>,
    /// Of a full list: consents that it does not have.
    missing: Option<u64>,
    bad: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum FileState {
    Taken,
    // The same bytes were taken before: nothing was done.
    Repeated,
    // Nothing of it was recorded.
    Refused,
}

impl FileState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Repeated => "repeated",
            Self::Refused => "refused",
        }
    }
}

pub(super) fn run(
    arguments: &Feed,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let settle = SignedDuration::from_secs(i64::from(arguments.settle_secs));
    let Waiting { ready, unsettled } = folders::waiting(&arguments.folder, settle, invocation.now)?;
    let files = if arguments.dry_run {
        rehearse(&ready, arguments, invocation)?
    } else {
        let folders = Folders::open(&arguments.folder)?;
        // What a call that was cut off has claimed comes first.
        let mut files = Vec::new();
        for path in folders.claimed()? {
            files.push(take(&path, &folders, arguments, invocation)?);
        }
        for path in ready {
            let claimed = folders.claim(&path)?;
            files.push(take(&claimed, &folders, arguments, invocation)?);
        }
        files
    };
    let fed = Fed {
        dry_run: arguments.dry_run,
        files,
        unsettled,
    };
    invocation.output.show(&fed)?;
    let is_clean = |file: &FileFed| file.bad == 0 && file.state != FileState::Refused;
    Ok(if fed.files.iter().all(is_clean) {
        Outcome::Done
    } else {
        Outcome::Findings
    })
}

impl Feed {
    fn how(&self) -> How {
        How {
            is_full: self.full,
            as_of: None,
            most_missing_percent: Some(self.most_withdrawn.unwrap_or(MOST_WITHDRAWN)),
            dry_run: self.dry_run,
        }
    }
}

fn rehearse(
    ready: &[PathBuf],
    arguments: &Feed,
    invocation: &mut Invocation<'_>,
) -> Result<Vec<FileFed>, CommandError> {
    let mut files = Vec::new();
    for path in ready {
        let taken = take_file(path, &arguments.how(), invocation)?;
        files.push(FileFed::of(path, &taken.told, taken.refusal));
    }
    Ok(files)
}

/// Takes a file that was claimed: recorded, answered, removed, each of which may be done again.
fn take(
    claimed: &Path,
    folders: &Folders<'_>,
    arguments: &Feed,
    invocation: &mut Invocation<'_>,
) -> Result<FileFed, CommandError> {
    let unread = |error: io::Error| CommandError::file("read", claimed, &error);
    let (sha256, changed) = looked_at(claimed, invocation.now).map_err(unread)?;
    let store = invocation.store_or_new()?;
    if was_taken(&store, &sha256, arguments.full, changed)? {
        let fed = FileFed::repeated(claimed);
        folders.answer(claimed, &receipt(&fed, &[], &sha256), invocation.now)?;
        Folders::remove(claimed)?;
        return Ok(fed);
    }
    let taken = take_file(claimed, &arguments.how(), invocation)?;
    let fed = FileFed::of(claimed, &taken.told, taken.refusal);
    let answer = receipt(&fed, &taken.told.bad_rows, &sha256);
    folders.answer(claimed, &answer, invocation.now)?;
    if taken.refusal.is_some() {
        folders.refuse(claimed)?;
        return Ok(fed);
    }
    // Not before the answer: who is cut off in between answers again, with the bad rows.
    let file = TakenConsents {
        sha256,
        rows: fed.rows,
        bad: fed.bad,
        changed: fed.changed.unwrap_or(0),
    };
    store.note_taken_consents(&file, invocation.now)?;
    Folders::remove(claimed)?;
    Ok(fed)
}

/// A full list says more than its rows: that the others have withdrawn by its time. So the same one of
/// a later day is another one.
fn was_taken(
    store: &Store,
    sha256: &str,
    is_full: bool,
    changed: Timestamp,
) -> Result<bool, CommandError> {
    let taken_at = store.consents_taken_at(sha256)?;
    Ok(taken_at.is_some_and(|taken_at| !is_full || changed <= taken_at))
}

/// The digest of a file in hexadecimal digits, and when it was changed last.
fn looked_at(path: &Path, now: Timestamp) -> io::Result<(String, Timestamp)> {
    use fmt::Write;
    let mut file = File::open(path)?;
    let changed = changed_at(&file.metadata()?, now);
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        digest.update(buffer.get(..read).unwrap_or_default());
    }
    let mut digits = String::new();
    for byte in digest.finalize() {
        let _ = write!(digits, "{byte:02x}");
    }
    Ok((digits, changed))
}

/// What is answered: counts, and bad rows by line alone.
fn receipt(fed: &FileFed, bad_rows: &[BadRow], sha256: &str) -> String {
    let number = |number: Option<u64>| number.map(|it| it.to_string()).unwrap_or_default();
    let mut rows = vec![
        ("result".to_owned(), fed.state.as_str().to_owned()),
        ("why".to_owned(), fed.why.clone().unwrap_or_default()),
        ("sha256".to_owned(), sha256.to_owned()),
        ("rows".to_owned(), fed.rows.to_string()),
        ("changed".to_owned(), number(fed.changed)),
        ("missing".to_owned(), number(fed.missing)),
        ("bad".to_owned(), fed.bad.to_string()),
    ];
    let named = bad_rows.iter();
    rows.extend(named.map(|row| (format!("line {}", row.line), row.problem.clone())));
    let lines = rows.iter().map(|(what, value)| {
        let value = value.replace('"', "\"\"");
        format!("{what},\"{value}\"\n")
    });
    std::iter::once("what,value\n".to_owned())
        .chain(lines)
        .collect()
}

impl FileFed {
    fn of(path: &Path, told: &Imported, refusal: Option<Refusal>) -> Self {
        Self {
            name: shown_name(path),
            state: match refusal {
                Some(_) => FileState::Refused,
                None => FileState::Taken,
            },
            why: refusal.map(|refusal| refusal.to_string()),
            rows: told.rows,
            changed: told.changed,
            missing: told.missing,
            bad: told.bad,
        }
    }

    fn repeated(path: &Path) -> Self {
        Self {
            name: shown_name(path),
            state: FileState::Repeated,
            why: None,
            rows: 0,
            changed: None,
            missing: None,
            bad: 0,
        }
    }
}

/// Whoever named the file may have named it after somebody.
fn shown_name(path: &Path) -> String {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    without_identity_codes(name).into_owned()
}

impl fmt::Display for Fed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.files.is_empty() {
            writeln!(f, "no file to take")?;
        }
        for file in &self.files {
            write!(f, "{file}")?;
        }
        match self.unsettled {
            0 => Ok(()),
            files => {
                let files = counted(files, "file", "files");
                writeln!(f, "{files} may not be whole yet: the next call looks again")
            }
        }
    }
}

impl fmt::Display for FileFed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = counted(self.rows, "row", "rows");
        write!(f, "{} {}: {rows}", self.name, self.state.as_str())?;
        if let Some(changed) = self.changed {
            write!(f, ", {changed} changed the register")?;
        }
        if let Some(missing) = self.missing {
            write!(f, ", {missing} not in the list")?;
        }
        if self.bad > 0 {
            write!(f, ", {} bad", self.bad)?;
        }
        match &self.why {
            Some(why) => writeln!(f, "; {why}"),
            None => writeln!(f),
        }
    }
}
