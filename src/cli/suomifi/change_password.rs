use std::{fmt, path::PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use super::Settings;
use crate::{
    assemble,
    cli::{
        CommandError, Invocation,
        deed::LightDeed,
        error::{ErrorKind, Outcome},
        runtime::runtime,
        settings,
    },
    domain::{Disposition, Private, ServiceName},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// A service of the settings
    #[arg(value_name = "NAME")]
    service: ServiceName,

    #[command(flatten)]
    settings: Settings,

    /// Read the new password from standard input, one line, instead of making one
    #[arg(long)]
    from_stdin: bool,

    #[command(flatten)]
    deed: LightDeed,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let mut config = settings::load(Some(&arguments.settings.config), invocation.options)?;
    let settings = super::only(&mut config, &arguments.service)?;
    let services = assemble::services(&config)?;
    let Some(service) = services.get(&arguments.service) else {
        return Err(CommandError::failed("the service could not be set up"));
    };
    let new = new_password(arguments, invocation)?;
    let failed = |error: Box<dyn std::error::Error + Send + Sync>, disposition, hint| {
        let kind = match disposition {
            Disposition::Retry => ErrorKind::TryLater,
            Disposition::Hold | Disposition::Reject => ErrorKind::Failed,
        };
        let error = CommandError::new(kind, error);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    };
    let action = arguments.deed.action(invocation);
    let runtime = runtime()?;
    let outcome = match &action {
        None => runtime.block_on(service.check_change(&new)),
        Some(action) => {
            let store = Invocation::store_in(&config.data_folder)?;
            let changed = runtime.block_on(service.change_password(&new));
            if changed.is_ok() {
                store.note_changed_password(&arguments.service, action)?;
            }
            changed
        }
    };
    outcome.map_err(|error| {
        let (disposition, hint) = (error.disposition(), error.hint());
        failed(error.into(), disposition, hint)
    })?;
    invocation.output.show(&PasswordChanged {
        service: arguments.service.to_string(),
        user: settings.client.user,
        password_file: settings.client.password_file,
        dry_run: arguments.deed.dry_run,
    })?;
    Ok(Outcome::Done)
}

fn new_password(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Private<String>, CommandError> {
    if !arguments.from_stdin {
        return assemble::random_password().map_err(CommandError::failed);
    }
    let mut line = String::new();
    let read = invocation.input.read_line(&mut line);
    read.map_err(|error| {
        CommandError::failed("cannot read standard input").caused_by(error.to_string())
    })?;
    Ok(Private::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// `kuori suomifi change-password`: what was done, or with `--dry-run` what would be.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct PasswordChanged {
    service: String,
    user: String,
    /// It has the new password.
    password_file: PathBuf,
    dry_run: bool,
}

impl fmt::Display for PasswordChanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is = if self.dry_run { "would be" } else { "is" };
        writeln!(
            f,
            "the password of `{}` at `{}` {is} changed, and the new one {is} in `{}`",
            self.user,
            self.service,
            self.password_file.display()
        )
    }
}
