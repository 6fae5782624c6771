//! What was handed over and still stands there.

use jiff::{SignedDuration, Timestamp};
use rusqlite::params;

use super::{
    Error, Outgoing, Place, Store,
    columns::{Columns, millis},
    error::Doing,
    events,
    outgoing::{outgoing_row, with_files},
};

/// Whether it is looked for what was handed over, until the other side has taken it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Await {
    /// Nobody looks.
    #[default]
    Nothing,
    PickUp,
    /// What stands there for longer is told.
    PickUpWithin(SignedDuration),
}

impl Await {
    pub fn is_watched(self) -> bool {
        self != Self::Nothing
    }

    pub(super) fn overdue_at(self, handed_over: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Nothing | Self::PickUp => None,
            Self::PickUpWithin(time) => handed_over.checked_add(time).ok(),
        }
    }
}

/// What has been waiting at a place for too long.
#[derive(Debug, Clone)]
pub struct Overdue {
    pub count: u64,
    /// When the oldest of it was handed over.
    pub since: Timestamp,
}

impl Store {
    /// A page of what waits at a place to be picked up, oldest first, after row `after`.
    pub fn awaited(&self, place: &Place, after: i64, limit: u32) -> Result<Vec<Outgoing>, Error> {
        let doing = "list what waits to be picked up";
        let sql = "SELECT * FROM outgoing
             WHERE place = ?1 AND awaits_pickup = 1 AND id > ?2 ORDER BY id LIMIT ?3";
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing(doing)?;
            let given = params![place.to_string(), after, limit];
            let rows = query.query_map(given, outgoing_row).doing(doing)?;
            let rows: Vec<_> = rows.collect::<Result<_, _>>().doing(doing)?;
            rows.into_iter().map(|row| with_files(db, row)).collect()
        })
    }

    /// Records, once, that the other side has taken away what was handed over.
    pub fn record_picked_up(&self, outgoing: &Outgoing, now: Timestamp) -> Result<(), Error> {
        let doing = "record a pick-up";
        let sql = "UPDATE outgoing SET awaits_pickup = 0, overdue_at = NULL, picked_up_at = ?2
             WHERE id = ?1 AND awaits_pickup = 1";
        self.write(doing, |tx| {
            let first = tx.execute(sql, params![outgoing.id, millis(now)]);
            if first.doing(doing)? == 0 {
                return Ok(());
            }
            match outgoing.bundle {
                Some(_) => {
                    let what = format!("picked up {}", outgoing.what());
                    events::note(tx, now, outgoing.batch, None, &what)
                }
                None => Ok(()),
            }
        })
    }

    /// Brings what waits at a place in line with the settings as they are now.
    pub fn expect_pickup(&self, place: &Place, wanted: Await) -> Result<(), Error> {
        let doing = "set what is awaited";
        let sql = "UPDATE outgoing SET awaits_pickup = ?2, overdue_at = handed_over_at + ?3
             WHERE place = ?1 AND awaits_pickup = 1
               AND (NOT ?2 OR overdue_at IS NOT handed_over_at + ?3)";
        let within = match wanted {
            Await::Nothing | Await::PickUp => None,
            Await::PickUpWithin(time) => Some(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)),
        };
        self.write(doing, |tx| {
            let given = params![place.to_string(), wanted.is_watched(), within];
            tx.execute(sql, given).doing(doing)?;
            Ok(())
        })
    }

    /// What has been waiting at a place for too long; `None` where nothing has.
    pub fn overdue(&self, place: &Place, now: Timestamp) -> Result<Option<Overdue>, Error> {
        let doing = "look for what is not picked up";
        let sql = "SELECT COUNT(*) AS count, MIN(handed_over_at) AS since FROM outgoing
             WHERE place = ?1 AND awaits_pickup = 1 AND overdue_at <= ?2";
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing(doing)?;
            let found = query.query_row(params![place.to_string(), millis(now)], |row| {
                let (count, since) = (row.get("count")?, row.maybe_time("since")?);
                Ok(since.map(|since| Overdue { count, since }))
            });
            found.doing(doing)
        })
    }
}
