use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{
        CommandError, Invocation,
        error::Outcome,
        table::Table,
        when::When,
        words::{BatchStateWord, Time, age, one_of},
    },
    domain::{BatchId, BatchState, SenderId},
    store::{BatchFilter, BatchRow, Counts},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Only batches in this state
    #[arg(long, value_name = "STATE", value_parser = one_of(&BatchState::ALL, BatchState::as_str))]
    state: Option<BatchState>,

    /// Only batches of this sender
    #[arg(long, value_name = "NAME")]
    sender: Option<SenderId>,

    /// Only what came then or later: `2026-03-01`, `2026-03-01T06:00:00Z`, or `36h` for that long ago
    #[arg(long, value_name = "TIME")]
    since: Option<When>,

    /// Only what came before then
    #[arg(long, value_name = "TIME")]
    until: Option<When>,

    /// Only test batches
    #[arg(long)]
    test: bool,

    /// Only batches that came before this one: the next page
    #[arg(long, value_name = "BATCH")]
    before: Option<BatchId>,

    /// How many
    #[arg(long, value_name = "N", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

/// `kuori batch list`: the newest batches first.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct BatchList {
    batches: Vec<BatchLine>,
}

#[derive(Serialize, JsonSchema)]
struct BatchLine {
    batch: String,
    sender: String,
    received_at: Time,
    age_secs: i64,
    state: BatchStateWord,
    is_test: bool,
    /// What it waits for; absent where nothing is under way.
    waits_for: Option<String>,
    messages: u64,
    delivered: u64,
    /// At the print house, or in a bundle that waits for it.
    printed: u64,
    refused: u64,
    held: u64,
    file_name: String,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let now = invocation.now;
    let filter = BatchFilter {
        state: arguments.state,
        sender: arguments.sender.clone(),
        since: arguments.since.map(|it| it.seen_from(now)),
        until: arguments.until.map(|it| it.seen_from(now)),
        is_test: arguments.test.then_some(true),
        before: arguments.before,
    };
    if let Some(sender) = &arguments.sender {
        // A slip in the name is told.
        store.plan_sender_hold(sender, invocation.now)?;
    }
    let rows = store.list_batches(&filter, arguments.limit)?;
    let is_page = rows.len() == arguments.limit as usize;
    let last = rows.last().map(|row| row.id).filter(|_| is_page);
    let lines = rows.into_iter().map(|row| {
        let counts = store.counts(row.id)?;
        Ok(line(row, counts, now))
    });
    let batches: Vec<_> = lines.collect::<Result<_, CommandError>>()?;
    let is_empty = batches.is_empty();
    invocation.output.show(&BatchList { batches })?;
    if is_empty {
        invocation.output.note(arguments.none());
    }
    if let Some(last) = last {
        invocation
            .output
            .hint(format!("`--before {last}` shows the batches before these"));
    }
    Ok(Outcome::Done)
}

impl Arguments {
    fn none(&self) -> &'static str {
        let is_all = self.state.is_none() && self.sender.is_none() && self.before.is_none();
        if is_all && self.since.is_none() && self.until.is_none() && !self.test {
            "no batch has come yet"
        } else {
            "no batch is like that"
        }
    }
}

fn line(row: BatchRow, counts: Counts, now: Timestamp) -> BatchLine {
    BatchLine {
        batch: row.id.to_string(),
        sender: row.sender.to_string(),
        received_at: Time(row.received_at),
        age_secs: now.duration_since(row.received_at).as_secs(),
        waits_for: waits_for(&row, counts, now),
        state: BatchStateWord(row.state),
        is_test: row.is_test,
        messages: counts.received,
        delivered: counts.delivered,
        printed: counts.composed + counts.printed + counts.also_printed,
        refused: counts.refused,
        held: counts.held,
        file_name: row.file_name,
    }
}

fn waits_for(row: &BatchRow, counts: Counts, now: Timestamp) -> Option<String> {
    let step = row.state.next_step().as_str();
    if row.state == BatchState::Held {
        return Some("an operator".to_owned());
    }
    if row.lease_until.is_some_and(|until| until > now) {
        return Some(format!("the step {step}, under way"));
    }
    match row.due_at {
        Some(due) if row.last_error.is_some() => {
            Some(format!("the step {step}, tried again at {}", Time(due)))
        }
        Some(_) if counts.waiting > 0 => Some("mailbox statuses".to_owned()),
        Some(_) => Some(format!("the step {step}")),
        None if counts.composed > 0 || counts.also_to_print > 0 => Some("its hand-over".to_owned()),
        None if counts.held > 0 => Some("an operator, for messages".to_owned()),
        None => None,
    }
}

impl fmt::Display for BatchList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.batches.is_empty() {
            return Ok(());
        }
        let heading = [
            "BATCH",
            "SENDER",
            "RECEIVED",
            "AGE",
            "STATE",
            "MESSAGES",
            "MAILBOX",
            "PRINT",
            "REFUSED",
            "HELD",
            "WAITS FOR",
            "FILE",
        ];
        let row = |line: &BatchLine| {
            [
                line.batch.clone(),
                line.sender.clone(),
                line.received_at.to_string(),
                age(line.age_secs),
                line.state.to_string(),
                line.messages.to_string(),
                line.delivered.to_string(),
                line.printed.to_string(),
                line.refused.to_string(),
                line.held.to_string(),
                line.waits_for.clone().unwrap_or_else(|| "-".to_owned()),
                line.file_name.clone(),
            ]
        };
        Table::new(heading, self.batches.iter().map(row)).fmt(f)
    }
}
