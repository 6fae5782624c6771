pub(super) mod change_password;
pub(super) mod check;

use std::path::PathBuf;

use super::{CommandError, Invocation, error::Outcome};
use crate::{
    config::{Config, ServiceConfig, nearest},
    domain::ServiceName,
};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Try what every request to Suomi.fi Messages needs
    ///
    /// Reads the password file, looks the address up, connects, looks at the certificate and asks for
    /// a token. Nothing of any person is sent. The exit code is 3 where something failed.
    Check(check::Arguments),
    /// Change the password of a service's user, there and in its file
    ///
    /// Kuori makes a new one and shows it to nobody. The new one is on the disk before the service is
    /// told; where its answer is lost, whichever password lets us in is kept. A daemon goes on by
    /// itself. Suomi.fi wants a new one at least once a year.
    ChangePassword(change_password::Arguments),
}

#[derive(clap::Args)]
struct Settings {
    /// The settings file
    #[arg(long, value_name = "FILE", default_value = "kuori.toml")]
    config: PathBuf,
}

pub(super) fn run(
    command: &Command,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    match command {
        Command::Check(arguments) => check::run(arguments, invocation),
        Command::ChangePassword(arguments) => change_password::run(arguments, invocation),
    }
}

/// Leaves the service of this name alone in the settings, so that nothing is asked of the others.
fn only(config: &mut Config, name: &ServiceName) -> Result<ServiceConfig, CommandError> {
    let known: Vec<_> = config
        .services
        .iter()
        .map(|one| one.client.name.to_string())
        .collect();
    config.services.retain(|one| one.client.name == *name);
    config.services.first().cloned().ok_or_else(|| {
        let error = format!("the settings have no service `{name}` of Suomi.fi Messages");
        let hint = match nearest(name.as_str(), known.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if known.is_empty() => {
                "a service is a table `[suomifi.<name>]`: see docs/settings.md".to_owned()
            }
            None => format!("those that they have: {}", known.join(", ")),
        };
        CommandError::usage(error).hint(hint)
    })
}
