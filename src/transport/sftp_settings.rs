use std::path::PathBuf;

use super::{HostKey, Login};

/// An SFTP server and how to use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SftpSettings {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub login: Login,
    pub host_key: HostKey,
    /// Folder on the server that paths are relative to; empty is where the login lands.
    pub root: String,
    /// From the first packet to the start of the SFTP service.
    pub connect_timeout_secs: u64,
    /// The server is given up if it sends nothing for so long while it owes an answer. What is
    /// counted is silence, not how long a request waits behind others on a slow line.
    pub request_timeout_secs: u64,
    pub keepalive_secs: u64,
    /// Reads or writes of one file that are under way at once; on a long line up to 64.
    pub in_flight: usize,
    /// Bytes of reads and writes under way at once on the connection, and what the server may
    /// send before we take it; bounds the rate on a long line.
    pub window_bytes: u32,
    /// A folder with more entries is not listed.
    pub max_folder_entries: usize,
}

impl Default for SftpSettings {
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            port: 22,
            user: "kuori".to_owned(),
            login: Login::Key(PathBuf::from("id_ed25519")),
            host_key: HostKey::Fingerprints(Vec::new()),
            root: String::new(),
            connect_timeout_secs: 20,
            request_timeout_secs: 90,
            keepalive_secs: 15,
            in_flight: 16,
            window_bytes: 16 * 1024 * 1024,
            max_folder_entries: 1_000_000,
        }
    }
}

impl SftpSettings {
    pub(super) fn server(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}
