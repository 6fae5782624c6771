pub(super) mod list;
pub(super) mod stop;

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    CommandError, Invocation,
    error::Outcome,
    words::{ReasonWord, Time},
};
use crate::{domain::ServiceName, store::TimerRow};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// List messages that go on paper if nobody reads or confirms them in time, the next one first
    ///
    /// With `--stuck` the exit code is 3 where there is one.
    List(list::Arguments),
    /// Leave a message in its mailbox alone, whether it is read or not
    Stop(stop::Arguments),
}

pub(super) fn run(
    command: &Command,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    match command {
        Command::List(arguments) => list::run(arguments, invocation),
        Command::Stop(arguments) => stop::run(arguments, invocation),
    }
}

/// A message that goes on paper if nobody reads or confirms it in time.
#[derive(Serialize, JsonSchema)]
pub(super) struct TimerLine {
    message: String,
    sender: String,
    /// What its sender is told when it is over: `unacknowledged`, and it goes registered, or `unread`.
    what: &'static str,
    /// The mailbox service that tells whether it is read; absent for a Maildir.
    service: Option<String>,
    /// When it was delivered.
    begun_at: Time,
    due_at: Time,
    is_due: bool,
    /// Since when it is over without going on paper.
    stuck_at: Option<Time>,
    /// Why it cannot; the codes are explained in docs/routing.md.
    stuck_for: Option<ReasonWord>,
}

impl TimerLine {
    pub(super) fn of(row: &TimerRow, now: Timestamp) -> Self {
        Self {
            message: row.message.to_string(),
            sender: row.sender.to_string(),
            what: row.what.as_str(),
            service: row.service.as_ref().map(ServiceName::to_string),
            begun_at: Time(row.begun_at),
            due_at: Time(row.due_at),
            is_due: row.due_at <= now,
            stuck_at: row.stuck.map(|(at, _)| Time(at)),
            stuck_for: row.stuck.map(|(_, reason)| ReasonWord(reason)),
        }
    }
}

/// What becomes of the message, in a few words.
impl fmt::Display for TimerLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, due_at, .. } = self;
        match (&self.stuck_at, &self.stuck_for) {
            (Some(since), Some(reason)) => {
                write!(
                    f,
                    "{what} since {due_at}; not on paper since {since}: {reason}"
                )
            }
            _ if self.is_due => write!(f, "{what} since {due_at}; goes on paper"),
            _ => write!(f, "goes on paper at {due_at} if {what}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BatchId, MessageEvent, MessageId, Reason};

    #[test]
    fn a_timer_says_what_becomes_of_its_message() {
        let at = |time: &str| -> Timestamp { time.parse().unwrap() };
        let row = TimerRow {
            message: MessageId {
                batch: BatchId(1),
                position: 2,
            },
            sender: "example-city".parse().unwrap(),
            what: MessageEvent::Unread,
            service: None,
            begun_at: at("2026-03-01T06:00:00Z"),
            due_at: at("2026-03-08T06:00:00Z"),
            stuck: None,
        };
        let told = |row: &TimerRow, now: &str| TimerLine::of(row, at(now)).to_string();
        assert_eq!(
            told(&row, "2026-03-02T06:00:00Z"),
            "goes on paper at 2026-03-08T06:00:00Z if unread"
        );
        assert_eq!(
            told(&row, "2026-03-08T07:00:00Z"),
            "unread since 2026-03-08T06:00:00Z; goes on paper"
        );
        let stuck = TimerRow {
            stuck: Some((at("2026-03-08T07:00:00Z"), Reason::NoPrintContract)),
            ..row
        };
        assert_eq!(
            told(&stuck, "2026-03-09T06:00:00Z"),
            "unread since 2026-03-08T06:00:00Z; not on paper since 2026-03-08T07:00:00Z: \
             no-print-contract"
        );
    }
}
