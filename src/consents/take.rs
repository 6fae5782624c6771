use std::{fmt, fs::Metadata, io::Read};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    error::Error,
    rows::{BadRow, Row, Rows, Unusable},
};
use crate::store::{ConsentEntry, FullListWish, ListFault, NewEvent, Store};

/// Rows that are recorded in one transaction, in the order of their recipients: a register of a million is
/// written a few times over then, and with a tenth of the rows, many times.
const PAGE: usize = 50_000;
/// Bad rows that are named one by one; all are counted.
const NAMED: usize = 100;

/// How a file is to be taken.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// The file has all consents: who is not in it has withdrawn.
    pub is_full: bool,
    /// When a full list was made.
    pub as_of: Timestamp,
    /// The greatest share of consents that may be missing in a full list; `None` where any may.
    pub most_missing_percent: Option<u8>,
    /// Read and check it, and record nothing.
    pub dry_run: bool,
}

/// Who takes a file, and where to.
pub struct Desk<'a> {
    pub store: &'a Store,
    /// Stands in the register with each word that names no source of its own.
    pub source: String,
    pub action: NewEvent,
    /// Told how many bytes were read.
    pub progress: &'a dyn Fn(u64),
    /// Asked between two pages.
    pub is_stopped: &'a dyn Fn() -> bool,
}

/// What became of a file.
#[derive(Debug)]
pub struct Taken {
    pub told: Told,
    /// Why it is not to be taken so. Nothing of it was recorded, unless the reason says other.
    pub refusal: Option<Refusal>,
}

/// What a file has done to the register. Nobody is named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub rows: u64,
    /// Rows that changed the register; the others said what it knew, or something older. `None` where
    /// nothing was recorded.
    pub changed: Option<u64>,
    /// Withdrawals that do not count: the register has a consent that is newer.
    pub unheeded: u64,
    pub bad: u64,
    /// The first hundred of those.
    pub bad_rows: Vec<BadRow>,
    /// Of a full list: consents that were granted before.
    pub granted_before: Option<u64>,
    /// Of a full list: those of them that it does not have, which are withdrawn.
    pub missing: Option<u64>,
    /// Of a full list: whom an earlier one did not have, and whose consent stands again.
    pub brought_back: Option<u64>,
}

/// Why a file is not taken, or not to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    NoColumn(&'static str),
    ColumnTwice(&'static str),
    /// Of the row in this line. What stands before it was recorded, unless the list is full.
    OpenQuote(u64),
    /// A full list of nobody would withdraw everybody's consent.
    Empty,
    /// Of a full list with bad rows nothing is recorded: whoever they are of would seem missing.
    BadRows,
    TooManyMissing {
        missing: u64,
        granted: u64,
        most_percent: u8,
    },
    /// A list that was made later than this full one was taken before.
    Older {
        as_of: Timestamp,
        newest: Timestamp,
    },
}

/// Takes the rows as `wish` says. What was recorded of a file that is not full before a failure stays; it
/// can be taken again, since a row that the register has already changes nothing.
pub fn take<R: Read>(rows: Rows<R>, wish: &Wish, desk: &Desk<'_>) -> Result<Taken, Error> {
    if wish.is_full {
        return take_full(rows, wish, desk);
    }
    if wish.dry_run {
        return count(rows, desk.progress);
    }
    let mut told = Told {
        changed: Some(0),
        ..Told::default()
    };
    let refusal = read(rows, &mut told, desk.progress, |page, told| {
        if (desk.is_stopped)() {
            return Err(Error::Stopped);
        }
        let taken = desk.store.take_consents(page, &desk.source, &desk.action)?;
        told.changed = told.changed.map(|before| before + taken.changed);
        told.unheeded += taken.unheeded;
        Ok(())
    })?;
    Ok(Taken { told, refusal })
}

/// Reads and checks the rows of a file that is not full.
pub fn count<R: Read>(rows: Rows<R>, progress: &dyn Fn(u64)) -> Result<Taken, Error> {
    let mut told = Told::default();
    let refusal = read(rows, &mut told, progress, |_, _| Ok(()))?;
    Ok(Taken { told, refusal })
}

