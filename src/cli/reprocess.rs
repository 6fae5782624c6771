mod refusal;

use std::fmt;

use clap::builder::NonEmptyStringValueParser;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    CommandError, Invocation,
    error::Outcome,
    words::{self, MessageStateWord, StepWord},
};
use crate::{
    domain::{BatchId, MessageId, Step},
    store::{Again, ReprocessPlan, Selection, Store},
};

#[derive(clap::Args)]
pub(super) struct Arguments {
    batch: BatchId,

    /// Only this message: `B-0007-12`, or `12`; may be given more than once
    #[arg(long = "message", value_name = "ID")]
    messages: Vec<MessageName>,

    /// The first step that is done again
    #[arg(long, value_name = "STEP", value_parser = words::one_of(&Step::ALL, Step::as_str))]
    from: Option<Step>,

    /// Say what would happen, and do nothing
    #[arg(long)]
    dry_run: bool,

    /// Print letters again that the print house has
    #[arg(long)]
    print_again: bool,

    /// Deliver messages again that are in the recipient's mailbox
    #[arg(long)]
    deliver_again: bool,

    /// Why, for the history
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run",
          value_parser = NonEmptyStringValueParser::new())]
    reason: Option<String>,
}

/// A message of the batch: its id, or its position alone.
#[derive(Debug, Clone, Copy)]
enum MessageName {
    Id(MessageId),
    Position(u32),
}

impl std::str::FromStr for MessageName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(position) = text.parse().ok().filter(|&position| position > 0) {
            return Ok(Self::Position(position));
        }
        let id = text.parse().map(Self::Id);
        id.map_err(|_| "a message is `B-0007-12`, or its position alone, `12`".to_owned())
    }
}

impl MessageName {
    fn position_in(self, batch: BatchId) -> Result<u32, CommandError> {
        match self {
            Self::Position(position) => Ok(position),
            Self::Id(id) if id.batch == batch => Ok(id.position),
            Self::Id(id) => {
                let error = format!("message `{id}` is not of batch `{batch}`");
                let hint = format!(
                    "name batch `{}`, or see `kuori message list {batch}`",
                    id.batch
                );
                Err(CommandError::usage(error).hint(hint))
            }
        }
    }
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let selection = selection(arguments)?;
    let plan = carry_out(arguments, &selection, &store, invocation)?;
    let told = told(&plan, arguments.dry_run);
    if let Some(refusal) = refusal::of(&selection, &plan, &store)? {
        invocation.output.show(&told)?;
        return Err(refusal);
    }
    invocation.output.show(&told)?;
    if !arguments.dry_run {
        invocation.output.hint(format!(
            "`kuori batch show {}` says how it goes on",
            plan.batch
        ));
    }
    Ok(Outcome::Done)
}

fn carry_out(
    arguments: &Arguments,
    selection: &Selection,
    store: &Store,
    invocation: &Invocation<'_>,
) -> Result<ReprocessPlan, CommandError> {
    match &arguments.reason {
        Some(reason) if !arguments.dry_run => {
            Ok(store.reprocess(selection, &invocation.action(reason))?)
        }
        _ => Ok(store.plan_reprocess(selection, invocation.now)?),
    }
}

fn selection(arguments: &Arguments) -> Result<Selection, CommandError> {
    let position = |message: &MessageName| message.position_in(arguments.batch);
    Ok(Selection {
        batch: arguments.batch,
        positions: arguments
            .messages
            .iter()
            .map(position)
            .collect::<Result<_, _>>()?,
        from: arguments.from,
        again: Again {
            print: arguments.print_again,
            deliver: arguments.deliver_again,
        },
    })
}

/// `kuori reprocess`: exactly what was done, or with `--dry-run` what would be.
#[derive(Serialize, JsonSchema)]
pub(super) struct Reprocessed {
    batch: String,
    from: StepWord,
    dry_run: bool,
    /// Not empty: nothing was done.
    blocked: Vec<String>,
    moves: Vec<Move>,
    /// Bundles taken back before hand-over; their other letters are planned again.
    withdrawn_bundles: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct Move {
    message: String,
    was: MessageStateWord,
    to: MessageStateWord,
}

fn told(plan: &ReprocessPlan, dry_run: bool) -> Reprocessed {
    let moves = plan.moves.iter().map(|step| Move {
        message: step.message.to_string(),
        was: MessageStateWord(step.was),
        to: MessageStateWord(step.to),
    });
    Reprocessed {
        batch: plan.batch.to_string(),
        from: StepWord(plan.from),
        dry_run,
        blocked: plan.blocked.iter().map(ToString::to_string).collect(),
        moves: moves.collect(),
        withdrawn_bundles: plan.withdrawn.iter().map(ToString::to_string).collect(),
    }
}

impl fmt::Display for Reprocessed {
    /// A plan that is blocked is told by the error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.blocked.is_empty() {
            return Ok(());
        }
        let (batch, from) = (&self.batch, self.from);
        let (goes, is, are) = if self.dry_run {
            ("would go", "would be", "would be")
        } else {
            ("goes", "is", "are")
        };
        writeln!(f, "{batch} {goes} back to the step `{from}`")?;
        for bundle in &self.withdrawn_bundles {
            writeln!(
                f,
                "bundle {bundle} {is} withdrawn, its other letters planned again"
            )?;
        }
        match self.moves.len() as u64 {
            0 => writeln!(f, "no message {is} set back")?,
            1 => writeln!(f, "1 message {is} set back:")?,
            many => writeln!(f, "{many} messages {are} set back:")?,
        }
        for step in &self.moves {
            writeln!(f, "  {}  {} to {}", step.message, step.was, step.to)?;
        }
        Ok(())
    }
}
