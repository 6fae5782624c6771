pub(super) mod export;
pub(super) mod feed;
mod given_id;
pub(super) mod import;
pub(super) mod list;
pub(super) mod set;
pub(super) mod show;

use std::path::PathBuf;

use jiff::{Timestamp, tz::TimeZone};

pub(super) use self::given_id::GivenId;
use super::{CommandError, Invocation, error::Outcome, moment::Moment, settings, words};
use crate::{
    domain::Matter,
    store::{ConsentStatus, Store},
};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Take consents from a CSV file with the columns `recipient_id,status,since`
    ///
    /// The status is `granted` or `withdrawn`; `since` is RFC 3339, such as
    /// `2026-03-01T06:00:00Z` (a time has to say its offset), or a date, which begins at midnight UTC. An
    /// older row never overrules what the register has. Rows that cannot be used are named by line and
    /// left out.
    ///
    /// There may be columns `source` (who knows it), `matter` and `print_only` (`true` or `false`),
    /// `email` and `language` (where the recipient wants to be told of messages; `-` takes an address
    /// back). Letters of the matter go to another address where `to_name`, `to_additional_name`,
    /// `to_address`, `to_postal_code`, `to_city`, `to_country` have one. A row may leave `status` and `since`
    /// empty where it says one of the others. `inferred` is `true` of a withdrawal that nobody said: a full
    /// list did not have the recipient.
    Import(Import),
    /// Take the CSV files that lie in a folder, each once, and answer with receipts
    ///
    /// A file `NAME.csv` is moved into `.kuori/` of the folder, imported, answered in `receipts/`, and
    /// removed. One that cannot be taken, or not to its end, stays in `.kuori/refused/`. To be called by a timer;
    /// what a call that was cut off has begun, the next one ends.
    Feed(Feed),
    /// Write the register into a CSV file that can be imported
    ///
    /// The file names people: it is made for its owner alone, and that it was made stands in the audit.
    Export(Export),
    /// Record what one recipient has said
    Set(Set),
    /// Show what one recipient has said
    Show(Show),
    /// Count the consents by who told the house; nobody is named
    List,
}

#[derive(clap::Args)]
pub(super) struct Import {
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
    /// Rows change what they name, and nothing else: what is done anyway
    #[arg(long, conflicts_with = "full")]
    delta: bool,
    /// The file has all consents: who is not in it has withdrawn. It is taken whole, or not at all
    #[arg(long)]
    full: bool,
    /// When the full list was made, as `2026-03-01T06:00Z`, as `2026-03-01T08:00` by the clocks of the
    /// site, or as a date, which begins at midnight UTC; whoever is not in it has withdrawn since then
    /// [default: when the file was last changed]
    #[arg(long, value_name = "TIME", requires = "full")]
    as_of: Option<Moment>,
    /// The greatest share of consents that may be missing in a full list [default: 20]
    #[arg(long, value_name = "PERCENT", requires = "full", conflicts_with = "allow_withdrawals",
          value_parser = clap::value_parser!(u8).range(0..=100))]
    most_withdrawn: Option<u8>,
    /// Take a full list however many are missing in it
    #[arg(long, requires = "full")]
    allow_withdrawals: bool,
    /// Read and check the file, and record nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(clap::Args)]
pub(super) struct Feed {
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Each file has all consents: who is not in it has withdrawn. It is taken whole, or not at all
    #[arg(long)]
    full: bool,
    /// The greatest share of consents that may be missing in a full list [default: 20]
    #[arg(long, value_name = "PERCENT", requires = "full",
          value_parser = clap::value_parser!(u8).range(0..=100))]
    most_withdrawn: Option<u8>,
    /// Leave files alone that were changed less than so many seconds ago: they may not be whole
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    settle_secs: u32,
    /// Read and check the files, record nothing, and leave them where they are
    #[arg(long)]
    dry_run: bool,
}

