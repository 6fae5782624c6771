pub(super) mod list;
pub(super) mod verify;

use super::{CommandError, Invocation, error::Outcome};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// List what operators did, the newest first
    List(list::Arguments),
    /// Go through the whole audit, and say where it was changed
    ///
    /// Each row is bound to the one before it by a hash. The exit code is 3 where the chain is broken.
    /// Who can write the database can also write another chain: keep the head that this prints
    /// somewhere else, and give it back later with `--head`.
    Verify(verify::Arguments),
}

pub(super) fn run(
    command: &Command,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    match command {
        Command::List(arguments) => list::run(arguments, invocation),
        Command::Verify(arguments) => verify::run(arguments, invocation),
    }
}
