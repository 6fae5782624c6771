pub(super) mod approve;
pub(super) mod cancel;
pub(super) mod findings;
pub(super) mod hold;
pub(super) mod list;
pub(super) mod release;
pub(super) mod show;

use super::{CommandError, Invocation, error::Outcome};
use crate::domain::BatchId;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// List batches, the newest first
    List(list::Arguments),
    /// Show where a batch is and what has become of its messages
    Show { batch: BatchId },
    /// Show what was found wrong in a batch, grouped by code
    Findings {
        batch: BatchId,
        /// How many places are named for each code
        #[arg(long, value_name = "N", default_value_t = 5)]
        examples: u32,
    },
    /// Let a batch go on that is held before it is routed
    ///
    /// What held it holds it no more. A batch that is held because a step failed is none of these:
    /// `kuori reprocess` is for that; and what an operator holds, `kuori batch release` lets go.
    Approve(approve::Arguments),
    /// Stop a batch where it is, until it is released
    ///
    /// Beside a running daemon too: a step that has it in hand stops at its next page, and bundles that
    /// wait for the print house wait on. Receipts still go, and the sender reads the reason in its
    /// processing report. What has left the house, or is on its way out, is not stopped.
    Hold(hold::Arguments),
    /// Let a batch go on that an operator holds
    ///
    /// What the gate, a failed step or a hold of its sender keeps it for, still does.
    Release(release::Arguments),
    /// Call a batch off for good, as long as nothing of it has left the house
    ///
    /// With `--rest` also where something has: then the rest is called off. The sender reads the reason
    /// in its processing report.
    Cancel(cancel::Arguments),
}

pub(super) fn run(
    command: &Command,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    match command {
        Command::List(arguments) => list::run(arguments, invocation),
        Command::Show { batch } => show::run(*batch, invocation),
        Command::Findings { batch, examples } => findings::run(*batch, *examples, invocation),
        Command::Approve(arguments) => approve::run(arguments, invocation),
        Command::Hold(arguments) => hold::run(arguments, invocation),
        Command::Release(arguments) => release::run(arguments, invocation),
        Command::Cancel(arguments) => cancel::run(arguments, invocation),
    }
}
