mod refusal;
mod shown;
mod wait;

pub(super) use self::shown::Reprocessed;
use self::wait::Patience;
use super::{
    CommandError, Invocation,
    deed::Deed,
    error::Outcome,
    picking::{Ground, Picking},
    words,
};
use crate::{
    domain::{BatchId, Channel, MessageId, Step},
    pipeline,
    store::{
        self, Again, BatchRow, MessageFilter, MessageRow, NewEvent, Reprocess, ReprocessPlan, Way,
    },
};

/// What an operator types after a fault.
pub(super) const EXAMPLES: &str = "Examples:
  All that failed since last evening because of one cause, looked at and then done:
    kuori reprocess --failed --since 2026-11-22T18:00 --finding letter-not-composable --dry-run
    kuori reprocess --failed --since 2026-11-22T18:00 --finding letter-not-composable \\
      --expect 1204 --reason \"the font server was away\"
  One letter on paper:
    kuori reprocess --sender example-city --letter-id 2026-17 --channel print --reason \"asked for\"
  A bundle that the print house lost:
    kuori reprocess --bundle P-0031 --print-again --reason \"lost by the print house\"

More than 100 messages are set back only where `--expect` says how many they are: a rehearsal with
`--dry-run` counts them. Each batch is set back by itself; one that cannot be stops no other, unless
`--all-or-nothing` is given. What is printed or delivered a second time is asked for by name, always.";

/// More messages than this are set back only by their number.
const WITHOUT_NUMBER: u64 = 100;

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    picking: Picking,

    /// Only this message of the batch: `B-0007-12`, or `12`; may be given more than once
    #[arg(long = "message", value_name = "ID")]
    messages: Vec<MessageName>,

    /// Only those that failed: refused or held. So it is where no message, state or step is named
    #[arg(long, conflicts_with = "states")]
    failed: bool,

    /// Only those that were last routed so; may be given more than once
    #[arg(long = "routed-to", value_name = "CHANNEL",
          value_parser = words::one_of(&Channel::ALL, Channel::as_str))]
    routed_to: Vec<Channel>,

    /// The first step that is done again
    #[arg(long, value_name = "STEP", value_parser = words::one_of(&Step::ALL, Step::as_str))]
    from: Option<Step>,

    /// Send them by this channel or not at all; `rules` forgets what was chosen so before
    #[arg(long, value_name = "CHANNEL", value_parser = words::one_of(&Chosen::ALL, Chosen::as_str))]
    channel: Option<Chosen>,

    /// Print letters again that the recipient has, on paper or in a mailbox
    #[arg(long)]
    print_again: bool,

    /// Deliver messages again that the recipient has, in a mailbox or on paper
    #[arg(long)]
    deliver_again: bool,

    /// How many messages are to be set back; where they are not so many, nothing is done
    #[arg(long, value_name = "N")]
    expect: Option<u64>,

    /// Set back all the batches that were picked, or none
    #[arg(long)]
    all_or_nothing: bool,

    /// Wait so long for a step or a hand-over that has a batch in its hands
    #[arg(long, value_name = "SECS", default_value_t = 0,
          value_parser = clap::value_parser!(u64).range(0..=3_600))]
    wait: u64,

    /// How many messages of a batch are listed one by one; all are counted
    #[arg(long, value_name = "N", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(0..=100_000))]
    limit: u32,

    #[command(flatten)]
    deed: Deed,
}

/// A channel that an operator chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chosen {
    Print,
    Mailbox,
    Rules,
}

impl Chosen {
    const ALL: [Self; 3] = [Self::Print, Self::Mailbox, Self::Rules];

