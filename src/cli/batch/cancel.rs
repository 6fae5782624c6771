use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{
        CommandError, Invocation,
        deed::Deed,
        error::{ErrorKind, Outcome},
        words::counted,
    },
    domain::BatchId,
    store::{CancelPlan, CannotCancel, Extent},
};

/// Causes that are named one by one.
const NAMED: usize = 5;

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    batch: BatchId,
    /// Cancel what has not left the house, where some of it has
    #[arg(long)]
    rest: bool,
    #[command(flatten)]
    deed: Deed,
}

/// `kuori batch cancel`: what was done, or with `--dry-run` what would be.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct Cancelled {
    batch: String,
    dry_run: bool,
    /// Not empty: nothing was done.
    blocked: Vec<String>,
    /// How many messages are called off.
    messages: u64,
    /// How many have left the house and stay what they are.
    gone: u64,
    /// How many went once and were to go again: those are held.
    repeats: u64,
    /// Bundles taken back before hand-over.
    withdrawn_bundles: Vec<String>,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let extent = if arguments.rest {
        Extent::Rest
    } else {
        Extent::Whole
    };
    let plan = match arguments.deed.action(invocation) {
        Some(action) => store.cancel_of(arguments.batch, extent, &action)?,
        None => store.plan_cancel_of(arguments.batch, extent, invocation.now)?,
    };
    let dry_run = arguments.deed.dry_run;
    invocation.output.show(&told(&plan, dry_run))?;
    if let Some(refusal) = refusal(&plan) {
        return Err(refusal);
    }
    if !dry_run {
        let hint = "the sender is told by a processing report, with your reason";
        invocation.output.hint(hint);
    }
    Ok(Outcome::Done)
}

/// Why the plan is not carried out; the headline is the work at hand before what has left.
fn refusal(plan: &CancelPlan) -> Option<CommandError> {
    let worst = *plan.blocked.iter().min_by_key(|blocked| rank(**blocked))?;
    let mut error = headline(plan.batch, worst);
    let causes = plan.blocked.iter().filter(|blocked| says_more(**blocked));
    let others = causes.clone().count().saturating_sub(NAMED);
    for cause in causes.take(NAMED) {
        error = error.caused_by(cause.to_string());
    }
    if others > 0 {
        error = error.caused_by(format!("and {others} more like these"));
    }
    Some(error.hint(hint(plan.batch, worst)))
}

fn rank(blocked: CannotCancel) -> u8 {
    match blocked {
        CannotCancel::Already(_) | CannotCancel::Purged(_) => 0,
        CannotCancel::Working(_) => 1,
        CannotCancel::HandedOver(_) => 2,
        CannotCancel::Delivered { .. } => 3,
        CannotCancel::Printed { .. } => 4,
        CannotCancel::HandingOver(_) => 5,
        CannotCancel::DeliveryBegun(_) => 6,
        CannotCancel::Sending { .. } => 7,
        CannotCancel::NothingLeft(_) => 8,
    }
}

/// More than the headline.
fn says_more(blocked: CannotCancel) -> bool {
    match blocked {
        CannotCancel::Already(_)
        | CannotCancel::Purged(_)
        | CannotCancel::Working(_)
        | CannotCancel::NothingLeft(_) => false,
        CannotCancel::HandedOver(_)
        | CannotCancel::Delivered { .. }
        | CannotCancel::Printed { .. }
        | CannotCancel::HandingOver(_)
        | CannotCancel::DeliveryBegun(_)
        | CannotCancel::Sending { .. } => true,
    }
}

