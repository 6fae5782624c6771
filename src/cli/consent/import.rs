mod rows;

use std::{fmt, fs::File, io, path::Path};

use schemars::JsonSchema;
use serde::Serialize;

use self::rows::{BadRow, Rows};
use super::Import;
use crate::{
    cli::{CommandError, Invocation, error::Outcome, words::counted},
    store::{ConsentChange, Store},
};

/// Rows that are recorded in one transaction.
const PAGE: usize = 1_000;
/// Bad rows that are named one by one; all are counted.
const NAMED: usize = 100;

/// `kuori consent import`: what a file has done to the register. Nobody is named.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct Imported {
    dry_run: bool,
    rows: u64,
    /// Rows that changed the register; the others said what it knew, or something older. Absent
    /// with `dry_run`.
    changed: Option<u64>,
    bad: u64,
    /// The first hundred of those.
    bad_rows: Vec<BadRow>,
}

pub(super) fn run(
    arguments: &Import,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let path = &arguments.file;
    let unread = |error: io::Error| CommandError::file("read", path, &error);
    let file = File::open(path).map_err(unread)?;
    let bytes = file.metadata().map_err(unread)?.len();
    let rows = Rows::open(file, invocation.now).map_err(|error| error.of_file(path))?;
    if rows.extra_columns() > 0 {
        let columns = counted(rows.extra_columns(), "other column", "other columns");
        invocation.output.note(format!("{columns} left out"));
    }
    let store = if arguments.dry_run {
        None
    } else {
        Some(invocation.store_or_new()?)
    };
    let told = import(rows, bytes, path, store.as_ref(), invocation)?;
    let outcome = if told.bad == 0 {
        Outcome::Done
    } else {
        Outcome::Findings
    };
    invocation.output.show(&told)?;
    Ok(outcome)
}

/// Takes the file row by row. What was recorded before a failure stays; the whole file can be
/// taken again, since a row that the register has already changes nothing.
fn import(
    mut rows: Rows<File>,
    bytes: u64,
    path: &Path,
    store: Option<&Store>,
    invocation: &Invocation<'_>,
) -> Result<Imported, CommandError> {
    let progress = invocation.output.progress(bytes, "bytes");
    let mut told = Imported {
        dry_run: store.is_none(),
        rows: 0,
        changed: store.map(|_| 0),
        bad: 0,
        bad_rows: Vec::new(),
    };
    let mut page = Vec::with_capacity(PAGE);
    while let Some(row) = rows.next().map_err(|error| error.of_file(path))? {
        match row {
            Ok(change) => page.push(change),
            Err(bad) => told.note_bad(bad),
        }
        told.rows += 1;
        if page.len() == PAGE {
            told.record(&mut page, store, invocation)?;
            progress.reach(rows.bytes_read());
        }
    }
    told.record(&mut page, store, invocation)?;
    Ok(told)
}

impl Imported {
    fn note_bad(&mut self, bad: BadRow) {
        self.bad += 1;
        if self.bad_rows.len() < NAMED {
            self.bad_rows.push(bad);
        }
    }

    fn record(
        &mut self,
        page: &mut Vec<ConsentChange>,
        store: Option<&Store>,
        invocation: &Invocation<'_>,
    ) -> Result<(), CommandError> {
        if let (Some(store), Some(changed)) = (store, &mut self.changed) {
            let source = format!("imported by {}", invocation.actor);
            let recorded = store.record_consents_by(page, &source, &invocation.action(""));
            *changed += recorded.map_err(|error| {
                CommandError::from(error)
                    .hint("import the file again: what is recorded already changes nothing")
            })? as u64;
        }
        page.clear();
        Ok(())
    }
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = counted(self.rows, "row", "rows");
        match self.changed {
            Some(changed) => writeln!(f, "{rows} read, {changed} changed the register")?,
            None => writeln!(f, "{rows} read, {} would be recorded", self.rows - self.bad)?,
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
