use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{CommandError, Invocation, deed::LightDeed, error::Outcome},
    domain::{BatchId, SenderId},
    store::Release,
};

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    #[arg(value_name = "NAME")]
    sender: SenderId,

    #[command(flatten)]
    deed: LightDeed,
}

/// `kuori sender release`: what was done, or with `--dry-run` what would be.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct SenderReleased {
    sender: String,
    dry_run: bool,
    /// Why nothing was done.
    blocked: Option<String>,
    /// Batches that go on.
    freed: Vec<String>,
    /// Batches that stay held for another cause.
    still_held: Vec<String>,
    /// Bundles that go on to the print house, unless their batch is on hold.
    bundles: Vec<String>,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let release = match arguments.deed.action(invocation) {
        None => store.plan_release(&arguments.sender)?,
        Some(action) => store.release_sender(&arguments.sender, &action)?,
    };
    let told = told(&release, arguments.deed.dry_run);
    invocation.output.show(&told)?;
    if let Some(blocked) = told.blocked {
        return Err(CommandError::failed(blocked).hint("see `kuori sender list`"));
    }
    if let Some(batch) = told.still_held.first() {
        let hint = format!("`kuori batch show {batch}` says what still holds it");
        invocation.output.hint(hint);
    }
    Ok(Outcome::Done)
}

fn told(release: &Release, dry_run: bool) -> SenderReleased {
    let sender = release.sender.to_string();
    let names = |batches: &[BatchId]| batches.iter().map(ToString::to_string).collect();
    let blocked = format!("sender `{sender}` is not on hold");
    SenderReleased {
        dry_run,
        blocked: release.hold.is_none().then_some(blocked),
        freed: names(&release.freed),
        still_held: names(&release.still_held),
        bundles: release.bundles.iter().map(ToString::to_string).collect(),
        sender,
    }
}

impl fmt::Display for SenderReleased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.blocked.is_some() {
            return Ok(());
        }
        let (is, goes, stays) = if self.dry_run {
            ("would be", "would go", "would stay")
        } else {
            ("is", "goes", "stays")
        };
        writeln!(f, "{} {is} on hold no more", self.sender)?;
        for batch in &self.freed {
            writeln!(f, "{batch} {goes} on, to be routed")?;
        }
        for batch in &self.still_held {
            writeln!(f, "{batch} {stays} held for another cause")?;
        }
        for bundle in &self.bundles {
            writeln!(f, "bundle {bundle} {goes} on to the print house")?;
        }
        Ok(())
    }
}
