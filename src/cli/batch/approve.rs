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
    /// An operator holds it too, and still does.
    still_held: Option<HoldLine>,
}

/// Why a batch is held: by the gate, or by an operator.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct HoldLine {
    cause: HoldCauseWord,
    why: String,
    since: Time,
    /// Who holds it; absent where the gate does.
    by: Option<String>,
}

impl HoldLine {
    pub(super) fn is_for_sender(&self) -> bool {
        self.cause.0 == HoldCause::Sender
    }

    pub(super) fn is_by_operator(&self) -> bool {
        self.cause.0 == HoldCause::Operator
    }

    /// `maija put it on hold at …: why`, or since when the gate holds it.
    pub(super) fn sentence(&self) -> String {
        let Self { why, since, .. } = self;
        match &self.by {
            Some(by) => format!("{by} put it on hold at {since}: {why}"),
            None => format!("held since {since}: {why}"),
        }
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
    let is_on_hold = approval.still.is_some();
    let dry_run = arguments.deed.dry_run;
    invocation.output.show(&told(approval, dry_run))?;
    if let Some(blocked) = blocked {
        return Err(refusal(blocked));
    }
    if is_on_hold {
        invocation.output.hint(release_of(batch));
    } else if !dry_run {
        let hint = format!("`kuori batch show {batch}` says how it goes on");
        invocation.output.hint(hint);
    }
    Ok(Outcome::Done)
}

pub(super) fn release_of(batch: BatchId) -> String {
    format!("`kuori batch release {batch} --reason TEXT` ends the operator's hold")
}

/// What to type where a failed step holds a batch.
pub(super) fn after_a_failed_step(error: CommandError, batch: BatchId) -> CommandError {
    error
        .hint(format!("`kuori batch show {batch}` says which and why"))
        .hint(format!(
            "when the cause is gone, `kuori reprocess {batch} --dry-run` says what can be done again"
        ))
}

fn refusal(blocked: CannotApprove) -> CommandError {
    let error = CommandError::failed(blocked);
    match blocked {
        CannotApprove::NotHeld(batch, _) => error.hint(format!("see `kuori batch show {batch}`")),
        CannotApprove::OnHold(batch) => error.hint(release_of(batch)),
        CannotApprove::StepFailed(batch) => after_a_failed_step(error, batch),
    }
}

fn told(approval: Approval, dry_run: bool) -> Approved {
    Approved {
        batch: approval.batch.to_string(),
        dry_run,
        blocked: approval.blocked.map(|blocked| blocked.to_string()),
        holds: approval.holds.into_iter().map(HoldLine::from).collect(),
        still_held: approval.still.map(HoldLine::from),
    }
}

impl From<Hold> for HoldLine {
    fn from(hold: Hold) -> Self {
        Self {
            cause: HoldCauseWord(hold.cause),
            why: hold.why,
            since: Time(hold.held_at),
            by: hold.actor,
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
        match &self.still_held {
            None => writeln!(f, "{} {goes} on, to be routed", self.batch)?,
            Some(hold) => writeln!(f, "{} stays on hold: {}", self.batch, hold.sentence())?,
        }
        for hold in &self.holds {
            writeln!(f, "it {was} held since {}: {}", hold.since, hold.why)?;
        }
        Ok(())
    }
}