fn headline(batch: BatchId, blocked: CannotCancel) -> CommandError {
    let (kind, told) = match blocked {
        CannotCancel::Already(_) => (ErrorKind::Failed, "was cancelled before"),
        CannotCancel::Purged(_) => (
            ErrorKind::Failed,
            "is at its end, and its letters are kept no more",
        ),
        CannotCancel::NothingLeft(_) => (ErrorKind::Failed, "has nothing left to be cancelled"),
        CannotCancel::Working(_) => (ErrorKind::TryLater, "is being worked on at this moment"),
        CannotCancel::HandedOver(_) => (ErrorKind::Failed, "has a bundle at the print house"),
        CannotCancel::Delivered { .. } => {
            (ErrorKind::Failed, "has messages in recipients' mailboxes")
        }
        CannotCancel::Printed { .. } => (ErrorKind::Failed, "has letters that were printed"),
        CannotCancel::HandingOver(_) => (ErrorKind::TryLater, "has a bundle on its way out"),
        CannotCancel::DeliveryBegun(_) => (
            ErrorKind::Failed,
            "may have messages in recipients' mailboxes",
        ),
        CannotCancel::Sending { .. } => (
            ErrorKind::TryLater,
            "has messages on their way to a mailbox service",
        ),
    };
    CommandError::new(kind, format!("batch `{batch}` {told}"))
}

fn hint(batch: BatchId, blocked: CannotCancel) -> String {
    match blocked {
        CannotCancel::Already(_) => format!("`kuori events {batch}` says when, by whom and why"),
        CannotCancel::Working(_) => format!(
            "type it again in a minute; where that does not help, `kuori batch hold {batch}` stops the \
             work first"
        ),
        CannotCancel::Purged(_) | CannotCancel::NothingLeft(_) => {
            format!("`kuori batch show {batch}` says where all of it is")
        }
        CannotCancel::HandingOver(_) => on_its_way(),
        CannotCancel::HandedOver(_)
        | CannotCancel::Delivered { .. }
        | CannotCancel::Printed { .. } => {
            "what has left the house cannot be called back; with `--rest` only what has not is \
             cancelled"
                .to_owned()
        }
        CannotCancel::Sending { .. } => format!(
            "`kuori batch hold {batch}` lets nothing more of it be sent: type this again once \
             `kuori queue list` shows that none of it is being sent. What the service may have is sent \
             once more after `kuori batch release {batch}`, and it says then whether it has it"
        ),
        CannotCancel::DeliveryBegun(_) => {
            format!(
                "`kuori batch show {batch}` says what keeps the delivery from its end; once the mailboxes \
                 can be asked, `kuori reprocess {batch} --from deliver` finds out what lies there"
            )
        }
    }
}

/// What may be tried where a bundle is on its way out.
pub(in crate::cli) fn on_its_way() -> String {
    "type it again in a minute; where that does not help, `kuori outbox list` says what it waits for"
        .to_owned()
}

fn told(plan: &CancelPlan, dry_run: bool) -> Cancelled {
    Cancelled {
        batch: plan.batch.to_string(),
        dry_run,
        blocked: plan.blocked.iter().map(ToString::to_string).collect(),
        messages: plan.messages,
        gone: plan.gone,
        repeats: plan.repeats,
        withdrawn_bundles: plan.withdrawn.iter().map(ToString::to_string).collect(),
    }
}

impl fmt::Display for Cancelled {
    /// A plan that is blocked is told by the error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.blocked.is_empty() {
            return Ok(());
        }
        let is = if self.dry_run { "would be" } else { "is" };
        let messages = counted(self.messages, "message", "messages");
        if self.gone == 0 {
            writeln!(f, "{} {is} cancelled for good, {messages}", self.batch)?;
        } else {
            let (batch, gone) = (&self.batch, self.gone);
            writeln!(
                f,
                "what had not gone of {batch} {is} cancelled for good, {messages}"
            )?;
            writeln!(f, "{gone} of its messages had gone, and stay what they are")?;
        }
        if self.repeats > 0 {
            let repeats = counted(self.repeats, "message", "messages");
            writeln!(
                f,
                "held, since they went once and were to go again: {repeats}"
            )?;
        }
        for bundle in &self.withdrawn_bundles {
            writeln!(f, "bundle {bundle} {is} withdrawn")?;
        }
        Ok(())
    }
}
