pub(super) mod list;
pub(super) mod retry;

use std::str::FromStr;

use super::{CommandError, Invocation, error::Outcome};
use crate::store::Waiting;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// List what waits to be handed over, oldest first, and what nobody picks up
    ///
    /// With `--overdue` the exit code is 3 where there is something.
    List(list::Arguments),
    /// Try at once what is held or put off
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

/// A bundle, a batch, or a place, as somebody types it.
#[derive(Debug, Clone)]
pub(super) struct Named {
    typed: String,
    what: Waiting,
}

impl FromStr for Named {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let bundle = typed.parse().map(Waiting::Bundle);
        let batch = || typed.parse().map(Waiting::Batch);
        let what = match bundle.or_else(|_| batch()) {
            Ok(what) => what,
            Err(_) if is_place(typed) => Waiting::Place(typed.to_owned()),
            Err(_) => {
                return Err(
                    "is no bundle, batch or place: write it as `P-0031`, `B-0007` or \
                            `print-house:example-print`"
                        .to_owned(),
                );
            }
        };
        Ok(Self {
            typed: typed.to_owned(),
            what,
        })
    }
}

fn is_place(typed: &str) -> bool {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-:".contains(c);
    !typed.is_empty() && typed.chars().all(is_part)
}
