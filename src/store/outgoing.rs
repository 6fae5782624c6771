use std::{fmt, str::FromStr};

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::{
    Error, SpoolKey, SpooledFile, Store, Transaction,
    columns::{Columns, Word, millis},
    error::Doing,
    held_back::{Which, hold_back},
};
pub use crate::domain::OutgoingState;
use crate::domain::{BatchId, BundleId, InvalidId, PrintHouseId, SenderId};

/// What is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutgoingKind {
    Acknowledgement,
    ProcessingReport,
    DeliveryReport,
    Bundle,
}

impl Word for OutgoingKind {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Acknowledgement, "acknowledgement"),
        (Self::ProcessingReport, "processing"),
        (Self::DeliveryReport, "delivery"),
        (Self::Bundle, "bundle"),
    ];
}

impl OutgoingKind {
    pub fn as_str(self) -> &'static str {
        self.word()
    }
}

/// Whose folder something is handed over to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    Sender(SenderId),
    PrintHouse(PrintHouseId),
    /// A folder of our own: bundles of test batches never leave the house.
    TestShelf,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sender(id) => write!(f, "sender:{id}"),
            Self::PrintHouse(id) => write!(f, "print-house:{id}"),
            Self::TestShelf => f.write_str("test-shelf"),
        }
    }
}

impl FromStr for Place {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text == "test-shelf" {
            return Ok(Self::TestShelf);
        }
        match text.strip_prefix("print-house:") {
            Some(id) => id.parse().map(Self::PrintHouse),
            None => text
                .strip_prefix("sender:")
                .unwrap_or(text)
                .parse()
                .map(Self::Sender),
        }
    }
}

/// Files that are to be handed over together, in this order; the last one is the marker.
#[derive(Debug, Clone)]
pub struct NewOutgoing {
    pub batch: BatchId,
    pub bundle: Option<BundleId>,
    pub kind: OutgoingKind,
    pub place: Place,
    pub files: Vec<OutgoingFile>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingFile {
    /// Relative to the place's folder, `/` between folders.
    pub path: String,
    pub file: SpooledFile,
}

/// A hand-over as it stands in the store.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub id: i64,
    pub batch: BatchId,
    pub bundle: Option<BundleId>,
    pub kind: OutgoingKind,
    pub place: Place,
    pub state: OutgoingState,
    pub due_at: Option<Timestamp>,
    pub waits_since: Option<Timestamp>,
    /// It waits for an operator; the last error says why.
    pub held_at: Option<Timestamp>,
    /// It waits because its batch or sender is on hold, and goes when that is released.
    pub is_held_back: bool,
    pub attempts: u32,
    pub last_error: Option<String>,
    pub handed_over_at: Option<Timestamp>,
    /// It is looked for until the other side has taken it away.
    pub awaits_pickup: bool,
    /// From then on it has been waiting to be picked up for too long.
    pub overdue_at: Option<Timestamp>,
    /// When it was first seen that the other side had taken it away.
    pub picked_up_at: Option<Timestamp>,
    pub files: Vec<OutgoingFile>,
}

/// Where a hand-over is, as operators see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    Due,
    /// The marker is on its way, or stands there: see [`OutgoingState::HandingOver`].
    HandingOver,
    /// It waits for an operator.
    Held,
    HandedOver,
    /// Withdrawn, and what was written of it is to be removed from its place.
    Withdrawing,
    Withdrawn,
}

