use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    Error, SeenFile, SpoolKey, SpooledFile, Store, Transaction,
    columns::{Columns, Word, millis},
    error::Doing,
    events, findings, known_files, senders, steps,
};
use crate::domain::{BatchId, BatchState, Finding, SenderId, without_identity_codes};

/// A file that has just been stored, to be recorded as a batch.
#[derive(Debug, Clone)]
pub struct NewBatch {
    pub sender: SenderId,
    /// As the sender named it; it appears in receipts and never becomes a path. An identity code in
    /// it is not kept.
    pub file_name: String,
    pub file: SpooledFile,
    pub received_at: Timestamp,
}

/// Whether a file was new, or the same bytes of the same sender again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    New(BatchId),
    /// Nothing changed; the first one's receipts are sent again.
    Again(BatchId),
}

/// A batch as it stands in the store.
#[derive(Debug, Clone)]
pub struct BatchRow {
    pub id: BatchId,
    pub sender: SenderId,
    pub file_name: String,
    pub bytes: u64,
    pub sha256: String,
    pub spool: SpoolKey,
    pub received_at: Timestamp,
    pub state: BatchState,
    pub shape: Option<String>,
    pub is_test: bool,
    pub print_only: bool,
    /// Why it is refused, held or cancelled.
    pub reason: Option<String>,
    pub due_at: Option<Timestamp>,
    pub lease_until: Option<Timestamp>,
    /// The number of the claim that holds it.
    pub lease: i64,
    pub attempts: u32,
    /// How often the program has ended in the middle of the step that is due.
    pub crashes: u32,
    /// The message behind which a step goes on that gave way to others.
    pub resume_after: u32,
    pub last_error: Option<String>,
    /// How many processing reports it has had.
    pub reports: u32,
    /// When the sender's file and its bundles were removed; nothing can be made of them again.
    pub payload_purged_at: Option<Timestamp>,
    /// When the rows of its messages lost what they said of people.
    pub messages_purged_at: Option<Timestamp>,
}

/// What opening a batch found out about the whole of it.
#[derive(Debug, Clone)]
pub struct OpenOutcome {
    pub shape: Option<&'static str>,
    pub is_test: bool,
    pub print_only: bool,
    pub findings: Vec<Finding>,
}

/// How a step ended.
#[derive(Debug, Clone)]
pub struct StepOutcome {
    pub state: BatchState,
    /// When the next step is due; `None` where nothing is to be done.
    pub due_at: Option<Timestamp>,
    pub reason: Option<String>,
}

impl StepOutcome {
    pub fn next(state: BatchState, now: Timestamp) -> Self {
        Self {
            state,
            due_at: Some(now),
            reason: None,
        }
    }
}

impl Store {
    /// Records a stored file as a batch, or finds the batch that it is already.
    ///
    /// Closes the arrival in the same transaction, so that the file is recorded exactly once.
    pub fn receive(&self, new: &NewBatch, arrival: Option<i64>) -> Result<Received, Error> {
        self.receive_with(new, |tx, id| super::arrivals::close(tx, arrival, id))
    }

    /// As [`Store::receive`], for a file that stays where it stands: in the same transaction it is
    /// noted as known.
    pub fn receive_known(&self, new: &NewBatch, seen: &SeenFile<'_>) -> Result<Received, Error> {
        let sha256 = &new.file.sha256;
        self.receive_with(new, |tx, id| known_files::note(tx, seen, sha256, id))
    }

