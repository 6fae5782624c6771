use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{
        CommandError, Invocation,
        error::Outcome,
        table::Table,
        words::{BatchStateWord, Time},
    },
    store::{BatchRow, Counts},
};

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
    state: BatchStateWord,
    messages: u64,
    delivered: u64,
    /// At the print house, or in a bundle that waits for it.
    printed: u64,
    refused: u64,
    held: u64,
    file_name: String,
}

pub(super) fn run(limit: u32, invocation: &mut Invocation<'_>) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let lines = store.batches(limit)?.into_iter().map(|row| {
        let counts = store.counts(row.id)?;
        Ok(line(row, counts))
    });
    let batches: Vec<_> = lines.collect::<Result<_, CommandError>>()?;
    let is_empty = batches.is_empty();
    invocation.output.show(&BatchList { batches })?;
    if is_empty {
        invocation.output.note("no batch has come yet");
    }
    Ok(Outcome::Done)
}

fn line(row: BatchRow, counts: Counts) -> BatchLine {
    BatchLine {
        batch: row.id.to_string(),
        sender: row.sender.to_string(),
        received_at: Time(row.received_at),
        state: BatchStateWord(row.state),
        messages: counts.received,
        delivered: counts.delivered,
        printed: counts.composed + counts.printed + counts.also_printed,
        refused: counts.refused,
        held: counts.held,
        file_name: row.file_name,
    }
}

impl fmt::Display for BatchList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.batches.is_empty() {
            return Ok(());
        }
        let heading = [
            "BATCH", "SENDER", "RECEIVED", "STATE", "MESSAGES", "MAILBOX", "PRINT", "REFUSED",
            "HELD", "FILE",
        ];
        let row = |line: &BatchLine| {
            [
                line.batch.clone(),
                line.sender.clone(),
                line.received_at.to_string(),
                line.state.to_string(),
                line.messages.to_string(),
                line.delivered.to_string(),
                line.printed.to_string(),
                line.refused.to_string(),
                line.held.to_string(),
                line.file_name.clone(),
            ]
        };
        Table::new(heading, self.batches.iter().map(row)).fmt(f)
    }
}
