use std::{
    fmt,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    CommandError, Invocation, error::Outcome, progress::Progress, runtime::runtime, settings,
    words::counted,
};
use crate::{
    assemble,
    config::Config,
    domain::{BatchId, Breach},
    pipeline,
    store::{Problem, Store, Verification, Verified, VerifyProgress},
};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Only these batches; without any, all of them and what belongs to none
    batches: Vec<BatchId>,

    /// Read every file and compare it with its digest, and ask every mailbox
    #[arg(long)]
    deep: bool,

    /// The settings, where `--deep` is to find mailboxes that lie outside the data folder
    #[arg(long, value_name = "FILE", requires = "deep")]
    config: Option<PathBuf>,

    /// How many problems of one kind are named; the others are counted
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

/// `kuori verify`: what breaks a rule.
#[derive(Serialize, JsonSchema)]
pub(super) struct Report {
    /// No rule is broken; notes do not count.
    sound: bool,
    batches: u64,
    messages: u64,
    bundles: u64,
    files: u64,
    bytes: u64,
    /// Files were compared with their digests, and mailboxes asked.
    deep: bool,
    problems: Vec<Told>,
    counts: Vec<Count>,
}

/// One problem.
#[derive(Serialize, JsonSchema)]
struct Told {
    code: &'static str,
    /// Worth knowing, and no fault of the house.
    note: bool,
    /// `B-0007`, `B-0007-12`, `P-0031`, the name of a table, or a file of the spool.
    about: String,
    how: String,
    to_do: &'static str,
}

/// How many problems there are of one kind, also those that are not named.
#[derive(Serialize, JsonSchema)]
struct Count {
    code: &'static str,
    found: u64,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let found = match verify(arguments, invocation) {
        Err(Failure::Damage(error)) => {
            let mut found = Verified::nothing(arguments.limit);
            found.add(Breach::DatabaseDamaged, "kuori.sqlite", error);
            found
        }
        Err(Failure::Other(error)) => return Err(error),
        Ok(found) => found,
    };
    let report = Report::of(&found, arguments.deep);
    invocation.output.show(&report)?;
    Ok(if report.sound {
        Outcome::Done
    } else {
        Outcome::Findings
    })
}

/// Why the folder cannot be looked at.
enum Failure {
    /// Its database is damaged so badly that it cannot be opened: that is an answer.
    Damage(String),
    Other(CommandError),
}

impl<E: Into<CommandError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

fn verify(arguments: &Arguments, invocation: &Invocation<'_>) -> Result<Verified, Failure> {
    let config = settings::load(arguments.config.as_deref(), invocation.options)?;
    let store = open(&config.data_folder)?;
    for &batch in &arguments.batches {
        store.batch(batch)?;
    }
    let options = Verification {
        batches: arguments.batches.clone(),
        is_worked_on: assemble::is_in_use(&config.data_folder),
        deep: arguments.deep,
        named: arguments.limit,
        ..Verification::at_rest(invocation.now)
    };
    let bars = Bars::new(invocation);
    let mut found = store.verify(&options, &|progress| bars.reach(progress))?;
    drop(bars);
    if arguments.deep && found.is_readable() {
        ask_mailboxes(&store, &config, arguments, invocation, &mut found)?;
    }
    Ok(found)
}

fn open(folder: &Path) -> Result<Store, Failure> {
    if !folder.join("kuori.sqlite").exists() {
        return Err(Failure::Other(Invocation::no_data_folder(folder)));
    }
    match Store::open(folder) {
        Err(error) if error.is_damage() => Err(Failure::Damage(error.to_string())),
        other => Ok(other?),
    }
}

fn ask_mailboxes(
    store: &Store,
    config: &Config,
    arguments: &Arguments,
    invocation: &Invocation<'_>,
    found: &mut Verified,
) -> Result<(), CommandError> {
    let Some(mailboxes) = assemble::mailboxes(config)? else {
        return Ok(());
    };
    let batches = if arguments.batches.is_empty() {
        let all = store.batches(u32::MAX)?;
        all.iter().rev().map(|row| row.id).collect()
    } else {
        arguments.batches.clone()
    };
    let bar = invocation
        .output
        .progress(found.messages, "messages asked for");
    let reach = |done| bar.reach(done);
    let asked = pipeline::verify_mailboxes(store, &mailboxes, &batches, found, &reach);
    let asked = runtime()?.block_on(asked);
    asked.map_err(CommandError::failed)
}

/// One bar for the rows, another for the files.
struct Bars {
    rows: Progress,
    files: Progress,
}

impl Bars {
    fn new(invocation: &Invocation<'_>) -> Self {
        Self {
            rows: invocation.output.counter("batches"),
            files: invocation.output.counter("bytes"),
        }
    }

    fn reach(&self, progress: VerifyProgress) {
        let (bar, done, all) = match progress {
            VerifyProgress::Rows(done, all) => (&self.rows, done, all),
            VerifyProgress::Files(done, all) => (&self.files, done, all),
        };
        bar.expect(all);
        bar.reach(done);
    }
}

impl Report {
    fn of(found: &Verified, deep: bool) -> Self {
        Self {
            sound: found.is_sound(),
            batches: found.batches,
            messages: found.messages,
            bundles: found.bundles,
            files: found.files,
            bytes: found.bytes,
            deep,
            problems: found.problems.iter().map(told).collect(),
            counts: found
                .found
                .iter()
                .map(|(breach, &found)| Count {
                    code: breach.as_str(),
                    found,
                })
                .collect(),
        }
    }

    fn named(&self, code: &str) -> u64 {
        let named = self.problems.iter().filter(|told| told.code == code);
        named.count() as u64
    }
}

fn told(problem: &Problem) -> Told {
    Told {
        code: problem.breach.as_str(),
        note: problem.breach.is_note(),
        about: problem.about.clone(),
        how: problem.how.clone(),
        to_do: problem.breach.what_to_do(),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Told {
            code,
            note,
            about,
            how,
            to_do,
        } in &self.problems
        {
            let label = if *note { "note " } else { "" };
            writeln!(f, "{label}{code}  {about}: {how} -> {to_do}")?;
        }
        for Count { code, found } in &self.counts {
            let others = found - self.named(code);
            if others > 0 {
                writeln!(f, "{code}: {others} more like these")?;
            }
        }
        let looked_at = [
            counted(self.batches, "batch", "batches"),
            counted(self.messages, "message", "messages"),
            counted(self.bundles, "bundle", "bundles"),
            counted(self.files, "file", "files"),
        ];
        let verdict = if self.sound {
            "every rule is kept"
        } else {
            "rules are broken"
        };
        writeln!(f, "{}: {verdict}", looked_at.join(", "))
    }
}