    fn receive_with(
        &self,
        new: &NewBatch,
        close: impl FnOnce(&Transaction<'_>, BatchId) -> Result<(), Error>,
    ) -> Result<Received, Error> {
        let received = self.write("record a batch", |tx| {
            senders::know(tx, &new.sender)?;
            let known = find(tx, new)?;
            let received = match known {
                Some(id) => {
                    send_receipts_again(tx, id, new.received_at)?;
                    Received::Again(id)
                }
                None => Received::New(insert(tx, new)?),
            };
            let (Received::New(id) | Received::Again(id)) = received;
            close(tx, id)?;
            events::note(tx, new.received_at, id, None, word_of(received))?;
            Ok(received)
        })?;
        if let Received::Again(known) = received {
            self.remove_second_copy(known, &new.file.key)?;
        }
        Ok(received)
    }

    /// A batch in quarantine has its file under another name, and of one that was purged nothing is
    /// kept: the file that came again is not needed.
    fn remove_second_copy(&self, known: BatchId, copy: &SpoolKey) -> Result<(), Error> {
        let known = self.batch(known)?;
        if known.spool == *copy && known.payload_purged_at.is_none() {
            return Ok(());
        }
        self.spool().remove(copy)
    }

    pub fn batch(&self, id: BatchId) -> Result<BatchRow, Error> {
        self.read(|db| by_id(db, id))
    }

    /// When the same bytes came again, under whatever name.
    pub fn came_again(&self, batch: BatchId) -> Result<Vec<Timestamp>, Error> {
        let sql = "SELECT at FROM events WHERE batch = ?1 AND position IS NULL AND what = ?2
             ORDER BY id";
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing("list arrivals")?;
            let rows = query.query_map(params![batch.0, CAME_AGAIN], |row| row.time("at"));
            rows.doing("list arrivals")?
                .collect::<Result<_, _>>()
                .doing("list arrivals")
        })
    }

    /// The newest batches first.
    pub fn batches(&self, limit: u32) -> Result<Vec<BatchRow>, Error> {
        self.read(|db| {
            let sql = "SELECT * FROM batches ORDER BY id DESC LIMIT ?";
            let mut query = db.prepare_cached(sql).doing("list batches")?;
            let rows = query.query_map([limit], batch_row).doing("list batches")?;
            rows.collect::<Result<_, _>>().doing("list batches")
        })
    }

    /// Whether a step, a hand-over, a delivery report or an arrival is still to be finished.
    pub fn has_work_under_way(&self) -> Result<bool, Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM batches WHERE due_at IS NOT NULL)
             OR EXISTS (SELECT 1 FROM outgoing WHERE due_at IS NOT NULL)
             OR EXISTS (SELECT 1 FROM delivery_reports WHERE due_at IS NOT NULL)
             OR EXISTS (SELECT 1 FROM arrivals)";
        self.read(|db| {
            db.query_row(sql, [], |row| row.get(0))
                .doing("look for work under way")
        })
    }

    /// Clears what an earlier opening of this batch left, for the messages that have gone nowhere.
    pub fn begin_open(&self, batch: BatchId) -> Result<(), Error> {
        self.write("begin opening a batch", |tx| {
            findings::forget_reopened(tx, batch)
        })
    }

    /// Records what opening found and moves the batch on, in one transaction.
    pub fn finish_open(
        &self,
        row: &BatchRow,
        opened: &OpenOutcome,
        outcome: &StepOutcome,
        now: Timestamp,
    ) -> Result<(), Error> {
        // The same bytes stay a test, even where they are refused before they say so again. A batch that
        // was put on hold meanwhile is opened anew when it is released.
        let sql = "UPDATE batches SET shape = ?2, is_test = is_test OR ?3, print_only = ?4
             WHERE id = ?1 AND state = ?5";
        self.write("record an opened batch", |tx| {
            let was = row.state.word();
            let given = params![
                row.id.0,
                opened.shape,
                opened.is_test,
                opened.print_only,
                was
            ];
            if tx.execute(sql, given).doing("record an opened batch")? == 1 {
                findings::insert(tx, row.id, &opened.findings)?;
            }
            steps::finish(tx, row, outcome, now)
        })
    }

    /// Keeps the file of a refused batch apart from those that are worked on.
    pub fn quarantine(&self, row: &BatchRow) -> Result<(), Error> {
        let kept = SpoolKey::new("quarantine", format!("{}.zip", row.id));
        if row.spool == kept {
            return Ok(());
        }
        self.spool().copy_name(&row.spool, &kept)?;
        self.write("quarantine a file", |tx| {
            let sql = "UPDATE batches SET spool = ?2 WHERE id = ?1";
            tx.execute(sql, params![row.id.0, kept.0])
                .doing("quarantine a file")?;
            Ok(())
        })?;
        self.spool().remove(&row.spool)
    }

    /// Records, before the first message is put into a mailbox, that some may lie there from now on.
    pub fn begin_delivery(&self, row: &BatchRow, now: Timestamp) -> Result<(), Error> {
        let sql = "UPDATE batches SET delivery_begun_at = ?2 WHERE id = ?1";
        self.write("begin a delivery", |tx| {
            tx.execute(sql, params![row.id.0, millis(now)])
                .doing("begin a delivery")?;
            Ok(())
        })
    }

    /// Records that every message of the batch that lies in a mailbox is recorded, though the delivery
    /// did not reach its end.
    pub fn end_delivery(&self, row: &BatchRow) -> Result<(), Error> {
        let sql = "UPDATE batches SET delivery_begun_at = NULL WHERE id = ?";
        self.write("break a delivery off", |tx| {
            tx.execute(sql, [row.id.0]).doing("break a delivery off")?;
            Ok(())
        })
    }

    /// Moves a batch on after its delivery: what lies in a mailbox is recorded now.
    pub fn finish_delivery(
        &self,
        row: &BatchRow,
        outcome: &StepOutcome,
        now: Timestamp,
    ) -> Result<(), Error> {
        let sql = "UPDATE batches SET delivery_begun_at = NULL WHERE id = ?";
        self.write("finish a delivery", |tx| {
            tx.execute(sql, [row.id.0]).doing("finish a delivery")?;
            steps::finish(tx, row, outcome, now)
        })
    }
}

