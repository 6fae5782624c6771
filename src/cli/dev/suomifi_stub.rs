use std::{fmt, fs, net::SocketAddr, path::PathBuf, str::FromStr};

use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::watch;

use crate::{
    cli::{
        CommandError, Invocation,
        error::Outcome,
        runtime::{runtime, stop_signal},
    },
    domain::Disposition,
    suomifi_stub::{self, Limits, Mailboxes, Misdeed, Settings, Stub, Trouble},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Where it listens; port 0 is one that the system gives
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8075")]
    listen: SocketAddr,

    /// Let `--listen` be an address that other machines reach: whoever does may send
    #[arg(long)]
    open_to_others: bool,

    /// The user who may send
    #[arg(long, value_name = "USER", default_value = "stub")]
    user: String,

    /// Holds the user's password [default: a password that is printed]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// Take messages only of this service; may be repeated [default: of any]
    #[arg(long, value_name = "ID")]
    service: Vec<String>,

    /// Who has a mailbox: `all`, `even` (whose individual number is even), or a file with an identity
    /// code or business id a line
    #[arg(long, value_name = "all|even|FILE", default_value = "all")]
    mailboxes: String,

    /// How long a token is good, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
    token_secs: u64,

    /// Answer 429 above so many requests a second
    #[arg(long, value_name = "NUMBER")]
    requests_per_sec: Option<u32>,

    /// Answer 503 to this share of requests, 0 to 1
    #[arg(long, value_name = "SHARE")]
    fail: Option<f64>,

    /// Carry out this share of requests and cut the connection before the answer, 0 to 1
    #[arg(long, value_name = "SHARE")]
    cut: Option<f64>,

    /// Something else that goes wrong, as `/_stub/troubles` takes it; may be repeated
    #[arg(long, value_name = "JSON")]
    trouble: Vec<Wrong>,

    /// Seed of the dice that shares are thrown with
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,

    /// Messages above which it says that it is full
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000_000)]
    max_messages: usize,

    /// Keep messages as they came, for `/_stub/messages`: letters and identity codes, in memory
    #[arg(long)]
    keep_bodies: bool,

    /// Keep requests and answers, for `/_stub/exchanges`: letters and identity codes, in memory
    #[arg(long)]
    keep_exchanges: bool,
}

/// A trouble that makes sense.
#[derive(Clone)]
struct Wrong(Trouble);

impl FromStr for Wrong {
    type Err = String;

    fn from_str(json: &str) -> Result<Self, String> {
        let trouble: Trouble = serde_json::from_str(json).map_err(|error| error.to_string())?;
        match trouble.fault() {
            Some(fault) => Err(fault.to_owned()),
            None => Ok(Self(trouble)),
        }
    }
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let settings = settings(arguments)?;
    let stop = stop_signal().map_err(|error| {
        CommandError::failed("cannot listen for signals").caused_by(error.to_string())
    })?;
    runtime()?.block_on(async {
        let standing = Standing::new(arguments, &settings);
        let stub = Stub::start(settings).await.map_err(unstarted)?;
        invocation.output.show(&standing.at(&stub))?;
        stopped(stop).await;
        let counts = stub.counts();
        invocation.output.note(format!(
            "{} messages were taken; {} times one came again",
            counts.sent, counts.repeats
        ));
        Ok(Outcome::Done)
    })
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    while !*stop.borrow_and_update() {
        if stop.changed().await.is_err() {
            return;
        }
    }
}

fn unstarted(error: suomifi_stub::Error) -> CommandError {
    match error.disposition() {
        Disposition::Retry => CommandError::failed(error).hint("name another with `--listen`"),
        _ => CommandError::usage(error).hint("say so with `--open-to-others`"),
    }
}

