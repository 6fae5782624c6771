//! What is kept no longer than it is needed: the files of a batch, what its rows say of people, and
//! letter ids. The batch's row with its digest, its counts and its receipts stay.

use std::{fs, io};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::{
    Error, NewEvent, SpoolKey, Store, Transaction,
    columns::{Columns, millis},
    error::Doing,
    events, notices, reprocess, timers,
};
use crate::{
    crash_points,
    domain::{BatchId, MessageId, SenderId},
};

/// Message rows that lose their people in one transaction: nobody waits long for the database.
const PAGE: u32 = 10_000;

/// Which batches are looked through, and what of them goes.
#[derive(Debug, Clone, Default)]
pub struct PurgeRule {
    /// `None`: of every sender.
    pub sender: Option<SenderId>,
    /// `None`: every batch.
    pub batch: Option<BatchId>,
    /// The file and the bundles of what was settled before; `None` keeps them.
    pub payload_before: Option<Timestamp>,
    /// What the rows of messages say of people, of what was settled before; `None` keeps it.
    pub people_before: Option<Timestamp>,
    /// The senders' letter ids of what was settled before; `None` keeps them.
    pub letter_ids_before: Option<Timestamp>,
}

/// What goes of one batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchPurge {
    pub batch: BatchId,
    pub sender: SenderId,
    /// When the last thing happened to it.
    pub settled_at: Timestamp,
    /// The sender's file and the files of its bundles.
    pub files: Vec<SpoolKey>,
    pub bytes: u64,
    /// Rows of messages that lose what they say of people.
    pub people: u64,
    /// Letter ids by which the same letter would have been known again.
    pub letter_ids: u64,
}

impl BatchPurge {
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.people == 0 && self.letter_ids == 0
    }
}

/// Why a batch, or a message, is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Kept {
    #[error("batch {0} has steps before it")]
    UnderWay(BatchId),
    #[error("batch {0} is held")]
    Held(BatchId),
    #[error("batch {batch} has messages that wait, are held, or are on their way: {messages}")]
    Unsettled { batch: BatchId, messages: u64 },
    #[error("batch {0} has something to hand over, or that was not picked up")]
    NotHandedOver(BatchId),
    #[error("messages of batch {0} go on paper if nobody reads or confirms them in time")]
    AwaitsReader(BatchId),
    #[error("message {0} waits, is held, or is on its way")]
    Message(MessageId),
}

/// What became of the one message that somebody wants erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    pub message: MessageId,
    /// Not `None`: nothing is done.
    pub kept: Option<Kept>,
    /// It was erased before.
    pub was_erased: bool,
    /// The file of its batch still holds the letter.
    pub payload_stays: bool,
}

