use std::net::IpAddr;

use ipnet::IpNet;
use russh::keys::{HashAlg, PublicKey};

use super::{Error, count::Count, folder::Folder, password};

/// What an account is for; it decides which folders the account sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Uploads to `inbox/`, fetches and deletes in `receipts/`.
    Sender,
    /// Fetches and deletes in `pickup/`, uploads to `feedback/`.
    PrintHouse,
    /// Uploads files of consents to `inbox/`, fetches and deletes answers in `receipts/`.
    ConsentFeed,
}

impl Role {
    pub(super) fn folders(self) -> &'static [Folder] {
        match self {
            Self::Sender | Self::ConsentFeed => &[Folder::Inbox, Folder::Receipts],
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

/// An account whose name, keys and password were checked.
#[derive(Debug)]
pub(super) struct KnownAccount {
    pub(super) account: Account,
    /// Those of its connections that are logged in; the same for all versions of the account.
    pub(super) connections: Count,
    keys: Vec<PublicKey>,
}

/// By what somebody logged in.
#[derive(Debug, Clone)]
pub(super) enum Credential {
    Key(PublicKey),
    /// The hash that the password fitted.
    Password(String),
}

impl KnownAccount {
    pub(super) fn new(account: Account) -> Result<Self, Error> {
        if !is_account_name(&account.name) {
            return Err(Error::AccountName { name: account.name });
        }
        let password = account.password_hash.as_deref();
        if !password.is_none_or(password::is_hash) {
            let account = account.name;
            return Err(Error::AccountPassword { account });
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
            connections: Count::default(),
            keys,
        })
    }

    /// A newer version of this account, which its connections count for too.
    pub(super) fn replaced_by(&self, mut newer: Self) -> Self {
        newer.connections = self.connections.clone();
        newer
    }

    /// Compares the key itself: the comment behind it is not part of it.
    pub(super) fn has_key(&self, offered: &PublicKey) -> bool {
        self.keys
            .iter()
            .any(|key| key.key_data() == offered.key_data())
    }

    pub(super) fn takes(&self, credential: &Credential) -> bool {
        match credential {
            Credential::Key(key) => self.has_key(key),
            Credential::Password(hash) => self.account.password_hash.as_ref() == Some(hash),
        }
    }

    pub(super) fn is_allowed_from(&self, address: IpAddr) -> bool {
        let allowed = &self.account.allowed_addresses;
        let address = address.to_canonical();
        allowed.is_empty() || allowed.iter().any(|network| network.contains(&address))
    }

    /// Nothing opens it: no key, no password.
    pub(super) fn is_shut(&self) -> bool {
        self.keys.is_empty() && self.account.password_hash.is_none()
    }

    /// Whether a session of this version may go on under `newer`: what a session is bound by is the
    /// same.
    pub(super) fn has_terms_of(&self, newer: &Self) -> bool {
        let terms = |known: &Self| {
            let Account {
                role,
                quota_bytes,
                quota_files,
                max_bytes_per_sec,
                ..
            } = known.account;
            (role, quota_bytes, quota_files, max_bytes_per_sec)
        };
        terms(self) == terms(newer)
    }
}

/// The fingerprint of a line as in `authorized_keys`, as `ssh-keygen -l` prints it; `None` where the
/// line is no public key.
pub fn key_fingerprint(line: &str) -> Option<String> {
    let key = PublicKey::from_openssh(line.trim()).ok()?;
    Some(key.fingerprint(HashAlg::Sha256).to_string())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn known(allowed: &[&str]) -> KnownAccount {
        let networks = allowed.iter().filter_map(|text| network(text)).collect();
        KnownAccount::new(Account {
            allowed_addresses: networks,
            ..Account::new("city", Role::Sender)
        })
        .unwrap()
    }

    #[test]
    fn an_account_is_opened_from_its_addresses_only_in_either_form_of_ipv4() {
        let allows =
            |known: &KnownAccount, from: &str| known.is_allowed_from(from.parse().unwrap());
        let city = known(&["192.0.2.0/28", "2001:db8::/32"]);
        for inside in [
            "192.0.2.0",
            "192.0.2.15",
            "::ffff:192.0.2.7",
            "2001:db8:1::",
        ] {
            assert!(allows(&city, inside), "{inside}");
        }
        for outside in ["192.0.2.16", "2001:db9::", "::1"] {
            assert!(!allows(&city, outside), "{outside}");
        }
        assert!(allows(&known(&[]), "198.51.100.1"));
    }

    #[test]
    fn a_network_is_an_address_or_has_a_length() {
        assert_eq!(network("192.0.2.7"), network("192.0.2.7/32"));
        for wrong in ["", "192.0.2.0/33", "192.0.2", "city.example"] {
            assert_eq!(network(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_password_must_be_a_hash() {
        let account = Account {
            password_hash: Some("hunter2".to_owned()),
            ..Account::new("city", Role::Sender)
        };
        let wrong = KnownAccount::new(account).unwrap_err();
        assert!(matches!(wrong, Error::AccountPassword { .. }), "{wrong}");
        assert!(!wrong.to_string().contains("hunter2"));
    }
}
