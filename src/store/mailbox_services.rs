//! How the mailbox services do, and their queues in numbers.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::{
    Error, NewEvent, Store, Transaction,
    columns::{Columns, millis},
    error::Doing,
    events, queue_refusals,
    queue_turns::MAY_GO,
};
use crate::domain::{BatchId, SenderId, ServiceName};

/// A service as the settings have it.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceInSettings {
    pub name: ServiceName,
    pub rate_per_sec: f64,
}

/// How a service does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceState {
    /// Nothing is sent before, so that the rate holds over a restart too.
    pub next_turn_at: Option<Timestamp>,
    /// Since when it fails; `None` where it works.
    pub failing_since: Option<Timestamp>,
    /// How often it has failed since then.
    pub failures: u32,
    /// Why, in one line without personal data.
    pub last_error: Option<String>,
    /// When it is tried again.
    pub retry_at: Option<Timestamp>,
}

/// The queue of one service in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueNumbers {
    pub service: ServiceName,
    /// Whether the settings had it at the last start; what waits for another one waits in vain.
    pub is_in_settings: bool,
    pub rate_per_sec: Option<f64>,
    /// Those in hand are not among them.
    pub waiting: u64,
    /// A courier has them in hand.
    pub sending: u64,
    /// Of `waiting`: their batch or its sender is on hold.
    pub on_hold: u64,
    pub batches: u64,
    /// Since when the first of them waits.
    pub oldest_at: Option<Timestamp>,
    pub sent_last_hour: u64,
    /// Batches that the house cannot bring, and why that is so of one of them.
    pub failing: u64,
    pub batch_error: Option<String>,
    pub state: ServiceState,
}

/// Messages of one batch that wait for one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedBatch {
    pub service: ServiceName,
    pub batch: BatchId,
    pub sender: SenderId,
    pub waiting: u64,
    pub sending: u64,
    /// Of `waiting`: the service may have them.
    pub in_doubt: u64,
    pub queued_at: Timestamp,
    /// The batch, or its sender.
    pub is_on_hold: bool,
    /// Why the house could not bring it at its last turn, in one line without personal data, and since
    /// when it cannot.
    pub last_error: Option<String>,
    pub failing_since: Option<Timestamp>,
}

impl ServiceState {
    /// An operator wants it tried, whatever it has answered.
    pub fn is_wanted_again(&self) -> bool {
        self.failing_since.is_some() && self.retry_at.is_none()
    }
}

impl QueueNumbers {
    /// When the last one that may go is sent, if the service works from now on and takes the rate of
    /// the settings. `None` where nothing may go, or nobody knows the rate.
    pub fn expected_end(&self, now: Timestamp) -> Option<Timestamp> {
        let left = (self.waiting + self.sending).saturating_sub(self.on_hold);
        let rate = self.rate_per_sec.filter(|rate| *rate > 0.0)?;
        let from = self.state.retry_at.map_or(now, |retry| retry.max(now));
        #[expect(
            clippy::cast_precision_loss,
            reason = "a queue has fewer than 2^52 messages"
        )]
        let secs = left as f64 / rate;
        let takes = SignedDuration::try_from_secs_f64(secs).ok()?;
        (left > 0).then(|| from.saturating_add(takes).unwrap_or(from))
    }
}

impl Store {
    /// Remembers the services of the settings, so that commands beside the daemon know them.
    pub fn know_services(&self, services: &[ServiceInSettings]) -> Result<(), Error> {
        let doing = "record the mailbox services";
        let forget = "UPDATE mailbox_services SET is_in_settings = 0, rate_per_sec = NULL";
        let know = "INSERT INTO mailbox_services (name, is_in_settings, rate_per_sec)
             VALUES (?1, 1, ?2)
             ON CONFLICT (name) DO UPDATE SET is_in_settings = 1, rate_per_sec = ?2";
        if self.read(|db| are_known(db, services))? {
            return Ok(());
        }
        self.write(doing, |tx| {
            tx.execute(forget, []).doing(doing)?;
            for service in services {
                let given = params![service.name.as_str(), service.rate_per_sec];
                tx.execute(know, given).doing(doing)?;
            }
            Ok(())
        })
    }

    pub fn service_state(&self, service: &ServiceName) -> Result<ServiceState, Error> {
        let doing = "look at a mailbox service";
        let sql = "SELECT * FROM mailbox_services WHERE name = ?";
        self.read(|db| {
            let found = db.query_row(sql, [service.as_str()], state).optional();
            Ok(found.doing(doing)?.unwrap_or_default())
        })
    }

