//! Builds the adapters that the settings ask for and hands them on.
//!
//! Comes in: the settings. Goes out: [`Works`], which carries out steps when asked, and [`Daemon`],
//! which asks for ever: polls inboxes, runs steps, hands over, and serves SFTP, by other settings from
//! one moment on where it is told so. The only place that
//! knows which adapter stands behind which contract.

mod accounts;
mod adapters;
mod auditing;
mod consent_feeds;
mod couriers;
mod daemon;
mod doors;
mod error;
mod forgetting;
mod handing_over;
mod inspect;
mod lock;
mod loops;
mod order;
mod party;
mod polling;
mod probe;
mod read_marks;
mod receipt_key;
mod reload;
mod resting;
mod service_events;
mod systemd;
mod timers;
mod watching;
mod works;

pub use crate::{mailbox::suomifi::random_password, transport::ShownKey};
pub use accounts::accounts_of_settings;
pub use adapters::{check_postal_passwords, mailboxes, second_reader, services};
pub use daemon::{Daemon, Newer};
pub use error::Error;
pub use forgetting::purge_rules;
pub use inspect::{inboxes, inspect_inboxes, is_in_use};
pub use party::Party;
pub use probe::{Probe, Probed, RemotePlace, remote_places, show_host_keys};
pub use receipt_key::{ReceiptKey, check_receipt_key, receipt_key};
pub use reload::tell_shut;
pub use works::Works;
