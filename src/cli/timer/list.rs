use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::TimerLine;
use crate::{
    cli::{
        CommandError, Invocation,
        error::Outcome,
        table::{Table, or_dash},
        when::When,
        words::counted,
    },
    domain::{BatchId, SenderId},
    store::TimerFilter,
};

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Only what is due before this: a day or a time in UTC, or how far ahead, such as `36h`
    #[arg(long, value_name = "TIME")]
    due_before: Option<When>,

    /// Only messages of this sender
    #[arg(long, value_name = "NAME")]
    sender: Option<SenderId>,

    /// Only messages of this batch
    #[arg(long, value_name = "B-…")]
    batch: Option<BatchId>,

    /// Only those that are over, and whose messages cannot go on paper
    #[arg(long)]
    stuck: bool,

    /// How many
    #[arg(long, value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

/// `kuori timer list`: the next one first.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct TimerList {
    timers: Vec<TimerLine>,
    /// There are more than were asked for.
    is_cut: bool,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let now = invocation.now;
    let filter = TimerFilter {
        sender: arguments.sender.clone(),
        batch: arguments.batch,
        due_before: arguments.due_before.map(|when| ahead(when, now)),
        stuck: arguments.stuck,
    };
    let mut rows = store.timers(&filter, arguments.limit.saturating_add(1))?;
    let is_cut = rows.len() as u64 > u64::from(arguments.limit);
    rows.truncate(arguments.limit as usize);
    let list = TimerList {
        timers: rows.iter().map(|row| TimerLine::of(row, now)).collect(),
        is_cut,
    };
    invocation.output.show(&list)?;
    if list.timers.is_empty() {
        invocation.output.note(if filter == TimerFilter::default() {
            "no message waits to be read"
        } else {
            "no such message waits to be read"
        });
    }
    if is_cut {
        invocation.output.hint("add `--limit N` for more");
    }
    if let Some(stuck) = rows.iter().find(|row| row.stuck.is_some()) {
        invocation.output.hint(format!(
            "what keeps a message from paper is looked at again each day; `kuori timer stop {} --reason …` \
             leaves it in its mailbox alone",
            stuck.message
        ));
    }
    Ok(if arguments.stuck && !rows.is_empty() {
        Outcome::Findings
    } else {
        Outcome::Done
    })
}

/// A span counts from now on.
fn ahead(when: When, now: Timestamp) -> Timestamp {
    match when {
        When::At(at) => at,
        When::Ago(span) => now.saturating_add(span).unwrap_or(Timestamp::MAX),
    }
}

impl fmt::Display for TimerList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.timers.is_empty() {
            return Ok(());
        }
        let row = |line: &TimerLine| {
            [
                line.message.clone(),
                line.sender.clone(),
                line.what.to_owned(),
                or_dash(line.service.clone()),
                line.due_at.to_string(),
                or_dash(line.stuck_for),
            ]
        };
        let heading = [
            "MESSAGE",
            "SENDER",
            "IF IT IS",
            "SERVICE",
            "DUE",
            "STUCK FOR",
        ];
        Table::new(heading, self.timers.iter().map(row)).fmt(f)?;
        let number = self.timers.len() as u64;
        let more = if self.is_cut { " and more" } else { "" };
        writeln!(f, "{}{more}", counted(number, "timer", "timers"))
    }
}
