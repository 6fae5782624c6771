use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::approve::{HoldLine, after_a_failed_step};
use crate::{
    cli::{CommandError, Invocation, deed::Deed, error::Outcome},
    domain::BatchId,
    store::{BatchRelease, CannotRelease, Store},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    batch: BatchId,
    #[command(flatten)]
    deed: Deed,
}

/// `kuori batch release`: what was done, or with `--dry-run` what would be.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct BatchReleased {
    batch: String,
    dry_run: bool,
    /// Why nothing was done.
    blocked: Option<String>,
    /// The hold that ends.
    hold: Option<HoldLine>,
    /// What still holds it.
    still_held: Vec<HoldLine>,
    /// What a failed step held it for before: it is held for that again.
    failed_before: Option<String>,
    /// Bundles that go on to the print house, unless the sender is on hold.
    bundles: Vec<String>,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let release = match arguments.deed.action(invocation) {
        Some(action) => store.release_batch(arguments.batch, &action)?,
        None => store.plan_batch_release(arguments.batch)?,
    };
    let (batch, blocked) = (release.batch, release.blocked);
    let told = told(release, arguments.deed.dry_run);
    invocation.output.show(&told)?;
    if let Some(blocked) = blocked {
        return Err(refusal(blocked, &store)?);
    }
    if !told.goes_on() {
        let hint = format!("`kuori batch show {batch}` says what still holds it, and what to type");
        invocation.output.hint(hint);
    }
    Ok(Outcome::Done)
}

fn refusal(blocked: CannotRelease, store: &Store) -> Result<CommandError, CommandError> {
    let error = CommandError::failed(blocked);
    Ok(match blocked {
        CannotRelease::NotHeld(batch, _) => error.hint(format!("see `kuori batch show {batch}`")),
        CannotRelease::ByGate(batch) => error.hint(format!(
            "`kuori batch approve {batch} --reason TEXT` lets it go on"
        )),
        CannotRelease::ForSender(batch) => {
            let sender = store.batch(batch)?.sender;
            error
                .hint(format!(
                    "`kuori sender release {sender}` lets all of its batches go on"
                ))
                .hint(format!(
                    "`kuori batch approve {batch} --reason TEXT` lets this one go on"
                ))
        }
        CannotRelease::StepFailed(batch) => after_a_failed_step(error, batch),
    })
}

fn told(release: BatchRelease, dry_run: bool) -> BatchReleased {
    let failed_before = release.hold.as_ref().and_then(|hold| hold.before.clone());
    BatchReleased {
        batch: release.batch.to_string(),
        dry_run,
        blocked: release.blocked.as_ref().map(ToString::to_string),
        failed_before: failed_before.filter(|_| release.left.is_empty()),
        hold: release.hold.map(HoldLine::from),
        still_held: release.left.into_iter().map(HoldLine::from).collect(),
        bundles: release.bundles.iter().map(ToString::to_string).collect(),
    }
}

impl BatchReleased {
    fn goes_on(&self) -> bool {
        self.still_held.is_empty() && self.failed_before.is_none()
    }
}

impl fmt::Display for BatchReleased {
    /// What stands in the way is told by the error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.blocked.is_some() {
            return Ok(());
        }
        let (is, goes, stays) = if self.dry_run {
            ("would be", "would go", "would stay")
        } else {
            ("is", "goes", "stays")
        };
        let batch = &self.batch;
        if self.goes_on() {
            writeln!(f, "{batch} {is} released and {goes} on, to be routed again")?;
        } else {
            writeln!(f, "{batch} {is} released by its operator, and {stays} held")?;
        }
        for hold in &self.still_held {
            writeln!(f, "{}", hold.sentence())?;
        }
        if let Some(before) = &self.failed_before {
            writeln!(f, "{before}")?;
        }
        for bundle in &self.bundles {
            writeln!(f, "bundle {bundle} {goes} on to the print house")?;
        }
        Ok(())
    }
}
