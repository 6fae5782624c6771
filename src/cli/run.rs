use std::path::{Path, PathBuf};

use super::{
    CommandError, Invocation, clock,
    error::Outcome,
    runtime::{runtime, stop_signal},
    settings,
};
use crate::{assemble::Daemon, config::Config, pipeline::Clock, telemetry};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The settings file [default: `kuori.toml` of the current folder; where there is none, the
    /// embedded settings of `samples/config/demo.toml`]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let options = invocation.options;
    let file = arguments.config.clone().or_else(in_current_folder);
    let config = settings::load(file.as_deref(), options)?;
    let log = &config.log;
    telemetry::start(
        options.log_format.unwrap_or(log.format),
        options.log_filter(&log.filter),
    );
    runtime()?.block_on(async {
        let stop = stop_signal().map_err(|error| {
            CommandError::failed("cannot listen for signals").caused_by(error.to_string())
        })?;
        let daemon = Daemon::start(&config, Clock::new(clock::now)).await?;
        announce(&daemon, &config, file.as_deref());
        daemon.run(stop).await?;
        tracing::info!("stopped");
        Ok(Outcome::Done)
    })
}

fn in_current_folder() -> Option<PathBuf> {
    let file = PathBuf::from("kuori.toml");
    file.exists().then_some(file)
}

fn announce(daemon: &Daemon, config: &Config, file: Option<&Path>) {
    let settings = file.map_or("embedded".into(), Path::to_string_lossy);
    tracing::info!(data_folder = %config.data_folder.display(), %settings, "running");
    for account in config
        .accounts()
        .iter()
        .filter(|account| account.public_keys.is_empty())
    {
        tracing::warn!(
            account = account.name,
            "nobody can log in: the settings give it no key"
        );
    }
    if let Some(address) = daemon.address() {
        tracing::info!(%address, "serving SFTP");
        for fingerprint in daemon.fingerprints() {
            tracing::info!(fingerprint, "host key");
        }
    }
}
