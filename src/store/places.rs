//! What is known of the places that things are handed over to.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    Error, Outgoing, Place, Store, Transaction,
    columns::{Columns, millis},
    error::Doing,
    held_back::{Which, hold_back},
};

/// A place that does not work: nothing is handed over to it.
#[derive(Debug, Clone)]
pub struct PlaceTrouble {
    pub place: Place,
    pub since: Timestamp,
    /// How often it was asked since.
    pub attempts: u32,
    /// `None`: not before an operator says so.
    pub next_try: Option<Timestamp>,
    pub error: String,
}

/// What a place did not do, and until when it is left alone.
#[derive(Debug, Clone, Copy)]
pub struct Trouble<'a> {
    pub error: &'a str,
    pub now: Timestamp,
    /// `None`: until an operator says so.
    pub next_try: Option<Timestamp>,
}

impl Store {
    /// How often a place was asked in vain since it worked.
    pub fn place_attempts(&self, place: &Place) -> Result<u32, Error> {
        let sql = "SELECT attempts FROM outgoing_places WHERE place = ? AND since IS NOT NULL";
        let doing = "look at a place";
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing(doing)?;
            let attempts = query.query_row([place.to_string()], |row| row.get(0));
            Ok(attempts.optional().doing(doing)?.unwrap_or(0))
        })
    }

    /// Records that a place does not work. The row that asked it is due again with it.
    pub fn put_place_off(&self, outgoing: &Outgoing, trouble: Trouble<'_>) -> Result<(), Error> {
        let doing = "put a place off";
        let put_off = "INSERT INTO outgoing_places (place, since, attempts, next_try, last_error)
             VALUES (?1, ?2, 1, ?3, ?4)
             ON CONFLICT (place) DO UPDATE SET since = COALESCE(since, ?2),
                attempts = attempts + 1, next_try = ?3, last_error = ?4";
        let free = "UPDATE outgoing SET lease_until = NULL, last_error = ?2,
                due_at = COALESCE(?3, due_at)
             WHERE id = ?1 AND lease_until IS NOT NULL";
        let Trouble { error, now, .. } = trouble;
        let next_try = trouble.next_try.map(millis);
        self.write(doing, |tx| {
            let given = params![outgoing.place.to_string(), millis(now), next_try, error];
            tx.execute(put_off, given).doing(doing)?;
            let given = params![outgoing.id, error, next_try];
            tx.execute(free, given).doing(doing)?;
            hold_back(tx, Which::HandOver(outgoing.id), now)
        })
    }

    /// Places that do not work, those first that have not for longest.
    pub fn places_in_trouble(&self) -> Result<Vec<PlaceTrouble>, Error> {
        self.read(in_trouble)
    }

    /// Each place is asked anew: what kept it away may be gone, or the settings may have changed.
    pub fn ask_places_again(&self) -> Result<(), Error> {
        let sql = "UPDATE outgoing_places SET since = NULL, attempts = 0, next_try = NULL,
                last_error = NULL
             WHERE since IS NOT NULL";
        self.write("ask places again", |tx| {
            tx.execute(sql, []).doing("ask places again")?;
            Ok(())
        })
    }
}

pub(super) fn in_trouble(db: &Connection) -> Result<Vec<PlaceTrouble>, Error> {
    let doing = "list places";
    let sql = "SELECT * FROM outgoing_places WHERE since IS NOT NULL ORDER BY since, place";
    let mut query = db.prepare_cached(sql).doing(doing)?;
    let rows = query.query_map([], place_trouble).doing(doing)?;
    rows.collect::<Result<_, _>>().doing(doing)
}

/// A place that answered works again.
pub(super) fn answered(tx: &Transaction<'_>, place: &Place) -> Result<(), Error> {
    let doing = "record that a place works";
    let sql = "UPDATE outgoing_places SET since = NULL, attempts = 0, next_try = NULL,
            last_error = NULL
         WHERE place = ? AND since IS NOT NULL";
    let mut update = tx.prepare_cached(sql).doing(doing)?;
    update.execute([place.to_string()]).doing(doing)?;
    Ok(())
}

fn place_trouble(row: &Row<'_>) -> rusqlite::Result<PlaceTrouble> {
    Ok(PlaceTrouble {
        place: row.parsed("place")?,
        since: row.time("since")?,
        attempts: row.get("attempts")?,
        next_try: row.maybe_time("next_try")?,
        error: row
            .get::<_, Option<String>>("last_error")?
            .unwrap_or_default(),
    })
}
