use std::{
    io::{self, Write},
    time::Duration,
};

use super::Error;
use crate::{
    config::{Config, FolderConfig, PrintHouseConfig, SenderConfig},
    inbox::{self, Way},
    transport::{
        self, HostKey, ReadBack, RemoteFolder, RemotePath, SftpFolder, SftpSettings, ShownKey,
    },
};

/// A place on somebody else's SFTP server: of a sender, of a print house, or a further inbox.
#[derive(Debug, Clone)]
pub struct RemotePlace {
    pub name: String,
    pub settings: SftpSettings,
    /// Folders that we look into.
    lists: Vec<RemotePath>,
    /// Folders of ours that we make.
    makes: Vec<RemotePath>,
    /// Folders that we write to.
    writes_to: Vec<RemotePath>,
}

/// What was tried at a place, and how it went.
#[derive(Debug)]
pub struct Probe {
    pub step: String,
    pub outcome: Result<(), transport::Error>,
}

/// All places of the settings that are on SFTP servers, in their order.
pub fn remote_places(config: &Config) -> Result<Vec<RemotePlace>, Error> {
    let mut places = Vec::new();
    for sender in &config.senders {
        places.extend(RemotePlace::of_sender(sender)?);
        for further in &sender.further_inboxes {
            let name = &further.settings.place;
            if let Some(mut place) = RemotePlace::on_sftp(name, &further.folder) {
                place.take_from(&further.settings)?;
                places.push(place);
            }
        }
    }
    for house in &config.print_houses {
        places.extend(RemotePlace::of_print_house(house)?);
    }
    Ok(places)
}

/// What a place answered.
#[derive(Debug)]
pub struct Probed {
    /// Extensions of the protocol, by name.
    pub offers: Vec<String>,
    pub probes: Vec<Probe>,
}

/// The host keys that a server shows for itself; nothing vouches for them yet.
pub async fn show_host_keys(host: &str, port: u16, time: Duration) -> Result<Vec<ShownKey>, Error> {
    let shown = transport::show_host_keys(host, port, time).await;
    shown.map_err(|source| Error::Connect {
        place: host.to_owned(),
        source,
    })
}

impl RemotePlace {
    fn of_sender(sender: &SenderConfig) -> Result<Option<Self>, Error> {
        let Some(mut place) = Self::on_sftp(&sender.settings.id.to_string(), &sender.folder) else {
            return Ok(None);
        };
        place.take_from(&sender.inbox)?;
        place.put_to("receipts")?;
        Ok(Some(place))
    }

    fn of_print_house(house: &PrintHouseConfig) -> Result<Option<Self>, Error> {
        let folder = house.folder.as_ref();
        let name = house.settings.id.to_string();
        let Some(mut place) = folder.and_then(|folder| Self::on_sftp(&name, folder)) else {
            return Ok(None);
        };
        place.put_to("pickup")?;
        Ok(Some(place))
    }

    fn on_sftp(name: &str, folder: &FolderConfig) -> Option<Self> {
        match folder {
            FolderConfig::Sftp(settings) => Some(Self {
                name: name.to_owned(),
                settings: settings.clone(),
                lists: Vec::new(),
                makes: Vec::new(),
                writes_to: Vec::new(),
            }),
            FolderConfig::Embedded | FolderConfig::Directory(_) => None,
        }
    }

    fn take_from(&mut self, inbox: &inbox::Settings) -> Result<(), Error> {
        self.lists.push(inbox.folder.clone());
        if matches!(inbox.way, Way::Claim { .. }) {
            let ours = path(".kuori")?;
            self.makes.push(ours.clone());
            self.writes_to.push(ours);
        }
        Ok(())
    }

    fn put_to(&mut self, folder: &str) -> Result<(), Error> {
        let folder = path(folder)?;
        self.lists.push(folder.clone());
        self.writes_to.push(folder);
        Ok(())
    }

    /// The fingerprints of the settings; none where a `known_hosts` file pins the server.
    pub fn pinned(&self) -> &[String] {
        match &self.settings.host_key {
            HostKey::Fingerprints(pinned) => pinned,
            HostKey::KnownHosts(_) => &[],
        }
    }

