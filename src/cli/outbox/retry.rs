use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::Named;
use crate::{
    cli::{CommandError, Invocation, error::Outcome, words::counted},
    store::{OutgoingRetry, Store, Waiting},
};

/// Things that are named one by one.
const NAMED: usize = 20;

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// A bundle, a batch or a place: `P-0031`, `B-0007`, `print-house:example-print`; default: all
    #[arg(value_name = "WHAT")]
    what: Option<Named>,

    /// Say what would happen, and do nothing
    #[arg(long)]
    dry_run: bool,

    /// Why, for the history
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    reason: String,
}

/// `kuori outbox retry`: what was done, or with `--dry-run` what would be.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct Retried {
    dry_run: bool,
    /// What is due at once.
    hand_overs: Vec<RetriedLine>,
    /// Places that are asked at once.
    places: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct RetriedLine {
    /// `acknowledgement`, `processing`, `delivery` or `bundle`.
    kind: &'static str,
    bundle: Option<String>,
    batch: String,
    place: String,
    /// Whether it was held, and not only put off.
    was_held: bool,
    last_error: Option<String>,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let what = arguments.what.as_ref().map(|named| &named.what);
    must_be_there(&store, what)?;
    let retry = if arguments.dry_run {
        store.plan_retry_waiting(what, invocation.now)?
    } else {
        store.retry_waiting(what, &invocation.action(&arguments.reason))?
    };
    let told = told(retry, arguments.dry_run);
    invocation.output.show(&told)?;
    match &arguments.what {
        Some(named) if told.is_nothing() => Err(nothing(named)),
        None if told.is_nothing() => {
            invocation.output.note("nothing is held or put off");
            Ok(Outcome::Done)
        }
        _ => Ok(Outcome::Done),
    }
}

fn must_be_there(store: &Store, what: Option<&Waiting>) -> Result<(), CommandError> {
    match what {
        Some(Waiting::Bundle(id)) => store.bundle(*id).map(drop)?,
        Some(Waiting::Batch(id)) => store.batch(*id).map(drop)?,
        Some(Waiting::Place(_)) | None => {}
    }
    Ok(())
}

fn nothing(named: &Named) -> CommandError {
    let typed = &named.typed;
    CommandError::failed(format!("nothing of `{typed}` is held or put off"))
        .hint("see `kuori outbox list`")
}

fn told(retry: OutgoingRetry, dry_run: bool) -> Retried {
    let rows = retry.rows.into_iter().map(|row| RetriedLine {
        kind: row.kind.as_str(),
        bundle: row.bundle.map(|bundle| bundle.to_string()),
        batch: row.batch.to_string(),
        place: row.place.to_string(),
        was_held: row.held_at.is_some(),
        last_error: row.last_error,
    });
    let places = retry.places.iter().map(|trouble| trouble.place.to_string());
    Retried {
        dry_run,
        hand_overs: rows.collect(),
        places: places.collect(),
    }
}

impl Retried {
    fn is_nothing(&self) -> bool {
        self.hand_overs.is_empty() && self.places.is_empty()
    }
}

impl RetriedLine {
    fn what(&self) -> String {
        match &self.bundle {
            Some(bundle) => format!("bundle {bundle}"),
            None => format!("{} of {}", self.kind, self.batch),
        }
    }
}

impl fmt::Display for Retried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is = if self.dry_run { "would be" } else { "is" };
        for place in &self.places {
            writeln!(f, "{place} {is} asked again")?;
        }
        for line in self.hand_overs.iter().take(NAMED) {
            let was = if line.was_held { "held" } else { "put off" };
            writeln!(
                f,
                "{} to {}, {was}, {is} due at once",
                line.what(),
                line.place
            )?;
        }
        match self.hand_overs.len().saturating_sub(NAMED) {
            0 => Ok(()),
            more => writeln!(
                f,
                "and {} more",
                counted(more as u64, "hand-over", "hand-overs")
            ),
        }
    }
}
