use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::{
    Error, Store, Transaction,
    columns::{Columns, Word, millis},
    error::Doing,
};
use crate::domain::{BatchId, SenderId};

/// How far the inbox is with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArrivalState {
    /// It may stand under its own name or under the claimed one.
    Taking,
    /// Its batch is recorded; only the remote copy is left to remove.
    Recorded,
}

impl Word for ArrivalState {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Taking, "taking"), (Self::Recorded, "recorded")];
}

/// What the house has taken and not done with yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InHand {
    pub batches: u64,
    /// Of those batches.
    pub bytes: u64,
}

/// The intent to take one file: recorded before anything is done to it on the other side.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub id: i64,
    pub sender: SenderId,
    /// The name of the inbox in the settings.
    pub place: String,
    pub file_name: String,
    pub state: ArrivalState,
    pub batch: Option<BatchId>,
    pub started_at: Timestamp,
    /// The house that claimed it; `None` in rows from before houses had names.
    house: Option<String>,
}

impl Arrival {
    /// What its file is called once it is claimed: no two houses that take from one inbox claim
    /// under the same name.
    pub fn claimed_name(&self) -> String {
        match &self.house {
            Some(house) => format!("{house}-{}", self.id),
            None => self.id.to_string(),
        }
    }
}

impl Store {
    /// Records the intent to take a file.
    pub fn begin_arrival(
        &self,
        sender: &SenderId,
        place: &str,
        file_name: &str,
        now: Timestamp,
    ) -> Result<Arrival, Error> {
        let sql = "INSERT INTO arrivals (sender, place, file_name, state, started_at, house)
             VALUES (?1, ?2, ?3, 'taking', ?4, (SELECT name FROM house)) RETURNING *";
        self.write("record an arrival", |tx| {
            let given = params![sender.as_str(), place, file_name, millis(now)];
            tx.query_row(sql, given, arrival_row)
                .doing("record an arrival")
        })
    }

    /// Files of one inbox that are being taken.
    pub fn arrivals(&self, place: &str) -> Result<Vec<Arrival>, Error> {
        self.read(|db| {
            let sql = "SELECT * FROM arrivals WHERE place = ? ORDER BY id";
            let mut query = db.prepare_cached(sql).doing("list arrivals")?;
            let rows = query
                .query_map([place], arrival_row)
                .doing("list arrivals")?;
            rows.collect::<Result<_, _>>().doing("list arrivals")
        })
    }

    /// The claimed names of all files that are being taken, of every inbox.
    pub fn claimed_names(&self) -> Result<HashSet<String>, Error> {
        self.read(|db| {
            let mut query = db
                .prepare_cached("SELECT * FROM arrivals")
                .doing("list arrivals")?;
            let rows = query.query_map([], arrival_row).doing("list arrivals")?;
            let names = rows.map(|row| row.map(|arrival| arrival.claimed_name()));
            names.collect::<Result<_, _>>().doing("list arrivals")
        })
    }

    /// What this data folder is called in the names of files that it claims.
    pub fn house_name(&self) -> Result<String, Error> {
        self.read(|db| {
            db.query_row("SELECT name FROM house", [], |row| row.get(0))
                .doing("read the name of the house")
        })
    }

    /// Batches whose steps are not done.
    pub fn in_hand(&self) -> Result<InHand, Error> {
        let sql = "SELECT count(*), coalesce(sum(bytes), 0) FROM batches WHERE due_at IS NOT NULL";
        self.read(|db| {
            let row = |row: &Row<'_>| {
                Ok(InHand {
                    batches: row.get(0)?,
                    bytes: row.get(1)?,
                })
            };
            db.query_row(sql, [], row).doing("count what is in hand")
        })
    }

    /// Forgets an intent: the remote file is gone, or was never there.
    pub fn end_arrival(&self, arrival: &Arrival) -> Result<(), Error> {
        self.write("end an arrival", |tx| {
            tx.execute("DELETE FROM arrivals WHERE id = ?", [arrival.id])
                .doing("end an arrival")?;
            Ok(())
        })
    }
}

/// Marks the intent as recorded, in the transaction that records its batch.
pub(super) fn close(
    tx: &Transaction<'_>,
    arrival: Option<i64>,
    batch: BatchId,
) -> Result<(), Error> {
    let sql = "UPDATE arrivals SET state = 'recorded', batch = ?2 WHERE id = ?1";
    tx.execute(sql, params![arrival, batch.0])
        .doing("close an arrival")?;
    Ok(())
}

fn arrival_row(row: &Row<'_>) -> rusqlite::Result<Arrival> {
    let batch: Option<u64> = row.get("batch")?;
    Ok(Arrival {
        id: row.get("id")?,
        sender: row.parsed("sender")?,
        place: row.get("place")?,
        file_name: row.get("file_name")?,
        state: row.word("state")?,
        batch: batch.map(BatchId),
        started_at: row.time("started_at")?,
        house: row.get("house")?,
    })
}
