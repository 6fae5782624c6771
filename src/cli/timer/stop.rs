use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::TimerLine;
use crate::{
    cli::{CommandError, Invocation, deed::Deed, error::Outcome},
    domain::MessageId,
};

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Such as `B-0007-12`
    message: MessageId,
    #[command(flatten)]
    deed: Deed,
}

/// `kuori timer stop`: what was ended, or with `--dry-run` what would be.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct TimerStopped {
    dry_run: bool,
    /// Absent where the message has no timer: nothing is done.
    timer: Option<TimerLine>,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let message = arguments.message;
    let timer = match arguments.deed.action(invocation) {
        Some(action) => store.stop_timer(message, &action)?,
        None => store.timer(message)?,
    };
    let now = invocation.now;
    invocation.output.show(&TimerStopped {
        dry_run: arguments.deed.dry_run,
        timer: timer.as_ref().map(|row| TimerLine::of(row, now)),
    })?;
    if timer.is_some() {
        return Ok(Outcome::Done);
    }
    store.message(message)?;
    let error = format!("message `{message}` has no timer");
    Err(CommandError::failed(error).hint(format!(
        "`kuori timer list --batch {}` lists those of its batch; `kuori message show {message}` says where \
         the message is",
        message.batch
    )))
}

impl fmt::Display for TimerStopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(timer) = &self.timer else {
            return Ok(());
        };
        let stays = if self.dry_run { "would stay" } else { "stays" };
        writeln!(
            f,
            "{} {stays} in its mailbox alone; it was to go on paper at {} if {}",
            timer.message, timer.due_at, timer.what
        )
    }
}
