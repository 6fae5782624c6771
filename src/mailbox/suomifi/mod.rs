//! Suomi.fi Messages, by its REST API.
//!
//! In come messages with the id that their house has chosen for them; out goes the number that the
//! service has given each. The service takes one message a request and knows a repeat by that id,
//! so that sending again after a crash is a success and sends nothing.
//!
//! What is read is read leniently: fields and kinds of events that are not known yet are passed over.

mod answer;
mod check;
mod client;
mod connection;
mod error;
mod event;
mod hiding;
mod password;
mod post;
mod request;
mod settings;
#[cfg(test)]
mod tests;
mod text;
mod token;

pub use check::{Checked, Step};
pub use client::Suomifi;
pub use error::Error;
pub use event::{EventKind, EventPage, ServiceEvent};
pub use password::random_password;
pub use post::{
    AttachmentId, Electronic, ExternalId, Paper, Post, PostalAccount, PostalAddressee, SentMessage,
    Upload,
};
pub use settings::{BASE_URL, Settings};
