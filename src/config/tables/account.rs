use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    config::{AccountConfig, key_path::KeyPath, problem::Problems},
    sftp_server,
};

/// The account on the embedded server; without `directory` and `sftp` only.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AccountTable {
    /// Who may log in: lines as in `authorized_keys`, without options.
    public_keys: Vec<String>,
    /// Where the account may log in from: addresses and networks such as `192.0.2.7` and
    /// `2001:db8::/32`. Empty: from anywhere.
    allowed_addresses: Vec<String>,
    /// Take RSA signatures over SHA-1 too, which is all that old clients make (`JSch` 0.1.55). They can
    /// be forged by who pays for it: only for a sender that has nothing newer.
    allows_sha1_rsa: bool,
    /// Bytes that may lie in the account's upload folder. Default: no bound.
    #[schemars(range(min = 1))]
    quota_bytes: Option<u64>,
    /// Files that may lie in the account's upload folder. Default: no bound.
    #[schemars(range(min = 1))]
    quota_files: Option<u64>,
    /// Bytes a second that all connections of the account may carry together, each way. Default: no
    /// bound.
    #[schemars(range(min = 1024))]
    max_bytes_per_sec: Option<u64>,
}

impl AccountTable {
    pub(super) fn read(self, at: &KeyPath, problems: &mut Problems) -> AccountConfig {
        let keys_at = at.key("public_keys");
        for (index, line) in self.public_keys.iter().enumerate() {
            if let Some(wrong) = what_is_wrong(line) {
                problems.add(&keys_at.element(index), wrong);
            }
        }
        AccountConfig {
            public_keys: self.public_keys,
            allowed_addresses: networks(
                &self.allowed_addresses,
                &at.key("allowed_addresses"),
                problems,
            ),
            allows_sha1_rsa: self.allows_sha1_rsa,
            quota_bytes: self.quota_bytes,
            quota_files: self.quota_files,
            max_bytes_per_sec: self.max_bytes_per_sec,
        }
    }
}

fn networks(given: &[String], at: &KeyPath, problems: &mut Problems) -> Vec<IpNet> {
    let read = |(index, text): (usize, &String)| {
        let network = sftp_server::network(text);
        if network.is_none() {
            let wrong = "must be an address or a network such as `192.0.2.7` or `2001:db8::/32`";
            problems.add(&at.element(index), wrong);
        }
        network
    };
    given.iter().enumerate().filter_map(read).collect()
}

/// A first look; the server reads the key itself. The line is not repeated: it may be a private key.
fn what_is_wrong(line: &str) -> Option<&'static str> {
    const KINDS: [&str; 4] = ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-sha2-"];
    if line.contains("PRIVATE KEY") {
        return Some("is a private key; it belongs to the sender alone, and its `.pub` file here");
    }
    let mut words = line.split_whitespace();
    let is_kind = |word: &str| KINDS.iter().any(|kind| word.starts_with(kind));
    let is_key = words.next().is_some_and(is_kind)
        && words.next().is_some_and(|word| word.starts_with("AAAA"));
    (!is_key).then_some("must be a public key such as `ssh-ed25519 AAAA…`, without options")
}