impl Store {
    /// Batches that the rule looks at, oldest first, after batch `after`: at most `limit`.
    pub fn purge_candidates(
        &self,
        rule: &PurgeRule,
        after: Option<BatchId>,
        limit: u32,
    ) -> Result<Vec<BatchId>, Error> {
        let doing = "look for what is kept too long";
        // Nothing is settled before it came.
        let sql = "SELECT id FROM batches
             WHERE id > :after AND (:batch IS NULL OR id = :batch)
               AND (:sender IS NULL OR sender = :sender)
               AND ((payload_purged_at IS NULL AND received_at < :payload)
                 OR (messages_purged_at IS NULL AND received_at < :people)
                 OR (received_at < :letter_ids
                     AND EXISTS (SELECT 1 FROM letter_ids l WHERE l.batch = batches.id)))
             ORDER BY id LIMIT :limit";
        let before = |time: Option<Timestamp>| time.map_or(i64::MIN, millis);
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing(doing)?;
            let rows = query.query_map(
                named_params! {
                    ":after": after.map_or(0, |id| id.0),
                    ":batch": rule.batch.map(|id| id.0),
                    ":sender": rule.sender.as_ref().map(SenderId::as_str),
                    ":payload": before(rule.payload_before),
                    ":people": before(rule.people_before),
                    ":letter_ids": before(rule.letter_ids_before),
                    ":limit": limit,
                },
                |row| row.batch("id"),
            );
            rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)
        })
    }

    /// What the rule takes of one batch, or why it takes nothing.
    pub fn plan_purge(
        &self,
        rule: &PurgeRule,
        batch: BatchId,
    ) -> Result<Result<BatchPurge, Kept>, Error> {
        self.read(|db| plan(db, rule, batch))
    }

    /// Removes what the rule takes of one batch: the row says so first, then the files go, then rows,
    /// a page a transaction. After a crash in between it is asked again.
    pub fn purge(
        &self,
        rule: &PurgeRule,
        batch: BatchId,
        action: &NewEvent,
    ) -> Result<Result<BatchPurge, Kept>, Error> {
        let planned = self.write("purge the files of a batch", |tx| {
            let planned = plan(tx, rule, batch)?;
            if let Ok(purge) = &planned {
                begin(tx, purge, action)?;
            }
            Ok(planned)
        })?;
        if let Ok(purge) = &planned {
            self.remove_purged(purge)?;
            if purge.people > 0 {
                self.forget_people(batch, action)?;
            }
        }
        Ok(planned)
    }

    fn remove_purged(&self, purge: &BatchPurge) -> Result<(), Error> {
        for key in &purge.files {
            crash_points::before("remove", "store: purge a file");
            self.spool().remove(key)?;
            crash_points::after("remove", "store: purge a file");
        }
        if purge.files.is_empty() {
            return Ok(());
        }
        for path in self.on_the_test_shelf(purge.batch)? {
            self.remove_from_test_shelf(&path)?;
        }
        Ok(())
    }

    /// Bundles of test batches are handed over to a folder of ours: nobody takes them away.
    fn on_the_test_shelf(&self, batch: BatchId) -> Result<Vec<String>, Error> {
        let doing = "list the files of test bundles";
        let sql = "SELECT f.path FROM outgoing_files f JOIN outgoing o ON o.id = f.outgoing
             WHERE o.batch = ? AND o.bundle IS NOT NULL AND o.place = 'test-shelf'";
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing(doing)?;
            let rows = query.query_map([batch.0], |row| row.get(0)).doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }

    fn remove_from_test_shelf(&self, path: &str) -> Result<(), Error> {
        let path = self.spool().data_folder().join("test-shelf").join(path);
        let failed = |source| Error::Spool {
            doing: "remove",
            path: path.clone(),
            source,
        };
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        // Its folder goes with the last file of the bundle.
        let _ = path.parent().map(fs::remove_dir);
        Ok(())
    }

    fn forget_people(&self, batch: BatchId, action: &NewEvent) -> Result<(), Error> {
        let doing = "find the last message";
        let sql = "SELECT COALESCE(MAX(position), 0) FROM messages WHERE batch = ?";
        let last: u32 =
            self.read(|db| db.query_row(sql, [batch.0], |row| row.get(0)).doing(doing))?;
        let mut from = 1;
        while from <= last {
            let to = from.saturating_add(PAGE - 1);
            self.write("purge message rows", |tx| forget(tx, batch, (from, to)))?;
            from = to.saturating_add(1);
        }
        self.write("record that message rows are purged", |tx| {
            forget_of_batch(tx, batch)?;
            let sql = "UPDATE batches SET messages_purged_at = ?2 WHERE id = ?1";
            tx.execute(sql, params![batch.0, millis(action.at)])
                .doing("record that message rows are purged")?;
            events::note_action(tx, action, batch, None, PURGED_PEOPLE)
        })
    }

    /// What erasing one message would do, without doing it.
    pub fn plan_erasure(&self, id: MessageId) -> Result<Erasure, Error> {
        self.read(|db| erasure(db, id))
    }

    /// Erases what the rows say of the person of one message, in one transaction. The letter stays in
    /// its batch's file until that goes.
    pub fn erase(&self, id: MessageId, action: &NewEvent) -> Result<Erasure, Error> {
        self.write("erase a message", |tx| {
            let erasure = erasure(tx, id)?;
            if erasure.kept.is_none() && !erasure.was_erased {
                forget(tx, id.batch, (id.position, id.position))?;
                let sql = "UPDATE messages SET erased_at = ?3 WHERE batch = ?1 AND position = ?2";
                let given = params![id.batch.0, id.position, millis(action.at)];
                tx.execute(sql, given).doing("erase a message")?;
                events::note_action(tx, action, id.batch, Some(id.position), "erased")?;
                events::note_action(tx, action, id.batch, None, &format!("erased {id}"))?;
            }
            Ok(erasure)
        })
    }

    /// Notes a purge of more than one batch as one deed of the house, and cuts the write-ahead log off:
    /// what was there stands in no file any more.
    pub fn end_purge(&self, batches: u64, action: &NewEvent) -> Result<(), Error> {
        if batches > 0 {
            self.write("note a purge", |tx| {
                events::note_house(tx, action, &format!("purged {batches} batches"))
            })?;
        }
        self.cut_log()
    }

    /// Copies the write-ahead log into the database and makes it empty. A reader that is in the way
    /// for long leaves it for the next time.
    pub fn cut_log(&self) -> Result<(), Error> {
        let doing = "cut the write-ahead log off";
        let apart = self.connect_apart()?;
        apart
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .doing(doing)
    }
}

const PURGED_FILES: &str = "purged: files";
const PURGED_PEOPLE: &str = "purged: people";

