use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Set, begins};
use crate::{
    cli::{
        CommandError, Invocation,
        error::Outcome,
        words::{ConsentStatusWord, Time},
    },
    consents::address_of_rows,
    domain::{Matter, PostalAddress},
    store::{ConsentChange, Heard, MatterWish, Store},
};

/// Of an address.
const MOST_ROWS: usize = 5;

/// `kuori consent set`: what was recorded. The recipient is not named.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct ConsentChanged {
    dry_run: bool,
    status: Option<ConsentStatusWord>,
    since: Option<Time>,
    /// False where the register has that word already, or one that overrules it; absent with
    /// `dry_run`, and where only a matter was set.
    changed: Option<bool>,
    /// What the register has by now; absent where `changed` is.
    stands: Option<ConsentStatusWord>,
    stands_since: Option<Time>,
    matter: Option<String>,
    /// What holds for the matter from now on.
    print_only: Option<bool>,
    /// Whether its letters go to another address, which is not repeated.
    other_address: Option<bool>,
}

pub(super) fn run(
    arguments: &Set,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let recipient = arguments.recipient.read(invocation)?;
    let wish = matter_wish(arguments, invocation)?;
    let since = match arguments.since {
        Some(given) => begins(given, invocation)?,
        None => invocation.now,
    };
    if since > invocation.now {
        let error = CommandError::usage("a consent cannot begin in the future");
        return Err(error.hint("set it on the day, with `--since` or without"));
    }
    let mut told = ConsentChanged {
        dry_run: arguments.dry_run,
        status: arguments.status.map(ConsentStatusWord),
        since: arguments.status.map(|_| Time(since)),
        changed: None,
        stands: None,
        stands_since: None,
        matter: arguments.matter.as_ref().map(Matter::to_string),
        print_only: wish.as_ref().map(|wish| wish.print_only),
        other_address: wish.as_ref().map(|wish| wish.address.is_some()),
    };
    if !arguments.dry_run {
        let store = invocation.store_or_new()?;
        let status = arguments.status.map(|status| ConsentChange {
            recipient: recipient.clone(),
            status,
            since,
        });
        if let Some(heard) = record(&store, status, invocation)? {
            told.changed = Some(heard.is_news);
            told.stands = Some(ConsentStatusWord(heard.status));
            told.stands_since = Some(Time(heard.since));
        }
        if let Some(wish) = &wish {
            store.set_matter_by(&recipient, wish, &invocation.action(""))?;
        }
    }
    invocation.output.show(&told)?;
    Ok(told.outcome())
}

fn record(
    store: &Store,
    change: Option<ConsentChange>,
    invocation: &Invocation<'_>,
) -> Result<Option<Heard>, CommandError> {
    let Some(change) = change else {
        return Ok(None);
    };
    let source = format!("set by {}", invocation.actor);
    let heard = store.record_consent_by(&change, &source, &invocation.action(""))?;
    Ok(Some(heard))
}

/// What is to hold for a matter; an address stands on standard input.
fn matter_wish(
    arguments: &Set,
    invocation: &mut Invocation<'_>,
) -> Result<Option<MatterWish>, CommandError> {
    let Some(matter) = &arguments.matter else {
        return Ok(None);
    };
    let wish = &arguments.wish;
    let address = wish.address.then(|| read_address(invocation)).transpose()?;
    Ok(Some(MatterWish {
        matter: matter.clone(),
        print_only: wish.print_only || wish.address,
        address,
    }))
}

/// Up to an empty line, or the end.
fn read_address(invocation: &mut Invocation<'_>) -> Result<PostalAddress, CommandError> {
    let mut rows = Vec::new();
    loop {
        let mut row = String::new();
        let read = invocation.input.read_line(&mut row);
        read.map_err(|error| {
            CommandError::failed("cannot read the address from standard input")
                .caused_by(error.to_string())
        })?;
        if row.trim().is_empty() || rows.len() > MOST_ROWS {
            break;
        }
        rows.push(row.trim().to_owned());
    }
    let rows: Vec<_> = rows.iter().map(String::as_str).collect();
    address_of_rows(&rows).map_err(|error| {
        CommandError::usage("the address cannot be used")
            .caused_by(error)
            .hint("it is read from standard input, behind the id where that is `-`, a row a line")
    })
}

impl ConsentChanged {
    fn is_overruled(&self) -> bool {
        let status = |word: ConsentStatusWord| word.0;
        self.stands
            .is_some_and(|stands| Some(stands.0) != self.status.map(status))
    }

    fn outcome(&self) -> Outcome {
        if self.is_overruled() {
            Outcome::Findings
        } else {
            Outcome::Done
        }
    }

    /// What became of the word, behind it.
    fn ending(&self) -> String {
        let (Some(false), Some(stands), Some(since)) =
            (self.changed, self.stands, self.stands_since)
        else {
            return String::new();
        };
        if self.is_overruled() {
            format!(": not heeded, the register has {stands} since {since}, which stands")
        } else if self.since.is_some_and(|said| said.0 == since.0) {
            "; the register has that already".to_owned()
        } else {
            format!("; the register has that since {since} already")
        }
    }
}

impl fmt::Display for ConsentChanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let would = if self.dry_run {
            "would be recorded: "
        } else {
            ""
        };
        if let (Some(status), Some(since)) = (self.status, self.since) {
            writeln!(f, "{would}{status} since {since}{}", self.ending())?;
        }
        match (&self.matter, self.print_only) {
            (Some(matter), Some(true)) => {
                let way = on_paper(self.other_address == Some(true));
                writeln!(f, "{would}letters of the matter `{matter}` go {way}")
            }
            (Some(matter), _) => {
                writeln!(
                    f,
                    "{would}letters of the matter `{matter}` go like all others"
                )
            }
            (None, _) => Ok(()),
        }
    }
}

pub(super) fn on_paper(has_address: bool) -> &'static str {
    if has_address {
        "on paper, to another address"
    } else {
        "on paper"
    }
}
