pub(super) mod check;
pub(super) mod trust;

use std::path::PathBuf;

use super::{CommandError, Invocation, error::Outcome};
use crate::{
    assemble::{RemotePlace, remote_places},
    config::Config,
};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Show the host keys of an SFTP server, and what to write into the settings to trust them
    ///
    /// Nothing vouches for what is shown: compare the fingerprints with what the server's operator
    /// tells by another way, as a letter or a call. The exit code is 3 where the settings pin a key
    /// that the server does not show.
    Trust(trust::Arguments),
    /// Try all that Kuori does on the SFTP servers of the settings
    ///
    /// Connects, logs in, lists, makes the folder `.kuori` where files are claimed, and writes, reads
    /// back, renames and removes a small file of its own. Files of others are neither opened nor
    /// moved, and where they are only read, nothing is written. The exit code is 3 where something
    /// failed.
    Check(check::Arguments),
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
        Command::Trust(arguments) => trust::run(arguments, invocation),
        Command::Check(arguments) => check::run(arguments, invocation),
    }
}

/// The place of this name.
fn place(config: &Config, name: &str) -> Result<RemotePlace, CommandError> {
    let places = remote_places(config)?;
    let known: Vec<_> = places.iter().map(|place| place.name.clone()).collect();
    let named = places.into_iter().find(|place| place.name == name);
    named.ok_or_else(|| {
        let error = format!("no place `{name}` of the settings has an SFTP server");
        let hint = if known.is_empty() {
            "a place has one under `sftp`: see docs/settings.md".to_owned()
        } else {
            format!("those that have one: {}", known.join(", "))
        };
        CommandError::usage(error).hint(hint)
    })
}