    fn as_str(self) -> &'static str {
        match self {
            Self::Print => "print",
            Self::Mailbox => "mailbox",
            Self::Rules => "rules",
        }
    }
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
    fn of(self, batch: Option<BatchId>) -> Result<MessageId, CommandError> {
        match (self, batch) {
            (Self::Position(position), Some(batch)) => Ok(MessageId { batch, position }),
            (Self::Position(position), None) => {
                let error = format!("`--message {position}` does not say of which batch");
                Err(CommandError::usage(error).hint("a message is `B-0007-12`"))
            }
            (Self::Id(id), Some(batch)) if id.batch != batch => {
                let error = format!("message `{id}` is not of batch `{batch}`");
                let hint = format!(
                    "name batch `{}`, or see `kuori message list {batch}`",
                    id.batch
                );
                Err(CommandError::usage(error).hint(hint))
            }
            (Self::Id(id), _) => Ok(id),
        }
    }
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    arguments.check()?;
    let ground = arguments.picking.ground(invocation)?;
    let now = invocation.now;
    let foresee = |row: &BatchRow, page: &[MessageRow], channel| {
        let sender = sender_of(&ground, row);
        sender.map_or_else(
            || Ok(vec![None; page.len()]),
            |sender| pipeline::foresee(&ground.store, sender, row, page, (channel, now)),
        )
    };
    let wanted = arguments.wanted(&ground, &foresee)?;
    let session = Session {
        arguments,
        ground: &ground,
        wanted,
        patience: Patience::new(arguments.wait, now),
    };
    let plans = session.plan()?;
    let done = match arguments.deed.action(invocation) {
        None => plans,
        Some(action) => {
            agree(arguments, &plans)?;
            session.carry_out(plans, &action)?
        }
    };
    tell(arguments, &done, &ground, invocation)
}

fn sender_of<'a>(ground: &'a Ground, row: &BatchRow) -> Option<&'a pipeline::SenderSettings> {
    let senders = ground.config.senders.iter().map(|sender| &sender.settings);
    senders.into_iter().find(|sender| sender.id == row.sender)
}

fn tell(
    arguments: &Arguments,
    plans: &[ReprocessPlan],
    ground: &Ground,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let dry_run = arguments.deed.dry_run;
    invocation.output.show(&Reprocessed::new(plans, dry_run))?;
    let messages = moving(plans);
    if let Some(refusal) = refusal::of(arguments, plans, &ground.store)? {
        return Err(refusal);
    }
    match plans {
        [] => invocation
            .output
            .hint("nothing was picked; `kuori message list` takes the same"),
        _ if dry_run && messages > WITHOUT_NUMBER => invocation.output.hint(format!(
            "`--expect {messages} --reason TEXT` instead of `--dry-run` does it"
        )),
        [only] if !dry_run => invocation.output.hint(format!(
            "`kuori batch show {}` says how it goes on",
            only.batch
        )),
        _ if !dry_run => invocation
            .output
            .hint("`kuori batch list` says how they go on"),
        _ => {}
    }
    Ok(Outcome::Done)
}

/// So many, that a slip in what was picked would be found out late, are set back by their number.
fn agree(arguments: &Arguments, plans: &[ReprocessPlan]) -> Result<(), CommandError> {
    let messages = moving(plans);
    match arguments.expect {
        Some(expected) if expected != messages => {
            let error = format!("{messages} messages would be set back, not {expected}");
            Err(CommandError::failed(error).hint("`--dry-run` says which"))
        }
        None if messages > WITHOUT_NUMBER => {
            let error = format!("{messages} messages would be set back");
            Err(CommandError::failed(error)
                .caused_by(format!(
                    "more than {WITHOUT_NUMBER} are set back by their number alone"
                ))
                .hint("`--dry-run` says which")
                .hint(format!("`--expect {messages}` sets them back")))
        }
        _ => Ok(()),
    }
}

/// Messages of batches that can be set back.
fn moving(plans: &[ReprocessPlan]) -> u64 {
    let free = plans.iter().filter(|plan| plan.blocked.is_empty());
    free.map(|plan| plan.messages).sum()
}

impl Arguments {
    fn check(&self) -> Result<(), CommandError> {
        match (self.channel, self.from) {
            (Some(_), Some(from)) if from > Step::Route => {
                let error = format!("the channel is chosen before the step `{}`", from.as_str());
                Err(CommandError::usage(error).hint("leave `--from` away, or say `--from route`"))
            }
            _ => Ok(()),
        }
    }

