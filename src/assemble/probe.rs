use std::{
    io::{self, Write},
    time::Duration,
};

use super::Error;
use crate::{
    config::{Config, FolderConfig},
    transport::{
        self, HostKey, ReadBack, RemoteFolder, RemotePath, SftpFolder, SftpSettings, ShownKey,
    },
};

/// A sender or print house whose folder is on somebody else's SFTP server.
#[derive(Debug, Clone)]
pub struct RemotePlace {
    pub name: String,
    pub settings: SftpSettings,
    /// Folder that it puts files into, where we take them.
    takes_from: &'static str,
    /// Folder that we put files into.
    puts_to: &'static str,
}

/// What was tried at a place, and how it went.
#[derive(Debug)]
pub struct Probe {
    pub step: String,
    pub outcome: Result<(), transport::Error>,
}

/// All places of the settings that are on SFTP servers, in their order.
pub fn remote_places(config: &Config) -> Vec<RemotePlace> {
    let senders = config.senders.iter().map(|sender| {
        let folders = ("inbox", "receipts");
        (sender.settings.id.to_string(), &sender.folder, folders)
    });
    let print_houses = config.print_houses.iter().map(|house| {
        let folders = ("feedback", "pickup");
        (house.settings.id.to_string(), &house.folder, folders)
    });
    senders
        .chain(print_houses)
        .filter_map(|(name, folder, (takes_from, puts_to))| match folder {
            FolderConfig::Sftp(settings) => Some(RemotePlace {
                name,
                settings: settings.clone(),
                takes_from,
                puts_to,
            }),
            FolderConfig::Embedded | FolderConfig::Directory(_) => None,
        })
        .collect()
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
        for name in [self.takes_from, self.puts_to] {
            let listed = folder.list(&path(name)?).await;
            probes.push(probe(format!("list {name}"), listed.map(drop)));
        }
        let made = folder.make_dir(&path(".kuori")?).await;
        probes.push(probe("make .kuori", made));
        self.probe_writing(&folder, ".kuori", &mut probes).await?;
        self.probe_writing(&folder, self.puts_to, &mut probes)
            .await?;
        let offers = folder.offers().await.unwrap_or_default();
        Ok(Probed { offers, probes })
    }

    /// Uploads a file, reads it back, renames and removes it; stops at the first that fails.
    async fn probe_writing(
        &self,
        folder: &SftpFolder,
        within: &str,
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
