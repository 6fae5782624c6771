use std::fmt;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Feed,
    import::{imported_by, unheeded},
    register,
};
use crate::{
    cli::{
        CommandError, Invocation,
        error::{ErrorKind, Outcome},
        words::counted,
    },
    consents::{self, Desk, How, MOST_MISSING, Settings, Told},
    domain::Disposition,
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
    /// Of a file that was refused, or taken up again after it was cut off.
    why: Option<String>,
    /// Where it is kept for an operator, seen from the folder: one that was refused, or has bad rows.
    kept: Option<String>,
    rows: u64,
    changed: Option<u64>,
    /// Of a full list: consents that it does not have.
    missing: Option<u64>,
    /// Of a full list: whom an earlier one did not have, and whose consent stands again.
    brought_back: Option<u64>,
    /// Withdrawals that do not count: the register has a consent that is newer.
    unheeded_withdrawals: u64,
    bad: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum FileState {
    Taken,
    // The same bytes were taken before, and the file is no newer: nothing was done.
    Repeated,
    // Nothing of it was recorded, or no more than stands before an open quotation mark.
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
    let mut fed = look(arguments, invocation)?;
    let untaken = fed.untaken.take();
    let fed = Fed::of(fed, arguments.dry_run);
    invocation.output.show(&fed)?;
    if let Some(error) = untaken {
        return Err(error.into());
    }
    let is_clean = |file: &FileFed| {
        file.bad == 0 && file.unheeded_withdrawals == 0 && file.state != FileState::Refused
    };
    Ok(if fed.files.iter().all(is_clean) {
        Outcome::Done
    } else {
        Outcome::Findings
    })
}

fn look(arguments: &Feed, invocation: &mut Invocation<'_>) -> Result<consents::Fed, CommandError> {
    let settings = arguments.settings();
    let feed = consents::Feed::new(&settings);
    if arguments.dry_run && !arguments.full {
        return Ok(feed.rehearse(None, invocation.now)?);
    }
    // A slip in the name of the folder makes no data folder.
    let listed = arguments.folder.read_dir();
    listed.map_err(|error| CommandError::file("list", &arguments.folder, &error))?;
    let store = register(invocation, arguments.dry_run)?;
    let desk = Desk {
        store: &store,
        source: imported_by(invocation),
        action: invocation.action(""),
        progress: &|_| {},
        is_stopped: &|| false,
    };
    Ok(if arguments.dry_run {
        feed.rehearse(Some(&desk), invocation.now)?
    } else {
        feed.look(&desk)?
    })
}

impl Feed {
    fn settings(&self) -> Settings {
        Settings {
            folder: self.folder.clone(),
            inbox: "",
            settle: SignedDuration::from_secs(i64::from(self.settle_secs)),
            how: How {
                is_full: self.full,
                most_missing_percent: self.most_withdrawn.unwrap_or(MOST_MISSING),
            },
        }
    }
}

impl Fed {
    fn of(fed: consents::Fed, dry_run: bool) -> Self {
        Self {
            dry_run,
            files: fed.files.into_iter().map(FileFed::from).collect(),
            unsettled: fed.unsettled,
        }
    }
}

impl From<consents::FedFile> for FileFed {
    fn from(file: consents::FedFile) -> Self {
        let Told {
            rows,
            changed,
            unheeded,
            missing,
            brought_back,
            bad,
            ..
        } = file.told;
        Self {
            name: file.name,
            state: match file.state {
                consents::FileState::Taken => FileState::Taken,
                consents::FileState::Repeated => FileState::Repeated,
                consents::FileState::Refused => FileState::Refused,
            },
            why: file.why,
            kept: file.kept,
            rows,
            changed,
            missing,
            brought_back,
            unheeded_withdrawals: unheeded,
            bad,
        }
    }
}

impl From<consents::Error> for CommandError {
    fn from(error: consents::Error) -> Self {
        if let consents::Error::Store(error) = error {
            return error.into();
        }
        let kind = match (&error, error.disposition()) {
            (consents::Error::InUse { .. }, _) => ErrorKind::TryLater,
            // A folder that is not there, or not ours: nobody waits for it.
            (_, Disposition::Retry | Disposition::Hold | Disposition::Reject) => ErrorKind::Failed,
        };
        Self::new(kind, error)
    }
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
        if let Some(back) = self.brought_back.filter(|back| *back > 0) {
            write!(f, ", {back} brought back")?;
        }
        if self.bad > 0 {
            write!(f, ", {} bad", self.bad)?;
        }
        if self.unheeded_withdrawals > 0 {
            write!(f, "; {}", unheeded(self.unheeded_withdrawals))?;
        }
        if let Some(why) = &self.why {
            write!(f, "; {why}")?;
        }
        match &self.kept {
            Some(path) => writeln!(f, "; kept as {path}"),
            None => writeln!(f),
        }
    }
}
