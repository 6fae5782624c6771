//! Takes what senders upload: each finished file exactly once.
//!
//! Comes in: a folder elsewhere, how its sender says that a file is finished, and what may be done
//! there. Goes out: a spooled file and a row that names it, and what the last look found, for
//! operators. Knows nothing of what is inside a file, but for the end that every ZIP has.
//!
//! ```text
//! Inbox ── look: list, judge each file ─► Work: a queue ─► Desk: take one file
//! ```
//!
//! The order of taking, each part answerable after a crash: intent row → rename into
//! `.kuori/taking` (the claim), its marker removed → copy with digest → size compared → sync → batch row
//! → removed, or moved to the folder of what is done. A claimed file of ours without a row, as after a
//! restored backup, is adopted under a new name. Where nothing may be renamed: copy → one
//! transaction with the batch row and the note that this file is known.

mod attend;
mod away;
mod completeness;
mod copy;
mod desk;
mod done;
mod error;
mod headroom;
mod judge;
mod look;
mod names;
mod poll;
mod resume;
mod seen;
mod settings;
mod sightings;
mod told;
mod work;
mod zip_end;

pub use completeness::Completeness;
pub use error::Error;
pub use headroom::{Headroom, Limits};
pub use poll::{Inbox, SteadyClock};
pub use settings::{Afterwards, Settings, Way};