    /// Tries everything that the daemon does at this place, with a small file of its own. What
    /// others have there is neither opened nor moved; after a failed log-in nothing further is
    /// tried.
    pub async fn probe(&self) -> Result<Probed, Error> {
        let mut probes = Vec::new();
        let folder = match SftpFolder::connect(self.settings.clone()).await {
            Ok(folder) => folder,
            Err(error) => {
                probes.push(probe("log in", Err(error)));
                return Ok(Probed {
                    offers: Vec::new(),
                    probes,
                });
            }
        };
        probes.push(probe("log in", Ok(())));
        for listed in &self.lists {
            let answer = folder.list(listed).await;
            probes.push(probe(format!("list {listed}"), answer.map(drop)));
        }
        for ours in &self.makes {
            let made = folder.make_dir(ours).await;
            probes.push(probe(format!("make {ours}"), made));
        }
        for within in &self.writes_to {
            self.probe_writing(&folder, within, &mut probes).await?;
        }
        let offers = folder.offers().await.unwrap_or_default();
        Ok(Probed { offers, probes })
    }

    /// Uploads a file, reads it back, renames and removes it; stops at the first that fails.
    async fn probe_writing(
        &self,
        folder: &SftpFolder,
        within: &RemotePath,
        probes: &mut Vec<Probe>,
    ) -> Result<(), Error> {
        let draw = fastrand::u64(..);
        let name = path(&format!("{within}/.kuori-check-{draw:016x}"))?;
        let renamed = path(&format!("{name}-renamed"))?;
        let local = tempfile::NamedTempFile::new().map_err(local_failed)?;
        let written = local.as_file().write_all(b"kuori sftp check\n");
        written.map_err(local_failed)?;
        let put = folder.upload(local.path(), &name, ReadBack::Digest).await;
        let is_put = put.is_ok();
        probes.push(probe(format!("write to {within}"), put.map(drop)));
        if !is_put {
            return Ok(());
        }
        let moved = folder.rename(&name, &renamed).await;
        let stands = if moved.is_ok() { &renamed } else { &name };
        probes.push(probe(format!("rename in {within}"), moved));
        let removed = folder.remove(stands).await;
        probes.push(probe(format!("remove from {within}"), removed));
        Ok(())
    }
}

fn probe(step: impl Into<String>, outcome: Result<(), transport::Error>) -> Probe {
    Probe {
        step: step.into(),
        outcome,
    }
}

fn path(path: &str) -> Result<RemotePath, Error> {
    path.parse().map_err(|source| Error::Path {
        path: path.to_owned(),
        source,
    })
}

fn local_failed(source: io::Error) -> Error {
    Error::Folder {
        folder: std::env::temp_dir(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    const SETTINGS: &str = r#"
        data_folder = "/data"
        [senders.city]
        print_house = "press"
        sftp = { host = "a.example", user = "kuori", key_file = "key" }
        [[senders.city.inboxes]]
        name = "portal"
        folder = "out/letters"
        upload = { taking = "read-only" }
        sftp = { host = "b.example", user = "kuori", key_file = "key" }
        [print_houses.press]
        sftp = { host = "c.example", user = "kuori", key_file = "key" }
    "#;

    fn shown(folders: &[RemotePath]) -> String {
        let names: Vec<_> = folders.iter().map(ToString::to_string).collect();
        names.join(" ")
    }

    #[test]
    fn each_place_is_tried_as_the_daemon_uses_it() {
        let places = remote_places(&parse(SETTINGS).unwrap()).unwrap();
        let tried = places.iter().map(|place| {
            let (lists, writes) = (shown(&place.lists), shown(&place.writes_to));
            format!("{}: lists {lists}; writes to {writes}", place.name)
        });
        let tried: Vec<_> = tried.collect();
        // A print house needs no `feedback` and no folder of ours, and where files stay, nothing
        // is written.
        insta::assert_snapshot!(tried.join("\n"), @r"
        city: lists inbox receipts; writes to .kuori receipts
        city/portal: lists out/letters; writes to 
        press: lists pickup; writes to pickup
        ");
    }
}