    /// Leaves a service that fails alone until `retry_at`, or longer where that was settled already. Its messages wait, and no batch fails for it.
    /// Returns how often it has failed since it worked last.
    pub fn put_service_off(
        &self,
        service: &ServiceName,
        error: &str,
        retry_at: Timestamp,
        now: Timestamp,
    ) -> Result<u32, Error> {
        let doing = "put a mailbox service off";
        let sql =
            "INSERT INTO mailbox_services (name, failing_since, failures, last_error, retry_at)
             VALUES (:name, :now, 1, :error, :retry)
             ON CONFLICT (name) DO UPDATE SET failures = failures + 1, last_error = :error,
                retry_at = MAX(COALESCE(retry_at, :retry), :retry), failing_since = COALESCE(failing_since, :now)
             RETURNING failures";
        self.write(doing, |tx| {
            let given = named_params! {
                ":name": service.as_str(),
                ":now": millis(now),
                ":error": error,
                ":retry": millis(retry_at),
            };
            tx.query_row(sql, given, |row| row.get(0)).doing(doing)
        })
    }

    /// Forgets that a service failed: it has answered. Who waits for a mailbox status is asked about at
    /// once, and a message that stepped aside while it failed has its place again. Returns since when it had
    /// failed.
    pub fn service_works(
        &self,
        service: &ServiceName,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        let doing = "note that a mailbox service works";
        let failing_since = self.service_state(service)?.failing_since;
        // Noted after each answer, and mostly there is nothing to forget.
        if failing_since.is_none() {
            return Ok(None);
        }
        let sql = "UPDATE mailbox_services SET failing_since = NULL, failures = 0,
                last_error = NULL, retry_at = NULL
             WHERE name = ?";
        self.write(doing, |tx| {
            tx.execute(sql, [service.as_str()]).doing(doing)?;
            queue_refusals::try_unsuspected(tx, service)?;
            ask_at_once(tx, now)?;
            Ok(failing_since)
        })
    }

    /// Notes why the house cannot bring a batch, or that it can.
    pub fn note_turn(
        &self,
        service: &ServiceName,
        batch: BatchId,
        error: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let doing = "note how a turn went";
        let is_new = "SELECT 1 FROM queued_batches
             WHERE service = ?1 AND batch = ?2 AND last_error IS NOT ?3";
        // Noted after each turn, and mostly there is nothing new.
        let is_new = self.read(|db| {
            let mut query = db.prepare_cached(is_new).doing(doing)?;
            let given = params![service.as_str(), batch.0, error];
            query.exists(given).doing(doing)
        })?;
        if !is_new {
            return Ok(());
        }
        let sql = "UPDATE queued_batches SET last_error = ?3,
                failing_since = CASE WHEN ?3 IS NULL THEN NULL ELSE COALESCE(failing_since, ?4) END
             WHERE service = ?1 AND batch = ?2";
        self.write(doing, |tx| {
            let given = params![service.as_str(), batch.0, error, millis(now)];
            tx.execute(sql, given).doing(doing)?;
            Ok(())
        })
    }

    /// Has a service that fails tried at once, because an operator wants it: what is queued is sent, who
    /// waits for a mailbox status is asked about, and its events are read.
    pub fn retry_service(&self, service: &ServiceName, action: &NewEvent) -> Result<(), Error> {
        let doing = "try a mailbox service again";
        let sending = "UPDATE mailbox_services SET retry_at = NULL WHERE name = ?";
        let events = "UPDATE service_feeds SET retry_at = NULL WHERE service = ?";
        self.write(doing, |tx| {
            for sql in [sending, events] {
                tx.execute(sql, [service.as_str()]).doing(doing)?;
            }
            queue_refusals::try_all_again(tx, service)?;
            ask_at_once(tx, action.at)?;
            let what = format!("try mailbox service {service} again");
            events::note_house(tx, action, &what)
        })
    }

    /// Records when the next message may be sent to a service.
    pub fn set_next_turn_at(&self, service: &ServiceName, at: Timestamp) -> Result<(), Error> {
        let doing = "record the next turn";
        let sql = "INSERT INTO mailbox_services (name, next_turn_at) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET next_turn_at = ?2";
        self.write(doing, |tx| {
            let given = params![service.as_str(), millis(at)];
            tx.execute(sql, given).doing(doing)?;
            Ok(())
        })
    }

    /// All services that the settings have or that something waits for, by name.
    pub fn queues(&self, now: Timestamp) -> Result<Vec<QueueNumbers>, Error> {
        self.read(|db| numbers(db, now))
    }

