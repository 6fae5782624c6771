use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{CommandError, Invocation, deed::Deed, error::Outcome, words::counted},
    domain::{BundleId, MessageId},
    store::PrintedNoted,
};

/// What the name of a piece list ends with, behind the bundle's number.
const ENDING: &str = ".pieces.csv";

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Piece lists, such as `P-0031.pieces.csv`, or folders with such files anywhere below
    #[arg(value_name = "LIST", required = true)]
    lists: Vec<PathBuf>,

    #[command(flatten)]
    deed: Deed,
}

/// `kuori restore printed`: what the print house's lists have told.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct PrintedTold {
    dry_run: bool,
    lists: u64,
    /// Letters on them.
    letters: u64,
    /// Letters of batches that the house knows: they are not printed again. Absent with `dry_run`.
    noted: Option<u64>,
    /// Batches of which it knows nothing: they came after the backup.
    unknown_batches: Vec<String>,
    /// Bundles that are recorded as handed over now.
    handed_over: Vec<String>,
    /// Bundles that held some of the letters: taken back, and the others planned anew.
    withdrawn: Vec<String>,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    if store.restored_at()?.is_none() {
        return Err(CommandError::failed(
            "this house is not one that was restored, or it goes on already",
        )
        .hint("`kuori restore status` says so"));
    }
    let mut lists = Vec::new();
    for path in &arguments.lists {
        find(path, &mut lists)?;
    }
    let mut letters = Vec::new();
    for list in &lists {
        read(list, &mut letters)?;
    }
    let noted = match arguments.deed.action(invocation) {
        Some(action) => Some(store.note_printed(&letters, &action)?),
        None => None,
    };
    let told = told(lists.len(), letters.len(), noted);
    invocation.output.show(&told)?;
    if told.unknown_batches.is_empty() {
        return Ok(Outcome::Done);
    }
    invocation.output.hint(
        "letters of those batches have gone, and nobody here knows them: tell their senders not to send \
         them again",
    );
    Ok(Outcome::Findings)
}

/// A file that is named is a list; in a folder those are that are called so.
fn find(path: &Path, lists: &mut Vec<PathBuf>) -> Result<(), CommandError> {
    if !path.is_dir() {
        lists.push(path.to_owned());
        return Ok(());
    }
    let failed = |error: io::Error| CommandError::file("list", path, &error);
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?.path();
        let is_list = entry.to_string_lossy().ends_with(ENDING);
        if entry.is_dir() || is_list {
            find(&entry, lists)?;
        }
    }
    Ok(())
}

fn read(list: &Path, letters: &mut Vec<(MessageId, BundleId)>) -> Result<(), CommandError> {
    let unread = |why: String| {
        CommandError::failed(format!("cannot read `{}` as a piece list", list.display()))
            .caused_by(why)
            .hint("its name begins with the bundle's number: `P-0031.pieces.csv`")
    };
    let name = list.file_name().unwrap_or_default().to_string_lossy();
    let bundle = name.split('.').next().unwrap_or_default();
    let bundle: BundleId = bundle
        .parse()
        .map_err(|_| unread(format!("`{bundle}` is no number of a bundle")))?;
    let mut rows = csv::Reader::from_path(list).map_err(|error| unread(error.to_string()))?;
    let headers = rows.headers().map_err(|error| unread(error.to_string()))?;
    let column = headers
        .iter()
        .position(|name| name == "messages")
        .ok_or_else(|| unread("it has no column `messages`".to_owned()))?;
    for row in rows.records() {
        let row = row.map_err(|error| unread(error.to_string()))?;
        for message in row.get(column).unwrap_or_default().split(' ') {
            let message = message
                .parse()
                .map_err(|_| unread(format!("`{message}` is no number of a message")))?;
            letters.push((message, bundle));
        }
    }
    Ok(())
}

fn told(lists: usize, letters: usize, noted: Option<PrintedNoted>) -> PrintedTold {
    let is_done = noted.is_some();
    let noted = noted.unwrap_or_default();
    let names = |bundles: &[BundleId]| bundles.iter().map(ToString::to_string).collect();
    PrintedTold {
        dry_run: !is_done,
        lists: lists as u64,
        letters: letters as u64,
        noted: is_done.then_some(noted.letters),
        unknown_batches: noted.unknown.iter().map(ToString::to_string).collect(),
        handed_over: names(&noted.handed_over),
        withdrawn: names(&noted.withdrawn),
    }
}

impl fmt::Display for PrintedTold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = counted(self.letters, "letter", "letters");
        writeln!(f, "{letters} on {}", counted(self.lists, "list", "lists"))?;
        if let Some(noted) = self.noted {
            writeln!(f, "noted: {noted}")?;
        }
        for batch in &self.unknown_batches {
            writeln!(f, "{batch}  came after the backup, and is not known here")?;
        }
        for bundle in &self.handed_over {
            writeln!(f, "{bundle}  is handed over")?;
        }
        for bundle in &self.withdrawn {
            writeln!(
                f,
                "{bundle}  is withdrawn; what of it is not printed is planned anew"
            )?;
        }
        Ok(())
    }
}