    fn wanted<'a>(
        &self,
        ground: &Ground,
        foresee: store::Foresee<'a>,
    ) -> Result<Reprocess<'a>, CommandError> {
        let by_bundle = self.picking.bundle().filter(|_| self.channel.is_none());
        let senders = ground.config.senders.iter();
        let senders = senders.map(|sender| sender.settings.id.clone()).collect();
        let needs_settings = ground.has_settings || self.channel.is_some();
        Ok(Reprocess {
            messages: self.filter(ground)?,
            from: self.from.or(by_bundle.map(|_| Step::Compose)),
            way: match self.channel {
                None => Way::AsBefore,
                Some(Chosen::Rules) => Way::ByTheRules,
                Some(Chosen::Print) => Way::Forced(Channel::Print, foresee),
                Some(Chosen::Mailbox) => Way::Forced(Channel::Mailbox, foresee),
            },
            again: Again {
                print: self.print_again,
                deliver: self.deliver_again,
            },
            senders: needs_settings.then_some(senders),
            listed: usize::try_from(self.limit).unwrap_or(usize::MAX).max(1),
        })
    }

    fn filter(&self, ground: &Ground) -> Result<MessageFilter, CommandError> {
        let mut filter = self.picking.filter(ground)?;
        for message in &self.messages {
            let id = message.of(self.picking.only_batch())?;
            filter.messages.push(id);
        }
        filter.channels.clone_from(&self.routed_to);
        if filter.is_everything() && !self.failed {
            return Err(nothing_is_picked());
        }
        let is_narrow = self.picking.names_messages()
            || self.picking.names_states()
            || !self.messages.is_empty()
            || self.from.is_some()
            || self.channel.is_some();
        if self.failed || !is_narrow {
            filter.states = MessageFilter::FAILED.to_vec();
        }
        Ok(filter)
    }
}

fn nothing_is_picked() -> CommandError {
    CommandError::usage("nothing says what is to be done again")
        .hint("`kuori reprocess B-0007 --dry-run` is about what failed of one batch")
        .hint("`kuori reprocess --failed --since 2026-11-22T18:00 --dry-run`, of all since then")
        .hint("`kuori reprocess --bundle P-0031 --print-again --dry-run`, about a bundle that is lost")
}

/// One call: what is to be done again, and how long a batch is waited for.
struct Session<'a> {
    arguments: &'a Arguments,
    ground: &'a Ground,
    wanted: Reprocess<'a>,
    patience: Patience,
}

impl Session<'_> {
    /// A plan for each batch that was named, and for each other one with something to do.
    fn plan(&self) -> Result<Vec<ReprocessPlan>, CommandError> {
        let store = &self.ground.store;
        let mut plans = Vec::new();
        for batch in store.batches_with(&self.wanted.messages)? {
            let plan = self
                .patience
                .until_free(|now| store.plan_reprocess_of(batch, &self.wanted, now))?;
            if plan.messages > 0 || !plan.blocked.is_empty() || self.is_meant(batch)? {
                plans.push(plan);
            }
        }
        Ok(plans)
    }

    /// Whether a batch is to be set back though none of its messages is: one that is named, or that
    /// stands still as a whole.
    fn is_meant(&self, batch: BatchId) -> Result<bool, CommandError> {
        let is_named = self.arguments.picking.bundle().is_none()
            && self.wanted.messages.batches.contains(&batch);
        Ok(is_named || self.ground.store.batch(batch)?.state.is_stopped())
    }

    /// Does what was planned, and no more: a batch of which other messages would move by now is left
    /// as it is.
    fn carry_out(
        &self,
        mut plans: Vec<ReprocessPlan>,
        action: &NewEvent,
    ) -> Result<Vec<ReprocessPlan>, CommandError> {
        if !self.arguments.all_or_nothing {
            for plan in &mut plans {
                if plan.blocked.is_empty() {
                    self.carry_out_one(plan, action)?;
                }
            }
            return Ok(plans);
        }
        if plans.iter().all(|plan| plan.blocked.is_empty()) {
            let all: Vec<_> = plans
                .iter()
                .map(|plan| (plan.batch, Some(plan.messages)))
                .collect();
            let done = self
                .ground
                .store
                .reprocess_all(&all, &self.wanted, action)?;
            for (plan, done) in plans.iter_mut().zip(done.plans) {
                *plan = done;
            }
        }
        Ok(plans)
    }

    fn carry_out_one(
        &self,
        plan: &mut ReprocessPlan,
        action: &NewEvent,
    ) -> Result<(), CommandError> {
        let expected = [(plan.batch, Some(plan.messages))];
        let store = &self.ground.store;
        *plan = self.patience.until_free(|now| {
            let action = NewEvent {
                at: now,
                ..action.clone()
            };
            let mut done = store.reprocess_all(&expected, &self.wanted, &action)?;
            done.plans.pop().ok_or(store::Error::NoBatch(plan.batch))
        })?;
        Ok(())
    }
}
