//! Kuori takes batches of letters, delivers each message to the recipient's digital mailbox
//! where there is one, and turns the rest into print-ready bundles for the postal partner.
//!
//! ```text
//! sender ──SFTP──► inbox ─► batch ─► routing ─┬─► mailbox
//!                    │        │               └─► print ─► outbox ──SFTP──► print house
//!                    ▼        ▼
//!               acknowledgement, processing report, delivery reports ─► outbox ──SFTP──► sender
//! ```
//!
//! The modules below are the rooms of that flow, in reading order. `ARCHITECTURE.md` says what
//! each may touch, and `tests/architecture.rs` holds them to it.

pub mod domain;

pub mod batch;
pub mod routing;

pub mod pdf;
pub mod print;
pub mod proof;
pub mod receipts;

pub mod transport;

pub mod sftp_server;

pub mod second_reader;

pub mod mailbox;
pub mod suomifi_stub;

pub mod signing;

pub mod notices;

pub mod store;

pub mod consents;
pub mod inbox;
pub mod outbox;

pub mod pipeline;

pub mod monitor;

pub mod assemble;
pub mod config;
pub mod crash_points;
pub mod sample;
pub mod telemetry;

pub mod cli;
