use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{CommandError, Invocation, deed::LightDeed, error::Outcome, words::Time},
    domain::ServiceName,
    store::QueueNumbers,
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
    if let Some(name) = wanted
        && queues.iter().all(|queue| queue.service != *name)
    {
        let error = format!("no mailbox service of that name is known: `{name}`");
        return Err(CommandError::failed(error).hint("see `kuori queue list`"));
    }
    queues.retain(|queue| {
        queue.state.retry_at.is_some() && wanted.is_none_or(|name| *name == queue.service)
    });
    if let Some(action) = arguments.deed.action(invocation) {
        for queue in &queues {
            store.retry_service(&queue.service, &action)?;
        }
    }
    let told = Retried {
        dry_run: arguments.deed.dry_run,
        services: queues.iter().map(RetriedLine::of).collect(),
    };
    invocation.output.show(&told)?;
    if told.services.is_empty() {
        invocation.output.note("no service is left alone");
    }
    Ok(Outcome::Done)
}

impl RetriedLine {
    fn of(queue: &QueueNumbers) -> Self {
        Self {
            service: queue.service.to_string(),
            failing_since: queue.state.failing_since.map(Time),
            next_try_at: queue.state.retry_at.map(Time),
            last_error: queue.state.last_error.clone(),
        }
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
