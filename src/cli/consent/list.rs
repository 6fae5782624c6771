use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{CommandError, Invocation, error::Outcome, words::counted},
    store::SourceCount,
};

/// Sources that are named; what came from others is counted with all.
const NAMED: u32 = 50;

/// `kuori consent list`: counts alone. A list of who has consented is a list of identity codes,
/// and no operator needs one on a screen.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct ConsentCounts {
    granted: u64,
    withdrawn: u64,
    /// Who told the house, those with most recipients first, fifty at most.
    sources: Vec<SourceShown>,
}

#[derive(Serialize, JsonSchema)]
struct SourceShown {
    /// Absent where nobody was noted.
    source: Option<String>,
    granted: u64,
    withdrawn: u64,
}

pub(super) fn run(invocation: &mut Invocation<'_>) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let (granted, withdrawn) = store.consent_counts()?;
    let sources = store.consent_sources(NAMED)?;
    invocation.output.show(&ConsentCounts {
        granted,
        withdrawn,
        sources: sources.into_iter().map(SourceShown::from).collect(),
    })?;
    invocation
        .output
        .hint("`kuori consent show -` asks for one recipient");
    Ok(Outcome::Done)
}

impl From<SourceCount> for SourceShown {
    fn from(count: SourceCount) -> Self {
        Self {
            source: count.source,
            granted: count.granted,
            withdrawn: count.withdrawn,
        }
    }
}

impl fmt::Display for ConsentCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let recipients = counted(self.granted + self.withdrawn, "recipient", "recipients");
        let (granted, withdrawn) = (self.granted, self.withdrawn);
        writeln!(f, "{recipients}: {granted} granted, {withdrawn} withdrawn")?;
        for SourceShown {
            source,
            granted,
            withdrawn,
        } in &self.sources
        {
            let source = source.as_deref().unwrap_or("nobody noted");
            writeln!(f, "  {source}: {granted} granted, {withdrawn} withdrawn")?;
        }
        Ok(())
    }
}
