use std::collections::BTreeMap;

use crate::{
    cli::{CommandError, batch::cancel::on_its_way, error::ErrorKind, words::Time},
    domain::{BatchId, BundleId},
    store::{Blocked, ReprocessPlan, Selection, Store},
};

/// Causes that are named one by one.
const NAMED: usize = 5;

/// Why the plan is not carried out, and what to type instead; `None` where it may be.
///
/// Where several things stand in the way, the headline is the first of: the work at hand, what
/// has left the house, a message that is not there.
pub(super) fn of(
    selection: &Selection,
    plan: &ReprocessPlan,
    store: &Store,
) -> Result<Option<CommandError>, CommandError> {
    let Some(worst) = plan.blocked.iter().min_by_key(|blocked| rank(**blocked)) else {
        return Ok(None);
    };
    let mut error = headline(plan.batch, *worst);
    let causes = causes(plan, store)?;
    let others = causes.len().saturating_sub(NAMED);
    for cause in causes.into_iter().take(NAMED) {
        error = error.caused_by(cause);
    }
    if others > 0 {
        error = error.caused_by(format!("and {others} more like these"));
    }
    Ok(Some(error.hint(hint(selection, *worst))))
}

fn rank(blocked: Blocked) -> u8 {
    match blocked {
        Blocked::Working(_) | Blocked::Cancelled(_) => 0,
        Blocked::HandingOver(_) => 1,
        Blocked::HandedOver(..) => 2,
        Blocked::Delivered(_) => 3,
        Blocked::SentAnew(..) => 4,
        Blocked::Illegal(..) => 5,
        Blocked::Unknown(_) => 6,
    }
}

fn headline(batch: BatchId, blocked: Blocked) -> CommandError {
    let (kind, told) = match blocked {
        Blocked::Working(_) => (ErrorKind::TryLater, "is being worked on at this moment"),
        Blocked::Cancelled(_) => (ErrorKind::Failed, "was cancelled for good"),
        Blocked::HandingOver(_) => (ErrorKind::TryLater, "has a bundle on its way out"),
        Blocked::HandedOver(..) => (ErrorKind::Failed, "has a bundle at the print house"),
        Blocked::Delivered(_) => (ErrorKind::Failed, "has messages in recipients' mailboxes"),
        Blocked::SentAnew(..) => (
            ErrorKind::Failed,
            "has letters that the sender has sent again",
        ),
        Blocked::Illegal(..) => (
            ErrorKind::Failed,
            "has messages that cannot be set back to that step",
        ),
        Blocked::Unknown(_) => (ErrorKind::Failed, "has no such message"),
    };
    CommandError::new(kind, format!("batch `{batch}` {told}"))
}

fn hint(selection: &Selection, blocked: Blocked) -> String {
    let batch = selection.batch;
    let narrower = if selection.positions.is_empty() {
        "name the messages with `--message`, or "
    } else {
        "if they are to go out a second time, "
    };
    match blocked {
        Blocked::Working(_) => "type it again in a minute".to_owned(),
        Blocked::HandingOver(_) => on_its_way(),
        Blocked::Cancelled(_) => {
            "letters that are to go all the same are sent in a new file".to_owned()
        }
        Blocked::HandedOver(..) => format!("{narrower}add `--print-again`"),
        Blocked::Delivered(_) => format!("{narrower}add `--deliver-again`"),
        Blocked::SentAnew(..) | Blocked::Illegal(..) => {
            "name the other messages with `--message`".to_owned()
        }
        Blocked::Unknown(_) => format!("see `kuori message list {batch}`"),
    }
}

/// One cause for each bundle that is out, in their order, and one for each message where that says
/// more. What the headline says is not repeated.
fn causes(plan: &ReprocessPlan, store: &Store) -> Result<Vec<String>, CommandError> {
    let (mut bundles, mut others) = (BTreeMap::new(), Vec::new());
    for &blocked in &plan.blocked {
        match blocked {
            Blocked::Working(_) | Blocked::Cancelled(_) => {}
            Blocked::HandedOver(_, bundle) | Blocked::HandingOver(bundle) => {
                bundles.insert(bundle, blocked);
            }
            Blocked::Delivered(_)
            | Blocked::SentAnew(..)
            | Blocked::Illegal(..)
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

fn handed_over(bundle: BundleId, store: &Store) -> Result<String, CommandError> {
    let at = store.bundle(bundle)?.handed_over_at;
    let at = at.map(|at| format!(" at {}", Time(at)));
    Ok(format!(
        "bundle `{bundle}` was handed over{}",
        at.unwrap_or_default()
    ))
}
