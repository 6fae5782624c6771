//! Takes files of consents into the register, each once, and answers them.
//!
//! Comes in: a CSV file, from an operator or out of the folder of a feed; who takes it, and how. Goes
//! out: words in the register, and an answer of counts and line numbers. It does not know the
//! settings, who may write into a feed's folder, or what letters the words are for.

mod address;
mod answer;
mod error;
mod feed;
mod folders;
mod records;
mod rows;
mod since;
mod take;
#[cfg(test)]
mod tests;

pub use address::{address_of_rows, postal_address};
pub use error::Error;
pub use feed::{Fed, FedFile, Feed, FileState, How, Settings, Standing};
pub use rows::{BadRow, COLUMNS, NOWHERE, Rows};
pub use take::{Desk, Refusal, Taken, Told, Wish, changed_at, count, take};

/// Percent of those granted that may be missing in a full list, where nobody says another number.
pub const MOST_MISSING: u8 = 20;
