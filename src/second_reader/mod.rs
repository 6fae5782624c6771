//! Reads the PDFs that the house itself does not: damaged past rebuilding, or encrypted with an empty
//! password. The only room that knows the other PDF library.
//!
//! In: the bytes of a PDF that a stranger made and `pdf` refused. Out: a plain PDF, or why there is
//! none. It does not know what becomes of the file: `pdf` reads what comes back as strictly as
//! anything else.
//!
//! ```text
//! Clerk ──stdin──► kuori rewrite-pdf ──stdout──► Clerk
//! (here)           (a process of its own: limits on itself, then the library)
//! ```
//!
//! Such libraries have been brought down by files of a few kB: an overflow of the stack or an
//! allocation without end cannot be caught, only had elsewhere.

mod child;
mod clerk;
mod decrypt;
mod lift;
mod places;
mod rewrite;
mod settings;
#[cfg(test)]
mod tests;
mod verdict;
mod whole;

pub use child::{Order, serve};
pub use clerk::Clerk;
pub use settings::Settings;
