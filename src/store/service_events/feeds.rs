//! How far the events of each service are read.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::NewServiceEvents;
use crate::{
    domain::ServiceName,
    store::{
        Error, Store, Transaction,
        columns::{Columns, millis},
        error::Doing,
    },
};

/// How far the events of one service are read, and how that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceFeed {
    pub service: ServiceName,
    /// Where to go on; `None`: at the beginning.
    pub continuation: Option<String>,
    /// When all that there was had been read.
    pub read_at: Option<Timestamp>,
    /// Since then no page could be read.
    pub failing_since: Option<Timestamp>,
    pub error: Option<String>,
    /// Failures in a row.
    pub tries: u32,
    /// Nobody asks before.
    pub retry_at: Option<Timestamp>,
    /// Events of messages that this house does not have, and when the last one came.
    pub orphans: u64,
    pub last_orphan_at: Option<Timestamp>,
    /// Events of kinds that the house does not know, or that could not be read.
    pub unknown: u64,
}

const SELECT: &str = "SELECT f.*,
        (SELECT COALESCE(SUM(events), 0) FROM service_event_counts c
          WHERE c.service = f.service AND c.became IN ('orphan', 'of-other-service')) AS orphans,
        (SELECT MAX(last_at) FROM service_event_counts c
          WHERE c.service = f.service AND c.became IN ('orphan', 'of-other-service')) AS last_orphan_at,
        (SELECT COALESCE(SUM(events), 0) FROM service_event_counts c
          WHERE c.service = f.service AND c.became IN ('unknown-kind', 'unreadable')) AS unknown
     FROM service_feeds f";

impl ServiceFeed {
    /// An operator wants it tried, whatever the service has answered.
    pub fn is_wanted_again(&self) -> bool {
        self.failing_since.is_some() && self.retry_at.is_none()
    }
}

impl Store {
    /// How far the events of a service are read; `None` where nobody has asked for them yet.
    pub fn service_feed(&self, service: &ServiceName) -> Result<Option<ServiceFeed>, Error> {
        let doing = "see how far events are read";
        let sql = format!("{SELECT} WHERE f.service = ?");
        self.read(|db| {
            let mut query = db.prepare_cached(&sql).doing(doing)?;
            let found = query.query_row([service.as_str()], feed);
            found.optional().doing(doing)
        })
    }

    /// Notes that a page of events could not be read, and when to ask for it again.
    pub fn put_service_feed_off(
        &self,
        service: &ServiceName,
        error: &str,
        retry_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Error> {
        let doing = "put the events of a mailbox service off";
        let sql = "INSERT INTO service_feeds (service, failing_since, last_error, tries, retry_at)
             VALUES (?1, ?2, ?3, 1, ?4)
             ON CONFLICT (service) DO UPDATE SET failing_since = COALESCE(failing_since, ?2),
                last_error = ?3, tries = tries + 1, retry_at = ?4";
        self.write(doing, |tx| {
            let given = params![service.as_str(), millis(now), error, millis(retry_at)];
            tx.execute(sql, given).doing(doing)?;
            Ok(())
        })
    }

    /// Forgets where to go on, where a service has told of messages that the house did not know before it
    /// opened their batch. What comes again is known. Returns whether that is so.
    pub fn hear_early_events_again(&self, service: &ServiceName) -> Result<bool, Error> {
        let doing = "hear early events again";
        let opened = "service = ?1 AND EXISTS (SELECT 1 FROM batches b
                  JOIN messages m ON m.batch = b.id
                 WHERE b.id = early_events.batch AND b.state <> 'received')";
        let is_there = format!("SELECT 1 FROM early_events WHERE {opened}");
        let is_there = self.read(|db| {
            let mut query = db.prepare_cached(&is_there).doing(doing)?;
            query.exists([service.as_str()]).doing(doing)
        })?;
        if !is_there {
            return Ok(false);
        }
        let forget = format!("DELETE FROM early_events WHERE {opened}");
        let begin = "UPDATE service_feeds SET continuation = NULL WHERE service = ?1";
        self.write(doing, |tx| {
            for sql in [forget.as_str(), begin] {
                tx.execute(sql, [service.as_str()]).doing(doing)?;
            }
            Ok(true)
        })
    }

    /// Forgets where to go on: the service does not take that any more. What comes again is known.
    pub fn begin_service_feed_anew(&self, service: &ServiceName) -> Result<(), Error> {
        let doing = "read the events of a mailbox service from their beginning";
        let sql = "UPDATE service_feeds SET continuation = NULL WHERE service = ?";
        self.write(doing, |tx| {
            tx.execute(sql, [service.as_str()]).doing(doing)?;
            Ok(())
        })
    }
}

/// All feeds, by name.
pub(in crate::store) fn all(db: &Connection) -> Result<Vec<ServiceFeed>, Error> {
    let doing = "list how far events are read";
    let sql = format!("{SELECT} ORDER BY f.service");
    let mut query = db.prepare_cached(&sql).doing(doing)?;
    let rows = query.query_map([], feed).doing(doing)?;
    rows.collect::<Result<_, _>>().doing(doing)
}

/// Where to go on, in the transaction that records what came before. Returns whether the page goes on from
/// where events are read to.
pub(super) fn go_on(
    tx: &Transaction<'_>,
    service: &ServiceName,
    page: &NewServiceEvents<'_>,
    now: Timestamp,
) -> Result<bool, Error> {
    let doing = "note how far events are read";
    let sql = "INSERT INTO service_feeds (service, continuation, read_at) SELECT ?1, ?2, ?3
          WHERE ?4 IS (SELECT continuation FROM service_feeds WHERE service = ?1)
         ON CONFLICT (service) DO UPDATE SET continuation = ?2, read_at = COALESCE(?3, read_at),
            failing_since = NULL, last_error = NULL, tries = 0, retry_at = NULL";
    let read_at = page.is_last.then(|| millis(now));
    let given = params![
        service.as_str(),
        page.continuation,
        read_at,
        page.asked_from
    ];
    Ok(tx.execute(sql, given).doing(doing)? == 1)
}

fn feed(row: &Row<'_>) -> rusqlite::Result<ServiceFeed> {
    Ok(ServiceFeed {
        service: row.parsed("service")?,
        continuation: row.get("continuation")?,
        read_at: row.maybe_time("read_at")?,
        failing_since: row.maybe_time("failing_since")?,
        error: row.get("last_error")?,
        tries: row.get("tries")?,
        retry_at: row.maybe_time("retry_at")?,
        orphans: row.get("orphans")?,
        last_orphan_at: row.maybe_time("last_orphan_at")?,
        unknown: row.get("unknown")?,
    })
}
