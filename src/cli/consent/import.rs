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

use self::rows::{BadRow, Rows};
pub(super) use self::rows::{COLUMNS, NOWHERE};
use super::Import;
use crate::{
    cli::{CommandError, Invocation, error::Outcome, words::counted},
    store::{ConsentEntry, FullList, FullListTold, FullListWish, Store},
};

/// Rows that are recorded in one transaction.
const PAGE: usize = 1_000;
/// Bad rows that are named one by one; all are counted.
const NAMED: usize = 100;
/// Percent of those granted that may be missing in a full list, where the command line says nothing.
const MOST_WITHDRAWN: u8 = 20;

/// `kuori consent import`: what a file has done to the register. Nobody is named.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct Imported {
    dry_run: bool,
    /// Whether who is not in the file has withdrawn.
    full: bool,
    rows: u64,
    /// Rows that changed the register; the others said what it knew, or something older. Absent
    /// where nothing was recorded.
    changed: Option<u64>,
    bad: u64,
    /// The first hundred of those.
    bad_rows: Vec<BadRow>,
    /// Of a full list: consents that were granted before.
    granted_before: Option<u64>,
    /// Of a full list: those of them that it does not have, which are withdrawn.
    missing: Option<u64>,
}

pub(super) fn run(
    arguments: &Import,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let path = &arguments.file;
    let unread = |error: io::Error| CommandError::file("read", path, &error);
    let file = File::open(path).map_err(unread)?;
    let metadata = file.metadata().map_err(unread)?;
    let as_of = as_of(arguments, &metadata, invocation.now)?;
    let rows = Rows::open(file, invocation.now).map_err(|error| error.of_file(path))?;
    if rows.extra_columns() > 0 {
        let columns = counted(rows.extra_columns(), "other column", "other columns");
        invocation.output.note(format!("{columns} left out"));
    }
    let source = Source {
        rows,
        bytes: metadata.len(),
        path,
    };
    if arguments.full && !arguments.delta {
        import_full(source, &arguments.full_wish(as_of), invocation)
    } else {
        import_delta(source, arguments.dry_run, invocation)
    }
}

impl Import {
    fn full_wish(&self, as_of: Timestamp) -> FullListWish {
        let most = self.most_withdrawn.unwrap_or(MOST_WITHDRAWN);
        FullListWish {
            as_of,
            most_missing_percent: (!self.allow_withdrawals).then_some(most),
            dry_run: self.dry_run,
        }
    }
}

/// When the file was made: as it was typed, or as the file system says. What was told to the house
/// later than that stands, so the time may be too early, but not too late.
fn as_of(
    arguments: &Import,
    metadata: &Metadata,
    now: Timestamp,
) -> Result<Timestamp, CommandError> {
    if let Some(typed) = arguments.as_of {
        if typed > now {
            return Err(CommandError::usage("the file cannot be of the future"));
        }
        return Ok(typed);
    }
    let modified = metadata.modified().ok();
    let modified = modified.and_then(|time| Timestamp::try_from(time).ok());
    Ok(modified.map_or(now, |time| time.min(now)))
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
        while let Some(row) = self.rows.next().map_err(|error| error.of_file(self.path))? {
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
    dry_run: bool,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let mut told = Imported::nothing(dry_run, false);
    if dry_run {
        source.read(&mut told, invocation, |_, _| Ok(()))?;
    } else {
        let store = invocation.store_or_new()?;
        told.changed = Some(0);
        source.read(&mut told, invocation, |page, told| {
            let changed = record(&store, page, invocation)?;
            told.changed = told.changed.map(|before| before + changed);
            Ok(())
        })?;
    }
    invocation.output.show(&told)?;
    Ok(told.outcome())
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

/// Takes all of the file in one transaction, or nothing of it.
fn import_full(
    source: Source<'_>,
    wish: &FullListWish,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = if wish.dry_run {
        invocation.store()?
    } else {
        invocation.store_or_new()?
    };
    let list = store.begin_full_list()?;
    let mut told = Imported::nothing(wish.dry_run, true);
    source.read(&mut told, invocation, |page, _| Ok(list.add(page)?))?;
    if told.rows == 0 {
        return Err(
            CommandError::failed("the list is empty; nothing was recorded")
                .hint("a list of nobody would withdraw everybody's consent"),
        );
    }
    if told.bad > 0 {
        return told.refuse_bad(invocation);
    }
    let end = take_list(list, wish, invocation)?;
    told.changed = end.changed;
    told.granted_before = Some(end.granted);
    told.missing = Some(end.missing);
    invocation.output.show(&told)?;
    if end.is_too_many {
        return Err(too_many(&end, wish));
    }
    Ok(told.outcome())
}

fn take_list(
    list: FullList<'_>,
    wish: &FullListWish,
    invocation: &Invocation<'_>,
) -> Result<FullListTold, CommandError> {
    let source = imported_by(invocation);
    Ok(list.take(*wish, &source, &invocation.action(""))?)
}

fn too_many(end: &FullListTold, wish: &FullListWish) -> CommandError {
    let most = wish.most_missing_percent.unwrap_or(100);
    let what = format!(
        "the list does not have {} of {} consents, which is over {most} %; nothing was recorded",
        end.missing, end.granted
    );
    CommandError::failed(what)
        .hint("see whether the file is whole; if it is, `--allow-withdrawals` takes it")
}

fn imported_by(invocation: &Invocation<'_>) -> String {
    format!("imported by {}", invocation.actor)
}

impl Imported {
    fn nothing(dry_run: bool, full: bool) -> Self {
        Self {
            dry_run,
            full,
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

    fn outcome(&self) -> Outcome {
        if self.bad == 0 {
            Outcome::Done
        } else {
            Outcome::Findings
        }
    }

    /// Of a full list with bad rows nothing is recorded: whoever they are of would seem missing.
    fn refuse_bad(&self, invocation: &mut Invocation<'_>) -> Result<Outcome, CommandError> {
        invocation.output.show(self)?;
        if self.dry_run {
            return Ok(Outcome::Findings);
        }
        let what = "a full list may have no bad rows; nothing was recorded";
        Err(CommandError::failed(what)
            .hint("without `--full` the good rows are taken, and nobody is withdrawn"))
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
