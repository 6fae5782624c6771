use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::service::ServiceLine;
use crate::{
    cli::{CommandError, Invocation, deed::LightDeed, error::Outcome, words::Time},
    domain::ServiceName,
    store::{QueueNumbers, ServiceFeed},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// A service, by its name in the settings; default: all that do not work
    #[arg(value_name = "NAME")]
    service: Option<ServiceName>,

    #[command(flatten)]
    deed: LightDeed,
}

/// `kuori queue retry`: what was done, or with `--dry-run` what would be.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct Retried {
    dry_run: bool,
    /// Those that are asked at once.
    services: Vec<RetriedLine>,
}

#[derive(Serialize, JsonSchema)]
struct RetriedLine {
    #[serde(skip)]
    name: ServiceName,
    service: String,
    failing_since: Option<Time>,
    /// When it would have been asked.
    next_try_at: Option<Time>,
    last_error: Option<String>,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let (store, wanted) = (invocation.store()?, arguments.service.as_ref());
    let mut queues = store.queues(invocation.now)?;
    if let Some(name) = wanted {
        nobody_asks(super::known(&queues, name)?, invocation)?;
    }
    queues.retain(|queue| queue.is_in_settings && wanted.is_none_or(|name| *name == queue.service));
    let mut services = Vec::new();
    for queue in &queues {
        let feed = store.service_feed(&queue.service)?;
        services.extend(RetriedLine::of(queue, feed));
    }
    if let Some(action) = arguments.deed.action(invocation) {
        let left_alone = services.iter().map(|line| &line.name);
        for service in left_alone {
            store.retry_service(service, &action)?;
        }
    }
    let told = Retried {
        dry_run: arguments.deed.dry_run,
        services,
    };
    invocation.output.show(&told)?;
    if told.services.is_empty() {
        invocation
            .output
            .note("no service fails: none is left alone");
    }
    Ok(Outcome::Done)
}

/// Refuses where no daemon sends to the service, whatever is asked of it.
fn nobody_asks(queue: &QueueNumbers, invocation: &Invocation<'_>) -> Result<(), CommandError> {
    if queue.is_in_settings {
        return Ok(());
    }
    let error = format!(
        "the settings do not have `{}`: nobody asks it",
        queue.service
    );
    let error = CommandError::failed(error);
    Err(match ServiceLine::of(queue, invocation.now).hint() {
        Some(hint) => error.hint(hint),
        None => error,
    })
}

impl RetriedLine {
    /// `None` where neither messages nor events wait for its next try.
    fn of(queue: &QueueNumbers, feed: Option<ServiceFeed>) -> Option<Self> {
        let state = &queue.state;
        let sending = (
            state.failing_since,
            state.retry_at,
            state.last_error.clone(),
        );
        let events = feed.map(|feed| (feed.failing_since, feed.retry_at, feed.error));
        let (failing_since, retry_at, last_error) = [Some(sending), events]
            .into_iter()
            .flatten()
            .find(|(_, retry_at, _)| retry_at.is_some())?;
        Some(Self {
            name: queue.service.clone(),
            service: queue.service.to_string(),
            failing_since: failing_since.map(Time),
            next_try_at: retry_at.map(Time),
            last_error,
        })
    }
}

impl fmt::Display for Retried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is = if self.dry_run { "would be" } else { "is" };
        self.services
            .iter()
            .try_for_each(|line| writeln!(f, "{} {is} asked at once", line.service))
    }
}