impl Standing {
    pub const ALL: [Self; 6] = [
        Self::Due,
        Self::HandingOver,
        Self::Held,
        Self::HandedOver,
        Self::Withdrawing,
        Self::Withdrawn,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::HandingOver => "handing-over",
            Self::Held => "held",
            Self::HandedOver => "handed-over",
            Self::Withdrawing => "withdrawing",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl Outgoing {
    pub fn standing(&self) -> Standing {
        match self.state {
            _ if self.held_at.is_some() => Standing::Held,
            OutgoingState::Due => Standing::Due,
            OutgoingState::HandingOver => Standing::HandingOver,
            OutgoingState::HandedOver => Standing::HandedOver,
            OutgoingState::Withdrawn if self.due_at.is_some() => Standing::Withdrawing,
            OutgoingState::Withdrawn => Standing::Withdrawn,
        }
    }
}

impl Store {
    /// Records an acknowledgement, unless the batch has one.
    pub fn record_acknowledgement(&self, new: &NewOutgoing, now: Timestamp) -> Result<(), Error> {
        self.write("record an acknowledgement", |tx| {
            if has_acknowledgement(tx, new.batch)? {
                return Ok(());
            }
            insert(tx, new, now)
        })
    }

    pub fn has_acknowledgement(&self, batch: BatchId) -> Result<bool, Error> {
        self.read(|db| has_acknowledgement(db, batch))
    }

    /// Records a processing report and moves the batch on, in one transaction.
    pub fn record_report(
        &self,
        row: &super::BatchRow,
        report: Option<&NewOutgoing>,
        outcome: &super::StepOutcome,
        now: Timestamp,
    ) -> Result<(), Error> {
        let count = "UPDATE batches SET reports = reports + 1 WHERE id = ?";
        self.write("record a report", |tx| {
            if let Some(report) = report {
                insert(tx, report, now)?;
                tx.execute(count, [row.id.0]).doing("count a report")?;
            }
            super::steps::finish(tx, row, outcome, now)
        })
    }

    /// What a batch has handed over or is to hand over, in order.
    pub fn outgoing_of(&self, batch: BatchId) -> Result<Vec<Outgoing>, Error> {
        self.read(|db| {
            let sql = "SELECT * FROM outgoing WHERE batch = ? ORDER BY id";
            let mut query = db.prepare_cached(sql).doing("list hand-overs")?;
            let rows = query
                .query_map([batch.0], outgoing_row)
                .doing("list hand-overs")?;
            let rows: Vec<_> = rows.collect::<Result<_, _>>().doing("list hand-overs")?;
            rows.into_iter().map(|row| with_files(db, row)).collect()
        })
    }

    pub fn next_outgoing_due(&self) -> Result<Option<Timestamp>, Error> {
        self.read(|db| {
            let sql = "SELECT MIN(due_at) AS due_at FROM outgoing WHERE due_at IS NOT NULL";
            db.query_row(sql, [], |row| row.maybe_time("due_at"))
                .doing("find what is due")
        })
    }
}

fn has_acknowledgement(db: &rusqlite::Connection, batch: BatchId) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM outgoing WHERE batch = ?1 AND kind = ?2";
    let doing = "look for an acknowledgement";
    let mut known = db.prepare_cached(sql).doing(doing)?;
    let exists = known.exists(params![batch.0, OutgoingKind::Acknowledgement.word()]);
    exists.doing(doing)
}

pub(super) fn insert(tx: &Transaction<'_>, new: &NewOutgoing, now: Timestamp) -> Result<(), Error> {
    let doing = "record what is to be handed over";
    let sql = "INSERT INTO outgoing (batch, bundle, kind, place, state, due_at, waits_since)
         VALUES (?1, ?2, ?3, ?4, 'due', ?5, ?5) RETURNING id";
    let given = params![
        new.batch.0,
        new.bundle.map(|id| id.0),
        new.kind.word(),
        new.place.to_string(),
        millis(now)
    ];
    let id: i64 = tx.query_row(sql, given, |row| row.get(0)).doing(doing)?;
    let sql = "INSERT INTO outgoing_files (outgoing, ordinal, path, spool, bytes, sha256)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut insert = tx.prepare_cached(sql).doing(doing)?;
    for (ordinal, OutgoingFile { path, file }) in (1_u32..).zip(&new.files) {
        let given = params![id, ordinal, path, file.key.0, file.bytes, file.sha256];
        insert.execute(given).doing(doing)?;
    }
    hold_back(tx, Which::HandOver(id), now)
}

pub(super) fn with_files(db: &rusqlite::Connection, row: Outgoing) -> Result<Outgoing, Error> {
    let sql = "SELECT * FROM outgoing_files WHERE outgoing = ? ORDER BY ordinal";
    let mut query = db.prepare_cached(sql).doing("list files")?;
    let files = query
        .query_map([row.id], outgoing_file)
        .doing("list files")?;
    Ok(Outgoing {
        files: files.collect::<Result<_, _>>().doing("list files")?,
        ..row
    })
}

pub(super) fn outgoing_row(row: &Row<'_>) -> rusqlite::Result<Outgoing> {
    Ok(Outgoing {
        id: row.get("id")?,
        batch: row.batch("batch")?,
        bundle: row.maybe_bundle("bundle")?,
        kind: row.word("kind")?,
        place: row.parsed("place")?,
        state: row.word("state")?,
        due_at: row.maybe_time("due_at")?,
        waits_since: row.maybe_time("waits_since")?,
        held_at: row.maybe_time("held_at")?,
        is_held_back: row.get::<_, Option<String>>("held_for")?.is_some(),
        attempts: row.get("attempts")?,
        last_error: row.get("last_error")?,
        handed_over_at: row.maybe_time("handed_over_at")?,
        awaits_pickup: row.get("awaits_pickup")?,
        overdue_at: row.maybe_time("overdue_at")?,
        picked_up_at: row.maybe_time("picked_up_at")?,
        files: Vec::new(),
    })
}

fn outgoing_file(row: &Row<'_>) -> rusqlite::Result<OutgoingFile> {
    Ok(OutgoingFile {
        path: row.get("path")?,
        file: SpooledFile {
            key: SpoolKey(row.get("spool")?),
            bytes: row.get("bytes")?,
            sha256: row.get("sha256")?,
        },
    })
}
