//! What the sender is told.
//!
//! In come values that say what happened to a batch and its messages; out goes the XML of a
//! receipt, written to whatever the caller opened. `schemas/receipt.xsd` describes it, and
//! `docs/sender-guide.md` explains it.
//!
//! This room does not know where receipts lie or how they travel, and it is given no name and no
//! identity code of a recipient: a message is told by our id and by the sender's own.
//! The same values give the same bytes.

mod acknowledgement;
mod error;
mod kind;
mod level;
mod processing;
#[cfg(test)]
mod tests;
mod xml;

pub use acknowledgement::{Acknowledgement, write_acknowledgement};
pub use error::Error;
pub use kind::{Format, Kind, file_name};
pub use level::Level;
pub use processing::{Counts, MessageLine, ProcessingHeader, ProcessingReport, Stopped};
