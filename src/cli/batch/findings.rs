use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{CommandError, Invocation, error::Outcome, finding_report::FindingReport},
    domain::{BatchId, Finding, Language},
    store::Store,
};

/// `kuori batch findings`: what was found wrong, or worth saying.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct BatchFindings {
    batch: String,
    #[serde(flatten)]
    report: FindingReport,
}

/// Positions that are read at once.
const PAGE: u32 = 10_000;

/// Listing findings is what was asked for, so that finding some is no exit code of its own.
pub(super) fn run(
    batch: BatchId,
    examples: u32,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    store.batch(batch)?;
    let mut report = FindingReport::new(examples, Language::English);
    each_finding(&store, batch, &mut |finding| report.add(&finding))?;
    let is_empty = report.is_empty();
    invocation.output.show(&BatchFindings {
        batch: batch.to_string(),
        report,
    })?;
    if is_empty {
        invocation
            .output
            .note(format!("nothing was found wrong in {batch}"));
    }
    Ok(Outcome::Done)
}

fn each_finding(
    store: &Store,
    batch: BatchId,
    take: &mut dyn FnMut(Finding),
) -> Result<(), CommandError> {
    store
        .batch_findings(batch)?
        .into_iter()
        .for_each(&mut *take);
    let messages = store.counts(batch)?.received;
    let mut first = 1_u32;
    while u64::from(first) <= messages {
        let last = first.saturating_add(PAGE - 1);
        let page = store.findings_between(batch, first, last)?;
        page.into_iter().for_each(&mut *take);
        first = last.saturating_add(1);
    }
    Ok(())
}

impl fmt::Display for BatchFindings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report.fmt(f)
    }
}
