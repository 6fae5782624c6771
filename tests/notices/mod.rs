//! Notices to recipients, over a real socket to a mail server that lives in the test.

mod daemon;
mod flow;
mod private;
pub(crate) mod server;
mod ways_in;
