//! Whose turn it is in the queue of a mailbox service, and which messages a courier takes in hand.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    Error, MessageRow, QueuedRow, Store, Transaction,
    columns::{Columns, millis},
    error::Doing,
    mailbox_queue::queued_row,
    message_rows::{message_row, select_from},
};
use crate::domain::{BatchId, SenderId, ServiceName};

/// A batch whose messages are sent next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueTurn {
    pub batch: BatchId,
    pub sender: SenderId,
    /// How many of it wait.
    pub waiting: u64,
}

/// Files of a message that a service has: none where it has thrown them away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Uploaded {
    /// What the service calls them, in their order.
    pub ids: Vec<String>,
    /// When the first of them was uploaded: the service forgets them after a day.
    pub at: Option<Timestamp>,
}

/// What is known of a message that goes back into the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutBack {
    /// The service does not have it: it was not asked, or has said so.
    NotSent,
    /// The service may have it: no answer came.
    InDoubt,
}

/// A message in the middle of which couriers ended so often lets the others of its batch go first.
const FALLS_A_LAP: u32 = 8;

/// A batch `b` of which something may go: neither it nor its sender is on hold.
pub(super) const MAY_GO: &str = "b.state NOT IN ('held', 'refused', 'cancelled')
     AND NOT EXISTS (SELECT 1 FROM senders h WHERE h.name = b.sender AND h.held_at IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM holds a WHERE a.batch = b.id AND a.cause = 'sender'
                             AND a.approved_at IS NOT NULL))";

impl Store {
    /// Whose turn it is. Senders take turns, and those of one sender go by turns to the batch that
    /// has waited longest and to the one that has the fewest messages left: so neither does a small
    /// one wait for a large one, nor a large one for many small ones. Batches of `last` come after all
    /// others. One all of whose messages are put off has none.
    pub fn queue_turn(
        &self,
        service: &ServiceName,
        last: &[BatchId],
    ) -> Result<Option<QueueTurn>, Error> {
        // Asked often, and mostly in vain.
        if self.read(|db| next(db, service, last))?.is_none() {
            return Ok(None);
        }
        self.write("give a turn", |tx| {
            let turn = next(tx, service, last)?;
            if let Some(turn) = &turn {
                count_turn(tx, service, &turn.sender)?;
            }
            Ok(turn)
        })
    }

