mod rows;

use std::{
    fmt,
    fs::{File, Metadata},
    io,
    path::Path,
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

pub(super) use self::rows::{BadRow, COLUMNS, NOWHERE};
use self::rows::{Rows, Unusable};
use super::Import;
use crate::{
    cli::{CommandError, Invocation, error::Outcome, words::counted},
    store::{ConsentEntry, FullListWish, Store},
};

/// Rows that are recorded in one transaction.
const PAGE: usize = 5_000;
/// Bad rows that are named one by one; all are counted.
const NAMED: usize = 100;
/// Percent of those granted that may be missing in a full list, where the command line says nothing.
pub(super) const MOST_WITHDRAWN: u8 = 20;

/// `kuori consent import`: what a file has done to the register. Nobody is named.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct Imported {
    dry_run: bool,
    /// Whether who is not in the file has withdrawn.
    full: bool,
    pub(super) rows: u64,
    /// Rows that changed the register; the others said what it knew, or something older. Absent
    /// where nothing was recorded.
    pub(super) changed: Option<u64>,
    pub(super) bad: u64,
    /// The first hundred of those.
    pub(super) bad_rows: Vec<BadRow>,
    /// Of a full list: consents that were granted before.
    granted_before: Option<u64>,
    /// Of a full list: those of them that it does not have, which are withdrawn.
    pub(super) missing: Option<u64>,
}

pub(super) fn run(
    arguments: &Import,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    if arguments.as_of.is_some_and(|time| time > invocation.now) {
        return Err(CommandError::usage("the file cannot be of the future"));
    }
    let taken = take_file(&arguments.file, &arguments.how(), invocation)?;
    match taken.refusal {
        Some(Refusal::BadRows) if arguments.dry_run => {
            invocation.output.show(&taken.told)?;
            Ok(Outcome::Findings)
        }
        Some(refusal) => {
            if taken.told.rows > 0 {
                invocation.output.show(&taken.told)?;
            }
            Err(refusal.of_file(&arguments.file))
        }
        None => {
            invocation.output.show(&taken.told)?;
            Ok(taken.told.outcome())
        }
    }
}

impl Import {
    fn how(&self) -> How {
        let most = self.most_withdrawn.unwrap_or(MOST_WITHDRAWN);
        How {
            is_full: self.full && !self.delta,
            as_of: self.as_of,
            most_missing_percent: (!self.allow_withdrawals).then_some(most),
            dry_run: self.dry_run,
        }
    }
}

/// How a file is to be taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    pub(super) is_full: bool,
    /// When a full list was made; absent: when the file was last changed.
    pub(super) as_of: Option<Timestamp>,
    pub(super) most_missing_percent: Option<u8>,
    pub(super) dry_run: bool,
}

/// What became of a file.
pub(super) struct Taken {
    pub(super) told: Imported,
    /// Why nothing of it was recorded.
    pub(super) refusal: Option<Refusal>,
}

/// Takes a file as it is told to.
///
/// # Errors
///
/// Where the file cannot be read or the store cannot write: the same again can work later.
pub(super) fn take_file(
    path: &Path,
    how: &How,
    invocation: &mut Invocation<'_>,
) -> Result<Taken, CommandError> {
    let unread = |error: io::Error| CommandError::file("read", path, &error);
    let file = File::open(path).map_err(unread)?;
    let metadata = file.metadata().map_err(unread)?;
    let mut told = Imported::nothing(how);
    let rows = match Rows::open(file, invocation.now) {
        Ok(rows) => rows,
        Err(Unusable::Column(name)) => {
            let refusal = Some(Refusal::NoColumn(name));
            return Ok(Taken { told, refusal });
        }
        Err(Unusable::Csv(error)) => return Err(unreadable(path, &error)),
    };
    if rows.extra_columns() > 0 {
        let columns = counted(rows.extra_columns(), "other column", "other columns");
        invocation.output.note(format!("{columns} left out"));
    }
    let source = Source {
        rows,
        bytes: metadata.len(),
        path,
    };
    let refusal = if how.is_full {
        let as_of = how.as_of.unwrap_or(changed_at(&metadata, invocation.now));
        import_full(source, &mut told, &how.wish(as_of), invocation)?
    } else {
        import_delta(source, &mut told, invocation)?;
        None
    };
    Ok(Taken { told, refusal })
}

