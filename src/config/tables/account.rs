use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{Quota, key_path::KeyPath, problem::Problems};

/// The account on the embedded server; without `directory` and `sftp` only.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AccountTable {
    /// Who may log in: lines as in `authorized_keys`, without options.
    public_keys: Vec<String>,
    /// Bytes that may lie in the account's upload folder. Default: no bound.
    #[schemars(range(min = 1))]
    quota_bytes: Option<u64>,
    /// Files that may lie in the account's upload folder. Default: no bound.
    #[schemars(range(min = 1))]
    quota_files: Option<u64>,
}

impl AccountTable {
    pub(super) fn read(self, at: &KeyPath, problems: &mut Problems) -> (Vec<String>, Quota) {
        let at = at.key("public_keys");
        for (index, line) in self.public_keys.iter().enumerate() {
            if let Some(wrong) = what_is_wrong(line) {
                problems.add(&at.element(index), wrong);
            }
        }
        let quota = Quota {
            bytes: self.quota_bytes,
            files: self.quota_files,
        };
        (self.public_keys, quota)
    }
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
