use std::{
    fmt,
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use schemars::JsonSchema;
use serde::Serialize;

use super::Settings;
use crate::{
    assemble::{ShownKey, show_host_keys},
    cli::{CommandError, Invocation, error::Outcome, runtime::runtime, settings, table::Table},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// A sender, print house or further inbox of the settings, or a server
    #[arg(value_name = "PLACE|HOST[:PORT]")]
    server: String,

    #[command(flatten)]
    settings: Settings,

    /// Append the keys to this file, of OpenSSH's `known_hosts` format, with `--yes`
    #[arg(long, value_name = "FILE")]
    known_hosts: Option<PathBuf>,

    /// The fingerprints were compared with what the server's operator tells
    #[arg(long, requires = "known_hosts")]
    yes: bool,
}

/// One attempt to connect.
const TIME: Duration = Duration::from_secs(20);

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let asked = Asked::new(arguments, invocation)?;
    let shown = runtime()?.block_on(show_host_keys(&asked.host, asked.port, TIME))?;
    let appended_to = match (&arguments.known_hosts, arguments.yes) {
        (Some(file), true) => Some(append(file, &shown)?),
        _ => None,
    };
    let trusted = Trust {
        server: format!("{}:{}", asked.host, asked.port),
        is_pinned: asked.are_pinned(&shown),
        keys: shown.into_iter().map(KeyShown::from).collect(),
        appended_to,
    };
    let is_wrong = trusted.is_pinned == Some(false);
    invocation.output.show(&trusted)?;
    invocation.output.hint(
        "ask the server's operator, by another way than this line, whether the fingerprints are \
         theirs",
    );
    if arguments.known_hosts.is_some() && !arguments.yes {
        let hint = "nothing was written; add `--yes` once the fingerprints are compared";
        invocation.output.hint(hint);
    }
    Ok(if is_wrong {
        Outcome::Findings
    } else {
        Outcome::Done
    })
}

/// The server that is meant, and what the settings pin of it.
struct Asked {
    host: String,
    port: u16,
    pinned: Vec<String>,
}

impl Asked {
    fn new(arguments: &Arguments, invocation: &Invocation<'_>) -> Result<Self, CommandError> {
        let named = arguments.server.as_str();
        if let Some((host, port)) = host_and_port(named) {
            return Ok(Self {
                host,
                port,
                pinned: Vec::new(),
            });
        }
        let config = settings::load(Some(&arguments.settings.config), invocation.options)?;
        let place = super::place(&config, named)?;
        Ok(Self {
            pinned: place.pinned().to_vec(),
            host: place.settings.host,
            port: place.settings.port,
        })
    }

    /// `None` where the settings pin no fingerprint.
    fn are_pinned(&self, shown: &[ShownKey]) -> Option<bool> {
        let is_pinned = |key: &ShownKey| self.pinned.contains(&key.fingerprint);
        (!self.pinned.is_empty()).then(|| shown.iter().any(is_pinned))
    }
}

/// A server where the name has a dot or a port: names of places have neither.
fn host_and_port(named: &str) -> Option<(String, u16)> {
    let bracketed = named
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'));
    if let Some((host, rest)) = bracketed {
        let port = rest
            .strip_prefix(':')
            .map_or(Some(22), |port| port.parse().ok());
        return Some((host.to_owned(), port?));
    }
    if let Some((host, port)) = named
        .rsplit_once(':')
        .filter(|(host, _)| !host.contains(':'))
    {
        return Some((host.to_owned(), port.parse().ok()?));
    }
    let is_host = named.contains(['.', ':']) || named == "localhost";
    is_host.then(|| (named.to_owned(), 22))
}

fn append(file: &Path, keys: &[ShownKey]) -> Result<PathBuf, CommandError> {
    let known = std::fs::read_to_string(file).unwrap_or_default();
    let lines = keys.iter().map(|key| key.known_hosts_line.as_str());
    let is_new = |line: &&str| !known.lines().any(|there| there == *line);
    let mut text = lines
        .filter(is_new)
        .fold(String::new(), |text, line| text + line + "\n");
    if !known.is_empty() && !known.ends_with('\n') {
        text.insert(0, '\n');
    }
    let opened = OpenOptions::new().append(true).create(true).open(file);
    let appended = opened.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    appended.map_err(|error| CommandError::file("append to", file, &error))?;
    Ok(file.to_owned())
}

/// `kuori sftp trust`: the keys that a server shows for itself.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct Trust {
    /// Host and port.
    server: String,
    keys: Vec<KeyShown>,
    /// Whether one of them is pinned in the settings; absent where no fingerprint is.
    is_pinned: Option<bool>,
    /// The `known_hosts` file that they were written to.
    appended_to: Option<PathBuf>,
}

#[derive(Serialize, JsonSchema)]
struct KeyShown {
    algorithm: String,
    /// As `ssh-keygen -l` prints it.
    fingerprint: String,
    /// For a `known_hosts` file.
    known_hosts_line: String,
}

impl From<ShownKey> for KeyShown {
    fn from(key: ShownKey) -> Self {
        Self {
            algorithm: key.algorithm,
            fingerprint: key.fingerprint,
            known_hosts_line: key.known_hosts_line,
        }
    }
}

impl fmt::Display for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |key: &KeyShown| [key.algorithm.clone(), key.fingerprint.clone()];
        let rows = self.keys.iter().map(row);
        writeln!(f, "{}", self.server)?;
        writeln!(f, "{}", Table::new(["KEY", "FINGERPRINT"], rows))?;
        match (self.is_pinned, &self.appended_to) {
            (_, Some(file)) => {
                return writeln!(f, "They stand in `{}` now.", file.display());
            }
            (Some(true), None) => return writeln!(f, "One of them is pinned in the settings."),
            (Some(false), None) => writeln!(f, "NONE of them is the one that is pinned.")?,
            (None, None) => {}
        }
        writeln!(f, "In the settings, under `sftp` of the place:")?;
        writeln!(f, "fingerprints = [")?;
        for key in &self.keys {
            writeln!(f, "    \"{}\",", key.fingerprint)?;
        }
        writeln!(f, "]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_told_from_the_name_of_a_place() {
        let server = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(host_and_port("city"), None);
        assert_eq!(host_and_port("sftp.example"), server("sftp.example", 22));
        assert_eq!(host_and_port("city:2222"), server("city", 2222));
        assert_eq!(host_and_port("[::1]:2222"), server("::1", 2222));
        assert_eq!(host_and_port("::1"), server("::1", 22));
    }
}
