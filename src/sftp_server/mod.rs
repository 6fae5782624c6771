//! The embedded SFTP server: accounts, jails, limits.
//!
//! In: TCP connections, and files that senders and print houses upload. Out: files in
//! `root/<account>/<folder>/` that are whole, durable and under their final name; files that an
//! account may fetch and delete there; one `tracing` event of target `audit` for each login,
//! upload, download, rename, removal and refusal.
//!
//! This room does not know what a batch or a bundle is, when a file is taken, or by whom: the
//! poller looks into the same folders as it would on anybody else's server.
//!
//! An upload lies in a staging folder, under its own name, until its close is durable; the folder
//! that the poller sees has finished files only.
//!
//! A request goes `accept` (counts, penalties) → `connection` (deadlines) → `login` (who) → `session` (bytes
//! to packets) → `requests` (packets to operations) → `jail` (operations below one folder).

mod accept;
mod account;
mod algorithms;
mod audit;
mod backlog;
mod busy;
mod connection;
mod count;
mod error;
mod folder;
mod folder_sync;
mod handles;
mod host_keys;
mod in_hand;
mod jail;
mod lately;
mod ledger;
mod listing;
mod login;
mod owed;
mod pace;
mod password;
mod penalties;
mod received;
mod receiving;
mod refusal;
mod reply;
mod requests;
mod running_digest;
mod sealer;
mod session;
mod settings;
mod shared;
mod staging;
mod upload;
mod usage;
mod virtual_path;
mod visits;
mod write_request;
mod writer;

pub use accept::Server;
pub use account::{Account, Role, key_fingerprint, network};
pub use error::Error;
pub use password::{hash_password, new_password};
pub use settings::Settings;
pub use visits::Visit;
