//! Messages that wait for a mailbox service: how they come into its queue, and what is known of them
//! there.
//!
//! A message waits in the state in which it was queued, `routed` mostly. Whoever moves it takes it out
//! of the queue: the database sees to that (`mailbox_queue.sql`).

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    BatchRow, Error, Store, Transaction,
    columns::{Columns, Word, millis},
    error::Doing,
    events,
    reprocess::message_id,
};
use crate::domain::{BatchId, MessageId, ServiceName};

/// By which of its three doors a service takes a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Door {
    /// Into the recipient's mailbox.
    Electronic,
    /// Into the mailbox or onto paper, as the service chooses.
    Multichannel,
    /// Onto paper.
    Paper,
}

impl Door {
    pub fn as_str(self) -> &'static str {
        self.word()
    }
}

/// A message that is to wait for a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewQueued {
    pub position: u32,
    pub door: Door,
    /// The same for each try, and for each time it is queued without an operator's wish for a repeat.
    pub external_id: String,
}

/// A message that waits for a service, or that a courier has in hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedRow {
    pub id: MessageId,
    pub service: ServiceName,
    pub door: Door,
    pub external_id: String,
    pub queued_at: Timestamp,
    /// A courier has it in hand.
    pub is_sending: bool,
    /// A try ended without an answer: the service may have it.
    pub is_in_doubt: bool,
    /// How often it was in hand, this time too.
    pub tries: u32,
    /// What the service calls its uploaded files, in their order.
    pub uploads: Vec<String>,
    /// When the first of them was uploaded: the service forgets them after a day.
    pub uploaded_at: Option<Timestamp>,
    /// How often the service had taken others, and not this one; its last words, without personal data.
    pub refusals: u32,
    pub last_refusal: Option<String>,
    /// Until then the others go without it.
    pub retry_at: Option<Timestamp>,
}

/// Where a queued message stands for those who would move it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum InQueue {
    Waits,
    /// A courier has it in hand.
    Sending,
    /// The service may have it.
    InDoubt,
}

/// Where a message `m` stands in the queue, as a word; null where it is in none.
pub(super) const IN_QUEUE: &str =
    "(SELECT CASE WHEN q.is_sending THEN 'sending' WHEN q.is_in_doubt THEN 'in-doubt'
             ELSE 'waits' END
        FROM mailbox_queue q WHERE q.batch = m.batch AND q.position = m.position)";

/// Whether a message `m` waits in a queue.
pub(super) const IS_QUEUED: &str =
    "EXISTS (SELECT 1 FROM mailbox_queue q WHERE q.batch = m.batch AND q.position = m.position)";

impl Store {
    /// Lets messages of a batch wait for a service, in one transaction. Those that wait already, and
    /// those that have nowhere to go any more, are left as they are. Returns how many are new.
    ///
    /// Of what came before the backup that the house was brought back from, nobody knows whether the
    /// service has it.
    pub fn enqueue(
        &self,
        row: &BatchRow,
        service: &ServiceName,
        page: &[NewQueued],
        now: Timestamp,
    ) -> Result<u64, Error> {
        let doing = "queue messages";
        let sql = "INSERT INTO mailbox_queue
                (batch, position, service, door, external_id, queued_at, is_in_doubt)
             SELECT m.batch, m.position, ?3, ?4, ?5, ?6,
                m.batch <= COALESCE((SELECT doubted_to FROM house), 0) FROM messages m
              WHERE m.batch = ?1 AND m.position = ?2 AND m.state IN ('routed', 'delivered')
             ON CONFLICT DO NOTHING";
        self.write(doing, |tx| {
            let is_new = !is_known(tx, row.id, service)?;
            let mut insert = tx.prepare_cached(sql).doing(doing)?;
            let mut queued = 0;
            for new in page {
                let NewQueued {
                    position,
                    door,
                    external_id,
                } = new;
                let (batch, service, at) = (row.id.0, service.as_str(), millis(now));
                let given = params![batch, position, service, door.word(), external_id, at];
                queued += insert.execute(given).doing(doing)? as u64;
            }
            if is_new && queued > 0 {
                events::note(tx, now, row.id, None, &format!("queued for {service}"))?;
            }
            Ok(queued)
        })
    }

    /// What is known of a message in a queue; `None` where it waits in none.
    pub fn queued(&self, message: MessageId) -> Result<Option<QueuedRow>, Error> {
        self.read(|db| find(db, message))
    }

