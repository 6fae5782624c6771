use std::{io, net::SocketAddr, path::PathBuf};

use crate::domain::Disposition;

/// Why the server could not be started. What goes wrong with one client is logged, not returned.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    #[error("cannot prepare the folder `{path}`")]
    Folder { path: PathBuf, source: io::Error },
    #[error("cannot make or read the host key `{path}`")]
    HostKey {
        path: PathBuf,
        source: russh::keys::ssh_key::Error,
    },
    #[error("cannot store the host key `{path}`")]
    StoreHostKey { path: PathBuf, source: io::Error },
    #[error("others may read the host key `{path}`; run `chmod 600` on it")]
    HostKeyOpen { path: PathBuf },
    #[error("`{name}` is not an account name: 1 to 40 of a-z, 0-9 and `-`")]
    AccountName { name: String },
    #[error("two accounts are called `{name}`")]
    AccountTwice { name: String },
    #[error("a public key of account `{account}` cannot be read")]
    AccountKey {
        account: String,
        source: russh::keys::ssh_key::Error,
    },
    #[error("the password of account `{account}` is not an argon2id hash")]
    AccountPassword { account: String },
    #[error("cannot hash a password")]
    Password(argon2::password_hash::Error),
}

impl Error {
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Listen { .. } | Self::Folder { .. } | Self::StoreHostKey { .. } => {
                Disposition::Retry
            }
            Self::HostKey { .. }
            | Self::HostKeyOpen { .. }
            | Self::AccountName { .. }
            | Self::AccountTwice { .. }
            | Self::AccountKey { .. }
            | Self::AccountPassword { .. }
            | Self::Password(_) => Disposition::Hold,
        }
    }
}