fn settings(arguments: &Arguments) -> Result<Settings, CommandError> {
    let default = Settings::default();
    let password = match &arguments.password_file {
        Some(file) => text(file)?.trim_end_matches(['\r', '\n']).to_owned(),
        None => default.password,
    };
    Ok(Settings {
        listen: arguments.listen,
        open_to_others: arguments.open_to_others,
        user: arguments.user.clone(),
        password,
        services: arguments.service.clone(),
        mailboxes: mailboxes(&arguments.mailboxes)?,
        token_secs: arguments.token_secs,
        requests_per_sec: arguments.requests_per_sec,
        troubles: troubles(arguments)?,
        seed: arguments.seed,
        keeps_bodies: arguments.keep_bodies,
        keeps_exchanges: arguments.keep_exchanges,
        limits: Limits {
            messages: arguments.max_messages,
            ..Limits::default()
        },
        ..default
    })
}

fn mailboxes(named: &str) -> Result<Mailboxes, CommandError> {
    Ok(match named {
        "all" => Mailboxes::All,
        "even" => Mailboxes::Even,
        file => Mailboxes::listed(&text(&PathBuf::from(file))?),
    })
}

fn text(file: &PathBuf) -> Result<String, CommandError> {
    fs::read_to_string(file).map_err(|error| CommandError::file("read", file, &error))
}

fn troubles(arguments: &Arguments) -> Result<Vec<Trouble>, CommandError> {
    let fail = arguments
        .fail
        .map(|share| Trouble::status(503).share(share));
    let cut = arguments.cut;
    let cut = cut.map(|share| Trouble::new(Misdeed::Cut).after_effect().share(share));
    let own = arguments
        .trouble
        .iter()
        .map(|Wrong(trouble)| trouble.clone());
    let all: Vec<_> = fail.into_iter().chain(cut).chain(own).collect();
    match all.iter().find_map(Trouble::fault) {
        Some(fault) => Err(CommandError::usage(fault)),
        None => Ok(all),
    }
}

/// `kuori dev suomifi-stub`: where the stand-in is, and what to write into the settings.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct Standing {
    /// What goes before the paths of the API.
    base_url: String,
    user: String,
    /// A service that it takes messages of; any where none was named.
    service_id: String,
    /// The file with the password; absent where `password` is.
    password_file: Option<PathBuf>,
    /// Where no file was named.
    password: Option<String>,
}

impl Standing {
    fn new(arguments: &Arguments, settings: &Settings) -> Self {
        let file = &arguments.password_file;
        let service = settings.services.first();
        Self {
            base_url: String::new(),
            user: settings.user.clone(),
            service_id: service.map_or("example-service", String::as_str).to_owned(),
            password_file: file.clone(),
            password: file.is_none().then(|| settings.password.clone()),
        }
    }

    fn at(self, stub: &Stub) -> Self {
        Self {
            base_url: stub.base_url(),
            ..self
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.password_file.clone();
        let file = file.unwrap_or_else(|| "stand-in.password".into());
        writeln!(f, "Standing in for Suomi.fi Messages. Into the settings:\n")?;
        writeln!(f, "[suomifi.stand-in]")?;
        writeln!(f, "base_url = {:?}", self.base_url)?;
        writeln!(f, "allows_plain_http = true")?;
        writeln!(f, "service_id = {:?}", self.service_id)?;
        writeln!(f, "user = {:?}", self.user)?;
        writeln!(f, "password_file = {:?}", file.display().to_string())?;
        if let Some(password) = &self.password {
            writeln!(f, "\nThe password, for `{}`: {password}", file.display())?;
        }
        writeln!(
            f,
            "\nWhat to do while it runs: curl {}/_stub",
            self.base_url
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_copied_into_the_settings() {
        let standing = Standing {
            base_url: "http://127.0.0.1:8075".to_owned(),
            user: "stub".to_owned(),
            service_id: "example-service".to_owned(),
            password_file: None,
            password: Some("secret".to_owned()),
        };
        insta::assert_snapshot!(standing, @r#"
        Standing in for Suomi.fi Messages. Into the settings:

        [suomifi.stand-in]
        base_url = "http://127.0.0.1:8075"
        allows_plain_http = true
        service_id = "example-service"
        user = "stub"
        password_file = "stand-in.password"

        The password, for `stand-in.password`: secret

        What to do while it runs: curl http://127.0.0.1:8075/_stub
        "#);
    }
}
