pub(super) mod list;
pub(super) mod test;

use super::{CommandError, Invocation, error::Outcome};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// List the alerts that are on, oldest first
    List,
    /// Run the command of the settings with an alert that is a test
    Test(test::Arguments),
}

pub(super) fn run(
    command: &Command,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    match command {
        Command::List => list::run(invocation),
        Command::Test(arguments) => test::run(arguments, invocation),
    }
}