impl How {
    fn wish(&self, as_of: Timestamp) -> FullListWish {
        FullListWish {
            as_of,
            most_missing_percent: self.most_missing_percent,
            dry_run: self.dry_run,
        }
    }
}

/// When the file was made, as the file system says. What was told to the house later than that stands,
/// so the time may be too early, but not too late.
pub(super) fn changed_at(metadata: &Metadata, now: Timestamp) -> Timestamp {
    let modified = metadata.modified().ok();
    let modified = modified.and_then(|time| Timestamp::try_from(time).ok());
    modified.map_or(now, |time| time.min(now))
}

fn unreadable(path: &Path, error: &csv::Error) -> CommandError {
    CommandError::failed(format!("cannot read `{}`", path.display())).caused_by(error.to_string())
}

/// Why nothing of a file was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    NoColumn(&'static str),
    /// A full list of nobody would withdraw everybody's consent.
    Empty,
    /// Of a full list with bad rows nothing is recorded: whoever they are of would seem missing.
    BadRows,
    TooManyMissing {
        missing: u64,
        granted: u64,
        most_percent: u8,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoColumn(name) => write!(f, "there is no column `{name}`"),
            Self::Empty => f.write_str("the list is empty; nothing was recorded"),
            Self::BadRows => f.write_str("a full list may have no bad rows; nothing was recorded"),
            Self::TooManyMissing {
                missing,
                granted,
                most_percent,
            } => write!(
                f,
                "the list does not have {missing} of {granted} consents, which is over \
                 {most_percent} %; nothing was recorded"
            ),
        }
    }
}

impl Refusal {
    fn of_file(self, path: &Path) -> CommandError {
        let hint = match self {
            Self::NoColumn(name) => {
                let error = format!("`{}` has no column `{name}`", path.display());
                return CommandError::failed(error)
                    .hint("the first line says `recipient_id,status,since`, in any order");
            }
            Self::Empty => "a list of nobody would withdraw everybody's consent",
            Self::BadRows => "without `--full` the good rows are taken, and nobody is withdrawn",
            Self::TooManyMissing { .. } => {
                "see whether the file is whole; if it is, `--allow-withdrawals` takes it"
            }
        };
        CommandError::failed(self.to_string()).hint(hint)
    }
}

/// A file that is read row by row.
struct Source<'a> {
    rows: Rows<File>,
    bytes: u64,
    path: &'a Path,
}

impl Source<'_> {
    /// Gives the good rows, page by page, and counts all.
    fn read(
        mut self,
        told: &mut Imported,
        invocation: &Invocation<'_>,
        mut take: impl FnMut(&[ConsentEntry], &mut Imported) -> Result<(), CommandError>,
    ) -> Result<(), CommandError> {
        let progress = invocation.output.progress(self.bytes, "bytes");
        let mut page = Vec::with_capacity(PAGE);
        let path = self.path;
        while let Some(row) = self.rows.next().map_err(|error| unreadable(path, &error))? {
            match row {
                Ok(entry) => page.push(entry),
                Err(bad) => told.note_bad(bad),
            }
            told.rows += 1;
            if page.len() == PAGE {
                take(&page, told)?;
                page.clear();
                progress.reach(self.rows.bytes_read());
            }
        }
        if page.is_empty() {
            return Ok(());
        }
        take(&page, told)
    }
}

