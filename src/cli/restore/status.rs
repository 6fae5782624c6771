use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{
        CommandError, Invocation,
        error::Outcome,
        words::{BatchStateWord, BundleStateWord, Time, counted},
    },
    store::{DoubtfulBatch, DoubtfulBundle, Doubts},
};

/// `kuori restore status`: what may have been done since the backup was made.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct RestoreStatus {
    /// The moment that its rows are of; absent where the house was not restored, or may go on.
    restored_as_of: Option<Time>,
    /// Batches that were not at their end.
    batches: Vec<BatchInDoubt>,
    /// Bundles that were not at the print house, or that nobody had seen fetched.
    bundles: Vec<BundleInDoubt>,
    /// Letters that are noted as printed since.
    noted: u64,
    /// Recipients had said something, and may have taken it back since.
    has_consents: bool,
    /// The feeds that bring what they say.
    consent_feeds: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct BatchInDoubt {
    batch: String,
    state: BatchStateWord,
    /// Messages that were not at their end; 0 where it was not opened yet.
    open: u64,
}

#[derive(Serialize, JsonSchema)]
struct BundleInDoubt {
    bundle: String,
    batch: String,
    print_house: String,
    state: BundleStateWord,
    /// It stood at its place, to be fetched.
    stood_there: bool,
    /// The print house has all its letters, as its lists say.
    is_printed: bool,
}

pub(super) fn run(invocation: &mut Invocation<'_>) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let restored_as_of = store.restored_at()?.map(Time);
    let doubts = match restored_as_of {
        Some(_) => store.doubts()?,
        None => Doubts::default(),
    };
    let status = RestoreStatus {
        restored_as_of,
        batches: doubts.batches.iter().map(batch).collect(),
        bundles: doubts.bundles.iter().map(bundle).collect(),
        noted: doubts.printed,
        has_consents: doubts.has_consents,
        consent_feeds: doubts.consent_feeds,
    };
    invocation.output.show(&status)?;
    if status.restored_as_of.is_some() {
        for told in WHOM_TO_ASK {
            invocation.output.hint(told);
        }
        if status.has_consents {
            invocation.output.hint(ASK_FOR_CONSENTS);
        }
        invocation.output.hint(if status.has_consents {
            "then `kuori restore accept --consents-complete --reason TEXT`"
        } else {
            "then `kuori restore accept --reason TEXT`"
        });
    }
    Ok(Outcome::Done)
}

const WHOM_TO_ASK: [&str; 2] = [
    "ask the print house for the piece lists of all bundles that it has got since, and note them: \
     `kuori restore printed LIST…`",
    "ask senders which acknowledgements they have of after that moment: those batches are not here, and \
     their letters may have gone",
];

const ASK_FOR_CONSENTS: &str = "ask whoever brings consents for all that was said since, a full list at best, and take it: `kuori \
     consent import`; else letters go into mailboxes of people who have withdrawn";

fn batch(row: &DoubtfulBatch) -> BatchInDoubt {
    BatchInDoubt {
        batch: row.batch.to_string(),
        state: BatchStateWord(row.state),
        open: row.open,
    }
}

fn bundle(row: &DoubtfulBundle) -> BundleInDoubt {
    BundleInDoubt {
        bundle: row.bundle.to_string(),
        batch: row.batch.to_string(),
        print_house: row.print_house.to_string(),
        state: BundleStateWord(row.state),
        stood_there: row.stood_there,
        is_printed: row.is_printed,
    }
}

impl fmt::Display for RestoreStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(moment) = self.restored_as_of else {
            return writeln!(f, "not restored, or accepted: the house may go on");
        };
        writeln!(
            f,
            "restored as of {moment}; nothing is done until `kuori restore accept`"
        )?;
        for batch in &self.batches {
            let open = counted(batch.open, "message", "messages");
            writeln!(f, "{}  {}, {open} not at an end", batch.batch, batch.state)?;
        }
        for bundle in &self.bundles {
            let stood = match (bundle.is_printed, bundle.stood_there) {
                (true, _) => "the print house has it",
                (false, true) => "stood there; was it fetched?",
                (false, false) => "was it handed over since?",
            };
            let (id, house) = (&bundle.bundle, &bundle.print_house);
            writeln!(
                f,
                "{id}  of {}, {}, for {house}: {stood}",
                bundle.batch, bundle.state
            )?;
        }
        if self.has_consents {
            let feeds = match self.consent_feeds.as_slice() {
                [] => String::new(),
                feeds => format!("; feeds: {}", feeds.join(", ")),
            };
            writeln!(
                f,
                "consents: what was said or withdrawn since is not known here{feeds}"
            )?;
        }
        writeln!(
            f,
            "noted as printed since: {}",
            counted(self.noted, "letter", "letters")
        )
    }
}
