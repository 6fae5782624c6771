use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{
        CommandError, Invocation,
        deed::Deed,
        error::Outcome,
        words::{HoldCauseWord, Time},
    },
    domain::{BatchId, HoldCause},
    store::{Approval, CannotApprove, Hold},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    batch: BatchId,
    #[command(flatten)]
    deed: Deed,
}

/// `kuori batch approve`: what was done, or with `--dry-run` what would be.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct Approved {
    batch: String,
    dry_run: bool,
    /// Why nothing was done.
    blocked: Option<String>,
    /// What held it, and holds it no more.
    holds: Vec<HoldLine>,
}

/// Why the gate holds a batch.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct HoldLine {
    cause: HoldCauseWord,
    why: String,
    since: Time,
}

impl HoldLine {
    pub(super) fn is_for_sender(&self) -> bool {
        self.cause.0 == HoldCause::Sender
    }
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let approval = match arguments.deed.action(invocation) {
        Some(action) => store.approve(arguments.batch, &action)?,
        None => store.plan_approval(arguments.batch)?,
    };
    let (batch, blocked) = (approval.batch, approval.blocked);
    let dry_run = arguments.deed.dry_run;
    invocation.output.show(&told(approval, dry_run))?;
    if let Some(blocked) = blocked {
        return Err(refusal(blocked));
    }
    if !dry_run {
        let hint = format!("`kuori batch show {batch}` says how it goes on");
        invocation.output.hint(hint);
    }
    Ok(Outcome::Done)
}

fn refusal(blocked: CannotApprove) -> CommandError {
    let error = CommandError::failed(blocked);
    match blocked {
        CannotApprove::NotHeld(batch, _) => error.hint(format!("see `kuori batch show {batch}`")),
        CannotApprove::StepFailed(batch) => error
            .hint(format!("`kuori batch show {batch}` says which and why"))
            .hint(format!(
                "when the cause is gone, `kuori reprocess {batch} --dry-run` says what can be done again"
            )),
    }
}

fn told(approval: Approval, dry_run: bool) -> Approved {
    Approved {
        batch: approval.batch.to_string(),
        dry_run,
        blocked: approval.blocked.map(|blocked| blocked.to_string()),
        holds: approval.holds.into_iter().map(HoldLine::from).collect(),
    }
}

impl From<Hold> for HoldLine {
    fn from(hold: Hold) -> Self {
        Self {
            cause: HoldCauseWord(hold.cause),
            why: hold.why,
            since: Time(hold.held_at),
        }
    }
}

impl fmt::Display for Approved {
    /// What stands in the way is told by the error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.blocked.is_some() {
            return Ok(());
        }
        let (goes, was) = if self.dry_run {
            ("would go", "is")
        } else {
            ("goes", "was")
        };
        writeln!(f, "{} {goes} on, to be routed", self.batch)?;
        for hold in &self.holds {
            writeln!(f, "it {was} held since {}: {}", hold.since, hold.why)?;
        }
        Ok(())
    }
}
