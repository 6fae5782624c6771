//! Builds the adapters that the settings ask for and hands them on.
//!
//! Comes in: the settings. Goes out: [`Works`], which carries out steps when asked, and [`Daemon`],
//! which asks for ever: polls inboxes, runs steps, hands over, and serves SFTP. The only place that
//! knows which adapter stands behind which contract.

mod adapters;
mod daemon;
mod error;
mod handing_over;
mod lock;
mod party;
mod polling;
mod receipt_key;
mod works;

pub use adapters::second_reader;
pub use daemon::Daemon;
pub use error::Error;
pub use party::Party;
pub use receipt_key::{ReceiptKey, check_receipt_key, receipt_key};
pub use works::Works;
