use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::Named;
use crate::{
    cli::{CommandError, Invocation, deed::LightDeed, error::Outcome, words::counted},
    store::{OutgoingRetry, Store, Waiting},
};

/// Things that are named one by one.
const NAMED: usize = 20;

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// A bundle, a batch or a place: `P-0031`, `B-0007`, `print-house:example-print`; default: all
    #[arg(value_name = "WHAT")]
    what: Option<Named>,

    #[command(flatten)]
    deed: LightDeed,
}

/// `kuori outbox retry`: what was done, or with `--dry-run` what would be.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct Retried {
    dry_run: bool,
    /// What is due at once.
    hand_overs: Vec<RetriedLine>,
    /// Places that are asked at once.
    places: Vec<String>,
    /// Bundles that wait because their batch or sender is on hold: these go with its release.
    on_hold: Vec<OnHoldLine>,
}

#[derive(Serialize, JsonSchema)]
struct OnHoldLine {
    bundle: Option<String>,
    batch: String,
    why: Option<String>,
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
    let retry = match arguments.deed.action(invocation) {
        None => store.plan_retry_waiting(what, invocation.now)?,
        Some(action) => store.retry_waiting(what, &action)?,
    };
    let told = told(retry, arguments.deed.dry_run);
    invocation.output.show(&told)?;
    match &arguments.what {
        Some(named) if told.is_nothing() => Err(nothing(named, &told, &store)?),
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

/// Why nothing is done: what is named waits for a release, or does not wait, or is nobody.
fn nothing(named: &Named, told: &Retried, store: &Store) -> Result<CommandError, CommandError> {
    let typed = &named.typed;
    if let Some(line) = told.on_hold.first() {
        let error = CommandError::failed(format!("what waits of `{typed}` is on hold"));
        let batch = &line.batch;
        let error = error.caused_by(line.sentence());
        return Ok(error.hint(format!(
            "`kuori batch show {batch}` says who releases it, and how"
        )));
    }
    let is_unknown = match &named.what {
        Waiting::Place(place) => !store.has_place(place)?,
        Waiting::Bundle(_) | Waiting::Batch(_) => false,
    };
    let error = if is_unknown {
        format!("nothing of that name was ever to be handed over: `{typed}`")
    } else {
        format!("nothing of `{typed}` is held or put off")
    };
    Ok(CommandError::failed(error).hint("see `kuori outbox list`"))
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
    let on_hold = retry.on_hold.into_iter().map(|row| OnHoldLine {
        bundle: row.bundle.map(|bundle| bundle.to_string()),
        batch: row.batch.to_string(),
        why: row.last_error,
    });
    Retried {
        dry_run,
        hand_overs: rows.collect(),
        places: places.collect(),
        on_hold: on_hold.collect(),
    }
}

impl Retried {
    fn is_nothing(&self) -> bool {
        self.hand_overs.is_empty() && self.places.is_empty()
    }
}

impl OnHoldLine {
    fn sentence(&self) -> String {
        let bundle = self.bundle.as_deref().unwrap_or_default();
        let why = self.why.as_deref().unwrap_or_default();
        format!("bundle {bundle} of {}: {why}", self.batch)
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
        let more = self.hand_overs.len().saturating_sub(NAMED) as u64;
        if more > 0 {
            writeln!(f, "and {} more", counted(more, "hand-over", "hand-overs"))?;
        }
        // Where there is nothing else, the error says it.
        let on_hold = self.on_hold.iter().filter(|_| !self.is_nothing());
        on_hold
            .take(NAMED)
            .try_for_each(|line| writeln!(f, "stays on hold: {}", line.sentence()))
    }
}
