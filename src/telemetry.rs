//! How the house speaks to its operator: log format, and errors in one line.
//!
//! Nothing here sees a message. What belongs to a person prints as `[hidden]` by its type
//! (`domain::Private`, `domain::PersonalIdentityCode`) before it could get here.

use std::{
    error::Error,
    io::{self, IsTerminal},
};

use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// Sends log lines to standard error. `filter` has the form of `RUST_LOG`: `info`, `kuori=debug`.
///
/// A second call changes nothing: the first subscriber stays.
pub fn start(format: LogFormat, filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let is_watched = io::stderr().is_terminal();
    let lines = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(is_watched)
        .with_target(true);
    let registry = tracing_subscriber::registry().with(filter);
    let _ = match format {
        LogFormat::Text => registry.with(lines).try_init(),
        LogFormat::Json => registry.with(lines.json()).try_init(),
    };
}

/// An error and its causes in one line: `cannot list `inbox`: connection refused`.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let told = inner.to_string();
        if !text.ends_with(&told) {
            text = format!("{text}: {told}");
        }
        cause = inner.source();
    }
    text
}
