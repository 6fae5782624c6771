use std::{net::SocketAddr, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{mirror::mirror, site::Site};
use crate::{
    config::{ServerConfig, key_path::KeyPath, problem::Problems},
    sftp_server::Settings,
};

/// The embedded SFTP server. Every sender and print house without `directory` and `sftp` has an
/// account on it, of the same name.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ServerTable {
    /// Whether the server runs.
    enabled: bool,
    /// Address and port, such as `0.0.0.0:22` or `[::]:2222`. Port 0 lets the system choose.
    listen: String,
    /// Folder of the host keys, made at the first start.
    host_keys_folder: PathBuf,
    /// Folder of the accounts' homes.
    accounts_folder: PathBuf,
    limits: ServerLimitsTable,
}

/// How much of the server one client may use.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct ServerLimitsTable {
    /// Connections in all.
    #[schemars(range(min = 1))]
    max_connections: usize,
    /// Connections on which nobody is logged in yet; they take no place of those who are.
    #[schemars(range(min = 1))]
    max_connections_before_login: usize,
    /// Connections of one account.
    #[schemars(range(min = 1))]
    max_connections_per_account: usize,
    /// Connections from one address; senders behind one address translator share it.
    #[schemars(range(min = 1))]
    max_connections_per_address: usize,
    /// SFTP sessions on one connection.
    #[schemars(range(min = 1))]
    max_sessions_per_connection: usize,
    /// SFTP sessions on one connection over its whole life, one after the other.
    #[schemars(range(min = 1))]
    max_channels_per_connection: usize,
    /// Open files and folders in one session.
    #[schemars(range(min = 1))]
    max_handles: usize,
    /// Open files and folders in all sessions of one account; an upload takes two of the descriptors
    /// that the system lets Kuori have.
    #[schemars(range(min = 1))]
    max_handles_per_account: usize,
    /// Largest SFTP packet from a client; OpenSSH sends up to 256 KiB.
    #[schemars(range(min = 34_000))]
    max_packet_bytes: usize,
    /// What a client may have sent while it does not take our replies.
    #[schemars(range(min = 34_000))]
    max_backlog_bytes: usize,
    /// The same for all clients together.
    #[schemars(range(min = 1_000_000))]
    max_backlog_bytes_in_all: usize,
    /// Largest file that is taken.
    #[schemars(range(min = 1))]
    max_file_bytes: u64,
    /// Files that an upload folder may hold, finished or not.
    #[schemars(range(min = 1))]
    max_folder_entries: u64,
    /// Requests of one session that are worked on at once.
    #[schemars(range(min = 1))]
    max_requests_at_once: usize,
    /// How long a broken upload lies there for its client to go on with. 0 keeps none.
    keep_partial_hours: u32,
    /// An upload that got nothing for this long may be gone on with by another connection of its
    /// account: the first one is most likely dead.
    takeover_secs: u64,
    /// Threads that wait for the disk, so that files which are closed together cost one wait.
    #[schemars(range(min = 1, max = 256))]
    sync_threads: usize,
    /// Time from the connection to the accepted login.
    #[schemars(range(min = 1))]
    login_time_secs: u64,
    /// Rejected logins on one connection; every key that an agent offers counts as one.
    #[schemars(range(min = 1))]
    login_tries: usize,
    /// Failed logins from one address within `login_failure_window_secs`, after which it is shut out
    /// for as long; not where somebody has logged in from lately.
    #[schemars(range(min = 1))]
    login_failures_per_address: u32,
    /// How long a failed login is held against its address.
    #[schemars(range(min = 1))]
    login_failure_window_secs: u64,
    /// A connection that sends nothing for this long is closed.
    #[schemars(range(min = 1))]
    idle_secs: u64,
    /// Time that connections with something in hand get when the server stops.
    stop_grace_secs: u64,
}

mirror!(ServerLimitsTable of Settings {
    max_connections,
    max_connections_before_login,
    max_connections_per_account,
    max_connections_per_address,
    max_sessions_per_connection,
    max_channels_per_connection,
    max_handles,
    max_handles_per_account,
    max_packet_bytes,
    max_backlog_bytes,
    max_backlog_bytes_in_all,
    max_file_bytes,
    max_folder_entries,
    max_requests_at_once,
    keep_partial_hours,
    takeover_secs,
    sync_threads,
    login_time_secs,
    login_tries,
    login_failures_per_address,
    login_failure_window_secs,
    idle_secs,
    stop_grace_secs,
} besides { listen, host_keys, root });

impl Default for ServerTable {
    fn default() -> Self {
        let settings = Settings::default();
        Self {
            enabled: true,
            listen: settings.listen.to_string(),
            host_keys_folder: settings.host_keys,
            accounts_folder: settings.root,
            limits: ServerLimitsTable::default(),
        }
    }
}

impl ServerTable {
    pub(super) fn is_enabled(&self) -> bool {
        self.enabled
    }

    pub(super) fn read(
        self,
        at: &KeyPath,
        site: &Site,
        problems: &mut Problems,
    ) -> Option<ServerConfig> {
        let mut settings = Settings {
            host_keys: site.path(&self.host_keys_folder),
            root: site.path(&self.accounts_folder),
            ..Settings::default()
        };
        match self.listen.parse::<SocketAddr>() {
            Ok(listen) => settings.listen = listen,
            Err(_) => problems.add(
                &at.key("listen"),
                "must be an address and a port such as `127.0.0.1:2222`",
            ),
        }
        self.limits.set(&mut settings);
        self.enabled.then_some(ServerConfig { settings })
    }
}