fn plan(
    db: &Connection,
    rule: &PurgeRule,
    batch: BatchId,
) -> Result<Result<BatchPurge, Kept>, Error> {
    let row = super::batches::by_id(db, batch)?;
    if let Some(kept) = why_kept(db, batch)? {
        return Ok(Err(kept));
    }
    let settled_at = settled_at(db, batch)?.max(row.received_at);
    let is_past = |before: Option<Timestamp>| before.is_some_and(|before| settled_at < before);
    let mut purge = BatchPurge {
        batch,
        sender: row.sender,
        settled_at,
        files: Vec::new(),
        bytes: 0,
        people: 0,
        letter_ids: 0,
    };
    if row.payload_purged_at.is_none() && is_past(rule.payload_before) {
        purge.files.push(row.spool);
        purge.bytes = row.bytes;
        add_bundles(db, &mut purge)?;
    }
    if row.messages_purged_at.is_none() && is_past(rule.people_before) {
        purge.people = count(db, "SELECT COUNT(*) FROM messages WHERE batch = ?", batch)?;
    }
    if is_past(rule.letter_ids_before) {
        let sql = "SELECT COUNT(*) FROM letter_ids WHERE batch = ?";
        purge.letter_ids = count(db, sql, batch)?;
    }
    Ok(Ok(purge))
}

/// Steps, messages and hand-overs: whatever is not at its end keeps all of its batch.
fn why_kept(db: &Connection, batch: BatchId) -> Result<Option<Kept>, Error> {
    let has = |sql: &str| -> Result<bool, Error> {
        let mut query = db.prepare_cached(sql).doing("see why a batch is kept")?;
        query.exists([batch.0]).doing("see why a batch is kept")
    };
    if has("SELECT 1 FROM batches WHERE id = ? AND state = 'held'")? {
        return Ok(Some(Kept::Held(batch)));
    }
    let under_way = has("SELECT 1 FROM batches WHERE id = ?1 AND (due_at IS NOT NULL
            OR lease_until IS NOT NULL OR delivery_begun_at IS NOT NULL
            OR state NOT IN ('reported', 'refused', 'cancelled')
            OR EXISTS (SELECT 1 FROM arrivals a WHERE a.batch = ?1)
            OR EXISTS (SELECT 1 FROM delivery_reports d
                        WHERE d.batch = ?1 AND (d.due_at IS NOT NULL OR d.lease_until IS NOT NULL)))")?;
    if under_way {
        return Ok(Some(Kept::UnderWay(batch)));
    }
    let sql = "SELECT COUNT(*) FROM messages WHERE batch = ?
         AND (state IN ('accepted', 'waiting', 'routed', 'composed', 'held')
              OR (state = 'delivered' AND channel = 'mailbox-and-print'))";
    let messages = count(db, sql, batch)?;
    if messages > 0 {
        return Ok(Some(Kept::Unsettled { batch, messages }));
    }
    let awaits_reader = has("SELECT 1 FROM timers t
         JOIN messages m ON m.batch = t.batch AND m.position = t.position
         WHERE t.batch = ? AND t.stuck_at IS NULL AND m.erased_at IS NULL
           AND m.state = 'delivered' AND m.channel = 'mailbox'")?;
    if awaits_reader {
        return Ok(Some(Kept::AwaitsReader(batch)));
    }
    let to_go = has(
        "SELECT 1 FROM outgoing WHERE batch = ? AND (due_at IS NOT NULL
            OR lease_until IS NOT NULL OR held_at IS NOT NULL
            OR state IN ('due', 'handing-over') OR (bundle IS NOT NULL AND awaits_pickup = 1))",
    )?;
    Ok(to_go.then_some(Kept::NotHandedOver(batch)))
}

/// The last that happened to it, what purging did left out.
fn settled_at(db: &Connection, batch: BatchId) -> Result<Timestamp, Error> {
    let sql = "SELECT MAX(
            COALESCE((SELECT MAX(at) FROM events
                       WHERE batch = ?1 AND what NOT IN (?2, ?3)), 0),
            COALESCE((SELECT MAX(handed_over_at) FROM outgoing WHERE batch = ?1), 0),
            COALESCE((SELECT MAX(picked_up_at) FROM outgoing WHERE batch = ?1), 0),
            COALESCE((SELECT MAX(at) FROM message_events WHERE batch = ?1), 0)) AS settled_at";
    let given = params![batch.0, PURGED_FILES, PURGED_PEOPLE];
    db.query_row(sql, given, |row| row.time("settled_at"))
        .doing("see since when a batch is settled")
}

fn count(db: &Connection, sql: &str, batch: BatchId) -> Result<u64, Error> {
    let mut query = db.prepare_cached(sql).doing("count what is kept")?;
    query
        .query_row([batch.0], |row| row.get(0))
        .doing("count what is kept")
}

