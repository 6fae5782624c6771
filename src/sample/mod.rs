//! Artificial batches for demonstrations, tests and benches: no real person can be hit by one.
//!
//! In comes a [`Spec`]; out go the bytes of a ZIP such as a sender would upload ([`write()`]), the
//! recipients in it ([`recipients`]) and the consents that go with them ([`write_consents`]).
//! Identity codes are of the artificial range, people, streets and the town are invented, and the
//! same spec always gives the same bytes.
//!
//! This room does not know how a batch is read, checked, routed or printed: it writes what senders
//! write, from the same documents as the rooms that read it.

mod batch_csv;
mod canvas;
mod coat_of_arms;
mod consents;
mod control_data;
mod dice;
mod document;
mod error;
mod identity_codes;
mod layout;
mod letter_bundle;
mod page_tree;
mod people;
mod places;
mod recipient;
mod shapes;
mod spec;
mod typeface;
mod wording;

#[cfg(test)]
mod tests;

pub use consents::write_consents;
pub use error::Error;
pub use identity_codes::DISTINCT_CODES;
pub use recipient::{SampleRecipient, recipients};
pub use shapes::{Summary, write};
pub use spec::{Encoding, Fault, FaultKind, Shape, Spec, Version};
