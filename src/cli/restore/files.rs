use std::{fmt, path::PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::{CommandError, Invocation, backup::refused, error::Outcome};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// A backup that may have them
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,
}

/// `kuori restore files`: what became of spooled files that were missing or damaged.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct FilesMended {
    brought_back: Vec<String>,
    /// Missing or damaged still: this backup does not have them.
    not_there: Vec<String>,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let mended = store.mend_from(&arguments.backup, &invocation.action(""));
    let mended = mended.map_err(refused)?;
    let told = FilesMended {
        brought_back: mended.brought_back,
        not_there: mended.not_there,
    };
    invocation.output.show(&told)?;
    if !told.brought_back.is_empty() {
        invocation
            .output
            .hint("a batch that is held for it goes on with `kuori reprocess`, a hand-over with `kuori outbox retry`");
    }
    if told.not_there.is_empty() {
        return Ok(Outcome::Done);
    }
    invocation
        .output
        .hint("try another backup; or ask the sender to send the same file again: it takes the place of a damaged one");
    Ok(Outcome::Findings)
}

impl fmt::Display for FilesMended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.brought_back.is_empty() && self.not_there.is_empty() {
            return writeln!(f, "every spooled file is there, and what its row says");
        }
        for file in &self.brought_back {
            writeln!(f, "brought back  {file}")?;
        }
        for file in &self.not_there {
            writeln!(f, "not there     {file}")?;
        }
        Ok(())
    }
}
