pub(super) mod hold;
pub(super) mod list;
pub(super) mod release;

use super::{CommandError, Invocation, error::Outcome};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// List senders: who is on hold, and what became of their batches
    List,
    /// Put a sender on hold: its batches are taken and opened, and wait before they are routed
    ///
    /// Those that are routed already go on. The sender reads the reason in its processing report.
    Hold(hold::Arguments),
    /// End a sender's hold; batches that waited for nothing else go on
    Release(release::Arguments),
}

pub(super) fn run(
    command: &Command,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    match command {
        Command::List => list::run(invocation),
        Command::Hold(arguments) => hold::run(arguments, invocation),
        Command::Release(arguments) => release::run(arguments, invocation),
    }
}
