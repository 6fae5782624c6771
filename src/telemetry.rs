//! How the house speaks to its operator: log format, errors in one line, and what is counted.
//!
//! Nothing here sees a message. What belongs to a person prints as `[hidden]` by its type
//! (`domain::Private`, `domain::PersonalIdentityCode`) before it could get here. Identity codes in
//! what has no such type, as the name of a file or an error of the system, are masked here.

pub mod meters;
mod pulse;

use std::{
    error::Error,
    io::{self, IsTerminal, Write},
    sync::{Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer, Registry, fmt,
    layer::{Context, SubscriberExt},
    reload,
    util::SubscriberInitExt,
};

pub use self::pulse::Pulse;
use crate::domain::without_identity_codes;

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
        .with_writer(|| Masked(io::stderr()))
        .with_ansi(is_watched)
        .with_target(true);
    let (filter, handle) = reload::Layer::new(filter);
    let registry = tracing_subscriber::registry().with(filter).with(Counting);
    let started = match format {
        LogFormat::Text => registry.with(lines).try_init(),
        LogFormat::Json => registry.with(lines.json()).try_init(),
    };
    if started.is_ok() {
        let _ = FILTER.set(handle);
    }
}

/// Logs more or less from now on; `filter` as for [`start`]. One that cannot be read changes nothing.
pub fn set_filter(filter: &str) {
    let Ok(filter) = EnvFilter::try_new(filter) else {
        return;
    };
    if let Some(handle) = FILTER.get() {
        let _ = handle.reload(filter);
    }
}

static FILTER: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// An error and its causes in one line, without identity codes: `cannot list `inbox`: connection
/// refused`.
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
    without_identity_codes(&text).into_owned()
}

/// Counts the errors and warnings that are logged.
struct Counting;

impl<S: Subscriber> Layer<S> for Counting {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        match *event.metadata().level() {
            Level::ERROR => meters::LOG_LINES.one(&["error"]),
            Level::WARN => meters::LOG_LINES.one(&["warn"]),
            _ => {}
        }
    }
}

/// Lets a trouble that is met every second be told every minute.
#[derive(Debug, Default)]
pub struct OnceAMinute(Mutex<Option<Instant>>);

impl OnceAMinute {
    /// Whether it is to be told now: the first time, and when a minute has passed since.
    pub fn is_due(&self) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = told.is_none_or(|told| told.elapsed() >= Duration::from_mins(1));
        if is_due {
            *told = Some(Instant::now());
        }
        is_due
    }
}

/// Masks identity codes in what passes through it; a log line comes in one piece.
struct Masked<W>(W);

impl<W: Write> Write for Masked<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.0.write_all(without_identity_codes(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_log_line_holds_an_identity_code() {
        let mut lines = Vec::new();
        let log = tracing_subscriber::registry().with(fmt::layer().json().with_writer(|| Buffer));
        tracing::subscriber::with_default(log, || {
            tracing::warn!(name = "kirje_010190-999W.txt", "left in the inbox");
        });
        BUFFER.with_borrow_mut(|buffer| lines.append(buffer));
        let line = String::from_utf8(lines).unwrap();
        assert!(line.contains("\"name\":\"kirje_[hidden].txt\""), "{line}");
    }

    #[test]
    fn what_comes_every_second_is_told_every_minute() {
        let telling = OnceAMinute::default();
        assert_eq!([(); 3].map(|()| telling.is_due()), [true, false, false]);
        *telling.0.lock().unwrap() = Instant::now().checked_sub(Duration::from_mins(1));
        assert_eq!([(); 2].map(|()| telling.is_due()), [true, false]);
    }

    #[test]
    fn an_error_is_told_without_the_identity_code_in_a_file_name() {
        let error = io::Error::other("cannot read `010190Y900P.zip`");
        assert_eq!(with_causes(&error), "cannot read `[hidden].zip`");
    }

    thread_local! {
        static BUFFER: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) };
    }

    /// Where the log of a test goes, by the same way as to standard error.
    struct Buffer;

    impl Write for Buffer {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            BUFFER.with_borrow_mut(|buffer| Masked(buffer).write(line))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