/// Takes the file row by row. What was recorded before a failure stays; the whole file can be
/// taken again, since a row that the register has already changes nothing.
fn import_delta(
    source: Source<'_>,
    told: &mut Imported,
    invocation: &mut Invocation<'_>,
) -> Result<(), CommandError> {
    if told.dry_run {
        return source.read(told, invocation, |_, _| Ok(()));
    }
    let store = invocation.store_or_new()?;
    told.changed = Some(0);
    source.read(told, invocation, |page, told| {
        let changed = record(&store, page, invocation)?;
        told.changed = told.changed.map(|before| before + changed);
        Ok(())
    })
}

fn record(
    store: &Store,
    page: &[ConsentEntry],
    invocation: &Invocation<'_>,
) -> Result<u64, CommandError> {
    let source = imported_by(invocation);
    let recorded = store.take_consents(page, &source, &invocation.action(""));
    let changed = recorded.map_err(|error| {
        CommandError::from(error)
            .hint("import the file again: what is recorded already changes nothing")
    })?;
    Ok(changed as u64)
}

/// Takes all of the file in one transaction, or nothing of it, and then says why.
fn import_full(
    source: Source<'_>,
    told: &mut Imported,
    wish: &FullListWish,
    invocation: &mut Invocation<'_>,
) -> Result<Option<Refusal>, CommandError> {
    let store = if wish.dry_run {
        invocation.store()?
    } else {
        invocation.store_or_new()?
    };
    let list = store.begin_full_list()?;
    source.read(told, invocation, |page, _| Ok(list.add(page)?))?;
    if told.rows == 0 {
        return Ok(Some(Refusal::Empty));
    }
    if told.bad > 0 {
        return Ok(Some(Refusal::BadRows));
    }
    let source = imported_by(invocation);
    let end = list.take(*wish, &source, &invocation.action(""))?;
    told.changed = end.changed;
    told.granted_before = Some(end.granted);
    told.missing = Some(end.missing);
    Ok(end.is_too_many.then_some(Refusal::TooManyMissing {
        missing: end.missing,
        granted: end.granted,
        most_percent: wish.most_missing_percent.unwrap_or(100),
    }))
}

fn imported_by(invocation: &Invocation<'_>) -> String {
    format!("imported by {}", invocation.actor)
}

impl Imported {
    fn nothing(how: &How) -> Self {
        Self {
            dry_run: how.dry_run,
            full: how.is_full,
            rows: 0,
            changed: None,
            bad: 0,
            bad_rows: Vec::new(),
            granted_before: None,
            missing: None,
        }
    }

    fn note_bad(&mut self, bad: BadRow) {
        self.bad += 1;
        if self.bad_rows.len() < NAMED {
            self.bad_rows.push(bad);
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        if self.bad == 0 {
            Outcome::Done
        } else {
            Outcome::Findings
        }
    }

    fn first_line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = counted(self.rows, "row", "rows");
        match self.changed {
            Some(changed) => writeln!(f, "{rows} read, {changed} changed the register"),
            None if self.dry_run => {
                writeln!(f, "{rows} read, {} would be recorded", self.rows - self.bad)
            }
            None => writeln!(f, "{rows} read, none recorded"),
        }
    }
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first_line(f)?;
        if let (Some(missing), Some(granted)) = (self.missing, self.granted_before) {
            let done = match self.changed {
                Some(_) => "withdrawn",
                None => "not withdrawn",
            };
            let consents = counted(granted, "consent", "consents");
            writeln!(f, "{missing} of {consents} not in the list: {done}")?;
        }
        if self.bad > 0 {
            writeln!(f, "{} left out:", counted(self.bad, "bad row", "bad rows"))?;
        }
        for BadRow { line, problem } in &self.bad_rows {
            writeln!(f, "  line {line}: {problem}")?;
        }
        match self.bad - self.bad_rows.len() as u64 {
            0 => Ok(()),
            others => writeln!(f, "  and {}", counted(others, "other", "others")),
        }
    }
}
