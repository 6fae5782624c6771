mod queues;
pub(super) mod shown;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;

use self::shown::StatusShown;
use super::{CommandError, Invocation, clock, error::Outcome, settings};
use crate::{
    assemble::is_in_use,
    monitor::{AlertSettings, Code, Trouble, Weight, troubles},
    store::Store,
};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The settings file, whose `[alerts]` says how long what may wait [default: the times that hold
    /// where the settings say nothing]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Show it again and again, with so many seconds between
    #[arg(long, value_name = "SECS", num_args = 0..=1, default_missing_value = "2",
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    watch: Option<u64>,
}

/// Clears the screen and goes to its upper left corner.
const CLEAR: &[u8] = b"\x1b[2J\x1b[H";

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let (settings, folder) = match &arguments.config {
        None => (AlertSettings::default(), invocation.options.data_dir()),
        Some(file) => {
            let config = settings::load(Some(file), invocation.options)?;
            (config.alerts, config.data_folder)
        }
    };
    let store = Invocation::store_in(&folder)?;
    let Some(secs) = arguments.watch else {
        let shown = look(&store, &folder, &settings, invocation.now)?;
        invocation.output.show(&shown)?;
        return Ok(if shown.needs_an_operator() {
            Outcome::Findings
        } else {
            Outcome::Done
        });
    };
    loop {
        let shown = look(&store, &folder, &settings, clock::now())?;
        if !invocation.options.json {
            invocation.output.bytes(CLEAR)?;
        }
        invocation.output.show(&shown)?;
        std::thread::sleep(Duration::from_secs(secs));
    }
}

fn look(
    store: &Store,
    folder: &Path,
    settings: &AlertSettings,
    now: Timestamp,
) -> Result<StatusShown, CommandError> {
    let status = store.status(now)?;
    let is_running = is_in_use(folder);
    let mut found = troubles(&status, settings, now);
    if let Some(moment) = store.restored_at()? {
        found.insert(0, restored(moment));
        found.sort_by_key(|trouble| trouble.weight);
    } else if !is_running {
        let start = status.start.as_ref();
        let since = start
            .and_then(|start| start.stopped_at)
            .or(status.last_deed);
        let trouble = not_running(folder, since.unwrap_or(now));
        found.insert(0, trouble);
        found.sort_by_key(|trouble| trouble.weight);
    }
    let alerts = store.alerts()?;
    Ok(StatusShown::new(
        &status, is_running, found, alerts, settings, now,
    ))
}

fn restored(moment: Timestamp) -> Trouble {
    Trouble {
        code: Code::NotRunning,
        weight: Weight::Operator,
        subject: "house".to_owned(),
        since: moment,
        text: "it was brought back from a backup, and nobody has said that it may go on".to_owned(),
        to_do: Some("kuori restore status, then kuori restore accept --reason …".to_owned()),
    }
}

fn not_running(folder: &Path, since: Timestamp) -> Trouble {
    Trouble {
        code: Code::NotRunning,
        weight: Weight::Operator,
        subject: "house".to_owned(),
        since,
        text: format!("no daemon works in `{}`", folder.display()),
        to_do: Some("kuori run --config FILE, or systemctl start kuori".to_owned()),
    }
}
