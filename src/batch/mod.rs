//! Opens a ZIP within limits, reads control data, and applies every rule.
//!
//! In come the bytes of a ZIP that a stranger made; out go messages, each with the channels its
//! content is fit for, and findings: everything that is wrong, not only the first thing. Five
//! shapes are read (see [`Shape`]).
//!
//! ```text
//! bytes ─► Archive ─► control data (XML, CSV) ─► drafts ─► rules ─┬─► messages, 1,000 at a time
//!             └─────► PDFs, attachments, opened once each ────────┘     └─► control totals of pages
//!                      └─► LetterCheck: what is on a letter's pages
//! ```
//!
//! Nothing that a stranger sends is believed before it is counted, and memory does not grow with
//! the batch: control data is a stream, unpacked a few blocks ahead of its reader; a letter's own PDF
//! is held by one thread at a time, one that letters share stands on the caller's [`Shelf`] and stays
//! open, and what stays beside is a bit a page and a hash a letter.
//!
//! This room does not know who sent the batch, whether it came before, who has a mailbox,
//! where files lie, or what makes a page fit to print: that is for the caller's [`LetterCheck`].

mod account;
mod archive;
mod contents;
mod control;
mod count;
mod coverage;
mod document;
mod kept;
mod ladder;
mod ledger;
mod letter_check;
mod limits;
mod open;
mod opened;
mod postal_codes;
mod read_document;
mod rules;
mod shelf;
#[cfg(test)]
mod tests;

pub use archive::{Archive, Entry, EntryReader};
pub use contents::Shape;
pub use count::count_letters;
pub use letter_check::{CheckedPages, LetterCheck, LetterPages, NoCheck, PageFinding};
pub use limits::{ArtificialIds, Limits, Paper, Settings};
pub use open::open;
pub use opened::{DocumentFacts, OpenError, Opened, OpenedMessage};
pub use postal_codes::{BadRow, PostalCodes};
pub use read_document::{inner_archives, read_document, split_name};
pub use shelf::{MemoryShelf, SharedBytes, Shelf};
