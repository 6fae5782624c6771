pub(super) mod list;
pub(super) mod retry;
pub(super) mod service;

use super::{CommandError, Invocation, error::Outcome};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// List what waits for mailbox services, batch by batch
    ///
    /// A service takes one message a request and some a second: each batch goes on meanwhile, and its
    /// paper waits for none of it.
    List(list::Arguments),
    /// Try at once a service that does not work, instead of when its wait is over
    Retry(retry::Arguments),
}

pub(super) fn run(
    command: &Command,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    match command {
        Command::List(arguments) => list::run(arguments, invocation),
        Command::Retry(arguments) => retry::run(arguments, invocation),
    }
}
