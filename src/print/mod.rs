//! Letters in; findings about their pages, bundle plan, bundle PDF, piece list and job ticket out.
//!
//! ```text
//! pages ───► check ──► Checked: findings, and facts for the plan
//!
//! letters ─► Planner ─► Plan, positions alone
//! letters in that order ─► lay_out ─► BundlePlan ─┬─► compose ──────────► <bundle>.pdf
//!                                                 ├─► verify            (that PDF, read back)
//!                                                 ├─► write_piece_list ─► <bundle>.pieces.csv
//!                                                 ├─► write_xjdf ───────► <bundle>.xjdf, if wanted
//!                                                 └─► write_job_ticket ─► <bundle>.job.xml
//! ```
//!
//! [`check()`] says whether a letter's pages can be printed, long before anybody knows whether they
//! will be. A [`Planner`] sees all letters of a batch and keeps a few numbers of each: it is arithmetic, and
//! opens no PDF. Then one bundle at a time is laid out and composed. [`compose()`] takes the letters' pages
//! from a [`LetterSource`], lays a [`Mark`] over the front of each sheet, and streams the result.
//! The room does not know where letters come from, where bundles go, what time it is, or how a
//! PDF is read: that is `pdf`. What a print house finds in the files is in `docs/print-rules.md`.

mod address_font;
mod address_page;
mod check;
mod compose;
mod error;
mod group;
mod household;
mod identity;
mod job_ticket;
mod layout;
mod mark;
mod mark_drawing;
mod mask;
mod omr;
mod paper;
mod piece_list;
mod plan;
mod posting_order;
mod prepare;
mod settings;
mod verify;
mod xjdf;

#[cfg(test)]
mod tests;

/// A setting, named here for those who do not name the room `pdf`.
pub use crate::pdf::PdfVersion;
pub use address_font::LIBERATION_SANS;
pub use address_page::{AddressPages, address_page};
pub use check::{
    AllowedFonts, CheckSettings, Checked, LetterToCheck, PageFinding, ReservedZone, Sides, Zone,
    ZoneKind, check, check_for_mailbox, zones,
};
pub use compose::{Composed, compose};
pub use error::Error;
pub use group::{Destination, Group};
pub use identity::BundleIdentity;
pub use job_ticket::{FileDigest, JobTicket, write_job_ticket};
pub use layout::{BundlePlan, Contents, PlannedPiece, lay_out};
pub use mark::{InvalidMark, Mark};
pub use omr::{OmrLine, OmrParity, OmrSequence, OmrSettings};
pub use piece_list::write_piece_list;
pub use plan::{PlacedLetter, Plan, PlannedBundle, Planner};
pub use prepare::{LetterPdf, LetterSource, SourceError};
pub use settings::{AddressPageSettings, EnvelopeRule, MarkSettings, PostageRule, Settings};
pub use verify::{Discrepancy, Verified, verify};
pub use xjdf::write_xjdf;
