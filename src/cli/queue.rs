pub(super) mod list;
pub(super) mod move_to;
pub(super) mod retry;
pub(super) mod service;

use super::{CommandError, Invocation, error::Outcome};
use crate::{domain::ServiceName, store::QueueNumbers};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// List what waits for mailbox services, batch by batch
    ///
    /// A service takes one message a request and some a second: each batch goes on meanwhile, and its
    /// paper waits for none of it.
    List(list::Arguments),
    /// Take what waits for a service under its old name for its new one
    ///
    /// Where `[suomifi.OLD]` is `[suomifi.NEW]` in the settings by now, and is the same service: what it
    /// may have already is sent under its old id, which it knows. What waits for a service that is gone
    /// is given to another one by `kuori reprocess --from deliver`.
    Move(move_to::Arguments),
    /// Try at once a service that does not work, instead of when its wait is over
    Retry(retry::Arguments),
}

pub(super) fn run(
    command: &Command,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    match command {
        Command::List(arguments) => list::run(arguments, invocation),
        Command::Move(arguments) => move_to::run(arguments, invocation),
        Command::Retry(arguments) => retry::run(arguments, invocation),
    }
}

/// Of a service that is in the settings, or that something waits for.
fn known<'a>(
    queues: &'a [QueueNumbers],
    name: &ServiceName,
) -> Result<&'a QueueNumbers, CommandError> {
    let found = queues.iter().find(|queue| queue.service == *name);
    found.ok_or_else(|| {
        let error = format!("no mailbox service of that name is known: `{name}`");
        CommandError::failed(error).hint("see `kuori queue list`")
    })
}
