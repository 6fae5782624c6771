use std::path::PathBuf;

use russh::{
    client,
    keys::{self, HashAlg, PublicKey, PublicKeyOrCertificate, known_hosts::known_host_keys_path},
};

use super::{Error, SftpSettings};

/// How we know that the server is the one we mean. There is no "accept any".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostKey {
    /// One of these SHA-256 fingerprints, `SHA256:…`, as `ssh-keygen -l` prints them.
    Fingerprints(Vec<String>),
    /// A file in OpenSSH's `known_hosts` format.
    KnownHosts(PathBuf),
}

/// The pins of one server.
#[derive(Debug, Clone)]
pub(super) enum Pins {
    Fingerprints(Vec<String>),
    Keys(Vec<PublicKey>),
}

impl Pins {
    pub(super) fn load(settings: &SftpSettings) -> Result<Self, Error> {
        match &settings.host_key {
            HostKey::Fingerprints(pinned) => Ok(Self::Fingerprints(pinned.clone())),
            HostKey::KnownHosts(path) => {
                let lines = known_host_keys_path(&settings.host, settings.port, path);
                let lines = lines.map_err(|source| Error::HostKeys {
                    path: path.clone(),
                    source,
                })?;
                Ok(Self::Keys(lines.into_iter().map(|(_, key)| key).collect()))
            }
        }
    }

    /// The algorithms of `all` to offer. Where keys are pinned only theirs: the server would
    /// else show us a key of another kind, which we do not know.
    pub(super) fn algorithms(&self, all: &[keys::Algorithm]) -> Vec<keys::Algorithm> {
        let pinned = |offered: &keys::Algorithm| match self {
            Self::Fingerprints(_) => true,
            Self::Keys(keys) => {
                keys.is_empty() || keys.iter().any(|key| same_kind(&key.algorithm(), offered))
            }
        };
        all.iter()
            .filter(|offered| pinned(offered))
            .cloned()
            .collect()
    }

    fn include(&self, key: &PublicKey) -> bool {
        match self {
            Self::Fingerprints(pinned) => {
                let shown = fingerprint(key);
                pinned.iter().any(|pin| pin.trim() == shown)
            }
            Self::Keys(pinned) => pinned.iter().any(|pin| pin.key_data() == key.key_data()),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Fingerprints(pinned) => pinned.is_empty(),
            Self::Keys(pinned) => pinned.is_empty(),
        }
    }
}

fn same_kind(one: &keys::Algorithm, other: &keys::Algorithm) -> bool {
    one == other || (one.clone().is_rsa() && other.clone().is_rsa())
}

fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// Checks the server's key while the connection is made.
pub(super) struct HostKeyCheck {
    pub(super) server: String,
    pub(super) pins: Pins,
}

/// Why a connection was not made: a refused key is our own answer, not the library's.
#[derive(Debug)]
pub(super) enum CheckError {
    Ssh(russh::Error),
    Refused(Error),
}

impl From<russh::Error> for CheckError {
    fn from(error: russh::Error) -> Self {
        Self::Ssh(error)
    }
}

impl client::Handler for HostKeyCheck {
    type Error = CheckError;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        // We ask for no certificate, so there is none to check.
        let PublicKeyOrCertificate::PublicKey { key, .. } = shown else {
            return Ok(false);
        };
        if self.pins.include(key) {
            return Ok(true);
        }
        let (server, fingerprint) = (self.server.clone(), fingerprint(key));
        Err(CheckError::Refused(if self.pins.is_empty() {
            Error::HostKeyUnknown {
                server,
                fingerprint,
            }
        } else {
            Error::HostKeyChanged {
                server,
                fingerprint,
            }
        }))
    }
}
