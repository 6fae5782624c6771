pub(super) mod list;
pub(super) mod stop;

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
    fn of(row: &TimerRow, now: Timestamp) -> Self {
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
