use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{signal::unix::Signal, sync::watch};

use super::{
    CommandError, Invocation, clock,
    error::Outcome,
    options::Options,
    runtime::{reload_signal, runtime, stop_signal},
    settings,
};
use crate::{
    assemble::{Daemon, Newer, tell_shut},
    config::Config,
    pipeline::Clock,
    telemetry,
};

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
    let file = arguments
        .config
        .clone()
        .or_else(settings::in_current_folder);
    let config = settings::load(file.as_deref(), options)?;
    let log = &config.log;
    telemetry::start(
        options.log_format.unwrap_or(log.format),
        options.log_filter(&log.filter),
    );
    allow_many_descriptors();
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        let stop = stop_signal().map_err(|error| {
            CommandError::failed("cannot listen for signals").caused_by(error.to_string())
        })?;
        let hangups = reload_signal().map_err(|error| {
            CommandError::failed("cannot listen for signals").caused_by(error.to_string())
        })?;
        let daemon = Daemon::start(&config, Clock::new(clock::now)).await?;
        announce(&daemon, &config, file.as_deref())?;
        let newer = follow(hangups, file, options.clone());
        daemon.run_and_reload(stop, newer).await?;
        tracing::info!("stopped");
        Ok(Outcome::Done)
    });
    // A step that was left in the middle has no say in when the program ends.
    runtime.shutdown_background();
    ended
}

/// Systems start a program with 1,024, for the sake of old ones; two busy accounts of the embedded
/// server use more.
fn allow_many_descriptors() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let current = maximum;
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current, maximum }) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

/// Reads the settings again at each SIGHUP. Where something is wrong with them, all of it is logged,
/// and the old ones stay.
fn follow(mut hangups: Signal, file: Option<PathBuf>, options: Options) -> Newer {
    let (settings, newer) = watch::channel(None);
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            match settings::load(file.as_deref(), &options) {
                Ok(config) => {
                    telemetry::set_filter(options.log_filter(&config.log.filter));
                    settings.send_replace(Some(Arc::new(config)));
                }
                Err(problems) => {
                    tracing::error!(
                        "the settings are not taken over, the old ones stay: {problems}"
                    );
                }
            }
        }
    });
    newer
}

fn announce(daemon: &Daemon, config: &Config, file: Option<&Path>) -> Result<(), CommandError> {
    let settings = file.map_or("embedded".into(), Path::to_string_lossy);
    tracing::info!(data_folder = %config.data_folder.display(), %settings, "running");
    tell_shut(&daemon.accounts_without_key()?);
    if let Some(address) = daemon.address() {
        tracing::info!(%address, "serving SFTP");
        for fingerprint in daemon.fingerprints() {
            tracing::info!(fingerprint, "host key");
        }
    }
    if let Some(address) = daemon.monitor_address() {
        tracing::info!(%address, "answering /metrics, /healthz and /readyz");
    }
    Ok(())
}
