//! Reads a sender's PDF and splices pages into a new file. Knows PDF, knows no letter.
//!
//! In: the bytes of a PDF and [`Limits`]. Out: a [`Document`] with its [`PageGeometry`] and
//! [`PageContent`], or a [`Refusal`]; [`Fragment`]s of consecutive pages; and, through [`Writer`],
//! one new PDF.
//!
//! ```text
//! bytes ─► Document ─► Fragment ─┐
//! bytes ─► Document ─► Fragment ─┼─► Writer ─► PDF
//!                      Overlay ──┘
//! ```
//!
//! What cannot be read even after its cross-references were rebuilt, and what is encrypted, is handed to
//! a [`SecondReader`] where the caller has one.
//!
//! The sender's objects are copied as they stand: values are read only far enough to find where
//! they end and what they refer to, and no content stream is inflated on the way. What a page
//! draws is looked through only when it is asked for, or may need to be wrapped ([`Treatment`]). Graphs
//! of objects that are equal are written once. The room does not know what a letter, a mark or an envelope is, and does not judge whether
//! a page is fit to print.

mod limits;
mod refusal;

mod dictionary;
mod lexer;

mod allowance;
mod entries;
mod inflate;
mod object;
mod object_stream;
mod objects;
mod predictor;
mod repair;
mod xref;

mod active;
mod annotations;
mod document;
mod geometry;
mod layers;
mod page;
mod page_tree;
mod second_reader;

mod content;
mod filters;
mod font;
mod joined;
mod loose_ends;

mod digest;
mod fragment;

mod copier;
mod metadata;
mod output;
mod overlay;
mod parts;
mod text;
mod tree_writer;
mod version;
mod writer;
mod written;

pub use content::{
    Area, ContentLimits, ContentWants, Drawn, FontUse, Ink, PageContent, Paint, ShownText,
};
pub use digest::DigestKey;
pub use document::Document;
pub use fragment::{Fragment, Treatment};
pub use geometry::PageGeometry;
pub use limits::Limits;
pub use overlay::Overlay;
pub use parts::PartValue;
pub use refusal::Refusal;
pub use second_reader::{NoSecondReader, NotRewritten, Reading, Rewrite, Rewritten, SecondReader};
pub use version::PdfVersion;
pub use writer::{Finished, Writer, WriterSettings};
pub use written::{PartId, WrittenPage, WrittenPart};

#[cfg(test)]
mod tests;
