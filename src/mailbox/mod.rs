//! Digital mailboxes under one contract.
//!
//! In come pages of deliveries: a message's texts and its PDF, ready to read. Out go mailbox
//! receipts, one for each delivery that lies durably in its recipient's mailbox. Delivering the
//! same message again is a success and makes no second copy. A look at messages says which of them
//! have been read.
//!
//! This room does not know why a message goes to a mailbox, what a batch is, or what is done when
//! a delivery fails: its errors say only whether trying again can help.
//!
//! [`Maildirs`] keeps one Maildir for each recipient, which any IMAP server can serve. It knows the mailboxes
//! of its house by an id, and takes nothing else for them that lies in their place.

mod contract;
mod error;
mod folder;
mod folder_key;
mod maildirs;
mod mark;
mod mime;
mod root_id;
pub mod suomifi;
#[cfg(test)]
mod tests;

pub use contract::{AttachedFile, Delivery, DeliveryId, Look, Mailbox, MailboxReceipt, Unread};
pub use error::Error;
pub use folder_key::FolderKey;
pub use maildirs::Maildirs;
pub use mime::media_type;
