use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::Settings;
use crate::{
    assemble::{Probe, Probed, RemotePlace, remote_places},
    cli::{CommandError, Invocation, error::Outcome, runtime::runtime, settings, table::Table},
    telemetry,
};

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// A sender, print house or further inbox of the settings [default: all that have an SFTP
    /// server]
    #[arg(value_name = "PLACE")]
    place: Option<String>,

    #[command(flatten)]
    settings: Settings,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let config = settings::load(Some(&arguments.settings.config), invocation.options)?;
    let places = match &arguments.place {
        Some(name) => vec![super::place(&config, name)?],
        None => remote_places(&config)?,
    };
    if places.is_empty() {
        invocation
            .output
            .note("no place of the settings is on an SFTP server");
    }
    let mut checked = Vec::new();
    for place in &places {
        let probed = runtime()?.block_on(place.probe())?;
        checked.push(PlaceChecked::new(place, probed));
    }
    let has_failed = checked.iter().any(PlaceChecked::has_failed);
    invocation.output.show(&SftpChecked { places: checked })?;
    Ok(if has_failed {
        Outcome::Findings
    } else {
        Outcome::Done
    })
}

/// `kuori sftp check`: what each SFTP server of the settings lets us do.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct SftpChecked {
    places: Vec<PlaceChecked>,
}

#[derive(Serialize, JsonSchema)]
struct PlaceChecked {
    place: String,
    /// Host and port.
    server: String,
    user: String,
    /// Extensions of the protocol that the server offers, by name.
    offers: Vec<String>,
    steps: Vec<StepChecked>,
}

#[derive(Serialize, JsonSchema)]
struct StepChecked {
    step: String,
    /// Absent where it went well.
    error: Option<String>,
    /// What to type, where we know.
    hint: Option<String>,
}

impl PlaceChecked {
    fn new(place: &RemotePlace, probed: Probed) -> Self {
        let settings = &place.settings;
        Self {
            place: place.name.clone(),
            server: format!("{}:{}", settings.host, settings.port),
            user: settings.user.clone(),
            offers: probed.offers,
            steps: probed.probes.into_iter().map(StepChecked::from).collect(),
        }
    }

    fn has_failed(&self) -> bool {
        self.steps.iter().any(|step| step.error.is_some())
    }
}

impl From<Probe> for StepChecked {
    fn from(probe: Probe) -> Self {
        let error = probe.outcome.err();
        let error = error.map(|error| telemetry::with_causes(&error));
        let (error, hint) = match error.as_deref().map(|told| told.split_once("\n\nhint: ")) {
            Some(Some((told, hint))) => (Some(told.to_owned()), Some(hint.to_owned())),
            _ => (error, None),
        };
        Self {
            step: probe.step,
            error,
            hint,
        }
    }
}

impl fmt::Display for SftpChecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in &self.places {
            writeln!(f, "{}  {} as {}", place.place, place.server, place.user)?;
            let row = |step: &StepChecked| {
                let told = step.error.as_deref().unwrap_or("ok");
                [step.step.clone(), told.to_owned()]
            };
            let rows = place.steps.iter().map(row);
            write!(f, "{}", Table::new(["STEP", "RESULT"], rows))?;
            for hint in place.steps.iter().filter_map(|step| step.hint.as_ref()) {
                writeln!(f, "hint: {hint}")?;
            }
            if !place.offers.is_empty() {
                writeln!(f, "Offers  {}", place.offers.join(", "))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
