use std::path::PathBuf;

use super::{
    CommandError, Invocation, clock,
    error::Outcome,
    runtime::{runtime, stop_signal},
    settings,
};
use crate::{assemble::Daemon, pipeline::Clock};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The settings file; without one the embedded settings of `samples/config/demo.toml` hold
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let config = settings::load(arguments.config.as_deref(), invocation.options)?;
    runtime()?.block_on(async {
        let stop = stop_signal().map_err(|error| {
            CommandError::failed("cannot listen for signals").caused_by(error.to_string())
        })?;
        let daemon = Daemon::start(&config, Clock::new(clock::now)).await?;
        announce(&daemon, &config.data_folder.display().to_string());
        daemon.run(stop).await?;
        tracing::info!("stopped");
        Ok(Outcome::Done)
    })
}

fn announce(daemon: &Daemon, data_folder: &str) {
    tracing::info!(data_folder, "running");
    if let Some(address) = daemon.address() {
        tracing::info!(%address, "serving SFTP");
        for fingerprint in daemon.fingerprints() {
            tracing::info!(fingerprint, "host key");
        }
    }
}
