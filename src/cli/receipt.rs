use std::{fmt, path::PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use super::{CommandError, Invocation, error::Outcome, settings};
use crate::assemble;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Find the key that receipts are signed with, or make it
    ///
    /// Prints the line that a sender puts into an `allowed_signers` file to verify receipts:
    /// `ssh-keygen -Y verify -f allowed_signers -I kuori -n kuori-receipt -s FILE.sig < FILE`.
    Key(KeyArguments),
}

#[derive(clap::Args)]
pub(super) struct KeyArguments {
    /// The settings file; without one the embedded settings of `samples/config/demo.toml` hold
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// What senders call this house
    #[arg(long, value_name = "NAME", default_value = "kuori", value_parser = identity)]
    identity: String,
}

pub(super) fn run(
    command: &Command,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let Command::Key(arguments) = command;
    let config = settings::load(arguments.config.as_deref(), invocation.options)?;
    let key = assemble::receipt_key(&config, &arguments.identity)?;
    if key.is_new {
        let file = config.receipt_key_file.display();
        invocation
            .output
            .note(format!("made `{file}`; keep it secret, and keep a copy"));
    }
    invocation.output.show(&KeyShown {
        file: config.receipt_key_file,
        is_new: key.is_new,
        identity: arguments.identity.clone(),
        namespace: key.namespace,
        allowed_signers_line: key.allowed_signers_line,
    })?;
    Ok(Outcome::Done)
}

/// A name that is one principal to `ssh-keygen`.
fn identity(given: &str) -> Result<String, &'static str> {
    let is_usable = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    if !given.is_empty() && given.chars().all(is_usable) {
        Ok(given.to_owned())
    } else {
        Err("a name of a-z, A-Z, 0-9, `-`, `_`, `.` and `@`")
    }
}

/// The key that receipts are signed with.
#[derive(Serialize, JsonSchema)]
pub(super) struct KeyShown {
    file: PathBuf,
    /// It was made just now.
    is_new: bool,
    /// For `ssh-keygen -Y verify -I`.
    identity: String,
    /// For `ssh-keygen -Y verify -n`.
    namespace: &'static str,
    /// For the file of `ssh-keygen -Y verify -f`.
    allowed_signers_line: String,
}

impl fmt::Display for KeyShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.allowed_signers_line)
    }
}
