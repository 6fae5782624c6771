use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{
        CommandError, Invocation,
        picking::Picking,
        table::{Table, or_dash},
        words::{self, ChannelWord, MessageStateWord, ReasonWord},
    },
    domain::{BatchId, Channel, MessageId},
    store::MessageRow,
};

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    picking: Picking,
    /// Only those of this channel
    #[arg(long = "channel", value_name = "CHANNEL",
          value_parser = words::one_of(&Channel::ALL, Channel::as_str))]
    channels: Vec<Channel>,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Begin behind this message; of a batch alone, its position will do
    #[arg(long, value_name = "MESSAGE")]
    after: Option<After>,
}

#[derive(Debug, Clone, Copy)]
enum After {
    Position(u32),
    Message(MessageId),
}

impl std::str::FromStr for After {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let position = text.parse().map(Self::Position);
        let either = position.or_else(|_| text.parse().map(Self::Message));
        either.map_err(|_| "a message is `B-0007-12`, or its position alone, `12`".to_owned())
    }
}

impl After {
    fn of(self, batch: Option<BatchId>) -> Result<MessageId, CommandError> {
        match (self, batch) {
            (Self::Message(message), _) => Ok(message),
            (Self::Position(position), Some(batch)) => Ok(MessageId { batch, position }),
            (Self::Position(position), None) => {
                let error = format!("`--after {position}` does not say of which batch");
                Err(CommandError::usage(error).hint("a message is `B-0007-12`"))
            }
        }
    }
}

pub(in crate::cli) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<(), CommandError> {
    let ground = arguments.picking.ground(invocation)?;
    let mut filter = arguments.picking.filter(&ground)?;
    filter.channels.clone_from(&arguments.channels);
    if filter.is_everything() {
        return Err(nothing_is_picked());
    }
    let batch = arguments.picking.only_batch();
    let after = arguments.after.map(|after| after.of(batch)).transpose()?;
    let found = ground
        .store
        .messages_with(&filter, after, arguments.limit)?;
    let is_full = found.len() as u64 >= u64::from(arguments.limit);
    let next_after = found.last().map(|row| row.id).filter(|_| is_full);
    invocation.output.show(&MessageList {
        batch: batch.map(|batch| batch.to_string()),
        messages: found.iter().map(MessageLine::from).collect(),
        next_after: next_after.map(|message| message.to_string()),
    })?;
    if let Some(message) = next_after {
        let hint = format!("add `--after {message}` for the next ones");
        invocation.output.hint(hint);
    }
    Ok(())
}

fn nothing_is_picked() -> CommandError {
    CommandError::usage("nothing says which messages")
        .hint("`kuori message list B-0007` lists those of a batch")
        .hint("`kuori message list --state held` lists all that are held")
        .hint("`kuori message list --sender NAME --letter-id ID` finds one letter")
}

/// `kuori message list`: a page of the messages that were picked, in the order of batch and position.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct MessageList {
    /// Absent where not one batch alone was named.
    batch: Option<String>,
    messages: Vec<MessageLine>,
    /// What `--after` takes for the next page; absent where this is the last one.
    next_after: Option<String>,
}

/// No identity code, no name, no address: our ids say which message it is.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct MessageLine {
    pub(in crate::cli) message: String,
    /// 1-based in the batch.
    position: u32,
    pub(in crate::cli) state: MessageStateWord,
    pub(in crate::cli) channel: Option<ChannelWord>,
    /// Why it goes that way; the codes are explained in docs/routing.md.
    pub(in crate::cli) reason: Option<ReasonWord>,
    pub(in crate::cli) pages: u32,
    pub(in crate::cli) bundle: Option<String>,
    /// Its sequence in the bundle.
    pub(in crate::cli) piece: Option<u32>,
}

impl From<&MessageRow> for MessageLine {
    fn from(row: &MessageRow) -> Self {
        Self {
            message: row.id.to_string(),
            position: row.id.position,
            state: MessageStateWord(row.state),
            channel: row.channel.map(ChannelWord),
            reason: row.reason.map(ReasonWord),
            pages: row.message.pages.count,
            bundle: row.bundle.map(|bundle| bundle.to_string()),
            piece: row.sequence,
        }
    }
}

impl fmt::Display for MessageList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |line: &MessageLine| {
            [
                line.message.clone(),
                line.state.to_string(),
                or_dash(line.channel),
                or_dash(line.reason),
                line.pages.to_string(),
                or_dash(line.bundle.as_ref()),
            ]
        };
        if self.messages.is_empty() {
            return Ok(());
        }
        let heading = ["MESSAGE", "STATE", "CHANNEL", "REASON", "PAGES", "BUNDLE"];
        Table::new(heading, self.messages.iter().map(row)).fmt(f)
    }
}
