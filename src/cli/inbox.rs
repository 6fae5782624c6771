pub(super) mod list;
pub(super) mod poll;
pub(super) mod shown;

use super::{CommandError, Invocation, error::Outcome};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// List inboxes: when each was last looked into, and what its files wait for
    List(list::Arguments),
    /// Look into inboxes now
    ///
    /// The running `kuori run` does it. With `--dry-run` the command itself looks, through the
    /// settings, and says what would be taken; nothing is claimed, read or recorded.
    Poll(poll::Arguments),
}

pub(super) fn run(
    command: &Command,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    match command {
        Command::List(arguments) => list::run(arguments, invocation),
        Command::Poll(arguments) => poll::run(arguments, invocation),
    }
}
