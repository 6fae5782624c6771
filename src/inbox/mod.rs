//! Takes what senders upload: each finished file exactly once.
//!
//! Comes in: a folder elsewhere and how its sender says that a file is finished. Goes out: a spooled
//! file and a row that names it. Knows nothing of what is inside a file.
//!
//! The order of taking, each part answerable after a crash: intent row → rename into
//! `.kuori/taking` (the claim), its marker removed → copy with digest → size compared → sync → batch row → remove.
//! A claimed file without a row, as after a restored backup, is adopted under a new name.

mod completeness;
mod error;
mod names;
mod poll;
mod settings;
mod take;

pub use completeness::Completeness;
pub use error::Error;
pub use poll::Inbox;
pub use settings::Settings;
