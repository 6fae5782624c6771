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

    #[command(flatten)]
    asked: Asked,
}

/// What the commands ask that change something and owe nobody a reason.
#[derive(clap::Args)]
pub(super) struct LightDeed {
    /// Say what would happen, and do nothing
    #[arg(long)]
    pub(super) dry_run: bool,

    /// Why, for the history
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    reason: String,

    #[command(flatten)]
    asked: Asked,
}

/// Who wanted it, beside who typed it.
#[derive(clap::Args)]
struct Asked {
    /// Who wants it, where that is not who types it; the history has both
    #[arg(long = "by", value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    by: Option<String>,
}

impl Deed {
    /// What is noted with the deed; `None` for a rehearsal.
    pub(super) fn action(&self, invocation: &Invocation<'_>) -> Option<NewEvent> {
        let why = self.reason.as_ref().filter(|_| !self.dry_run)?;
        Some(self.asked.action(why, invocation))
    }
}

impl LightDeed {
    /// What is noted with the deed; `None` for a rehearsal.
    pub(super) fn action(&self, invocation: &Invocation<'_>) -> Option<NewEvent> {
        (!self.dry_run).then(|| self.asked.action(&self.reason, invocation))
    }
}

impl Asked {
    fn action(&self, why: &str, invocation: &Invocation<'_>) -> NewEvent {
        let action = invocation.action(why);
        match &self.by {
            None => action,
            Some(by) => NewEvent {
                actor: format!("{}, for {by}", action.actor),
                ..action
            },
        }
    }
}
