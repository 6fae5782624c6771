//! Inboxes: when a file is taken, in which way, and that it is taken once.

mod attending;
mod completeness;
mod limits;
mod odd;
mod trick;
mod ways;
