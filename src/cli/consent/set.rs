use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::Set;
use crate::{
    cli::{
        CommandError, Invocation,
        error::Outcome,
        words::{ConsentStatusWord, Time},
    },
    domain::RecipientId,
    store::{ConsentChange, Store},
};

/// `kuori consent set`: what was recorded. The recipient is not named.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct ConsentChanged {
    dry_run: bool,
    status: Option<ConsentStatusWord>,
    since: Option<Time>,
    /// False where the register has a newer word, which stands; absent with `dry_run`, and where
    /// only a matter was set.
    changed: Option<bool>,
    matter: Option<String>,
    /// What holds for the matter from now on.
    print_only: Option<bool>,
}

pub(super) fn run(
    arguments: &Set,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let recipient = arguments.recipient.read(invocation)?;
    let since = arguments.since.unwrap_or(invocation.now);
    if since > invocation.now {
        let error = CommandError::usage("a consent cannot begin in the future");
        return Err(error.hint("set it on the day, with `--since` or without"));
    }
    let mut told = ConsentChanged {
        dry_run: arguments.dry_run,
        status: arguments.status.map(ConsentStatusWord),
        since: arguments.status.map(|_| Time(since)),
        changed: None,
        matter: arguments.matter.clone(),
        print_only: arguments.matter.as_ref().map(|_| arguments.wish.print_only),
    };
    if !arguments.dry_run {
        let store = invocation.store_or_new()?;
        let status = arguments.status.map(|status| ConsentChange {
            recipient: recipient.clone(),
            status,
            since,
        });
        told.changed = record(&store, status, invocation)?;
        record_matter(&store, &recipient, &told, invocation)?;
    }
    invocation.output.show(&told)?;
    Ok(Outcome::Done)
}

fn record(
    store: &Store,
    change: Option<ConsentChange>,
    invocation: &Invocation<'_>,
) -> Result<Option<bool>, CommandError> {
    let Some(change) = change else {
        return Ok(None);
    };
    let source = format!("set by {}", invocation.actor);
    let changed = store.record_consents_by(&[change], &source, &invocation.action(""))?;
    Ok(Some(changed == 1))
}

fn record_matter(
    store: &Store,
    recipient: &RecipientId,
    told: &ConsentChanged,
    invocation: &Invocation<'_>,
) -> Result<(), CommandError> {
    if let (Some(matter), Some(print_only)) = (&told.matter, told.print_only) {
        let action = invocation.action("");
        store.set_print_only_matter_by(recipient, matter, print_only, &action)?;
    }
    Ok(())
}

impl fmt::Display for ConsentChanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let would = if self.dry_run {
            "would be recorded: "
        } else {
            ""
        };
        if let (Some(status), Some(since)) = (self.status, self.since) {
            let stale = match self.changed {
                Some(false) => "; the register has a newer word, which stands",
                _ => "",
            };
            writeln!(f, "{would}{status} since {since}{stale}")?;
        }
        match (&self.matter, self.print_only) {
            (Some(matter), Some(true)) => {
                writeln!(f, "{would}letters of the matter `{matter}` go on paper")
            }
            (Some(matter), _) => {
                writeln!(
                    f,
                    "{would}letters of the matter `{matter}` go like all others"
                )
            }
            (None, _) => Ok(()),
        }
    }
}
