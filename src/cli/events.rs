use std::{fmt, str::FromStr, time::Duration};

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    CommandError, Invocation,
    error::Outcome,
    table::{Table, or_dash},
    words::Time,
};
use crate::{
    domain::SenderId,
    store::{Event, Store, Subject},
};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// A batch, a message or a bundle: `B-0007`, `B-0007-12`, `P-0031`
    #[arg(required_unless_present_any = ["sender", "account"],
          conflicts_with_all = ["sender", "account"])]
    of: Option<Named>,

    /// What operators did to this sender; with `--letter-id`, whose letter it is
    #[arg(long, value_name = "NAME")]
    sender: Option<SenderId>,

    /// The message that its sender gave this id
    #[arg(long, value_name = "ID", requires = "sender")]
    letter_id: Option<String>,

    /// What operators did to this account of the embedded server
    #[arg(long, value_name = "NAME", conflicts_with = "sender")]
    account: Option<String>,

    /// How many of the newest
    #[arg(long, value_name = "N", default_value_t = 1_000,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: u32,

    /// Go on with what happens from now on, until stopped
    #[arg(long)]
    follow: bool,
}

/// What is named by its number.
#[derive(Debug, Clone, Copy)]
struct Named(Subject);

impl FromStr for Named {
    type Err = &'static str;

    fn from_str(typed: &str) -> Result<Self, Self::Err> {
        let batch = || typed.parse().map(Subject::Batch);
        let message = || typed.parse().map(Subject::Message);
        let bundle = typed.parse().map(Subject::Bundle);
        let found = bundle.or_else(|_| batch()).or_else(|_| message());
        found.map(Self).map_err(
            |_| "that is no batch, message or bundle: write it as `B-0007`, `B-0007-12` or `P-0031`",
        )
    }
}

/// Whose history is shown.
enum Whose {
    Subject(Subject),
    Sender(SenderId),
    Account(String),
}

/// `kuori events`: the history of one thing, oldest first.
#[derive(Serialize, JsonSchema)]
pub(super) struct EventList {
    batch: Option<String>,
    message: Option<String>,
    bundle: Option<String>,
    sender: Option<String>,
    account: Option<String>,
    /// Older ones that `--limit` leaves out.
    left_out: usize,
    events: Vec<EventLine>,
}

#[derive(Serialize, JsonSchema, Clone, PartialEq, Eq)]
struct EventLine {
    at: Time,
    /// `kuori` for the daemon, else who gave the command.
    actor: String,
    /// 1-based position of the message; absent means the whole batch.
    message: Option<u32>,
    what: String,
    /// The reason that an operator gave, or what made the daemon do it.
    why: Option<String>,
}

/// Between two looks with `--follow`.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    if arguments.follow && invocation.options.json {
        let told = "`--follow` has no end, and `--json` is one document";
        return Err(CommandError::usage(told));
    }
    let store = invocation.store()?;
    let whose = whose(&store, arguments, invocation)?;
    let mut list = EventList::of(&whose);
    list.fill(history(&store, &whose)?, arguments.limit);
    invocation.output.show(&list)?;
    if list.left_out > 0 {
        let left_out = list.left_out;
        invocation.output.note(format!(
            "{left_out} older ones are left out; `--limit` shows them"
        ));
    }
    if arguments.follow {
        follow(&store, &whose, invocation)?;
    }
    Ok(Outcome::Done)
}

fn whose(
    store: &Store,
    arguments: &Arguments,
    invocation: &Invocation<'_>,
) -> Result<Whose, CommandError> {
    if let Some(Named(subject)) = arguments.of {
        return Ok(Whose::Subject(subject));
    }
    if let Some(account) = &arguments.account {
        return Ok(Whose::Account(account.clone()));
    }
    let Some(sender) = arguments.sender.clone() else {
        return Err(CommandError::usage(
            "name a batch, a message, a bundle, a sender or an account",
        ));
    };
    // A slip in the name is told.
    store.plan_sender_hold(&sender, invocation.now)?;
    let Some(letter_id) = &arguments.letter_id else {
        return Ok(Whose::Sender(sender));
    };
    let found = store.message_of_letter_id(&sender, letter_id)?;
    let found = found.map(|id| Whose::Subject(Subject::Message(id)));
    found.ok_or_else(|| {
        CommandError::failed(format!("`{sender}` has sent no letter with that id")).hint(
            "a letter of a batch that could not be read has no message: see `kuori batch list`",
        )
    })
}

fn history(store: &Store, whose: &Whose) -> Result<Vec<Event>, CommandError> {
    Ok(match whose {
        Whose::Subject(subject) => store.history(*subject)?,
        Whose::Sender(sender) => store.sender_events(sender)?,
        Whose::Account(account) => {
            store.account(account)?;
            store.account_events(account)?
        }
    })
}

/// Shows what was not there at the look before.
fn follow(
    store: &Store,
    whose: &Whose,
    invocation: &mut Invocation<'_>,
) -> Result<(), CommandError> {
    let lines = || -> Result<Vec<EventLine>, CommandError> {
        let history = history(store, whose)?;
        Ok(history.into_iter().map(EventLine::from).collect())
    };
    let mut known = lines()?;
    loop {
        std::thread::sleep(FOLLOW_EVERY);
        let now = lines()?;
        for line in now.iter().filter(|line| !known.contains(line)) {
            invocation.output.line(line.cells().join("  ").trim_end())?;
        }
        known = now;
    }
}

impl EventList {
    fn of(whose: &Whose) -> Self {
        let subject = match whose {
            Whose::Subject(subject) => Some(*subject),
            Whose::Sender(_) | Whose::Account(_) => None,
        };
        Self {
            batch: match subject {
                Some(Subject::Batch(batch)) => Some(batch.to_string()),
                _ => None,
            },
            message: match subject {
                Some(Subject::Message(message)) => Some(message.to_string()),
                _ => None,
            },
            bundle: match subject {
                Some(Subject::Bundle(bundle)) => Some(bundle.to_string()),
                _ => None,
            },
            sender: match whose {
                Whose::Sender(sender) => Some(sender.to_string()),
                _ => None,
            },
            account: match whose {
                Whose::Account(account) => Some(account.clone()),
                _ => None,
            },
            left_out: 0,
            events: Vec::new(),
        }
    }

    fn fill(&mut self, mut events: Vec<Event>, limit: u32) {
        self.left_out = events.len().saturating_sub(limit as usize);
        events.drain(..self.left_out);
        self.events = events.into_iter().map(EventLine::from).collect();
    }
}

impl From<Event> for EventLine {
    fn from(event: Event) -> Self {
        Self {
            at: Time(event.at),
            actor: event.actor,
            message: event.position,
            what: event.what,
            why: event.why,
        }
    }
}

impl EventLine {
    fn cells(&self) -> [String; 5] {
        [
            self.at.to_string(),
            self.actor.clone(),
            or_dash(self.message),
            self.what.clone(),
            self.why.clone().unwrap_or_default(),
        ]
    }
}

impl fmt::Display for EventList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = ["AT", "BY", "MESSAGE", "WHAT", "WHY"];
        Table::new(heading, self.events.iter().map(EventLine::cells)).fmt(f)
    }
}
