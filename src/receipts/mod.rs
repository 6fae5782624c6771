//! What the sender is told.
//!
//! In come values that say what happened to a batch and its messages; out goes a receipt in one of
//! three formats, written to whatever the caller opened. `schemas/receipt.xsd`,
//! `schemas/receipt.schema.json` and `schemas/receipt.csvw.json` describe them, and
//! `docs/sender-guide.md` explains them.
//!
//! ```text
//! values ─told (in words, without identity codes)─► xml | json | csv
//! ```
//!
//! This room does not know where receipts lie or how they travel, and it is given no name and no
//! identity code of a recipient: a message is told by our id and by the sender's own.
//! The same values give the same bytes.

mod acknowledgement;
mod csv;
mod delivery;
mod error;
mod json;
mod kind;
mod level;
mod processing;
mod report;
mod settings;
#[cfg(test)]
mod tests;
mod told;
mod xml;

pub use acknowledgement::{Acknowledgement, write_acknowledgement};
pub use delivery::{DeliveryEvent, DeliveryHeader, DeliveryLine};
pub use error::Error;
pub use kind::{Format, Kind, SIGNATURE_ENDING, file_name};
pub use level::Level;
pub use processing::{Counts, MessageLine, ProcessingHeader, Stopped};
pub use report::{Report, ReportHeader, ReportLine};
pub use settings::Settings;
