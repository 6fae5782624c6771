use std::{fmt, path::PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{CommandError, Invocation, error::Outcome, runtime::runtime, settings},
    monitor::{Failure, page},
    store::Alert,
    telemetry::with_causes,
};

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The settings file, whose `[alerts]` has the command
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// `kuori alert test`: the command ran.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct AlertTested {
    /// Program and arguments.
    command: Vec<String>,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let config = settings::load(Some(&arguments.config), invocation.options)?;
    let (command, time) = (config.alerts.command, config.alerts.command_time);
    let alert = Alert {
        code: "test".to_owned(),
        subject: "house".to_owned(),
        since: invocation.now,
        begun_at: invocation.now,
        told_at: invocation.now,
        text: format!("a test by {}: nothing is wrong", invocation.actor),
    };
    let paged = runtime()?.block_on(page(&command, "test", &alert, time));
    paged.map_err(|error| refused(&error))?;
    invocation.output.show(&AlertTested { command })?;
    Ok(Outcome::Done)
}

fn refused(error: &Failure) -> CommandError {
    let told = CommandError::failed(with_causes(error));
    match error {
        Failure::None => told.hint("write `command = [\"/usr/local/bin/page\"]` into `[alerts]`"),
        _ => told.hint("the command gets the alert as JSON on standard input; try it by hand"),
    }
}

impl fmt::Display for AlertTested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "`{}` has run, and ended with 0", self.command.join(" "))
    }
}
