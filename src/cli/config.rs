use std::{fmt, path::PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use super::{CommandError, Invocation, error::Outcome, settings};
use crate::{assemble, config};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Say all that is wrong with a settings file
    Check {
        #[arg(value_name = "FILE", default_value = "kuori.toml")]
        file: PathBuf,
    },
    /// Print the JSON Schema of the settings file
    Schema,
}

pub(super) fn run(
    command: &Command,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    match command {
        Command::Check { file } => {
            let config = settings::parse(file, None)?;
            assemble::check_receipt_key(&config)?;
            assemble::check_postal_passwords(&config)?;
            let name = |id: &dyn fmt::Display| id.to_string();
            invocation.output.show(&Checked {
                file: file.clone(),
                senders: config
                    .senders
                    .iter()
                    .map(|s| name(&s.settings.id))
                    .collect(),
                print_houses: config
                    .print_houses
                    .iter()
                    .map(|p| name(&p.settings.id))
                    .collect(),
                consent_feeds: config
                    .consent_feeds
                    .iter()
                    .map(|feed| feed.name.clone())
                    .collect(),
                mail_server: config.notices.as_ref().map(|it| it.host.clone()),
                services: config
                    .services
                    .iter()
                    .map(|s| name(&s.client.name))
                    .collect(),
            })?;
        }
        Command::Schema => invocation.output.show(&Schema(config::schema()))?,
    }
    Ok(Outcome::Done)
}

/// A settings file that is in order.
#[derive(Serialize, JsonSchema)]
pub(super) struct Checked {
    file: PathBuf,
    senders: Vec<String>,
    print_houses: Vec<String>,
    /// Of Suomi.fi Messages.
    services: Vec<String>,
    /// Who may change the register of consents.
    consent_feeds: Vec<String>,
    /// That which sends notices by e-mail.
    mail_server: Option<String>,
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "`{}` is in order", self.file.display())?;
        writeln!(f, "Senders       {}", self.senders.join(", "))?;
        writeln!(f, "Print houses  {}", self.print_houses.join(", "))?;
        for (what, names) in [
            ("Suomi.fi", &self.services),
            ("Consents from", &self.consent_feeds),
        ] {
            if !names.is_empty() {
                writeln!(f, "{what:<14}{}", names.join(", "))?;
            }
        }
        match &self.mail_server {
            Some(host) => writeln!(f, "Notices by    {host}"),
            None => Ok(()),
        }
    }
}

/// JSON either way: that is what a schema is.
#[derive(Serialize)]
struct Schema(serde_json::Value);

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:#}", self.0)
    }
}
