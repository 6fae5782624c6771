use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::Settings;
use crate::{
    assemble,
    cli::{CommandError, Invocation, error::Outcome, runtime::runtime, settings, table::Table},
    config::ServiceConfig,
    domain::ServiceName,
    telemetry,
};

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// A service of the settings [default: all of them]
    #[arg(value_name = "NAME")]
    service: Option<ServiceName>,

    #[command(flatten)]
    settings: Settings,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let mut config = settings::load(Some(&arguments.settings.config), invocation.options)?;
    if let Some(name) = &arguments.service {
        super::only(&mut config, name)?;
    }
    if config.services.is_empty() {
        invocation
            .output
            .note("the settings have no service of Suomi.fi Messages");
    }
    let runtime = runtime()?;
    let services = assemble::services(&config)?;
    let mut checked = Vec::new();
    for settings in &config.services {
        let Some(service) = services.get(&settings.client.name) else {
            continue;
        };
        let steps = runtime.block_on(service.check_each());
        let steps = steps.into_iter().map(|it| {
            let hint = match &it.outcome {
                Ok(_) => None,
                Err(error) => error.hint(),
            };
            StepChecked::new(it.step.as_str(), it.outcome, hint)
        });
        checked.push(ServiceChecked::new(settings, steps.collect()));
    }
    let has_failed = checked.iter().any(ServiceChecked::has_failed);
    invocation
        .output
        .show(&SuomifiChecked { services: checked })?;
    Ok(if has_failed {
        Outcome::Findings
    } else {
        Outcome::Done
    })
}

/// `kuori suomifi check`: whether each service of Suomi.fi Messages lets us in.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct SuomifiChecked {
    services: Vec<ServiceChecked>,
}

#[derive(Serialize, JsonSchema)]
struct ServiceChecked {
    service: String,
    base_url: String,
    /// The id that Suomi.fi has given the service.
    service_id: String,
    user: String,
    /// In their order, up to the first that failed.
    steps: Vec<StepChecked>,
}

#[derive(Serialize, JsonSchema)]
struct StepChecked {
    step: String,
    /// What is worth knowing of a success.
    told: Option<String>,
    /// Absent where it went well.
    error: Option<String>,
    /// What to do.
    hint: Option<String>,
}

impl ServiceChecked {
    fn new(settings: &ServiceConfig, steps: Vec<StepChecked>) -> Self {
        let client = &settings.client;
        Self {
            service: client.name.to_string(),
            base_url: client.base_url.clone(),
            service_id: client.service_id.clone(),
            user: client.user.clone(),
            steps,
        }
    }

    fn has_failed(&self) -> bool {
        self.steps.iter().any(|step| step.error.is_some())
    }
}

impl StepChecked {
    fn new<E: std::error::Error + 'static>(
        step: &str,
        outcome: Result<String, E>,
        hint: Option<&'static str>,
    ) -> Self {
        let (told, error) = match outcome {
            Ok(told) => (Some(told), None),
            Err(error) => (None, Some(error)),
        };
        Self {
            step: step.to_owned(),
            told,
            hint: hint.map(str::to_owned),
            error: error.map(|error| telemetry::with_causes(&error)),
        }
    }
}

impl fmt::Display for SuomifiChecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for service in &self.services {
            let ServiceChecked {
                service: name,
                base_url,
                service_id,
                user,
                steps,
            } = service;
            writeln!(f, "{name}  {service_id} at {base_url} as {user}")?;
            let rows = steps.iter().map(|step| {
                let told = step.error.as_ref().or(step.told.as_ref());
                [step.step.clone(), told.cloned().unwrap_or_default()]
            });
            write!(f, "{}", Table::new(["STEP", "RESULT"], rows))?;
            for hint in steps.iter().filter_map(|step| step.hint.as_ref()) {
                writeln!(f, "hint: {hint}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