#[derive(clap::Args)]
pub(super) struct Export {
    /// Where it goes; there must be no such file. `-` is standard output
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The register as it was then: what the house had been told by that time [default: now]
    #[arg(long, value_name = "TIME")]
    as_of: Option<Moment>,
    /// How rows are written; `jsonl` is for other programs, and cannot be imported
    #[arg(long, value_name = "FORMAT", default_value = "csv",
          value_parser = words::one_of(&Format::ALL, Format::as_str))]
    format: Format,
}

/// How the rows of an export are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Jsonl,
}

impl Format {
    const ALL: [Self; 2] = [Self::Csv, Self::Jsonl];

    fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }
}

#[derive(clap::Args)]
pub(super) struct Show {
    /// The recipient's id; `-` reads it from standard input, so that it stays out of the shell's
    /// history
    #[arg(value_name = "ID")]
    recipient: GivenId,
    /// What the register had then: what the house had been told by that time
    #[arg(long, value_name = "TIME")]
    as_of: Option<Moment>,
    /// All that was said, when, and who told the house
    #[arg(long)]
    history: bool,
}

#[derive(clap::Args)]
pub(super) struct Set {
    /// The recipient's id; `-` reads it from standard input, so that it stays out of the shell's
    /// history
    #[arg(value_name = "ID")]
    recipient: GivenId,
    /// What the recipient has said
    #[arg(value_name = "STATUS", required_unless_present = "matter",
          value_parser = words::one_of(&STATUSES, ConsentStatus::as_str))]
    status: Option<ConsentStatus>,
    /// Since when, as `2026-03-01T06:00Z`, as `2026-03-01T08:00` by the clocks of the site, or as a date,
    /// which begins at midnight UTC [default: now]
    #[arg(long, value_name = "TIME", requires = "status")]
    since: Option<Moment>,
    /// What letters are about, as control data says it
    #[arg(long, value_name = "MATTER", requires = "wish")]
    matter: Option<Matter>,
    #[command(flatten)]
    wish: Wish,
    /// Say what would be recorded, and record nothing
    #[arg(long)]
    dry_run: bool,
}

/// What is to hold for one matter.
#[derive(clap::Args)]
#[group(id = "wish", multiple = false)]
struct Wish {
    /// Letters of the matter go on paper, whatever else was said
    #[arg(long, requires = "matter")]
    print_only: bool,
    /// They go on paper, to another address than their sender gives. It is read from standard input,
    /// behind the id, as it stands on an envelope: name, street, postal code and city, a line each; one
    /// more line may stand under the name and, abroad, a country's code at the end
    #[arg(long, requires = "matter")]
    address: bool,
    /// Take that back
    #[arg(long, requires = "matter")]
    no_print_only: bool,
}

const STATUSES: [ConsentStatus; 2] = [ConsentStatus::Granted, ConsentStatus::Withdrawn];

pub(super) fn run(
    command: &Command,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    match command {
        Command::Import(arguments) => import::run(arguments, invocation),
        Command::Feed(arguments) => feed::run(arguments, invocation),
        Command::Export(arguments) => export::run(arguments, invocation),
        Command::Set(arguments) => set::run(arguments, invocation),
        Command::Show(arguments) => show::run(arguments, invocation),
        Command::List => list::run(invocation),
    }
}

/// Where the register is; a rehearsal makes no data folder for one.
fn register(invocation: &mut Invocation<'_>, is_rehearsal: bool) -> Result<Store, CommandError> {
    if is_rehearsal {
        invocation.store()
    } else {
        invocation.store_or_new()
    }
}

/// When a time that was typed begins: a day at midnight UTC, as in files; a time without an offset is by
/// the clocks of the site, which the settings in the current folder name.
fn begins(given: Moment, invocation: &Invocation<'_>) -> Result<Timestamp, CommandError> {
    let zone = match given {
        Moment::Day(_) | Moment::Exact(_) => TimeZone::UTC,
        Moment::Local(_) => {
            let file = settings::in_current_folder();
            settings::load(file.as_deref(), invocation.options)?.time_zone
        }
    };
    Ok(given.begins(&zone))
}
