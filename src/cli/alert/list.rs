use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{CommandError, Invocation, error::Outcome, table::Table, words::Time},
    store::Alert,
};

/// `kuori alert list`: what operators were told of and is not over.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct AlertList {
    alerts: Vec<AlertLine>,
}

#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct AlertLine {
    code: String,
    /// A sender, a place or an inbox of the settings, or `house`.
    subject: String,
    since: Time,
    /// When it was first told.
    begun_at: Time,
    /// When it was last told.
    told_at: Time,
    /// As it was when it was last told.
    text: String,
}

pub(super) fn run(invocation: &mut Invocation<'_>) -> Result<Outcome, CommandError> {
    let alerts = invocation.store()?.alerts()?;
    let alerts: Vec<_> = alerts.into_iter().map(AlertLine::from).collect();
    let is_empty = alerts.is_empty();
    invocation.output.show(&AlertList { alerts })?;
    if is_empty {
        invocation.output.note("no alert is on");
    }
    Ok(Outcome::Done)
}

impl From<Alert> for AlertLine {
    fn from(alert: Alert) -> Self {
        Self {
            code: alert.code,
            subject: alert.subject,
            since: Time(alert.since),
            begun_at: Time(alert.begun_at),
            told_at: Time(alert.told_at),
            text: alert.text,
        }
    }
}

impl fmt::Display for AlertList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.alerts.is_empty() {
            return Ok(());
        }
        let row = |alert: &AlertLine| {
            [
                alert.code.clone(),
                alert.subject.clone(),
                alert.since.to_string(),
                alert.told_at.to_string(),
                alert.text.clone(),
            ]
        };
        let heading = ["ALERT", "OF", "SINCE", "LAST TOLD", "WHAT"];
        Table::new(heading, self.alerts.iter().map(row)).fmt(f)
    }
}
