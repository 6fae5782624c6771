//! Pages of a PDF in, pictures of them out, with the zones that print cares about drawn on top.
//!
//! ```text
//! Document ─► single_page ─► one-page PDF ─► render ─► PNG ─► Picture ─► draw ─► PNG
//! ```
//!
//! A picture is for people who want to see where something stands. Nothing is decided by it, and
//! nothing that is printed comes from it. [`render()`] reads a stranger's fonts and pictures by a
//! library that was not made for malice: whoever calls it on senders' pages does so in a process
//! of its own, within limits. The room does not know files, processes, letters or bundles.

mod colour;
mod error;
mod outline;
mod page;
mod picture;
mod render;
mod reserved;
mod size;

#[cfg(test)]
mod tests;

pub use colour::Colour;
pub use error::Error;
pub use outline::{Drawn, Look, Outline, draw};
pub use page::single_page;
pub use picture::Picture;
pub use render::{Lack, Rendered, render};
pub use reserved::{Stage, outlines};
pub use size::{Limits, Size};