fn add_bundles(db: &Connection, purge: &mut BatchPurge) -> Result<(), Error> {
    let doing = "list the files of bundles";
    let sql = "SELECT f.spool, f.bytes FROM outgoing_files f JOIN outgoing o ON o.id = f.outgoing
         WHERE o.batch = ? AND o.bundle IS NOT NULL AND o.state <> 'withdrawn'";
    let mut query = db.prepare_cached(sql).doing(doing)?;
    let row = |row: &Row<'_>| Ok((SpoolKey(row.get(0)?), row.get::<_, u64>(1)?));
    for file in query.query_map([purge.batch.0], row).doing(doing)? {
        let (key, bytes) = file.doing(doing)?;
        purge.files.push(key);
        purge.bytes = purge.bytes.saturating_add(bytes);
    }
    Ok(())
}

/// The row says that the files are gone, before they are: what a crash leaves of them is swept.
fn begin(tx: &Transaction<'_>, purge: &BatchPurge, action: &NewEvent) -> Result<(), Error> {
    let doing = "purge the files of a batch";
    if !purge.files.is_empty() {
        let sql = "UPDATE batches SET payload_purged_at = ?2 WHERE id = ?1";
        tx.execute(sql, params![purge.batch.0, millis(action.at)])
            .doing(doing)?;
        events::note_action(tx, action, purge.batch, None, PURGED_FILES)?;
    }
    if purge.letter_ids > 0 {
        tx.execute("DELETE FROM letter_ids WHERE batch = ?", [purge.batch.0])
            .doing(doing)?;
        let sql = "UPDATE messages SET sender_letter_id = NULL WHERE batch = ?";
        tx.execute(sql, [purge.batch.0]).doing(doing)?;
    }
    Ok(())
}

/// What the rows of these messages say of people. A name of a document or an attachment may be a
/// person's; so may what a rule quotes, and what an operator wrote.
fn forget(tx: &Transaction<'_>, batch: BatchId, (from, to): (u32, u32)) -> Result<(), Error> {
    let doing = "purge message rows";
    let rows = "UPDATE messages SET recipient_kind = 'absent', recipient_id = NULL, name = NULL,
            additional_name = NULL, street = NULL, postal_code = NULL, city = NULL, country = NULL,
            other_address = NULL, subject = NULL, body = NULL, document = '', attachments = ''
         WHERE batch = ?1 AND position BETWEEN ?2 AND ?3";
    let findings = "UPDATE findings SET detail = '', entry = NULL
         WHERE batch = ?1 AND position BETWEEN ?2 AND ?3";
    let words = "UPDATE events SET why = NULL
         WHERE batch = ?1 AND position BETWEEN ?2 AND ?3 AND why IS NOT NULL";
    let reasons = "UPDATE message_events SET reason = NULL
         WHERE batch = ?1 AND position BETWEEN ?2 AND ?3 AND reason IS NOT NULL";
    for sql in [rows, findings, words, reasons] {
        tx.execute(sql, params![batch.0, from, to]).doing(doing)?;
    }
    timers::end_all(tx, batch, (from, to))?;
    notices::forget(tx, batch, (from, to))
}

/// Findings of the whole batch can quote a row of it.
fn forget_of_batch(tx: &Transaction<'_>, batch: BatchId) -> Result<(), Error> {
    let sql = "UPDATE findings SET detail = '', entry = NULL WHERE batch = ? AND position IS NULL";
    tx.execute(sql, [batch.0]).doing("purge findings")?;
    // What a service tells later belongs to nothing that is known.
    let sql = "DELETE FROM sent_posts WHERE batch = ?";
    tx.execute(sql, [batch.0]).doing("purge what was sent")?;
    Ok(())
}

fn erasure(db: &Connection, id: MessageId) -> Result<Erasure, Error> {
    let doing = "look at a message to erase";
    let sql =
        "SELECT m.batch, m.position, m.erased_at IS NOT NULL OR b.messages_purged_at IS NOT NULL,
            b.payload_purged_at IS NULL,
            m.state IN ('accepted', 'waiting', 'routed', 'composed', 'held')
              OR (m.state = 'delivered' AND m.channel = 'mailbox-and-print')
         FROM messages m JOIN batches b ON b.id = m.batch WHERE m.batch = ?1 AND m.position = ?2";
    let found = db.query_row(sql, params![id.batch.0, id.position], |row| {
        let message = reprocess::message_id(row)?;
        Ok(Erasure {
            message,
            was_erased: row.get(2)?,
            payload_stays: row.get(3)?,
            kept: row.get::<_, bool>(4)?.then_some(Kept::Message(message)),
        })
    });
    found.optional().doing(doing)?.ok_or(Error::NoMessage(id))
}
