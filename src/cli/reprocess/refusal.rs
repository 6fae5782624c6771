use std::collections::BTreeMap;

use super::{Arguments, Chosen, wait};
use crate::{
    cli::{
        CommandError,
        batch::cancel::on_its_way,
        error::ErrorKind,
        words::{Time, counted},
    },
    domain::{BatchId, BundleId},
    store::{Blocked, ReprocessPlan, Store},
};

/// Causes that are named one by one.
const NAMED: usize = 5;

/// Why something is not carried out, and what to type instead; `None` where all of it may be.
///
/// Where several things stand in the way of a batch, the headline is the first of: the work at hand,
/// what has left the house, a message that is not there.
pub(super) fn of(
    arguments: &Arguments,
    plans: &[ReprocessPlan],
    store: &Store,
) -> Result<Option<CommandError>, CommandError> {
    let blocked: Vec<_> = plans
        .iter()
        .filter(|plan| !plan.blocked.is_empty())
        .collect();
    let worst = blocked
        .iter()
        .flat_map(|plan| &plan.blocked)
        .min_by_key(|blocked| rank(**blocked));
    let Some(&worst) = worst else {
        return Ok(None);
    };
    let error = match blocked.as_slice() {
        [only] if plans.len() == 1 => of_one(only, worst, store)?,
        _ => of_some(arguments, &blocked, plans.len()),
    };
    Ok(Some(error.hint(hint(arguments, worst))))
}

fn of_one(
    plan: &ReprocessPlan,
    worst: Blocked,
    store: &Store,
) -> Result<CommandError, CommandError> {
    let mut error = headline(plan.batch, worst);
    let causes = causes(plan, store)?;
    let told = causes.len().min(NAMED);
    for cause in causes.into_iter().take(NAMED) {
        error = error.caused_by(cause);
    }
    let is_by_message = plan.blocked.iter().all(|blocked| !is_by_bundle(*blocked));
    let others = plan.hindrances.saturating_sub(told as u64);
    if others > 0 && told > 0 && is_by_message {
        error = error.caused_by(format!("and {others} more like these"));
    }
    Ok(error)
}

