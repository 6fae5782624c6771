//! Which way a message goes.
//!
//! In come a message, what its content is fit for, what is known of the recipient's mailbox, and
//! the sender's policy; out goes a decision with its reason. `docs/routing.md` tells senders and
//! operators the same rules in words.
//!
//! This room asks nobody and knows no clock: the mailbox status and the time are arguments. It
//! does not know how a mailbox or a print house is reached, nor that a batch is a test: a test is
//! decided as the real batch would be, and the rooms that let things out keep it in the house.

mod policy;
mod question;
mod rules;
#[cfg(test)]
mod tests;

pub use policy::{IncompleteAddress, Policy};
pub use question::Question;
pub use rules::{decide, needs_status, service_may_choose};
