use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::approve::{HoldLine, release_of};
use crate::{
    cli::{
        CommandError, Invocation,
        batch::cancel::on_its_way,
        deed::Deed,
        error::{ErrorKind, Outcome},
        words::BatchStateWord,
    },
    domain::BatchId,
    store::{BatchHolding, CannotHold},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    batch: BatchId,
    #[command(flatten)]
    deed: Deed,
}

/// `kuori batch hold`: what was done, or with `--dry-run` what would be.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct BatchHeld {
    batch: String,
    dry_run: bool,
    /// Why nothing was done.
    blocked: Option<String>,
    /// Where the batch was.
    was: BatchStateWord,
    /// A step has it in hand, and stops at its next page.
    is_worked_on: bool,
    /// What holds it besides.
    also_held: Vec<HoldLine>,
    /// Bundles that wait for the print house, and wait on.
    bundles: Vec<String>,
    /// Bundles on their way out at this moment: these are not stopped.
    going: Vec<String>,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let plan = match arguments.deed.action(invocation) {
        Some(action) => store.hold_batch(arguments.batch, &action)?,
        None => store.plan_batch_hold(arguments.batch, invocation.now)?,
    };
    let (batch, blocked) = (plan.batch, plan.blocked.clone());
    let dry_run = arguments.deed.dry_run;
    invocation.output.show(&told(plan, dry_run))?;
    if let Some(blocked) = blocked {
        return Err(refusal(blocked));
    }
    if !dry_run {
        invocation.output.hint(release_of(batch));
        let told = "the sender is told by a processing report, with your reason";
        invocation.output.hint(told);
    }
    Ok(Outcome::Done)
}

fn refusal(blocked: CannotHold) -> CommandError {
    let told = blocked.to_string();
    match blocked {
        CannotHold::Already(batch, hold) => CommandError::failed(told)
            .caused_by(HoldLine::from(hold).sentence())
            .hint(release_of(batch)),
        CannotHold::AtRest(batch, _) | CannotHold::AllGone(batch) => {
            CommandError::failed(told).hint(format!("see `kuori batch show {batch}`"))
        }
        CannotHold::HandingOver(_) => {
            CommandError::new(ErrorKind::TryLater, told).hint(on_its_way())
        }
    }
}

fn told(plan: BatchHolding, dry_run: bool) -> BatchHeld {
    BatchHeld {
        batch: plan.batch.to_string(),
        dry_run,
        blocked: plan.blocked.as_ref().map(ToString::to_string),
        was: BatchStateWord(plan.state),
        is_worked_on: plan.is_worked_on,
        also_held: plan.others.into_iter().map(HoldLine::from).collect(),
        bundles: plan.bundles.iter().map(ToString::to_string).collect(),
        going: plan.going.iter().map(ToString::to_string).collect(),
    }
}

impl fmt::Display for BatchHeld {
    /// What stands in the way is told by the error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.blocked.is_some() {
            return Ok(());
        }
        let (is, wait) = if self.dry_run {
            ("would be", "would wait")
        } else {
            ("is", "wait")
        };
        writeln!(f, "{} {is} on hold; it was {}", self.batch, self.was)?;
        if self.is_worked_on {
            writeln!(f, "a step has it in hand, and stops at its next page")?;
        }
        for hold in &self.also_held {
            writeln!(f, "also {}", hold.sentence())?;
        }
        if !self.bundles.is_empty() {
            let bundles = self.bundles.join(" ");
            writeln!(f, "bundles that {wait} for its release: {bundles}")?;
        }
        for bundle in &self.going {
            writeln!(f, "not stopped: bundle {bundle} is on its way out")?;
        }
        Ok(())
    }
}
