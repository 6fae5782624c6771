use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

/// Where the server listens, what it serves, and how much of it one client may use.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Port 0 lets the system choose; see [`super::Server::local_addr`].
    pub listen: SocketAddr,
    /// Folder of the host keys, made at the first start.
    pub host_keys: PathBuf,
    /// Each account's home is `root/<name>`. Unfinished uploads lie in `root/.staging`.
    pub root: PathBuf,
    pub max_connections: usize,
    /// Connections on which nobody is logged in yet; they take no place of those who are.
    pub max_connections_before_login: usize,
    pub max_connections_per_account: usize,
    /// Senders behind one address translator share an address, so this is not very low.
    pub max_connections_per_address: usize,
    /// SFTP sessions on one connection.
    pub max_sessions_per_connection: usize,
    /// Channels of one connection over its whole life: the SSH library keeps some memory of each
    /// that we close before its client does.
    pub max_channels_per_connection: usize,
    /// Open files and folders in one session.
    pub max_handles: usize,
    /// The same in all sessions of one account.
    pub max_handles_per_account: usize,
    /// Largest SFTP packet from a client, without its length field.
    pub max_packet_bytes: usize,
    /// What a client may have sent, beyond one packet, while it does not take our replies.
    pub max_backlog_bytes: usize,
    /// The same for all clients together.
    pub max_backlog_bytes_in_all: usize,
    pub max_file_bytes: u64,
    /// Files that an upload folder may hold, finished or not.
    pub max_folder_entries: u64,
    /// Requests of one session that are worked on at once.
    pub max_requests_at_once: usize,
    /// How long a broken upload lies there for its client to go on with.
    pub keep_partial_hours: u32,
    /// An upload that got nothing for this long may be gone on with by another connection of its
    /// account.
    pub takeover_secs: u64,
    /// Threads that wait for the disk, so that files which are closed together cost one wait.
    pub sync_threads: usize,
    /// From the connection to the accepted login.
    pub login_time_secs: u64,
    /// Rejected logins on one connection; every key that an agent offers counts as one.
    pub login_tries: usize,
    /// Failed logins from one address within the window, after which it is shut out for as long.
    pub login_failures_per_address: u32,
    pub login_failure_window_secs: u64,
    /// A connection that sends nothing for this long is closed.
    pub idle_secs: u64,
    /// What an upload in hand gets when the server stops.
    pub stop_grace_secs: u64,
}

impl Settings {
    /// A server that runs goes on with what of `older` it was started with.
    pub fn keep_what_takes_a_restart(&mut self, older: &Self) {
        self.listen = older.listen;
        self.host_keys.clone_from(&older.host_keys);
        self.root.clone_from(&older.root);
        self.sync_threads = older.sync_threads;
        self.max_backlog_bytes_in_all = older.max_backlog_bytes_in_all;
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 2222)),
            host_keys: PathBuf::from("sftp-host-keys"),
            root: PathBuf::from("sftp"),
            max_connections: 200,
            max_connections_before_login: 50,
            max_connections_per_account: 16,
            max_connections_per_address: 32,
            max_sessions_per_connection: 4,
            max_channels_per_connection: 1000,
            max_handles: 64,
            max_handles_per_account: 256,
            max_packet_bytes: 256 * 1024,
            max_backlog_bytes: 4 * 1024 * 1024,
            max_backlog_bytes_in_all: 16 * 1024 * 1024,
            max_file_bytes: 4 * 1024 * 1024 * 1024,
            max_folder_entries: 200_000,
            max_requests_at_once: 64,
            keep_partial_hours: 48,
            takeover_secs: 30,
            sync_threads: 32,
            login_time_secs: 30,
            login_tries: 3,
            login_failures_per_address: 20,
            login_failure_window_secs: 600,
            idle_secs: 600,
            stop_grace_secs: 10,
        }
    }
}