/// One cause a batch: `kuori reprocess B-0007` tells the others of it.
fn of_some(arguments: &Arguments, blocked: &[&ReprocessPlan], plans: usize) -> CommandError {
    let kind = if blocked.iter().all(|plan| wait::passes(plan)) {
        ErrorKind::TryLater
    } else {
        ErrorKind::Failed
    };
    let (is, left) = if arguments.deed.dry_run {
        ("would be", blocked.len())
    } else if arguments.all_or_nothing {
        ("are", plans)
    } else {
        ("are", blocked.len())
    };
    let error = format!("{left} of {plans} batches {is} left as they are");
    let mut error = CommandError::new(kind, error);
    for plan in blocked.iter().take(NAMED) {
        let others = plan.hindrances.saturating_sub(1);
        let first = plan.blocked.iter().min_by_key(|blocked| rank(**blocked));
        let first = first.map(ToString::to_string).unwrap_or_default();
        let others = match others {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        error = error.caused_by(format!("{}: {first}{others}", plan.batch));
    }
    let unnamed = blocked.len().saturating_sub(NAMED) as u64;
    if unnamed > 0 {
        let batches = counted(unnamed, "batch", "batches");
        error = error.caused_by(format!("and {batches} more"));
    }
    error
}

fn rank(blocked: Blocked) -> u8 {
    match blocked {
        Blocked::Working(_)
        | Blocked::Cancelled(_)
        | Blocked::OnHold(_)
        | Blocked::Purged(_)
        | Blocked::SenderGone(_)
        | Blocked::Changed { .. } => 0,
        Blocked::HandingOver(_) | Blocked::Sending(_) => 1,
        Blocked::HandedOver(..) => 2,
        Blocked::Printed(_) => 3,
        Blocked::Delivered(_) => 4,
        Blocked::MayBeDelivered(_) => 5,
        Blocked::Forbidden { .. } => 6,
        Blocked::SentAnew(..) => 7,
        Blocked::NotForIt { .. } => 8,
        Blocked::Illegal(..) => 9,
        Blocked::Unknown(_) => 10,
        Blocked::MessageOnHold(_) => 11,
        Blocked::Erased(_) => 12,
    }
}

fn headline(batch: BatchId, blocked: Blocked) -> CommandError {
    let (kind, told) = match blocked {
        Blocked::Working(_) => (ErrorKind::TryLater, "is being worked on at this moment"),
        Blocked::Cancelled(_) => (ErrorKind::Failed, "was cancelled for good"),
        Blocked::Purged(_) => (ErrorKind::Failed, "has letters that are kept no more"),
        Blocked::SenderGone(_) => (
            ErrorKind::Failed,
            "has a sender that the settings do not know",
        ),
        Blocked::Changed { .. } => (ErrorKind::TryLater, "has changed meanwhile"),
        Blocked::OnHold(_) => (ErrorKind::Failed, "is on hold"),
        Blocked::MessageOnHold(_) => (ErrorKind::Failed, "has messages that an operator holds"),
        Blocked::Erased(_) => (ErrorKind::Failed, "has messages that were erased"),
        Blocked::HandingOver(_) => (ErrorKind::TryLater, "has a bundle on its way out"),
        Blocked::Sending(_) => (
            ErrorKind::TryLater,
            "has messages on their way to a mailbox service",
        ),
        Blocked::HandedOver(..) => (ErrorKind::Failed, "has a bundle at the print house"),
        Blocked::Printed(_) => (ErrorKind::Failed, "has letters that were printed before"),
        Blocked::Delivered(_) => (ErrorKind::Failed, "has messages in recipients' mailboxes"),
        Blocked::MayBeDelivered(_) => (
            ErrorKind::Failed,
            "may have messages in recipients' mailboxes",
        ),
        Blocked::Forbidden { .. } => (
            ErrorKind::Failed,
            "has messages that cannot go by that channel",
        ),
        Blocked::SentAnew(..) => (
            ErrorKind::Failed,
            "has letters that the sender has sent again",
        ),
        Blocked::NotForIt { .. } | Blocked::Illegal(..) => (
            ErrorKind::Failed,
            "has messages that cannot be set back to that step",
        ),
        Blocked::Unknown(_) => (ErrorKind::Failed, "has no such message"),
    };
    CommandError::new(kind, format!("batch `{batch}` {told}"))
}

fn hint(arguments: &Arguments, blocked: Blocked) -> String {
    let names_messages = !arguments.messages.is_empty() || arguments.picking.names_messages();
    let narrower = if names_messages {
        "if they are to go out a second time, "
    } else {
        "name the messages with `--message`, or "
    };
    match blocked {
        Blocked::Working(_) => "type it again in a minute, or with `--wait 60`".to_owned(),
        Blocked::Changed { .. } => "look at it again with `--dry-run`".to_owned(),
        Blocked::HandingOver(_) => on_its_way(),
        Blocked::Sending(message) => format!(
            "type it again in a minute; `kuori batch hold {}` lets nothing more of the batch be sent",
            message.batch
        ),
        Blocked::OnHold(batch) => format!("`kuori batch release {batch} --reason TEXT` ends that"),
        Blocked::MessageOnHold(message) => {
            format!("`kuori message release {message} --reason TEXT` lets it go on")
        }
        Blocked::Cancelled(_) | Blocked::Purged(_) | Blocked::Erased(_) => {
            "letters that are to go all the same are sent in a new file".to_owned()
        }
        Blocked::SenderGone(_) => {
            "put the sender back into the settings, or name them with `--config`".to_owned()
        }
        Blocked::HandedOver(..)
        | Blocked::Printed(_)
        | Blocked::Delivered(_)
        | Blocked::MayBeDelivered(_) => format!("{narrower}add `{}`", again(arguments, blocked)),
        Blocked::Forbidden { .. } => {
            "docs/routing.md says what stands in the way; name the other messages".to_owned()
        }
        Blocked::SentAnew(..) | Blocked::Illegal(..) => {
            "name the other messages with `--message`".to_owned()
        }
        Blocked::NotForIt { .. } => "name another step with `--from`".to_owned(),
        Blocked::Unknown(message) => format!("see `kuori message list {}`", message.batch),
    }
}

/// What lets happen a second time what would: by the channel that is chosen, else by how it left.
fn again(arguments: &Arguments, blocked: Blocked) -> &'static str {
    let was_delivered = matches!(blocked, Blocked::Delivered(_));
    match arguments.channel {
        Some(Chosen::Mailbox) => "--deliver-again",
        Some(Chosen::Rules) | None if was_delivered => "--deliver-again",
        Some(Chosen::Print | Chosen::Rules) | None => "--print-again",
    }
}

/// One cause for each bundle that is out, in their order, and one for each message where that says
/// more. What the headline says is not repeated.
fn causes(plan: &ReprocessPlan, store: &Store) -> Result<Vec<String>, CommandError> {
    let (mut bundles, mut others) = (BTreeMap::new(), Vec::new());
    for &blocked in &plan.blocked {
        match blocked {
            Blocked::Working(_)
            | Blocked::Cancelled(_)
            | Blocked::Purged(_)
            | Blocked::OnHold(_) => {}
            Blocked::HandedOver(_, bundle) | Blocked::HandingOver(bundle) => {
                bundles.insert(bundle, blocked);
            }
            Blocked::Delivered(_)
            | Blocked::MayBeDelivered(_)
            | Blocked::Sending(_)
            | Blocked::Printed(_)
            | Blocked::SenderGone(_)
            | Blocked::Changed { .. }
            | Blocked::Forbidden { .. }
            | Blocked::SentAnew(..)
            | Blocked::NotForIt { .. }
            | Blocked::Illegal(..)
            | Blocked::MessageOnHold(_)
            | Blocked::Erased(_)
            | Blocked::Unknown(_) => others.push(blocked.to_string()),
        }
    }
    let out = bundles.into_iter().map(|(bundle, blocked)| match blocked {
        Blocked::HandedOver(..) => handed_over(bundle, store),
        on_its_way => Ok(on_its_way.to_string()),
    });
    let mut causes = out.collect::<Result<Vec<_>, _>>()?;
    causes.append(&mut others);
    Ok(causes)
}

fn is_by_bundle(blocked: Blocked) -> bool {
    matches!(blocked, Blocked::HandedOver(..) | Blocked::HandingOver(_))
}

fn handed_over(bundle: BundleId, store: &Store) -> Result<String, CommandError> {
    let at = store.bundle(bundle)?.handed_over_at;
    let at = at.map(|at| format!(" at {}", Time(at)));
    Ok(format!(
        "bundle `{bundle}` was handed over{}",
        at.unwrap_or_default()
    ))
}