    /// The batches that something of waits for a service, oldest first: for any service, and any batch,
    /// where none is named.
    pub fn queued_batches(
        &self,
        service: Option<&ServiceName>,
        batch: Option<BatchId>,
        limit: u32,
    ) -> Result<Vec<QueuedBatch>, Error> {
        let doing = "list batches that wait for mailbox services";
        let sql = format!(
            "SELECT q.*, b.sender, NOT ({MAY_GO}) AS is_on_hold,
                (SELECT COUNT(*) FROM mailbox_queue m INDEXED BY mailbox_queue_in_doubt
                 WHERE m.batch = q.batch
                   AND m.service = q.service AND m.is_in_doubt = 1 AND m.is_sending = 0) AS in_doubt
               FROM queued_batches q JOIN batches b ON b.id = q.batch
              WHERE (?1 IS NULL OR q.service = ?1) AND (?2 IS NULL OR q.batch = ?2)
              ORDER BY q.queued_at, q.batch LIMIT ?3"
        );
        self.read(|db| {
            let mut query = db.prepare_cached(&sql).doing(doing)?;
            let (service, batch) = (service.map(ServiceName::as_str), batch.map(|id| id.0));
            let given = params![service, batch, limit];
            let rows = query.query_map(given, queued_batch).doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }
}

/// Lets the batches come due that wait for somebody to say who has a mailbox. Whom each of them would ask
/// the rows do not say: one that asks another service asks it once more.
fn ask_at_once(tx: &Transaction<'_>, now: Timestamp) -> Result<(), Error> {
    let doing = "have mailboxes asked about at once";
    let sql = "UPDATE batches SET due_at = ?1
         WHERE state = 'reported' AND due_at > ?1 AND lease_until IS NULL
           AND EXISTS (SELECT 1 FROM messages m
                        WHERE m.batch = batches.id AND m.state = 'waiting')";
    tx.execute(sql, [millis(now)]).doing(doing)?;
    Ok(())
}

fn queued_batch(row: &Row<'_>) -> rusqlite::Result<QueuedBatch> {
    Ok(QueuedBatch {
        service: row.parsed("service")?,
        batch: row.batch("batch")?,
        sender: row.parsed("sender")?,
        waiting: row.get("waiting")?,
        sending: row.get("sending")?,
        in_doubt: row.get("in_doubt")?,
        queued_at: row.time("queued_at")?,
        is_on_hold: row.get("is_on_hold")?,
        last_error: row.get("last_error")?,
        failing_since: row.maybe_time("failing_since")?,
    })
}

fn are_known(db: &Connection, services: &[ServiceInSettings]) -> Result<bool, Error> {
    let doing = "list mailbox services";
    let sql = "SELECT name, rate_per_sec FROM mailbox_services WHERE is_in_settings";
    let mut query = db.prepare_cached(sql).doing(doing)?;
    let rows = query.query_map([], |row| {
        Ok(ServiceInSettings {
            name: row.parsed("name")?,
            rate_per_sec: row.get("rate_per_sec")?,
        })
    });
    let known: Vec<_> = rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)?;
    Ok(known.len() == services.len() && services.iter().all(|it| known.contains(it)))
}

pub(super) fn numbers(db: &Connection, now: Timestamp) -> Result<Vec<QueueNumbers>, Error> {
    let doing = "count who waits for mailbox services";
    let sql = format!(
        "WITH queues AS (
            SELECT q.service, SUM(q.waiting) AS waiting, SUM(q.sending) AS sending,
                SUM(CASE WHEN {MAY_GO} THEN 0 ELSE q.waiting END) AS on_hold,
                COUNT(*) AS batches, MIN(q.queued_at) AS oldest_at,
                COUNT(q.last_error) AS failing, MIN(q.last_error) AS batch_error
              FROM queued_batches q JOIN batches b ON b.id = q.batch
             WHERE q.waiting + q.sending > 0 GROUP BY q.service),
         names AS (SELECT name FROM mailbox_services WHERE is_in_settings OR failing_since
                   UNION SELECT service FROM queues)
         SELECT n.name AS service, COALESCE(q.waiting, 0) AS waiting,
            COALESCE(q.sending, 0) AS sending, COALESCE(q.on_hold, 0) AS on_hold,
            COALESCE(q.batches, 0) AS batches, q.oldest_at,
            COALESCE(q.failing, 0) AS failing, q.batch_error,
            COALESCE(s.is_in_settings, 0) AS is_in_settings, s.rate_per_sec, s.next_turn_at,
            s.failing_since, COALESCE(s.failures, 0) AS failures, s.last_error, s.retry_at,
            (SELECT COUNT(*) FROM sent_posts p WHERE p.service = n.name AND p.sent_at > ?)
            AS sent_last_hour
           FROM names n LEFT JOIN queues q ON q.service = n.name
           LEFT JOIN mailbox_services s ON s.name = n.name ORDER BY n.name"
    );
    let an_hour_ago = now
        .saturating_sub(SignedDuration::from_hours(1))
        .unwrap_or(now);
    let mut query = db.prepare_cached(&sql).doing(doing)?;
    let rows = query.query_map([millis(an_hour_ago)], |row| {
        Ok(QueueNumbers {
            service: row.parsed("service")?,
            is_in_settings: row.get("is_in_settings")?,
            rate_per_sec: row.get("rate_per_sec")?,
            waiting: row.get("waiting")?,
            sending: row.get("sending")?,
            on_hold: row.get("on_hold")?,
            batches: row.get("batches")?,
            oldest_at: row.maybe_time("oldest_at")?,
            sent_last_hour: row.get("sent_last_hour")?,
            failing: row.get("failing")?,
            batch_error: row.get("batch_error")?,
            state: state(row)?,
        })
    });
    rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)
}

fn state(row: &Row<'_>) -> rusqlite::Result<ServiceState> {
    Ok(ServiceState {
        next_turn_at: row.maybe_time("next_turn_at")?,
        failing_since: row.maybe_time("failing_since")?,
        failures: row.get("failures")?,
        last_error: row.get("last_error")?,
        retry_at: row.maybe_time("retry_at")?,
    })
}
