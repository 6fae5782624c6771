use std::{fmt, path::PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use super::{CommandError, Invocation, error::Outcome, runtime::runtime, settings};
use crate::{
    domain::EmailAddress,
    notices::{Error, Mail, Mailer},
    telemetry,
};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Try the mail server of the settings
    ///
    /// Connects, encrypts and logs in as a notice does; with `--to`, a mail goes there that says that it is
    /// a trial. The exit code is 3 where something failed.
    Check(Check),
}

#[derive(clap::Args)]
pub(super) struct Check {
    /// The settings file
    #[arg(long, value_name = "FILE", default_value = "kuori.toml")]
    config: PathBuf,
    /// Send a mail to this address
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    to: Option<EmailAddress>,
}

/// The error of a bad command line does not say again what was typed.
fn address(text: &str) -> Result<EmailAddress, String> {
    text.parse()
        .map_err(|_| "it is no e-mail address such as `name@example.fi`".to_owned())
}

pub(super) fn run(
    command: &Command,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let Command::Check(arguments) = command;
    let config = settings::load(Some(&arguments.config), invocation.options)?;
    let Some(settings) = config.notices else {
        let error =
            CommandError::usage("the settings have no `[notices]`: nobody is told by e-mail");
        return Err(error.hint("docs/settings.md has its keys"));
    };
    let mailer = Mailer::new(settings);
    let tried = runtime()?.block_on(try_out(&mailer, arguments, invocation));
    let checked = NoticesChecked::new(&mailer, arguments.to.is_some(), tried);
    invocation.output.show(&checked)?;
    Ok(match checked.error {
        Some(_) => Outcome::Findings,
        None => Outcome::Done,
    })
}

async fn try_out(
    mailer: &Mailer,
    arguments: &Check,
    invocation: &Invocation<'_>,
) -> Result<(), Error> {
    let mut session = mailer.open().await?;
    if let Some(to) = &arguments.to
        && let Ok(mail) = Mail::trial(to, invocation.now, mailer.settings())
    {
        session.send(&mail).await?;
    }
    session.close().await;
    Ok(())
}

/// `kuori notices check`: whether the mail server takes notices.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct NoticesChecked {
    /// Host and port.
    server: String,
    /// A mail was to go, to the address that was typed.
    sends: bool,
    /// Absent where all went well.
    error: Option<String>,
    /// What to change, where we know.
    hint: Option<String>,
}

impl NoticesChecked {
    fn new(mailer: &Mailer, sends: bool, tried: Result<(), Error>) -> Self {
        let settings = mailer.settings();
        let told = tried.err().map(|error| telemetry::with_causes(&error));
        let (error, hint) = match told.as_deref().map(|told| told.split_once("\n\nhint: ")) {
            Some(Some((told, hint))) => (Some(told.to_owned()), Some(hint.to_owned())),
            _ => (told, None),
        };
        Self {
            server: format!("{}:{}", settings.host, settings.port),
            sends,
            error,
            hint,
        }
    }
}

impl fmt::Display for NoticesChecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Mail server  {}", self.server)?;
        match (&self.error, self.sends) {
            (Some(error), _) => writeln!(f, "Result       {error}")?,
            (None, true) => writeln!(f, "Result       the mail was taken: see whether it arrives")?,
            (None, false) => {
                writeln!(
                    f,
                    "Result       lets us in; `--to ADDRESS` sends a mail as well"
                )?;
            }
        }
        match &self.hint {
            Some(hint) => writeln!(f, "hint: {hint}"),
            None => Ok(()),
        }
    }
}
