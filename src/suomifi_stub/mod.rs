//! A stand-in for Suomi.fi Messages: a real HTTP server with state, for tests and for senders.
//!
//! In come requests as the service's REST API describes them; out go answers as it describes them,
//! from mailboxes, uploads, messages and events that live in memory and nowhere else. It can be told
//! to misbehave ([`Trouble`]), from inside ([`Stub`]) or through a door of its own (`/_stub/`).
//!
//! It does not know the client: it reads and writes the API with types of its own, so that the two
//! check each other. Facts: the service's own description, "Suomi.fi Messages REST API" 1.0.0.

mod answer;
mod body;
mod clock;
mod control;
mod counts;
mod doors;
mod error;
mod events;
mod exchange;
mod form;
mod happening;
mod login;
mod mailboxes;
mod message;
mod mishap;
mod multipart;
mod post;
mod send;
mod serve;
mod settings;
mod stub;
#[cfg(test)]
mod tests;
mod tokens;
mod trouble;
mod uploads;
mod world;

pub use counts::Counts;
pub use error::Error;
pub use happening::{Happening, Selection};
pub use mailboxes::Mailboxes;
pub use message::{Accepted, Route};
pub use settings::{Limits, Settings};
pub use stub::Stub;
pub use trouble::{Misdeed, Trouble};
