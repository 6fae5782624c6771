pub(super) mod accept;
pub(super) mod files;
pub(super) mod printed;
pub(super) mod status;

use std::{fmt, path::PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    CommandError, Invocation,
    backup::refused,
    error::Outcome,
    words::{Time, counted},
};
use crate::{assemble, store};

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// The backup; it becomes the data folder, which must be empty or not there
    #[arg(value_name = "BACKUP", required = true)]
    backup: Option<PathBuf>,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Say what may have been done since the backup was made, and whom to ask
    Status,
    /// Note what the print house has got since, by the piece lists of its bundles
    ///
    /// Their letters are not printed again. A list may be noted twice.
    Printed(printed::Arguments),
    /// Let the restored house go on
    Accept(accept::Arguments),
    /// Bring spooled files that are missing or damaged back from a backup
    ///
    /// Each only where the backup has what its row says. A batch that is held for it goes on with
    /// `kuori reprocess`.
    Files(files::Arguments),
}

/// `kuori restore`: what was brought back.
#[derive(Serialize, JsonSchema)]
pub(super) struct Restored {
    data_folder: PathBuf,
    /// The moment that its rows are of.
    taken_at: Time,
    files: u64,
    bytes: u64,
    has_mailboxes: bool,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    match (&arguments.command, &arguments.backup) {
        (Some(Command::Status), _) => status::run(invocation),
        (Some(Command::Printed(arguments)), _) => printed::run(arguments, invocation),
        (Some(Command::Accept(arguments)), _) => accept::run(arguments, invocation),
        (Some(Command::Files(arguments)), _) => files::run(arguments, invocation),
        (None, Some(backup)) => restore(backup, invocation),
        (None, None) => Err(CommandError::usage("name the backup")),
    }
}

fn restore(
    backup: &std::path::Path,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let to = invocation.options.data_dir();
    if to.exists() && assemble::is_in_use(&to) {
        let error = format!("a kuori works in `{}`", to.display());
        return Err(CommandError::failed(error).hint("name another folder with `--data-dir`"));
    }
    let progress = invocation.output.counter("files");
    let action = invocation.action("");
    let facts = store::restore(backup, &to, &action, &|done, _| progress.reach(done));
    drop(progress);
    let facts = facts.map_err(|error| match error {
        store::Error::NotEmpty(_) => CommandError::failed(error)
            .hint("name a folder that is empty or not there with `--data-dir`"),
        error => refused(error),
    })?;
    invocation.output.show(&Restored {
        data_folder: to,
        taken_at: Time(facts.taken_at),
        files: facts.files,
        bytes: facts.bytes,
        has_mailboxes: facts.has_mailboxes,
    })?;
    for told in WHAT_NOW {
        invocation.output.hint(told);
    }
    Ok(Outcome::Done)
}

const WHAT_NOW: [&str; 2] = [
    "nothing is done in it yet: what was delivered, printed and received after that moment is not \
     known here; `kuori restore status` says whom to ask",
    "`kuori restore printed LIST…` notes what the print house has got since, and `kuori restore \
     accept` lets the house go on",
];

impl fmt::Display for Restored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = counted(self.files, "file", "files");
        let folder = self.data_folder.display();
        writeln!(f, "restored to {folder}: {files}, {} bytes", self.bytes)?;
        writeln!(f, "as of {}", self.taken_at)?;
        if !self.has_mailboxes {
            writeln!(
                f,
                "without mailboxes: put them back before the house goes on"
            )?;
        }
        Ok(())
    }
}
