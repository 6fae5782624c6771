use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{
        CommandError, Invocation,
        error::Outcome,
        table::{Table, or_dash},
        words::{BatchStateWord, Time},
    },
    store::SenderRow,
};

/// `kuori sender list`: the senders of the settings, by name.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct SenderList {
    senders: Vec<SenderLine>,
}

#[derive(Serialize, JsonSchema)]
struct SenderLine {
    sender: String,
    /// Absent where the sender is not on hold.
    hold: Option<HoldLine>,
    /// States that no batch is in are left out.
    batches: Vec<StateLine>,
    last_batch: Option<String>,
    last_received_at: Option<Time>,
}

#[derive(Serialize, JsonSchema)]
struct HoldLine {
    since: Time,
    actor: String,
    why: String,
}

#[derive(Serialize, JsonSchema)]
struct StateLine {
    state: BatchStateWord,
    batches: u64,
}

pub(super) fn run(invocation: &mut Invocation<'_>) -> Result<Outcome, CommandError> {
    let senders = invocation.store()?.senders()?;
    invocation.output.show(&SenderList {
        senders: senders.into_iter().map(SenderLine::from).collect(),
    })?;
    Ok(Outcome::Done)
}

impl From<SenderRow> for SenderLine {
    fn from(row: SenderRow) -> Self {
        let state = |(state, batches)| StateLine {
            state: BatchStateWord(state),
            batches,
        };
        Self {
            sender: row.name.to_string(),
            hold: row.hold.map(|hold| HoldLine {
                since: Time(hold.since),
                actor: hold.actor,
                why: hold.why,
            }),
            batches: row.batches.into_iter().map(state).collect(),
            last_batch: row.last_batch.map(|(batch, _)| batch.to_string()),
            last_received_at: row.last_batch.map(|(_, at)| Time(at)),
        }
    }
}

impl SenderLine {
    fn cells(&self) -> [String; 7] {
        let states = self.batches.iter();
        let states: Vec<_> = states
            .map(|line| format!("{} {}", line.batches, line.state))
            .collect();
        let hold = self.hold.as_ref();
        [
            self.sender.clone(),
            hold.map_or("open", |_| "on hold").to_owned(),
            or_dash(hold.map(|hold| hold.since)),
            or_dash((!states.is_empty()).then(|| states.join(", "))),
            or_dash(self.last_batch.as_ref()),
            or_dash(self.last_received_at),
            hold.map_or(String::new(), |hold| hold.why.clone()),
        ]
    }
}

impl fmt::Display for SenderList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = [
            "SENDER",
            "STATE",
            "SINCE",
            "BATCHES",
            "LAST BATCH",
            "RECEIVED",
            "WHY",
        ];
        Table::new(heading, self.senders.iter().map(SenderLine::cells)).fmt(f)
    }
}
