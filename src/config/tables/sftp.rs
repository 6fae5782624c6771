use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{mirror::mirror, site::Site};
use crate::{
    config::{key_path::KeyPath, problem::Problems},
    transport::{HostKey, Login, SftpSettings},
};

/// An SFTP server of somebody else's, and how to use it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SftpTable {
    /// Name or address of the server.
    #[schemars(required, length(min = 1))]
    host: Option<String>,
    /// Default: 22.
    #[schemars(range(min = 1, max = 65_535))]
    port: Option<u16>,
    /// User name on the server.
    #[schemars(required, length(min = 1))]
    user: Option<String>,
    /// Log in with the private key in this file: Ed25519, ECDSA or RSA, without a passphrase.
    key_file: Option<PathBuf>,
    /// Log in with the password in this file; a line end behind it is not part of it.
    password_file: Option<PathBuf>,
    /// The server's key is in this file, which has the format of OpenSSH's `known_hosts`.
    known_hosts_file: Option<PathBuf>,
    /// The server's key has one of these SHA-256 fingerprints, `SHA256:…`. Where neither this nor
    /// `known_hosts_file` is given, the first connection is refused and tells the fingerprint.
    #[serde(default)]
    fingerprints: Vec<String>,
    /// Folder on the server that holds ours; empty is where the login lands.
    #[serde(default)]
    folder: String,
    #[serde(default)]
    tuning: TuningTable,
}

/// Times and sizes of a connection.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct TuningTable {
    /// From the first packet to the start of the SFTP service.
    #[schemars(range(min = 1))]
    connect_timeout_secs: u64,
    /// For one request, from when it is queued: `in_flight` times 255 KiB must pass in this time on
    /// the slowest line.
    #[schemars(range(min = 1))]
    request_timeout_secs: u64,
    /// How often a quiet connection is kept alive.
    #[schemars(range(min = 1))]
    keepalive_secs: u64,
    /// Reads or writes of one file that are under way at once.
    #[schemars(range(min = 1, max = 1_024))]
    in_flight: usize,
    /// What the server may send before we take it; it bounds the rate on a long line.
    #[schemars(range(min = 65_536))]
    window_bytes: u32,
    /// A folder with more entries is not listed.
    #[schemars(range(min = 1))]
    max_folder_entries: usize,
}

mirror!(TuningTable of SftpSettings {
    connect_timeout_secs,
    request_timeout_secs,
    keepalive_secs,
    in_flight,
    window_bytes,
    max_folder_entries,
} besides { host, port, user, login, host_key, root });

impl SftpTable {
    pub(super) fn read(
        self,
        at: &KeyPath,
        site: &Site,
        problems: &mut Problems,
    ) -> Option<SftpSettings> {
        let login = self.login(at, site, problems);
        let host_key = self.host_key(at, site, problems);
        let mut settings = SftpSettings {
            host: self.host?,
            user: self.user?,
            login: login?,
            host_key: host_key?,
            root: self.folder,
            ..SftpSettings::default()
        };
        settings.port = self.port.unwrap_or(settings.port);
        self.tuning.set(&mut settings);
        Some(settings)
    }

    fn login(&self, at: &KeyPath, site: &Site, problems: &mut Problems) -> Option<Login> {
        match (&self.key_file, &self.password_file) {
            (Some(key), None) => Some(Login::Key(site.path(key))),
            (None, Some(password)) => Some(Login::PasswordFile(site.path(password))),
            (Some(_), Some(_)) => {
                let message = "is given beside `key_file`; keep one of the two";
                problems.add(&at.key("password_file"), message);
                None
            }
            (None, None) => {
                let written = |key: &str| problems.was_written(&at.key(key));
                if !written("key_file") && !written("password_file") {
                    problems.add(at, "needs `key_file` or `password_file`");
                }
                None
            }
        }
    }

    fn host_key(&self, at: &KeyPath, site: &Site, problems: &mut Problems) -> Option<HostKey> {
        let at = at.key("fingerprints");
        for (index, fingerprint) in self.fingerprints.iter().enumerate() {
            if !is_fingerprint(fingerprint) {
                let message = "must be `SHA256:` and 43 characters, as `ssh-keygen -l` prints it";
                problems.add(&at.element(index), message);
            }
        }
        match &self.known_hosts_file {
            None => Some(HostKey::Fingerprints(self.fingerprints.clone())),
            Some(file) if self.fingerprints.is_empty() => {
                Some(HostKey::KnownHosts(site.path(file)))
            }
            Some(_) => {
                problems.add(
                    &at,
                    "is given beside `known_hosts_file`; keep one of the two",
                );
                None
            }
        }
    }
}

/// The digest of 32 bytes in base64 without padding.
fn is_fingerprint(text: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/';
    text.strip_prefix("SHA256:")
        .is_some_and(|digits| digits.len() == 43 && digits.chars().all(is_digit))
}
