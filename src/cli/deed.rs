use clap::builder::NonEmptyStringValueParser;

use super::Invocation;
use crate::store::NewEvent;

/// What every command asks that decides what becomes of letters.
#[derive(clap::Args)]
pub(super) struct Deed {
    /// Say what would happen, and do nothing
    #[arg(long)]
    pub(super) dry_run: bool,

    /// Why, for the history; where the sender is told that letters wait or are called off, it is told
    /// this too
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run",
          value_parser = NonEmptyStringValueParser::new())]
    reason: Option<String>,
}

impl Deed {
    /// What is noted with the deed; `None` for a rehearsal.
    pub(super) fn action(&self, invocation: &Invocation<'_>) -> Option<NewEvent> {
        let why = self.reason.as_ref().filter(|_| !self.dry_run)?;
        Some(invocation.action(why))
    }
}
