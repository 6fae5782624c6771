use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    CommandError, Invocation,
    error::Outcome,
    table::{Table, or_dash},
    words::Time,
};
use crate::{
    domain::{BatchId, SenderId},
    store::Event,
};

#[derive(clap::Args)]
#[group(id = "whose", required = true, multiple = false)]
pub(super) struct Arguments {
    batch: Option<BatchId>,

    /// What operators did to this sender
    #[arg(long, value_name = "NAME")]
    sender: Option<SenderId>,
}

/// `kuori events`: the history of a batch or sender, oldest first.
#[derive(Serialize, JsonSchema)]
pub(super) struct EventList {
    batch: Option<String>,
    sender: Option<String>,
    events: Vec<EventLine>,
}

#[derive(Serialize, JsonSchema)]
struct EventLine {
    at: Time,
    /// `kuori` for the daemon, else who gave the command.
    actor: String,
    /// 1-based position of the message; absent means the whole batch.
    message: Option<u32>,
    what: String,
    /// The reason that an operator gave, or what made the daemon do it.
    why: Option<String>,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let Arguments { batch, sender } = arguments;
    let mut events = Vec::new();
    if let Some(batch) = *batch {
        store.batch(batch)?;
        events = store.events(batch)?;
    }
    if let Some(sender) = sender {
        store.plan_sender_hold(sender)?;
        events = store.sender_events(sender)?;
    }
    invocation.output.show(&EventList {
        batch: batch.map(|batch| batch.to_string()),
        sender: sender.as_ref().map(ToString::to_string),
        events: events.into_iter().map(EventLine::from).collect(),
    })?;
    Ok(Outcome::Done)
}

impl From<Event> for EventLine {
    fn from(event: Event) -> Self {
        Self {
            at: Time(event.at),
            actor: event.actor,
            message: event.position,
            what: event.what,
            why: event.why,
        }
    }
}

impl fmt::Display for EventList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |event: &EventLine| {
            [
                event.at.to_string(),
                event.actor.clone(),
                or_dash(event.message),
                event.what.clone(),
                event.why.clone().unwrap_or_default(),
            ]
        };
        let heading = ["AT", "BY", "MESSAGE", "WHAT", "WHY"];
        Table::new(heading, self.events.iter().map(row)).fmt(f)
    }
}
