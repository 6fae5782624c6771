use std::{collections::BTreeSet, fs, io::Write, os::unix::fs::OpenOptionsExt};

use schemars::JsonSchema;
use serde::Serialize;

use super::summary::Paths;
use crate::{
    cli::CommandError,
    config::{Config, ServiceConfig},
    domain::ServiceName,
    sample::{self, Spec},
    suomifi_stub::{Mailboxes, Settings, Stub},
};

const NAME: &str = "stand-in";
const SERVICE_ID: &str = "example-service";

/// Suomi.fi Messages, as far as the demo goes: a server of its own, which is asked over HTTP.
pub(super) struct StandIn {
    stub: Stub,
    settings: Settings,
}

/// What the stand-in has, counted by itself.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub(super) struct Taken {
    pub(super) messages: u64,
    /// To how many letters these belong: as many, where each was sent once.
    pub(super) letters: u64,
    /// How often one came again under the same id, and was answered with the number that it had.
    pub(super) repeats: u64,
}

impl StandIn {
    /// Those recipients of the sample have a mailbox whom it says to have one.
    pub(super) async fn start(spec: &Spec) -> Result<Self, CommandError> {
        let people = sample::recipients(spec);
        let with_mailbox = people.filter_map(|it| it.id.filter(|_| it.has_mailbox));
        let ids: Vec<_> = with_mailbox.map(|id| id.expose().to_owned()).collect();
        let settings = Settings {
            mailboxes: Mailboxes::listed(&ids.join("\n")),
            ..Settings::default()
        };
        let stub = Stub::start(settings.clone())
            .await
            .map_err(CommandError::failed)?;
        Ok(Self { stub, settings })
    }

    /// Sends all senders' messages here.
    pub(super) fn introduce(&self, config: &mut Config, paths: &Paths) -> Result<(), CommandError> {
        let name: ServiceName = NAME.parse().map_err(CommandError::failed)?;
        let file = paths.keys.join("stand-in.password");
        fs::File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&file)
            .and_then(|mut opened| opened.write_all(self.settings.password.as_bytes()))
            .map_err(|error| CommandError::file("write", &file, &error))?;
        for sender in &mut config.senders {
            sender.settings.suomifi = Some(name.clone());
        }
        let login = (SERVICE_ID, self.settings.user.as_str());
        let service = ServiceConfig::of_stand_in(name, self.base_url(), login, file);
        config.services.push(service);
        Ok(())
    }

    pub(super) fn base_url(&self) -> String {
        self.stub.base_url()
    }

    pub(super) fn taken(&self) -> Taken {
        let taken = self.stub.accepted();
        let ids = taken.iter().map(|message| message.external_id.as_str());
        Taken {
            messages: taken.len() as u64,
            letters: ids.map(letter).collect::<BTreeSet<_>>().len() as u64,
            repeats: self.stub.counts().repeats,
        }
    }
}

/// `B-0007-12` of `kuori.example-city.B-0007-12.0123abcd…`.
fn letter(external_id: &str) -> &str {
    external_id.split('.').nth(2).unwrap_or(external_id)
}
