use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::words::{Time, counted, span},
    store::QueueNumbers,
};

/// The queue of one mailbox service in numbers.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct ServiceLine {
    /// By its name in the settings.
    service: String,
    /// Whether the settings had it when the daemon began.
    in_settings: bool,
    /// Messages that it is sent in a second.
    rate_per_sec: Option<f64>,
    waiting: u64,
    /// On their way at this moment.
    sending: u64,
    /// Of `waiting`: their batch or its sender is on hold.
    on_hold: u64,
    batches: u64,
    oldest_since: Option<Time>,
    sent_last_hour: u64,
    /// Batches that the house cannot bring, and why that is so of one of them.
    failing_batches: u64,
    batch_error: Option<String>,
    /// When the last one is sent, if the service works from now on.
    expected_end: Option<Time>,
    expected_secs: Option<i64>,
    failing_since: Option<Time>,
    /// Since it worked last.
    failures: u32,
    next_try_at: Option<Time>,
    last_error: Option<String>,
}

impl ServiceLine {
    pub(in crate::cli) fn of(numbers: &QueueNumbers, now: Timestamp) -> Self {
        let state = &numbers.state;
        let end = numbers.expected_end(now);
        Self {
            service: numbers.service.to_string(),
            in_settings: numbers.is_in_settings,
            rate_per_sec: numbers.rate_per_sec,
            waiting: numbers.waiting,
            sending: numbers.sending,
            on_hold: numbers.on_hold,
            batches: numbers.batches,
            oldest_since: numbers.oldest_at.map(Time),
            sent_last_hour: numbers.sent_last_hour,
            failing_batches: numbers.failing,
            batch_error: numbers.batch_error.clone(),
            expected_end: end.map(Time),
            expected_secs: end.map(|end| end.duration_since(now).as_secs()),
            failing_since: state.failing_since.map(Time),
            failures: state.failures,
            next_try_at: state.retry_at.map(Time),
            last_error: state.last_error.clone(),
        }
    }

    /// What to type where it does not work.
    pub(super) fn hint(&self) -> Option<String> {
        let service = &self.service;
        if !self.in_settings && self.waiting > 0 {
            return Some(format!(
                "put `[suomifi.{service}]` back into the settings; where it has another name there by now, \
                 `kuori queue move {service} NEW --reason …`; or give its senders another service and \
                 `kuori reprocess --from deliver` what waits"
            ));
        }
        self.failing_since
            .map(|_| format!(
                "`kuori suomifi check {service} --config FILE` says what is wrong, and `kuori queue retry {service}` \
                 tries at once"
            ))
    }
}

/// `city-letters: 9960 messages of 3 batches wait, some 2 h 46 min at 1/s; 12 sent in the last hour`
impl fmt::Display for ServiceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            service, on_hold, ..
        } = self;
        let left = self.waiting + self.sending;
        if left == 0 {
            write!(f, "{service}: nothing waits")?;
        } else {
            let messages = counted(left, "message", "messages");
            let batches = counted(self.batches, "batch", "batches");
            let wait = if left == 1 { "waits" } else { "wait" };
            write!(f, "{service}: {messages} of {batches} {wait}")?;
        }
        if let (Some(secs), Some(rate)) = (self.expected_secs, self.rate_per_sec) {
            write!(f, ", some {} at {rate}/s", span(secs))?;
        }
        if *on_hold > 0 {
            write!(f, ", {on_hold} of them on hold")?;
        }
        write!(f, "; {} sent in the last hour", self.sent_last_hour)?;
        if !self.in_settings {
            write!(f, "; the settings do not have it")?;
        }
        if let Some(error) = &self.batch_error {
            let batches = counted(self.failing_batches, "batch", "batches");
            let error = error.lines().next().unwrap_or_default();
            write!(f, "\n  {batches} cannot be brought: {error}")?;
        }
        let Some(since) = self.failing_since else {
            return Ok(());
        };
        let error = self.last_error.as_deref().unwrap_or_default();
        let error = error.lines().next().unwrap_or_default();
        let tries = counted(self.failures.into(), "try", "tries");
        write!(f, "\n  fails since {since}: {error} ({tries}")?;
        if let Some(next) = self.next_try_at {
            write!(f, "; the next at {next}")?;
        }
        f.write_str(")")
    }
}
