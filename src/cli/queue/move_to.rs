use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{CommandError, Invocation, deed::Deed, error::Outcome, words::counted},
    domain::ServiceName,
    store::CannotMoveQueue,
};

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The name that the settings have no more
    #[arg(value_name = "OLD")]
    old: ServiceName,

    /// The name that they have now for the same service
    #[arg(value_name = "NEW")]
    new: ServiceName,

    #[command(flatten)]
    deed: Deed,
}

/// `kuori queue move`: what went under another name, or with `--dry-run` what would.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct QueueMoved {
    dry_run: bool,
    old: String,
    new: String,
    /// Messages that wait.
    waiting: u64,
    /// Of `waiting`: the service may have them, since no answer came.
    in_doubt: u64,
    /// Messages that the service has: what it tells of them is known under the new name.
    sent: u64,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let Arguments { old, new, deed } = arguments;
    let moved = match deed.action(invocation) {
        Some(action) => store.move_queue(old, new, &action)?,
        None => store.plan_queue_move(old, new)?,
    };
    let moved = moved.map_err(|cannot| refusal(&cannot))?;
    invocation.output.show(&QueueMoved {
        dry_run: deed.dry_run,
        old: old.to_string(),
        new: new.to_string(),
        waiting: moved.waiting,
        in_doubt: moved.in_doubt,
        sent: moved.sent,
    })?;
    Ok(Outcome::Done)
}

fn refusal(cannot: &CannotMoveQueue) -> CommandError {
    let hint = match cannot {
        CannotMoveQueue::InSettings(old) => format!(
            "name the service anew in the settings first, without `[suomifi.{old}]`, and have the daemon \
             read them; see `kuori queue list`"
        ),
        CannotMoveQueue::NotInSettings(new) => format!(
            "put `[suomifi.{new}]` into the settings, and have the daemon read them; `kuori queue list` \
             says which names it knows"
        ),
        CannotMoveQueue::Unknown(_) => "see `kuori queue list`".to_owned(),
        CannotMoveQueue::Sending(_) => "try again in a moment".to_owned(),
    };
    CommandError::failed(cannot.to_string()).hint(hint)
}

impl fmt::Display for QueueMoved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { old, new, .. } = self;
        let waiting = counted(self.waiting, "message", "messages");
        let wait = match (self.dry_run, self.waiting) {
            (true, _) => "would wait",
            (false, 1) => "waits",
            (false, _) => "wait",
        };
        let sent = counted(self.sent, "message", "messages");
        writeln!(
            f,
            "{waiting} of {old} {wait} for {new}, {} in doubt",
            self.in_doubt
        )?;
        writeln!(
            f,
            "what is told of {sent} that it has is known by that name"
        )
    }
}