/// Takes all of the file in one transaction, or nothing of it, and then says why.
fn take_full<R: Read>(rows: Rows<R>, wish: &Wish, desk: &Desk<'_>) -> Result<Taken, Error> {
    let mut told = Told::default();
    let list = desk.store.begin_full_list()?;
    let refusal = read(rows, &mut told, desk.progress, |page, _| {
        if (desk.is_stopped)() {
            return Err(Error::Stopped);
        }
        Ok(list.add(page)?)
    })?;
    let refusal = refusal.or(match (told.rows, told.bad) {
        (0, _) => Some(Refusal::Empty),
        (_, 0) => None,
        _ => Some(Refusal::BadRows),
    });
    if refusal.is_some() {
        return Ok(Taken { told, refusal });
    }
    let wish = FullListWish {
        as_of: wish.as_of,
        most_missing_percent: wish.most_missing_percent,
        dry_run: wish.dry_run,
    };
    let end = list.take(wish, &desk.source, &desk.action)?;
    told.changed = end.changed;
    told.unheeded = end.unheeded;
    told.granted_before = Some(end.granted);
    told.missing = Some(end.missing);
    told.brought_back = end.changed.map(|_| end.brought_back);
    let refusal = end.fault.map(|fault| match fault {
        ListFault::TooManyMissing => Refusal::TooManyMissing {
            missing: end.missing,
            granted: end.granted,
            most_percent: wish.most_missing_percent.unwrap_or(100),
        },
        ListFault::Older { newest } => Refusal::Older {
            as_of: wish.as_of,
            newest,
        },
    });
    Ok(Taken { told, refusal })
}

/// Gives the good rows, page by page, and counts all.
fn read<R: Read>(
    mut rows: Rows<R>,
    told: &mut Told,
    progress: &dyn Fn(u64),
    mut take: impl FnMut(&[ConsentEntry], &mut Told) -> Result<(), Error>,
) -> Result<Option<Refusal>, Error> {
    let mut page = Vec::with_capacity(PAGE);
    let mut end = None;
    while let Some(row) = rows.next()? {
        match row {
            Row::Good(entry) => page.push(entry),
            Row::Bad(bad) => told.note_bad(bad),
            Row::End(unusable) => {
                end = Some(unusable.into());
                break;
            }
        }
        told.rows += 1;
        if page.len() == PAGE {
            take(&page, told)?;
            page.clear();
            progress(rows.bytes_read());
        }
    }
    if !page.is_empty() {
        take(&page, told)?;
    }
    Ok(end)
}

impl Told {
    fn note_bad(&mut self, bad: BadRow) {
        self.bad += 1;
        if self.bad_rows.len() < NAMED {
            self.bad_rows.push(bad);
        }
    }
}

impl From<Unusable> for Refusal {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::NoColumn(name) => Self::NoColumn(name),
            Unusable::ColumnTwice(name) => Self::ColumnTwice(name),
            Unusable::OpenQuote(line) => Self::OpenQuote(line),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoColumn(name) => write!(f, "there is no column `{name}`"),
            Self::ColumnTwice(name) => write!(f, "there are two columns `{name}`"),
            Self::OpenQuote(line) => write!(
                f,
                "a quotation mark in line {line} has no other; nothing from there on was recorded"
            ),
            Self::Empty => f.write_str("the list is empty; nothing was recorded"),
            Self::BadRows => f.write_str("a full list may have no bad rows; nothing was recorded"),
            Self::TooManyMissing {
                missing,
                granted,
                most_percent,
            } => write!(
                f,
                "the list does not have {missing} of {granted} consents, which is over \
                 {most_percent} %; nothing was recorded"
            ),
            Self::Older { as_of, newest } => write!(
                f,
                "the list was made at {as_of:.0}, and one of {newest:.0} was taken before; nothing was \
                 recorded"
            ),
        }
    }
}

/// When a file was made, as the file system says. What is said later than that stands, so the time may be
/// too early, but not too late.
pub fn changed_at(metadata: &Metadata, now: Timestamp) -> Timestamp {
    let modified = metadata.modified().ok();
    let modified = modified.and_then(|time| Timestamp::try_from(time).ok());
    modified.map_or(now, |time| time.min(now))
}
