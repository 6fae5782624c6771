use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{
        CommandError, Invocation,
        batch::cancel::on_its_way,
        deed::Deed,
        error::{ErrorKind, Outcome},
        words::{MessageStateWord, counted},
    },
    domain::MessageId,
    store::{CannotMove, MessageDeed, MessagePlan},
};

/// Causes that are named one by one.
const NAMED: usize = 5;
/// Messages that are named one by one.
const SHOWN: usize = 20;

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Such as `B-0007-12`; all of them or none
    #[arg(required = true, value_name = "MESSAGE")]
    messages: Vec<MessageId>,
    #[command(flatten)]
    deed: Deed,
}

/// `kuori message hold`, `release` and `cancel`: what was done, or with `--dry-run` what would be.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct MessagesMoved {
    /// `held`, `released` or `cancelled`.
    done: &'static str,
    dry_run: bool,
    /// Not empty: nothing was done.
    blocked: Vec<String>,
    moves: Vec<MoveLine>,
    /// Bundles taken back before hand-over; their other letters are planned again.
    withdrawn_bundles: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct MoveLine {
    message: String,
    was: MessageStateWord,
    to: MessageStateWord,
}

pub(super) fn run(
    what: MessageDeed,
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let messages = &arguments.messages;
    let plan = match arguments.deed.action(invocation) {
        Some(action) => store.move_messages(what, messages, &action)?,
        None => store.plan_message_deed(what, messages, invocation.now)?,
    };
    let dry_run = arguments.deed.dry_run;
    invocation.output.show(&told(what, &plan, dry_run))?;
    if let Some(refusal) = refusal(what, &plan) {
        return Err(refusal);
    }
    if dry_run {
        return Ok(Outcome::Done);
    }
    if let (MessageDeed::Hold, Some(first)) = (what, messages.first()) {
        let hint = format!("`kuori message release {first} --reason TEXT` lets it go on");
        invocation.output.hint(hint);
    }
    if what != MessageDeed::Release {
        let hint = "the sender is told by its next delivery report, with your reason";
        invocation.output.hint(hint);
    }
    Ok(Outcome::Done)
}

/// Why the plan is not carried out; the headline is the work at hand before what has left.
fn refusal(what: MessageDeed, plan: &MessagePlan) -> Option<CommandError> {
    let worst = plan.blocked.iter().min_by_key(|blocked| rank(**blocked))?;
    let kind = match worst {
        CannotMove::Working(_) | CannotMove::HandingOver(_) | CannotMove::Sending(_) => {
            ErrorKind::TryLater
        }
        _ => ErrorKind::Failed,
    };
    let mut error = CommandError::new(kind, *worst);
    let others = plan.blocked.iter().filter(|blocked| *blocked != worst);
    let more = others.clone().count().saturating_sub(NAMED);
    for other in others.take(NAMED) {
        error = error.caused_by(other.to_string());
    }
    if more > 0 {
        error = error.caused_by(format!("and {more} more like these"));
    }
    Some(error.hint(hint(what, *worst)))
}

fn rank(blocked: CannotMove) -> u8 {
    match blocked {
        CannotMove::Working(_) => 0,
        CannotMove::HandingOver(_) | CannotMove::Sending(_) => 1,
        CannotMove::DeliveryBegun(_) | CannotMove::MayBeSent(_) => 2,
        CannotMove::HandedOver(..) => 3,
        CannotMove::Delivered(_) => 4,
        CannotMove::BatchAtRest(..) => 5,
        CannotMove::AtRest(..)
        | CannotMove::Already(_)
        | CannotMove::NotByOperator(_)
        | CannotMove::NotHeld(..)
        | CannotMove::Illegal(..) => 6,
        CannotMove::Unknown(_) => 7,
    }
}

fn hint(what: MessageDeed, blocked: CannotMove) -> String {
    match blocked {
        CannotMove::Working(batch) => format!(
            "type it again in a minute; where that does not help, `kuori batch hold {batch}` stops the \
             work first, and `kuori batch release {batch}` lets it go on afterwards"
        ),
        CannotMove::HandingOver(_) => on_its_way(),
        CannotMove::DeliveryBegun(batch) => format!(
            "`kuori batch show {batch}` says what keeps the delivery from its end; once the mailboxes can \
             be asked, `kuori reprocess {batch} --from deliver` finds out what lies there"
        ),
        CannotMove::Sending(message) => format!(
            "type it again in a minute; where that does not help, `kuori batch hold {}` lets nothing \
             more of the batch be sent, and `kuori batch release {}` lets it go on afterwards",
            message.batch, message.batch
        ),
        CannotMove::MayBeSent(_) => {
            "it is sent once more under the same id, and the service says then whether it has it: \
             `kuori queue list` says when"
                .to_owned()
        }
        CannotMove::HandedOver(..) => {
            "ask the print house to take it out; what has left the house cannot be called back"
                .to_owned()
        }
        CannotMove::Delivered(_) => {
            "what lies in a mailbox belongs to its recipient and cannot be called back".to_owned()
        }
        CannotMove::NotByOperator(message) => format!(
            "`kuori message show {message}` says why; when the cause is gone, `kuori reprocess {} \
             --message {} --dry-run` says what can be done again",
            message.batch, message.position
        ),
        CannotMove::Already(message) if what == MessageDeed::Hold => {
            format!("`kuori message show {message}` says why")
        }
        CannotMove::BatchAtRest(batch, _) => format!("see `kuori batch show {batch}`"),
        CannotMove::Unknown(message) => format!("see `kuori message list {}`", message.batch),
        CannotMove::Already(message)
        | CannotMove::AtRest(message, _)
        | CannotMove::NotHeld(message, _)
        | CannotMove::Illegal(message, _) => format!("see `kuori message show {message}`"),
    }
}

fn told(what: MessageDeed, plan: &MessagePlan, dry_run: bool) -> MessagesMoved {
    let moves = plan.moves.iter().map(|step| MoveLine {
        message: step.message.to_string(),
        was: MessageStateWord(step.was),
        to: MessageStateWord(step.to),
    });
    MessagesMoved {
        done: what.done(),
        dry_run,
        blocked: plan.blocked.iter().map(ToString::to_string).collect(),
        moves: moves.collect(),
        withdrawn_bundles: plan.withdrawn.iter().map(ToString::to_string).collect(),
    }
}

impl fmt::Display for MessagesMoved {
    /// A plan that is blocked is told by the error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.blocked.is_empty() {
            return Ok(());
        }
        let is = if self.dry_run { "would be" } else { "is" };
        for step in self.moves.iter().take(SHOWN) {
            writeln!(
                f,
                "{} {is} {}; it was {}",
                step.message, self.done, step.was
            )?;
        }
        let more = self.moves.len().saturating_sub(SHOWN) as u64;
        if more > 0 {
            writeln!(f, "and {} more", counted(more, "message", "messages"))?;
        }
        for bundle in &self.withdrawn_bundles {
            writeln!(
                f,
                "bundle {bundle} {is} withdrawn, its other letters planned again"
            )?;
        }
        Ok(())
    }
}