/// What the history calls an arrival.
const CAME_AGAIN: &str = "received again";

fn word_of(received: Received) -> &'static str {
    match received {
        Received::New(_) => "received",
        Received::Again(_) => CAME_AGAIN,
    }
}

pub(super) fn by_id(db: &Connection, id: BatchId) -> Result<BatchRow, Error> {
    let doing = "read a batch";
    let mut query = db
        .prepare_cached("SELECT * FROM batches WHERE id = ?")
        .doing(doing)?;
    let row = query.query_row([id.0], batch_row).optional().doing(doing)?;
    row.ok_or(Error::NoBatch(id))
}

fn find(tx: &Transaction<'_>, new: &NewBatch) -> Result<Option<BatchId>, Error> {
    let sql = "SELECT id FROM batches WHERE sender = ? AND sha256 = ?";
    let given = params![new.sender.as_str(), new.file.sha256];
    tx.query_row(sql, given, |row| row.batch("id"))
        .optional()
        .doing("look for a batch")
}

fn insert(tx: &Transaction<'_>, new: &NewBatch) -> Result<BatchId, Error> {
    let sql = "INSERT INTO batches
            (sender, file_name, bytes, sha256, spool, received_at, state, due_at, line)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?6, (SELECT last_turn FROM runner)) RETURNING id";
    let given = params![
        new.sender.as_str(),
        without_identity_codes(&new.file_name),
        new.file.bytes,
        new.file.sha256,
        new.file.key.0,
        millis(new.received_at),
        BatchState::Received.word(),
    ];
    tx.query_row(sql, given, |row| row.batch("id"))
        .doing("record a batch")
}

fn send_receipts_again(tx: &Transaction<'_>, batch: BatchId, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE outgoing SET state = 'due', due_at = ?2, waits_since = ?2, attempts = 0,
            awaits_pickup = 0, overdue_at = NULL, picked_up_at = NULL
         WHERE batch = ?1 AND bundle IS NULL AND state = 'handed-over'";
    tx.execute(sql, params![batch.0, millis(now)])
        .doing("send receipts again")?;
    Ok(())
}

pub(super) fn batch_row(row: &Row<'_>) -> rusqlite::Result<BatchRow> {
    Ok(BatchRow {
        id: row.batch("id")?,
        sender: row.parsed("sender")?,
        file_name: row.get("file_name")?,
        bytes: row.get("bytes")?,
        sha256: row.get("sha256")?,
        spool: SpoolKey(row.get("spool")?),
        received_at: row.time("received_at")?,
        state: row.word("state")?,
        shape: row.get("shape")?,
        is_test: row.get("is_test")?,
        print_only: row.get("print_only")?,
        reason: row.get("reason")?,
        due_at: row.maybe_time("due_at")?,
        lease_until: row.maybe_time("lease_until")?,
        lease: row.get("lease")?,
        attempts: row.get("attempts")?,
        crashes: row.get("crashes")?,
        resume_after: row.get("resume_after")?,
        last_error: row.get("last_error")?,
        reports: row.get("reports")?,
        payload_purged_at: row.maybe_time("payload_purged_at")?,
        messages_purged_at: row.maybe_time("messages_purged_at")?,
    })
}
