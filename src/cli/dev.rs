pub(super) mod suomifi_stub;

use super::{CommandError, Invocation, error::Outcome};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Stand in for Suomi.fi Messages, until stopped
    ///
    /// An HTTP server that answers as the service's REST API does, from memory: nothing is written to
    /// disk, and nothing leaves this machine. What it prints is what the settings want to send there.
    /// While it runs it is told to misbehave, and asked what it saw, under `/_stub`:
    /// `curl http://127.0.0.1:8075/_stub` lists how.
    SuomifiStub(suomifi_stub::Arguments),
}

pub(super) fn run(
    command: &Command,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    match command {
        Command::SuomifiStub(arguments) => suomifi_stub::run(arguments, invocation),
    }
}
