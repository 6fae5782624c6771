use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{CommandError, Invocation, error::Outcome, table::Table, when::When, words::Time},
    domain::{BatchId, MessageId, SenderId},
    store::{AuditFilter, AuditHead, AuditRow, Store},
};

/// Rows loaded and printed at a time.
const PAGE: u32 = 1_000;

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Only from then on: `2026-11-23`, `2026-11-23T08:00:00Z`, or `36h` for that long ago
    #[arg(long, value_name = "TIME")]
    since: Option<When>,
    /// Only before then
    #[arg(long, value_name = "TIME")]
    until: Option<When>,
    /// Only what this user did
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Only what is about this: `B-0007`, `sender:NAME`, `account:NAME` or `house`
    #[arg(long, value_name = "WHAT", value_parser = about)]
    about: Option<String>,
    /// How many; 0 for all
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
}

/// A message is told with its batch, and a name alone is a sender's.
fn about(given: &str) -> Result<String, &'static str> {
    if let Ok(MessageId { batch, .. }) = given.parse() {
        return Ok(batch.to_string());
    }
    if let Ok(batch) = given.parse::<BatchId>() {
        return Ok(batch.to_string());
    }
    if given == "house" || given.starts_with("account:") || given.starts_with("sender:") {
        return Ok(given.to_owned());
    }
    let sender = given.parse::<SenderId>();
    sender
        .map(|sender| format!("sender:{sender}"))
        .map_err(|_| "that is `B-0007`, `sender:NAME`, `account:NAME` or `house`")
}

/// `kuori audit list`: what operators did, the newest first.
///
/// It is written as it is read, and so never made as a whole.
#[derive(Serialize, JsonSchema)]
#[cfg_attr(not(test), expect(dead_code, reason = "its schema is made of it"))]
pub(in crate::cli) struct AuditList {
    /// How many rows the whole audit has.
    rows: u64,
    /// The hash of its last row.
    head: String,
    entries: Vec<AuditLine>,
}

#[derive(Serialize, JsonSchema)]
struct AuditLine {
    /// 1, 2, … without a gap.
    row: u64,
    at: Time,
    actor: String,
    /// `B-0007`, `sender:<name>`, `account:<name>` or `house`.
    about: String,
    what: String,
    why: Option<String>,
    /// The hash of the row before this one.
    previous: String,
    hash: String,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let head = store.audit_head()?;
    let pages = Pages::new(arguments, &store, invocation.now);
    if invocation.output.is_json() {
        as_json(&head, pages, invocation)?;
    } else {
        for (page, heading) in pages.zip(std::iter::once(true).chain(std::iter::repeat(false))) {
            invocation.output.text(&Shown(&page?, heading))?;
        }
        let AuditHead { rows, hash } = head;
        invocation
            .output
            .note(format!("{rows} rows in all, head {hash}"));
    }
    Ok(Outcome::Done)
}

/// One document, written as it is read: a long audit is not held in memory.
fn as_json(
    head: &AuditHead,
    pages: Pages<'_>,
    invocation: &mut Invocation<'_>,
) -> Result<(), CommandError> {
    let hash = &head.hash;
    let begin = format!("{{\"rows\":{},\"head\":\"{hash}\",\"entries\":[", head.rows);
    invocation.output.bytes(begin.as_bytes())?;
    let mut comma = "";
    for page in pages {
        let mut text = String::new();
        for line in page? {
            let line = serde_json::to_string(&line).map_err(CommandError::failed)?;
            text.push_str(comma);
            text.push('\n');
            text.push_str(&line);
            comma = ",";
        }
        invocation.output.bytes(text.as_bytes())?;
    }
    invocation.output.bytes(b"\n]}\n")
}

/// The rows that are wanted, page by page.
struct Pages<'a> {
    store: &'a Store,
    filter: AuditFilter,
    before: Option<u64>,
    /// How many are still wanted; `None`: all there are.
    left: Option<u32>,
    is_over: bool,
}

impl<'a> Pages<'a> {
    fn new(arguments: &Arguments, store: &'a Store, now: Timestamp) -> Self {
        Self {
            store,
            filter: AuditFilter {
                since: arguments.since.map(|it| it.seen_from(now)),
                until: arguments.until.map(|it| it.seen_from(now)),
                actor: arguments.actor.clone(),
                about: arguments.about.clone(),
            },
            before: None,
            left: (arguments.limit > 0).then_some(arguments.limit),
            is_over: false,
        }
    }
}

impl Iterator for Pages<'_> {
    type Item = Result<Vec<AuditLine>, CommandError>;

    fn next(&mut self) -> Option<Self::Item> {
        let limit = self.left.unwrap_or(PAGE).min(PAGE);
        if self.is_over || limit == 0 {
            return None;
        }
        let page = match self.store.audit(&self.filter, self.before, limit) {
            Ok(page) => page,
            Err(error) => {
                self.is_over = true;
                return Some(Err(error.into()));
            }
        };
        self.before = Some(page.last()?.id);
        let read = u32::try_from(page.len()).unwrap_or(limit);
        self.left = self.left.map(|left| left.saturating_sub(read));
        Some(Ok(page.into_iter().map(AuditLine::from).collect()))
    }
}

impl From<AuditRow> for AuditLine {
    fn from(row: AuditRow) -> Self {
        Self {
            row: row.id,
            at: Time(row.at),
            actor: row.actor,
            about: row.about,
            what: row.what,
            why: row.why,
            previous: row.previous,
            hash: row.hash,
        }
    }
}

/// A page as text, under a heading or not.
struct Shown<'a>(&'a [AuditLine], bool);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |line: &AuditLine| {
            [
                line.row.to_string(),
                line.at.to_string(),
                line.actor.clone(),
                line.about.clone(),
                line.what.clone(),
                line.why.clone().unwrap_or_default(),
            ]
        };
        let heading = ["ROW", "AT", "BY", "ABOUT", "WHAT", "WHY"];
        let table = Table::new(heading, self.0.iter().map(row)).to_string();
        let skipped = usize::from(!self.1);
        table
            .lines()
            .skip(skipped)
            .try_for_each(|line| writeln!(f, "{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_deed_is_about_is_named_as_it_is_elsewhere() {
        for (given, meant) in [
            ("B-0007-12", "B-0007"),
            ("B-7", "B-0007"),
            ("example-city", "sender:example-city"),
            ("sender:example-city", "sender:example-city"),
            ("account:example-print", "account:example-print"),
            ("house", "house"),
        ] {
            assert_eq!(about(given).unwrap(), meant);
        }
        assert!(about("Example City").is_err());
    }
}
