//! Hands over what is due: receipts to senders, bundles to print houses.
//!
//! Comes in: a row with its files, and the folder of the place it goes to. Goes out: the files under
//! their final names, the marker last. It does not know what a receipt or a bundle says.
//!
//! A file is written under a temporary name, its size is read back, then it is renamed; the digest of
//! the bytes that were sent is compared with the row's, so that no marker follows a damaged file.
//! Before the marker an intent is recorded: from then on the print house may take everything away
//! at any moment, so files that are gone after a crash mean success, and only the marker is sent again.

mod error;
mod hand_over;

pub use error::Error;
pub use hand_over::{Outbox, Places};