    /// Takes the next messages of a batch in hand, in their order: none where it, or its sender, was
    /// put on hold. Who takes them ends that for each: by [`Store::record_sent`] and its like, or
    /// by [`Store::put_back`].
    pub fn begin_sending(
        &self,
        batch: BatchId,
        service: &ServiceName,
        limit: u32,
    ) -> Result<Vec<QueuedRow>, Error> {
        let doing = "take messages in hand";
        let choose = format!(
            "SELECT q.position FROM mailbox_queue q JOIN batches b ON b.id = q.batch
              WHERE q.service = ?2 AND q.batch = ?1 AND q.is_sending = 0 AND {MAY_GO}
                AND q.retry_at IS NULL
              ORDER BY q.lap, q.position LIMIT ?3"
        );
        let take = "UPDATE mailbox_queue SET is_sending = 1, tries = tries + 1
             WHERE batch = ?1 AND position = ?2 RETURNING *";
        self.write(doing, |tx| {
            let mut choose = tx.prepare_cached(&choose).doing(doing)?;
            let given = params![batch.0, service.as_str(), limit];
            let chosen = choose.query_map(given, |row| row.get(0)).doing(doing)?;
            let chosen: Vec<u32> = chosen.collect::<Result<_, _>>().doing(doing)?;
            let mut take = tx.prepare_cached(take).doing(doing)?;
            let rows = chosen
                .iter()
                .map(|position| take.query_row(params![batch.0, position], queued_row));
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }

    /// The next messages of a batch that wait for their mailboxes, in the order in which they are sent:
    /// those of whose recipients the service was asked at no time of `believed`, ends included.
    pub fn queued_to_ask(
        &self,
        batch: BatchId,
        service: &ServiceName,
        believed: (Timestamp, Timestamp),
        limit: u32,
    ) -> Result<Vec<MessageRow>, Error> {
        let doing = "list who is to be asked about";
        let sql = select_from(
            "mailbox_queue q
             JOIN messages m ON m.batch = q.batch AND m.position = q.position
             LEFT JOIN pieces p
               ON p.batch = m.batch AND p.position = m.position AND p.bundle = m.bundle
            WHERE q.service = ?1 AND q.batch = ?2 AND q.is_sending = 0 AND q.door = 'electronic'
              AND (m.asked_at IS NULL OR m.asked_at NOT BETWEEN ?3 AND ?4)
            ORDER BY q.lap, q.position LIMIT ?5",
        );
        let (from, to) = believed;
        self.read(|db| {
            let mut query = db.prepare_cached(&sql).doing(doing)?;
            let given = params![service.as_str(), batch.0, millis(from), millis(to), limit];
            let rows = query.query_map(given, message_row).doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }

    /// Notes what the service calls the files that were uploaded for messages in hand.
    pub fn note_uploads(&self, batch: BatchId, uploads: &[(u32, Uploaded)]) -> Result<(), Error> {
        let doing = "note uploaded files";
        let sql = "UPDATE mailbox_queue SET uploads = ?3, uploaded_at = ?4
             WHERE batch = ?1 AND position = ?2 AND is_sending = 1";
        self.write(doing, |tx| {
            let mut update = tx.prepare_cached(sql).doing(doing)?;
            for (position, Uploaded { ids, at }) in uploads {
                let given = params![batch.0, position, ids.join("\n"), at.map(millis)];
                update.execute(given).doing(doing)?;
            }
            Ok(())
        })
    }

    /// Lets what a courier has left in hand wait again, after a panic or a store that failed when it put
    /// it back; the service may have it. Only for the courier of this service, while it has nothing in
    /// hand.
    pub fn release_in_hand(&self, service: &ServiceName) -> Result<(), Error> {
        let doing = "release what was left in hand";
        let left = "SELECT 1 FROM queued_batches WHERE service = ? AND sending > 0";
        let is_any_left = self.read(|db| {
            let mut query = db.prepare_cached(left).doing(doing)?;
            query.exists([service.as_str()]).doing(doing)
        })?;
        if !is_any_left {
            return Ok(());
        }
        let sql = "UPDATE mailbox_queue SET is_sending = 0, is_in_doubt = 1,
                falls = falls + 1, lap = (falls + 1) / ?2
             WHERE service = ?1 AND is_sending = 1";
        self.write("release what was left in hand", |tx| {
            let given = params![service.as_str(), FALLS_A_LAP];
            tx.execute(sql, given).doing(doing)?;
            Ok(())
        })
    }

    /// Lets messages that were in hand wait again, in their old places.
    ///
    /// Once in doubt, a message stays so until the service has answered: then it leaves the queue.
    pub fn put_back(&self, batch: BatchId, messages: &[(u32, PutBack)]) -> Result<(), Error> {
        let doing = "put messages back";
        let sql = "UPDATE mailbox_queue SET is_sending = 0, is_in_doubt = is_in_doubt OR ?3
             WHERE batch = ?1 AND position = ?2 AND is_sending = 1";
        self.write(doing, |tx| {
            let mut update = tx.prepare_cached(sql).doing(doing)?;
            for (position, how) in messages {
                let is_in_doubt = *how == PutBack::InDoubt;
                let given = params![batch.0, position, is_in_doubt];
                update.execute(given).doing(doing)?;
            }
            Ok(())
        })
    }
}

pub(super) fn next_sql(last: &[BatchId]) -> String {
    let last: Vec<_> = last.iter().map(|batch| batch.0.to_string()).collect();
    let last = last.join(", ");
    format!(
        "SELECT q.batch, b.sender, q.waiting
           FROM queued_batches q JOIN batches b ON b.id = q.batch
           LEFT JOIN queue_senders s ON s.service = q.service AND s.sender = b.sender
          WHERE q.service = ? AND q.waiting > q.put_off AND {MAY_GO}
          ORDER BY q.batch IN ({last}), COALESCE(s.last_turn, 0),
                CASE COALESCE(s.turns, 0) % 2 WHEN 0 THEN q.queued_at ELSE q.waiting END,
                q.batch
          LIMIT 1"
    )
}

fn next(
    db: &Connection,
    service: &ServiceName,
    last: &[BatchId],
) -> Result<Option<QueueTurn>, Error> {
    let doing = "see whose turn it is";
    let mut query = db.prepare_cached(&next_sql(last)).doing(doing)?;
    let turn = query.query_row([service.as_str()], |row| {
        Ok(QueueTurn {
            batch: row.batch("batch")?,
            sender: row.parsed("sender")?,
            waiting: row.get("waiting")?,
        })
    });
    turn.optional().doing(doing)
}

fn count_turn(tx: &Transaction<'_>, service: &ServiceName, sender: &SenderId) -> Result<(), Error> {
    let doing = "count a turn";
    let turn = "INSERT INTO mailbox_services (name, turns) VALUES (?, 1)
         ON CONFLICT (name) DO UPDATE SET turns = turns + 1 RETURNING turns";
    let turn: i64 = tx
        .query_row(turn, [service.as_str()], |row| row.get(0))
        .doing(doing)?;
    let sql = "INSERT INTO queue_senders (service, sender, turns, last_turn) VALUES (?1, ?2, 1, ?3)
         ON CONFLICT (service, sender) DO UPDATE SET turns = turns + 1, last_turn = ?3";
    tx.execute(sql, params![service.as_str(), sender.as_str(), turn])
        .doing(doing)?;
    Ok(())
}
