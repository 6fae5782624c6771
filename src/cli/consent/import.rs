use std::{fmt, fs::File, io, path::Path};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Import, begins, register};
use crate::{
    cli::{CommandError, Invocation, error::Outcome, words::counted},
    consents::{self, Desk, MOST_MISSING, Refusal, Rows, Taken, Told, Wish, changed_at},
};

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
    /// Withdrawals that do not count: the register has a consent that is newer.
    unheeded_withdrawals: u64,
    bad: u64,
    /// The first hundred of those.
    bad_rows: Vec<BadRow>,
    /// Of a full list: consents that were granted before.
    granted_before: Option<u64>,
    /// Of a full list: those of them that it does not have, which are withdrawn.
    missing: Option<u64>,
    /// Of a full list: whom an earlier one did not have, and whose consent stands again.
    brought_back: Option<u64>,
}

/// A row that cannot be used. Its words are not repeated: they may be somebody's identity code.
#[derive(Serialize, JsonSchema)]
struct BadRow {
    /// 1-based line of the file.
    line: u64,
    problem: String,
}

pub(super) fn run(
    arguments: &Import,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let as_of = arguments.as_of.map(|given| begins(given, invocation));
    let as_of = as_of.transpose()?;
    if as_of.is_some_and(|time| time > invocation.now) {
        return Err(CommandError::usage("the file cannot be of the future"));
    }
    let Taken { told, refusal } = take(arguments, as_of, invocation)?;
    let told = Imported::of(told, arguments);
    match refusal {
        Some(Refusal::BadRows) if arguments.dry_run => {
            invocation.output.show(&told)?;
            Ok(Outcome::Findings)
        }
        Some(refusal) => {
            if told.rows > 0 {
                invocation.output.show(&told)?;
            }
            Err(of_file(refusal, &arguments.file))
        }
        None => {
            invocation.output.show(&told)?;
            Ok(told.outcome())
        }
    }
}

fn take(
    arguments: &Import,
    as_of: Option<Timestamp>,
    invocation: &mut Invocation<'_>,
) -> Result<Taken, CommandError> {
    let path = &arguments.file;
    let unread = |error: io::Error| CommandError::file("read", path, &error);
    let file = File::open(path).map_err(unread)?;
    let metadata = file.metadata().map_err(unread)?;
    let rows = match Rows::open(file, invocation.now).map_err(|error| failed(error, path))? {
        Ok(rows) => rows,
        Err(unusable) => {
            let (told, refusal) = (Told::default(), Some(unusable.into()));
            return Ok(Taken { told, refusal });
        }
    };
    if rows.extra_columns() > 0 {
        let columns = counted(rows.extra_columns(), "other column", "other columns");
        invocation.output.note(format!("{columns} left out"));
    }
    let as_of = as_of.unwrap_or_else(|| changed_at(&metadata, invocation.now));
    let wish = arguments.wish(as_of);
    let progress = invocation.output.progress(metadata.len(), "bytes");
    let reach = |bytes| progress.reach(bytes);
    let taken = if wish.dry_run && !wish.is_full {
        consents::count(rows, &reach)
    } else {
        let store = register(invocation, wish.dry_run)?;
        let desk = Desk {
            store: &store,
            source: imported_by(invocation),
            action: invocation.action(""),
            progress: &reach,
            is_stopped: &|| false,
        };
        consents::take(rows, &wish, &desk)
    };
    taken.map_err(|error| failed(error, path))
}

impl Import {
    fn is_full(&self) -> bool {
        self.full && !self.delta
    }

    fn wish(&self, as_of: Timestamp) -> Wish {
        let most = self.most_withdrawn.unwrap_or(MOST_MISSING);
        Wish {
            is_full: self.is_full(),
            as_of,
            most_missing_percent: (!self.allow_withdrawals).then_some(most),
            dry_run: self.dry_run,
        }
    }
}

pub(super) fn imported_by(invocation: &Invocation<'_>) -> String {
    format!("imported by {}", invocation.actor)
}

fn failed(error: consents::Error, path: &Path) -> CommandError {
    match error {
        consents::Error::Read(source) => CommandError::file("read", path, &source),
        consents::Error::Store(error) => CommandError::from(error)
            .hint("import the file again: what is recorded already changes nothing"),
        error => error.into(),
    }
}

fn of_file(refusal: Refusal, path: &Path) -> CommandError {
    let hint = match refusal {
        Refusal::NoColumn(name) => {
            let error = format!("`{}` has no column `{name}`", path.display());
            return CommandError::failed(error)
                .hint("the first line says `recipient_id,status,since`, in any order");
        }
        Refusal::ColumnTwice(_) => "nobody knows which of them counts",
        Refusal::OpenQuote(_) => "mend the line, and import the file again",
        Refusal::Empty => "a list of nobody would withdraw everybody's consent",
        Refusal::BadRows => "without `--full` the good rows are taken, and nobody is withdrawn",
        Refusal::TooManyMissing { .. } => {
            "see whether the file is whole; if it is, `--allow-withdrawals` takes it"
        }
        Refusal::Older { .. } => {
            "without `--full` its rows are taken, and nobody is withdrawn; `--as-of` says when it was made"
        }
    };
    CommandError::failed(refusal.to_string()).hint(hint)
}

impl Imported {
    fn of(told: Told, arguments: &Import) -> Self {
        let bad_rows = told.bad_rows.into_iter();
        Self {
            dry_run: arguments.dry_run,
            full: arguments.is_full(),
            rows: told.rows,
            changed: told.changed,
            unheeded_withdrawals: told.unheeded,
            bad: told.bad,
            bad_rows: bad_rows
                .map(|consents::BadRow { line, problem }| BadRow { line, problem })
                .collect(),
            granted_before: told.granted_before,
            missing: told.missing,
            brought_back: told.brought_back,
        }
    }

    fn outcome(&self) -> Outcome {
        if self.bad == 0 && self.unheeded_withdrawals == 0 {
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

pub(super) fn unheeded(withdrawals: u64) -> String {
    match withdrawals {
        1 => "1 withdrawal is older than a consent of the register: it does not count".to_owned(),
        _ => format!(
            "{withdrawals} withdrawals are older than consents of the register: they do not count"
        ),
    }
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first_line(f)?;
        if self.unheeded_withdrawals > 0 {
            writeln!(f, "{}", unheeded(self.unheeded_withdrawals))?;
        }
        if let (Some(missing), Some(granted)) = (self.missing, self.granted_before) {
            let done = match self.changed {
                Some(_) => "withdrawn",
                None => "not withdrawn",
            };
            let consents = counted(granted, "consent", "consents");
            writeln!(f, "{missing} of {consents} not in the list: {done}")?;
        }
        if let Some(back) = self.brought_back.filter(|back| *back > 0) {
            writeln!(f, "{back} brought back whom an earlier list did not have")?;
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
