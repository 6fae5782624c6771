use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{CommandError, Invocation, deed::Deed, error::Outcome, words::Time},
    domain::SenderId,
    store::SenderHold,
};

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    #[arg(value_name = "NAME")]
    sender: SenderId,
    #[command(flatten)]
    deed: Deed,
}

/// `kuori sender hold`: what was done, or with `--dry-run` what would be.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct SenderHeld {
    sender: String,
    dry_run: bool,
    /// Why nothing was done.
    blocked: Option<String>,
    /// Bundles that wait for the print house, and wait on.
    bundles: Vec<String>,
    /// Bundles on their way out at this moment: these are not stopped.
    going: Vec<String>,
    /// Batches of which messages are being put into mailboxes at this moment: these are not stopped.
    delivering: Vec<String>,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let sender = &arguments.sender;
    let holding = match arguments.deed.action(invocation) {
        Some(action) => store.hold_sender(sender, &action)?,
        None => store.plan_sender_hold(sender, invocation.now)?,
    };
    let blocked = holding.already.as_ref().map(standing);
    invocation.output.show(&SenderHeld {
        sender: sender.to_string(),
        dry_run: arguments.deed.dry_run,
        blocked: blocked.clone(),
        bundles: holding.bundles.iter().map(ToString::to_string).collect(),
        going: holding.going.iter().map(ToString::to_string).collect(),
        delivering: holding.delivering.iter().map(ToString::to_string).collect(),
    })?;
    let hint = format!("`kuori sender release {sender}` ends it");
    if let Some(standing) = blocked {
        let error = CommandError::failed(format!("sender `{sender}` is on hold already"));
        return Err(error.caused_by(standing).hint(hint));
    }
    for batch in &holding.delivering {
        let hint = format!("`kuori batch hold {batch} --reason TEXT` stops its delivery too");
        invocation.output.hint(hint);
    }
    if !arguments.deed.dry_run {
        invocation.output.hint(hint);
    }
    Ok(Outcome::Done)
}

fn standing(hold: &SenderHold) -> String {
    let SenderHold { since, actor, why } = hold;
    format!("{actor} put it on hold at {}: {why}", Time(*since))
}

impl fmt::Display for SenderHeld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.blocked.is_some() {
            return Ok(());
        }
        let (is, wait) = if self.dry_run {
            ("would be", "would wait")
        } else {
            ("is", "wait")
        };
        writeln!(
            f,
            "{} {is} on hold: its batches are taken and opened, and wait before they are routed or \
             delivered",
            self.sender
        )?;
        if !self.bundles.is_empty() {
            let bundles = self.bundles.join(" ");
            writeln!(f, "bundles that {wait} for its release: {bundles}")?;
        }
        for bundle in &self.going {
            writeln!(f, "not stopped: bundle {bundle} is on its way out")?;
        }
        for batch in &self.delivering {
            writeln!(f, "not stopped: {batch} is being delivered")?;
        }
        Ok(())
    }
}
