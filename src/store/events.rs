use jiff::Timestamp;
use rusqlite::{Row, Transaction, params};

use super::{
    Error, Store,
    columns::{Columns, millis},
    error::Doing,
};
use crate::domain::BatchId;

/// Something that happened to a batch or a message.
#[derive(Debug, Clone)]
pub struct Event {
    pub at: Timestamp,
    /// `kuori` for the daemon, else who gave the command.
    pub actor: String,
    pub position: Option<u32>,
    pub what: String,
    pub why: Option<String>,
}

/// An operator's action, to be recorded in the transaction that carries it out.
#[derive(Debug, Clone)]
pub struct NewEvent {
    pub at: Timestamp,
    pub actor: String,
    pub why: String,
}

impl Store {
    /// The history of a batch, oldest first.
    pub fn events(&self, batch: BatchId) -> Result<Vec<Event>, Error> {
        self.read(|db| {
            let sql = "SELECT * FROM events WHERE batch = ?1 ORDER BY id";
            let mut query = db.prepare_cached(sql).doing("list events")?;
            let rows = query.query_map([batch.0], event).doing("list events")?;
            rows.collect::<Result<_, _>>().doing("list events")
        })
    }
}

/// Notes what the daemon did.
pub(super) fn note(
    tx: &Transaction<'_>,
    at: Timestamp,
    batch: BatchId,
    position: Option<u32>,
    what: &str,
) -> Result<(), Error> {
    insert(tx, at, batch, position, ("kuori", what, None))
}

/// Notes what an operator did and why.
pub(super) fn note_action(
    tx: &Transaction<'_>,
    action: &NewEvent,
    batch: BatchId,
    position: Option<u32>,
    what: &str,
) -> Result<(), Error> {
    let told = (action.actor.as_str(), what, Some(action.why.as_str()));
    insert(tx, action.at, batch, position, told)
}

fn insert(
    tx: &Transaction<'_>,
    at: Timestamp,
    batch: BatchId,
    position: Option<u32>,
    (actor, what, why): (&str, &str, Option<&str>),
) -> Result<(), Error> {
    let sql = "INSERT INTO events (at, batch, position, actor, what, why)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut insert = tx.prepare_cached(sql).doing("note an event")?;
    let given = params![millis(at), batch.0, position, actor, what, why];
    insert.execute(given).doing("note an event")?;
    Ok(())
}

fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    Ok(Event {
        at: row.time("at")?,
        actor: row.get("actor")?,
        position: row.get("position")?,
        what: row.get("what")?,
        why: row.get("why")?,
    })
}
