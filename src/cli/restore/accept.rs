use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{CommandError, Invocation, deed::Deed, error::Outcome},
    domain::BundleId,
    store::{DoubtfulBundle, Doubts},
};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// A bundle that stood at its place when the backup was made, and that the print house never got: it
    /// is handed over again
    #[arg(long, value_name = "P-…")]
    not_printed: Vec<BundleId>,

    /// All other bundles that stood there have been fetched
    #[arg(long)]
    fetched: bool,

    /// The register has all that recipients have said since the backup, as far as anybody can tell it
    #[arg(long)]
    consents_complete: bool,

    #[command(flatten)]
    deed: Deed,
}

/// `kuori restore accept`: the house may go on, or with `--dry-run` what it would do.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct Accepted {
    dry_run: bool,
    /// Bundles that are handed over again.
    handed_over_again: Vec<String>,
    /// Not empty: nothing is done, because nobody said what became of these bundles.
    unanswered: Vec<String>,
    /// Nothing is done, because nobody said that the register has what was said since the backup.
    consents_unanswered: bool,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    if store.restored_at()?.is_none() {
        return Err(CommandError::failed("there is nothing to accept")
            .caused_by("the house was not restored, or was accepted before"));
    }
    let doubts = store.doubts()?;
    let consents_unanswered = doubts.has_consents && !arguments.consents_complete;
    let unanswered = unanswered(doubts, arguments)?;
    let is_answered = unanswered.is_empty() && !consents_unanswered;
    let action = arguments.deed.action(invocation);
    if let (Some(action), true) = (&action, is_answered) {
        store.accept_restore(&arguments.not_printed, action)?;
    }
    let names = |bundles: &[BundleId]| bundles.iter().map(ToString::to_string).collect();
    invocation.output.show(&Accepted {
        dry_run: arguments.deed.dry_run,
        handed_over_again: names(&arguments.not_printed),
        unanswered: names(&unanswered),
        consents_unanswered,
    })?;
    if let Some(first) = unanswered.first() {
        return Err(refusal(*first, unanswered.len()));
    }
    if consents_unanswered {
        return Err(consents_refusal());
    }
    if !arguments.deed.dry_run {
        invocation.output.hint("`kuori run` takes up the work");
    }
    Ok(Outcome::Done)
}

/// Bundles that stood to be fetched, of which neither a list nor the operator says more.
fn unanswered(doubts: Doubts, arguments: &Arguments) -> Result<Vec<BundleId>, CommandError> {
    let stood = doubts.bundles.into_iter();
    let stood = stood.filter(|bundle| bundle.stood_there && !bundle.is_printed);
    let stood: Vec<_> = stood.collect();
    let is_in_part = |id: &&BundleId| {
        let its = |bundle: &&DoubtfulBundle| bundle.bundle == **id;
        stood
            .iter()
            .find(its)
            .is_some_and(|it| it.is_printed_in_part)
    };
    if let Some(id) = arguments.not_printed.iter().find(is_in_part) {
        let error = format!("the print house has some letters of bundle `{id}`");
        return Err(CommandError::failed(error).hint(
            "leave it out and add `--fetched`; then `kuori reprocess --message … --from compose \
             --print-again` for the others",
        ));
    }
    let stood: Vec<_> = stood.into_iter().map(|bundle| bundle.bundle).collect();
    if let Some(other) = arguments.not_printed.iter().find(|id| !stood.contains(id)) {
        let error = format!("bundle `{other}` did not stand at its place to be fetched");
        return Err(CommandError::usage(error).hint(
            "`kuori restore status` lists those that did; one that was not handed over goes anyway",
        ));
    }
    let is_open = |id: &BundleId| !arguments.fetched && !arguments.not_printed.contains(id);
    Ok(stood.into_iter().filter(is_open).collect())
}

fn refusal(first: BundleId, count: usize) -> CommandError {
    let error = format!("nobody said whether the print house has bundle `{first}`");
    let error = CommandError::failed(error);
    let error = match count {
        1 => error,
        more => error.caused_by(format!("and of {} more", more - 1)),
    };
    error
        .hint("it stood at its place to be fetched when the backup was made: ask the print house")
        .hint(format!(
            "where it has it, note its list: `kuori restore printed {first}.pieces.csv`; else add \
             `--not-printed {first}`; where all were fetched, `--fetched`"
        ))
}

fn consents_refusal() -> CommandError {
    let error = "nobody said whether the register has what recipients have said since the backup";
    CommandError::failed(error)
        .hint(
            "who has withdrawn since would get letters into the mailbox: ask whoever brings consents for \
             all since, a full list at best, and take it with `kuori consent import`",
        )
        .hint("then add `--consents-complete`")
}

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.unanswered.is_empty() || self.consents_unanswered {
            return Ok(());
        }
        let goes_on = if self.dry_run {
            "would go on"
        } else {
            "may go on"
        };
        writeln!(f, "the house {goes_on}")?;
        for bundle in &self.handed_over_again {
            writeln!(f, "{bundle}  is handed over again")?;
        }
        Ok(())
    }
}
