use std::{net::IpAddr, sync::Arc};

use ipnet::IpNet;
use russh::keys::PublicKey;
use tokio::sync::Semaphore;

use super::{Error, folder::Folder};

/// What an account is for; it decides which folders the account sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Uploads to `inbox/`, fetches and deletes in `receipts/`.
    Sender,
    /// Fetches and deletes in `pickup/`, uploads to `feedback/`.
    PrintHouse,
}

impl Role {
    pub(super) fn folders(self) -> &'static [Folder] {
        match self {
            Self::Sender => &[Folder::Inbox, Folder::Receipts],
            Self::PrintHouse => &[Folder::Pickup, Folder::Feedback],
        }
    }
}

/// Who may log in, and how much of the disk the account's uploads may fill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user name and the name of the home folder: 1 to 40 of `a-z`, `0-9` and `-`.
    pub name: String,
    pub role: Role,
    /// Lines as in `authorized_keys`, without options; blank lines and comments are skipped.
    pub public_keys: Vec<String>,
    /// An argon2id hash as a PHC string; `None`: no password opens the account.
    pub password_hash: Option<String>,
    /// Where the account may log in from; empty: from anywhere.
    pub allowed_addresses: Vec<IpNet>,
    /// Takes RSA signatures over SHA-1 too, which is all that old clients make (`JSch` 0.1.55).
    pub allows_sha1_rsa: bool,
    /// Bound on what lies in the account's upload folder; `None` is no bound.
    pub quota_bytes: Option<u64>,
    pub quota_files: Option<u64>,
    /// Bound on what all connections of the account carry together, each way; `None` is no bound.
    pub max_bytes_per_sec: Option<u64>,
}

impl Account {
    /// An account that nobody can log in to yet, and that nothing bounds.
    pub fn new(name: &str, role: Role) -> Self {
        Self {
            name: name.to_owned(),
            role,
            public_keys: Vec::new(),
            password_hash: None,
            allowed_addresses: Vec::new(),
            allows_sha1_rsa: false,
            quota_bytes: None,
            quota_files: None,
            max_bytes_per_sec: None,
        }
    }
}

/// An account whose name and keys were checked.
#[derive(Debug)]
pub(super) struct KnownAccount {
    pub(super) account: Account,
    /// One permit a connection.
    pub(super) connections: Arc<Semaphore>,
    keys: Vec<PublicKey>,
}

impl KnownAccount {
    pub(super) fn new(account: Account, max_connections: usize) -> Result<Self, Error> {
        if !is_account_name(&account.name) {
            return Err(Error::AccountName { name: account.name });
        }
        let keys = account
            .public_keys
            .iter()
            .map(|line| line.trim())
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(PublicKey::from_openssh)
            .collect::<Result<_, _>>()
            .map_err(|source| Error::AccountKey {
                account: account.name.clone(),
                source,
            })?;
        Ok(Self {
            account,
            connections: Arc::new(Semaphore::new(max_connections)),
            keys,
        })
    }

    /// Compares the key itself: the comment behind it is not part of it.
    pub(super) fn has_key(&self, offered: &PublicKey) -> bool {
        self.keys
            .iter()
            .any(|key| key.key_data() == offered.key_data())
    }
}

/// Reads an address such as `192.0.2.7`, or a network such as `2001:db8::/32`.
pub fn network(text: &str) -> Option<IpNet> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    address.or_else(|_| text.parse()).ok()
}

fn is_account_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=40).contains(&name.len()) && name.chars().all(allowed) && !name.starts_with('-')
}
