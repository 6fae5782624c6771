mod given_id;
pub(super) mod import;
pub(super) mod register;

use std::path::PathBuf;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

pub(super) use self::given_id::GivenId;
use super::{CommandError, Invocation, error::Outcome, words};
use crate::store::ConsentStatus;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Take consents from a CSV file with the columns `recipient_id,status,since`
    ///
    /// The status is `granted` or `withdrawn`; `since` is RFC 3339, such as
    /// `2026-03-01T06:00:00Z`, or a date, which begins at midnight UTC. An older row never
    /// overrules what the register has. Rows that cannot be used are named by line and left out.
    Import(Import),
    /// Record what one recipient has said
    Set(Set),
    /// Show what one recipient has said
    Show {
        /// The recipient's id; `-` reads it from standard input, so that it stays out of the
        /// shell's history
        #[arg(value_name = "ID")]
        recipient: GivenId,
    },
    /// Count the consents; nobody is named
    List,
}

#[derive(clap::Args)]
pub(super) struct Import {
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
    /// Read and check the file, and record nothing
    #[arg(long)]
    dry_run: bool,
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
    /// Since when, as `2026-03-01T06:00:00Z` or as a date [default: now]
    #[arg(long, value_name = "TIME", requires = "status", value_parser = since)]
    since: Option<Timestamp>,
    /// What letters are about, as control data says it
    #[arg(long, value_name = "MATTER", requires = "wish")]
    matter: Option<String>,
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
        Command::Set(arguments) => register::set(arguments, invocation),
        Command::Show { recipient } => register::show(recipient, invocation),
        Command::List => register::list(invocation),
    }
}

fn since(given: &str) -> Result<Timestamp, &'static str> {
    moment(given).ok_or("a time is `2026-03-01T06:00:00Z`, or a date, `2026-03-01`")
}

/// RFC 3339, or a date, which begins at midnight UTC.
fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let date: Date = text.parse().ok()?;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}
