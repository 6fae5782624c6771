use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Show, begins, set::on_paper};
use crate::{
    cli::{
        CommandError, Invocation,
        error::Outcome,
        words::{ConsentStatusWord, Time},
    },
    store::{Consent, ConsentWord, PrintOnlyMatter, Said},
};

/// `kuori consent show`: what the register has, or had. The recipient is not named.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct ConsentShown {
    /// What the house had been told by then; absent where now is meant.
    as_of: Option<Time>,
    /// Absent where the recipient has never said anything; then letters go on paper.
    status: Option<ConsentStatusWord>,
    since: Option<Time>,
    /// Who told the house.
    source: Option<String>,
    print_only_matters: Vec<MatterShown>,
    /// All that was said, in the order in which the house was told; absent without `--history`.
    history: Option<Vec<WordShown>>,
}

#[derive(Serialize, JsonSchema)]
struct MatterShown {
    matter: String,
    /// Its letters go to another address, which only an export has.
    other_address: bool,
    recorded_at: Time,
}

/// Either a status, or a matter.
#[derive(Serialize, JsonSchema)]
struct WordShown {
    recorded_at: Time,
    status: Option<ConsentStatusWord>,
    since: Option<Time>,
    matter: Option<String>,
    print_only: Option<bool>,
    other_address: Option<bool>,
    source: Option<String>,
    /// Of a withdrawal that a full list has implied: from when on it stands no more, since a later list
    /// had the recipient again.
    lifted_at: Option<Time>,
}

pub(super) fn run(
    arguments: &Show,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let recipient = arguments.recipient.read(invocation)?;
    let as_of = arguments.as_of.map(|given| begins(given, invocation));
    let as_of = as_of.transpose()?;
    let store = invocation.store()?;
    let consent = match as_of {
        Some(time) => store.consent_as_of(&recipient, time)?,
        None => store.consent(&recipient)?,
    };
    let mut shown = ConsentShown::of(consent);
    shown.as_of = as_of.map(Time);
    if arguments.history {
        let words = store.consent_history(&recipient)?;
        shown.history = Some(words.into_iter().map(WordShown::from).collect());
    }
    invocation.output.show(&shown)?;
    Ok(Outcome::Done)
}

impl ConsentShown {
    fn of(consent: Consent) -> Self {
        let said = consent.said;
        Self {
            as_of: None,
            status: said.as_ref().map(|said| ConsentStatusWord(said.status)),
            since: said.as_ref().map(|said| Time(said.since)),
            source: said.and_then(|said| said.source),
            print_only_matters: consent
                .print_only_matters
                .into_iter()
                .map(MatterShown::from)
                .collect(),
            history: None,
        }
    }
}

impl From<PrintOnlyMatter> for MatterShown {
    fn from(matter: PrintOnlyMatter) -> Self {
        Self {
            matter: matter.matter,
            other_address: matter.has_address,
            recorded_at: Time(matter.recorded_at),
        }
    }
}

impl From<ConsentWord> for WordShown {
    fn from(word: ConsentWord) -> Self {
        let (mut status, mut since) = (None, None);
        let (mut of_matter, mut is_print_only, mut other_address) = (None, None, None);
        match word.said {
            Said::Consent {
                status: said,
                since: begun,
            } => {
                status = Some(ConsentStatusWord(said));
                since = Some(Time(begun));
            }
            Said::Matter {
                matter,
                print_only,
                has_address,
            } => {
                other_address = Some(has_address);
                of_matter = Some(matter);
                is_print_only = Some(print_only);
            }
        }
        Self {
            recorded_at: Time(word.recorded_at),
            status,
            since,
            matter: of_matter,
            print_only: is_print_only,
            other_address,
            source: word.source,
            lifted_at: word.lifted_at.map(Time),
        }
    }
}

impl fmt::Display for ConsentShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.status, self.since) {
            (Some(status), Some(since)) => {
                writeln!(
                    f,
                    "{status} since {since}{}",
                    told_by(self.source.as_deref())
                )?;
            }
            _ => writeln!(f, "nothing recorded: letters go on paper")?,
        }
        for MatterShown {
            matter,
            other_address,
            recorded_at,
        } in &self.print_only_matters
        {
            let way = on_paper(*other_address);
            writeln!(
                f,
                "letters of the matter `{matter}` go {way} since {recorded_at}"
            )?;
        }
        let Some(history) = &self.history else {
            return Ok(());
        };
        writeln!(f, "history:")?;
        for word in history {
            writeln!(f, "  {word}")?;
        }
        Ok(())
    }
}

impl fmt::Display for WordShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  ", self.recorded_at)?;
        if let (Some(status), Some(since)) = (self.status, self.since) {
            write!(f, "{status} since {since}")?;
        }
        if let (Some(matter), Some(print_only)) = (&self.matter, self.print_only) {
            let way = if print_only {
                on_paper(self.other_address == Some(true))
            } else {
                "like all others"
            };
            write!(f, "letters of the matter `{matter}` {way}")?;
        }
        f.write_str(&told_by(self.source.as_deref()))?;
        match self.lifted_at {
            Some(time) => write!(f, ", until a later list had them at {time}"),
            None => Ok(()),
        }
    }
}

fn told_by(source: Option<&str>) -> String {
    source.map_or(String::new(), |source| format!(" ({source})"))
}
