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
    /// Log in with the private key in this file: Ed25519, ECDSA or RSA. Nobody else may be able to
    /// read it. It goes before the password where both are given, as some servers ask for both.
    key_file: Option<PathBuf>,
    /// The passphrase of the key is in this file; a line end behind it is not part of it.
    passphrase_file: Option<PathBuf>,
    /// Log in with the keys of the SSH agent that `SSH_AUTH_SOCK` names. With `key_file` only with
    /// that one, whose public half has to be beside it in a file that ends in `.pub`.
    #[serde(default)]
    agent: bool,
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
    /// A server that owes an answer is given up if it sends nothing for so long; waiting behind
    /// others on a slow line does not count.
    #[schemars(range(min = 1))]
    request_timeout_secs: u64,
    /// How often a quiet connection is kept alive.
    #[schemars(range(min = 1))]
    keepalive_secs: u64,
    /// Reads or writes of one file that are under way at once; on a long line up to 64.
    #[schemars(range(min = 1, max = 1_024))]
    in_flight: usize,
    /// Bytes of reads and writes that are under way at once on a connection; it bounds the rate on
    /// a long line.
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
        if self.passphrase_file.is_some() && (self.key_file.is_none() || self.agent) {
            let message = "is of use only beside `key_file`, and without `agent`";
            problems.add(&at.key("passphrase_file"), message);
        }
        let password = self.password_file.as_ref();
        let password = password.map(|file| Login::PasswordFile(site.path(file)));
        let mut ways: Vec<_> = self.key_login(site).into_iter().chain(password).collect();
        match ways.len() {
            0 => {
                let written = |key: &str| problems.was_written(&at.key(key));
                if !written("key_file") && !written("password_file") && !written("agent") {
                    problems.add(at, "needs `key_file`, `agent = true` or `password_file`");
                }
                None
            }
            1 => ways.pop(),
            _ => Some(Login::InOrder(ways)),
        }
    }

    fn key_login(&self, site: &Site) -> Option<Login> {
        let key = self.key_file.as_ref().map(|file| site.path(file));
        let passphrase = self.passphrase_file.as_ref().map(|file| site.path(file));
        match (self.agent, key, passphrase) {
            (true, key, _) => Some(Login::Agent {
                public_key: key.map(public_half),
            }),
            (false, Some(key), Some(passphrase)) => Some(Login::EncryptedKey { key, passphrase }),
            (false, Some(key), None) => Some(Login::Key(key)),
            (false, None, _) => None,
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

fn public_half(key: PathBuf) -> PathBuf {
    if key.extension().is_some_and(|ending| ending == "pub") {
        return key;
    }
    let mut name = key.into_os_string();
    name.push(".pub");
    name.into()
}

/// The digest of 32 bytes in base64 without padding.
fn is_fingerprint(text: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/';
    text.strip_prefix("SHA256:")
        .is_some_and(|digits| digits.len() == 43 && digits.chars().all(is_digit))
}