    /// How many messages of its batch go before this one, while the batch has its turn.
    pub fn ahead_in_queue(&self, row: &QueuedRow) -> Result<u64, Error> {
        let doing = "count who waits";
        let sql = "SELECT COUNT(*) FROM mailbox_queue
             WHERE batch = ?1 AND position < ?2 AND service = ?3";
        self.read(|db| {
            let given = params![row.id.batch.0, row.id.position, row.service.as_str()];
            db.query_row(sql, given, |row| row.get(0)).doing(doing)
        })
    }

    /// Whether messages of a batch wait in a queue.
    pub fn has_queued(&self, batch: BatchId) -> Result<bool, Error> {
        let doing = "look into the queue";
        let sql = "SELECT 1 FROM queued_batches WHERE batch = ? AND waiting + sending > 0";
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing(doing)?;
            query.exists([batch.0]).doing(doing)
        })
    }
}

/// Whether something of a batch waits for a service.
fn is_known(db: &Connection, batch: BatchId, service: &ServiceName) -> Result<bool, Error> {
    let doing = "look into the queue";
    let sql = "SELECT 1 FROM queued_batches WHERE service = ?1 AND batch = ?2";
    let mut query = db.prepare_cached(sql).doing(doing)?;
    let given = params![service.as_str(), batch.0];
    query.exists(given).doing(doing)
}

fn find(db: &Connection, message: MessageId) -> Result<Option<QueuedRow>, Error> {
    let doing = "look into the queue";
    let sql = "SELECT * FROM mailbox_queue WHERE batch = ?1 AND position = ?2";
    let mut query = db.prepare_cached(sql).doing(doing)?;
    let given = params![message.batch.0, message.position];
    query.query_row(given, queued_row).optional().doing(doing)
}

/// How many messages of a batch a courier has in hand, or a service may have without an answer.
pub(super) fn doubtful(db: &Connection, batch: BatchId) -> Result<u64, Error> {
    let doing = "look what is being sent";
    // By indexes that hold these alone: else all that waits of the batch is gone over.
    let sql = "SELECT (SELECT COUNT(*) FROM mailbox_queue INDEXED BY mailbox_queue_in_hand
             WHERE batch = ?1 AND is_sending = 1)
         + (SELECT COUNT(*) FROM mailbox_queue INDEXED BY mailbox_queue_in_doubt
             WHERE batch = ?1 AND is_in_doubt = 1 AND is_sending = 0)";
    let mut query = db.prepare_cached(sql).doing(doing)?;
    query.query_row([batch.0], |row| row.get(0)).doing(doing)
}

/// What a program that is gone had in hand waits again; the services may have it.
pub(super) fn release_all(tx: &Transaction<'_>) -> Result<(), Error> {
    let sql = "UPDATE mailbox_queue SET is_sending = 0, is_in_doubt = 1 WHERE is_sending = 1";
    tx.execute(sql, []).doing("release what was being sent")?;
    Ok(())
}

/// The house comes back from a backup: what waited then may have been sent since, and so may what is
/// queued later of batches that were there.
pub(super) fn doubt_all(tx: &Transaction<'_>) -> Result<(), Error> {
    let doing = "doubt what waits";
    let sql = "UPDATE mailbox_queue SET is_sending = 0, is_in_doubt = 1";
    tx.execute(sql, []).doing(doing)?;
    let sql = "UPDATE house SET doubted_to = (SELECT MAX(id) FROM batches)";
    tx.execute(sql, []).doing(doing)?;
    Ok(())
}

/// Takes the paper of messages that go to a mailbox alone by now out of the queue.
pub(super) fn leave_paper_halves(tx: &Transaction<'_>, batch: BatchId) -> Result<(), Error> {
    let sql = "DELETE FROM mailbox_queue WHERE batch = ?1 AND door = 'paper' AND position IN
            (SELECT m.position FROM messages m
              WHERE m.batch = ?1 AND m.state = 'delivered' AND m.channel = 'mailbox')";
    tx.execute(sql, [batch.0])
        .doing("take paper out of the queue")?;
    Ok(())
}

pub(super) fn queued_row(row: &Row<'_>) -> rusqlite::Result<QueuedRow> {
    let uploads: String = row.get("uploads")?;
    Ok(QueuedRow {
        id: message_id(row)?,
        service: row.parsed("service")?,
        door: row.word("door")?,
        external_id: row.get("external_id")?,
        queued_at: row.time("queued_at")?,
        is_sending: row.get("is_sending")?,
        is_in_doubt: row.get("is_in_doubt")?,
        tries: row.get("tries")?,
        uploads: uploads.lines().map(str::to_owned).collect(),
        uploaded_at: row.maybe_time("uploaded_at")?,
        refusals: row.get("refusals_apart")?,
        last_refusal: row.get("last_refusal")?,
        retry_at: row.maybe_time("retry_at")?,
    })
}

#[cfg(test)]
mod tests;
