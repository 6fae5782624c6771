use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::words::{ChannelWord, MessageStateWord, StepWord, counted},
    store::{self, ReprocessPlan},
};

/// `kuori reprocess`: exactly what was done, or with `--dry-run` what would be.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct Reprocessed {
    dry_run: bool,
    /// How many messages are set back, in all batches that are not blocked.
    messages: u64,
    /// In the order of their ids.
    batches: Vec<BatchSetBack>,
}

#[derive(Serialize, JsonSchema)]
struct BatchSetBack {
    batch: String,
    from: StepWord,
    /// The channel that its messages are made to go by.
    channel: Option<ChannelWord>,
    /// Not empty: nothing is done to this batch. The first hindrances.
    blocked: Vec<String>,
    /// How many hindrances there are.
    hindrances: u64,
    /// How many messages are set back.
    messages: u64,
    counts: Vec<MovedCount>,
    /// The first of them, as many as `--limit` says.
    moves: Vec<Move>,
    /// Messages that were picked, and that the step is not for.
    passed_over: u64,
    /// Bundles taken back before hand-over.
    withdrawn_bundles: Vec<String>,
    /// Their other letters, which are planned again.
    other_letters_planned_again: u64,
    /// The number of the processing report by which the sender is told, where its settings want one.
    processing_report: u32,
}

/// Messages to which the same happens.
#[derive(Serialize, JsonSchema)]
struct MovedCount {
    was: MessageStateWord,
    to: MessageStateWord,
    messages: u64,
    /// They lie in mailboxes and are delivered once more.
    delivered_again: bool,
    /// The recipients have them, and they may go on paper once more.
    printed_again: bool,
}

#[derive(Serialize, JsonSchema)]
struct Move {
    message: String,
    was: MessageStateWord,
    to: MessageStateWord,
    delivered_again: bool,
    printed_again: bool,
}

impl Reprocessed {
    pub(super) fn new(plans: &[ReprocessPlan], dry_run: bool) -> Self {
        Self {
            dry_run,
            messages: super::moving(plans),
            batches: plans.iter().map(BatchSetBack::from).collect(),
        }
    }
}

impl From<&ReprocessPlan> for BatchSetBack {
    fn from(plan: &ReprocessPlan) -> Self {
        Self {
            batch: plan.batch.to_string(),
            from: StepWord(plan.from),
            channel: plan.forced.map(ChannelWord),
            blocked: plan.blocked.iter().map(ToString::to_string).collect(),
            hindrances: plan.hindrances,
            messages: plan.messages,
            counts: plan.moved.iter().map(MovedCount::from).collect(),
            moves: plan.moves.iter().map(Move::from).collect(),
            passed_over: plan.passed_over,
            withdrawn_bundles: plan.withdrawn.iter().map(ToString::to_string).collect(),
            other_letters_planned_again: plan.freed,
            processing_report: plan.report,
        }
    }
}

impl From<&store::Moved> for MovedCount {
    fn from(moved: &store::Moved) -> Self {
        Self {
            was: MessageStateWord(moved.was),
            to: MessageStateWord(moved.to),
            messages: moved.messages,
            delivered_again: moved.delivers_again,
            printed_again: moved.prints_again,
        }
    }
}

impl From<&store::Move> for Move {
    fn from(moved: &store::Move) -> Self {
        Self {
            message: moved.message.to_string(),
            was: MessageStateWord(moved.was),
            to: MessageStateWord(moved.to),
            delivered_again: moved.delivers_again,
            printed_again: moved.prints_again,
        }
    }
}

impl fmt::Display for Reprocessed {
    /// A batch that is blocked is told by the error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tense = Tense::of(self.dry_run);
        let free = self.batches.iter().filter(|batch| batch.blocked.is_empty());
        let mut batches = 0;
        for batch in free {
            batch.write(f, tense)?;
            batches += 1;
        }
        if batches > 1 {
            let messages = counted(self.messages, "message", "messages");
            writeln!(f, "in all {messages} of {batches} batches")?;
        }
        Ok(())
    }
}

/// What is done, or would be.
#[derive(Clone, Copy)]
struct Tense {
    goes: &'static str,
    is: &'static str,
    are: &'static str,
}

impl Tense {
    fn of(dry_run: bool) -> Self {
        let (goes, is, are) = if dry_run {
            ("would go", "would be", "would be")
        } else {
            ("goes", "is", "are")
        };
        Self { goes, is, are }
    }

    fn of_number(self, number: u64) -> &'static str {
        if number == 1 { self.is } else { self.are }
    }
}

impl BatchSetBack {
    fn write(&self, f: &mut fmt::Formatter<'_>, tense: Tense) -> fmt::Result {
        let Tense { goes, is, .. } = tense;
        writeln!(f, "{} {goes} back to the step `{}`", self.batch, self.from)?;
        for bundle in &self.withdrawn_bundles {
            writeln!(f, "bundle {bundle} {is} withdrawn")?;
        }
        let freed = self.other_letters_planned_again;
        if freed > 0 {
            let letters = counted(freed, "other letter", "other letters");
            let are = tense.of_number(freed);
            writeln!(f, "{letters} of what is withdrawn {are} planned again")?;
        }
        self.write_messages(f, tense)?;
        if self.passed_over > 0 {
            let messages = counted(self.passed_over, "message stays", "messages stay");
            writeln!(f, "{messages} where they are: the step is not for them")?;
        }
        let report = self.processing_report;
        writeln!(f, "the sender {is} told by processing report {report}")
    }

    fn write_messages(&self, f: &mut fmt::Formatter<'_>, tense: Tense) -> fmt::Result {
        let are = tense.of_number(self.messages);
        let by = self.channel.map_or(String::new(), |channel| {
            format!(", to go by {channel} or not at all")
        });
        let listed = self.moves.len() as u64;
        match self.messages {
            0 => return writeln!(f, "no message {} set back", tense.is),
            many => {
                let messages = counted(many, "message", "messages");
                writeln!(f, "{messages} {are} set back{by}:")?;
            }
        }
        for moved in &self.moves {
            writeln!(f, "  {}", moved.line())?;
        }
        if listed < self.messages {
            writeln!(f, "  and {} more; of all of them", self.messages - listed)?;
            for count in &self.counts {
                writeln!(f, "  {}", count.line())?;
            }
        }
        Ok(())
    }
}

impl Move {
    fn line(&self) -> String {
        let again = again(self.delivered_again, self.printed_again);
        format!("{}  {} to {}{again}", self.message, self.was, self.to)
    }
}

impl MovedCount {
    fn line(&self) -> String {
        let again = again(self.delivered_again, self.printed_again);
        format!("{}  {} to {}{again}", self.messages, self.was, self.to)
    }
}

/// What reaches the recipient a second time.
fn again(delivered: bool, printed: bool) -> &'static str {
    match (delivered, printed) {
        (false, false) => "",
        (true, false) => ", delivered a second time",
        (false, true) => ", printed a second time",
        (true, true) => ", delivered or printed a second time",
    }
}
