//! A house that was brought back from a backup knows nothing of what was done after its moment.
//! Nothing is done in it until an operator has asked the others, and says so.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    Error, NewEvent, Store, Transaction, bundles,
    columns::{Columns, millis},
    consent_feeds,
    error::Doing,
    events, hand_overs, held_back, mailbox_queue, message_events,
    reprocess::message_id,
};
use crate::domain::{
    BatchId, BatchState, BundleId, BundleState, MessageEvent, MessageId, PrintHouseId,
};

/// Numbers of batches, bundles and hand-overs go on behind the next multiple of this: none is given
/// that the lost house may have given after the backup.
const SKIPPED: i64 = 10_000;

/// What may have been done, or not, since the backup's moment.
#[derive(Debug, Clone, Default)]
pub struct Doubts {
    pub batches: Vec<DoubtfulBatch>,
    pub bundles: Vec<DoubtfulBundle>,
    /// Letters that the print house is known to have got after that moment.
    pub printed: u64,
    /// Recipients had said something by then, and may have taken it back since.
    pub has_consents: bool,
    /// The feeds that bring what they say, by name. A file that was taken is gone.
    pub consent_feeds: Vec<String>,
}

/// A batch with messages that were not at their end.
#[derive(Debug, Clone)]
pub struct DoubtfulBatch {
    pub batch: BatchId,
    pub state: BatchState,
    /// Of its messages; 0 where it was not opened yet.
    pub open: u64,
}

/// A bundle that was not at the print house, or stood there to be fetched.
#[derive(Debug, Clone)]
pub struct DoubtfulBundle {
    pub bundle: BundleId,
    pub batch: BatchId,
    pub print_house: PrintHouseId,
    pub state: BundleState,
    /// It was handed over, and nobody has seen it fetched.
    pub stood_there: bool,
    /// All its letters are among those that the print house has.
    pub is_printed: bool,
    /// Some of them are.
    pub is_printed_in_part: bool,
}

/// What the print house's lists have told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrintedNoted {
    /// Letters of batches that the house knows.
    pub letters: u64,
    /// Batches of which it knows nothing: they came after the backup.
    pub unknown: Vec<BatchId>,
    /// Bundles that are recorded as handed over now.
    pub handed_over: Vec<BundleId>,
    /// Bundles of which it has some letters, under another number: taken back, to be planned anew.
    pub withdrawn: Vec<BundleId>,
}

impl Store {
    /// The moment of the backup that the house was brought back from, where nobody has said yet that it
    /// may go on.
    pub fn restored_at(&self) -> Result<Option<Timestamp>, Error> {
        let sql = "SELECT restored_at FROM house";
        self.read(|db| {
            db.query_row(sql, [], |row| row.maybe_time("restored_at"))
                .doing("see whether the house was restored")
        })
    }

    /// Marks the house, and lets its numbers go on where none was given before.
    pub(super) fn mark_restored(&self, moment: Timestamp, action: &NewEvent) -> Result<(), Error> {
        let doing = "mark the house as restored";
        self.release_leases()?;
        self.write(doing, |tx| {
            tx.execute("UPDATE house SET restored_at = ?", [millis(moment)])
                .doing(doing)?;
            for table in ["batches", "bundles", "outgoing", "arrivals"] {
                skip_numbers(tx, table)?;
            }
            mailbox_queue::doubt_all(tx)?;
            events::note_house(tx, action, &format!("restored as of {moment}"))
        })
    }

    pub fn doubts(&self) -> Result<Doubts, Error> {
        self.read(|db| {
            Ok(Doubts {
                batches: doubtful_batches(db)?,
                bundles: doubtful_bundles(db)?,
                printed: db
                    .query_row("SELECT COUNT(*) FROM printed_before", [], |row| row.get(0))
                    .doing("count letters")?,
                has_consents: has_consents(db)?,
                consent_feeds: consent_feeds::feeds(db)?
                    .into_iter()
                    .map(|feed| feed.name)
                    .collect(),
            })
        })
    }

    /// Notes letters that the print house has got, in one transaction: they are printed no more.
    pub fn note_printed(
        &self,
        letters: &[(MessageId, BundleId)],
        action: &NewEvent,
    ) -> Result<PrintedNoted, Error> {
        let noted = self.write("note printed letters", |tx| {
            let mut noted = PrintedNoted::default();
            for &(message, bundle) in letters {
                note_letter(tx, message, bundle, action.at, &mut noted)?;
            }
            noted.unknown.sort_unstable();
            noted.unknown.dedup();
            for bundle in doubtful_bundles(tx)? {
                settle_bundle(tx, &bundle, action, &mut noted)?;
            }
            let what = format!("noted {} letters as printed", noted.letters);
            events::note_house(tx, action, &what)?;
            Ok(noted)
        })?;
        self.remove_files_of(&noted.withdrawn)?;
        Ok(noted)
    }

    /// Lets the house go on, in one transaction. Bundles of `again` are handed over once more.
    pub fn accept_restore(&self, again: &[BundleId], action: &NewEvent) -> Result<(), Error> {
        let doing = "let a restored house go on";
        let due = "UPDATE outgoing SET state = 'due', due_at = ?2, waits_since = ?2, attempts = 0,
                awaits_pickup = 0, overdue_at = NULL
             WHERE bundle = ?1 AND state = 'handed-over'";
        self.write(doing, |tx| {
            for bundle in again {
                tx.execute(due, params![bundle.0, millis(action.at)])
                    .doing(doing)?;
                events::note_house(tx, action, &format!("handed over again: {bundle}"))?;
            }
            // No step comes by there before it is sent.
            for batch in batches_in_queue(tx)? {
                settle_letters(tx, batch, action.at)?;
            }
            held_back::hold_back(tx, held_back::Which::All, action.at)?;
            tx.execute("UPDATE house SET restored_at = NULL", [])
                .doing(doing)?;
            events::note_house(tx, action, "accepted the restored house")
        })
    }

    /// Records letters of a batch as handed over that the print house is known to have, also where a
    /// consent that came since would send them to a mailbox now: once is enough.
    pub fn settle_printed(&self, batch: BatchId, now: Timestamp) -> Result<u64, Error> {
        let doing = "settle printed letters";
        let letters = self.read(|db| printed_letters(db, batch))?;
        if letters.is_empty() {
            return Ok(0);
        }
        self.write(doing, |tx| settle_letters(tx, batch, now))
    }

    /// The files that rows name, with their digests.
    pub(super) fn named_digests(&self) -> Result<Vec<(super::SpoolKey, String)>, Error> {
        let doing = "list named files";
        let sql = "SELECT spool, sha256 FROM batches WHERE payload_purged_at IS NULL
             UNION SELECT f.spool, f.sha256 FROM outgoing_files f JOIN outgoing o ON o.id = f.outgoing
              JOIN batches b ON b.id = o.batch
              WHERE o.state <> 'withdrawn' AND (o.bundle IS NULL OR b.payload_purged_at IS NULL)";
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing(doing)?;
            let row = |row: &Row<'_>| Ok((super::SpoolKey(row.get(0)?), row.get(1)?));
            let rows = query.query_map([], row).doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }
}

/// Letters of a batch that were printed, and that its rows would send once more.
fn printed_letters(db: &Connection, batch: BatchId) -> Result<Vec<MessageId>, Error> {
    let doing = "settle printed letters";
    let sql = "SELECT m.batch, m.position FROM printed_before p
         JOIN messages m ON m.batch = p.batch AND m.position = p.position
         WHERE p.batch = ? AND m.bundle IS NULL
           AND (m.state = 'routed' AND (m.channel = 'print'
                  OR m.channel = 'mailbox' AND m.forced_channel IS NULL)
                OR m.state = 'delivered' AND m.channel = 'mailbox-and-print')";
    let mut query = db.prepare_cached(sql).doing(doing)?;
    let rows = query.query_map([batch.0], message_id).doing(doing)?;
    rows.collect::<Result<_, _>>().doing(doing)
}

/// Out of the queue of a mailbox service too, where they wait in one.
fn settle_letters(tx: &Transaction<'_>, batch: BatchId, now: Timestamp) -> Result<u64, Error> {
    let doing = "settle printed letters";
    let letters = printed_letters(tx, batch)?;
    if letters.is_empty() {
        return Ok(0);
    }
    // By the way of the lifecycle.
    for state in ["composed", "handed-over"] {
        let sql = "UPDATE messages SET state = ?3,
                channel = CASE channel WHEN 'mailbox' THEN 'print' ELSE channel END
             WHERE batch = ?1 AND position = ?2";
        let mut update = tx.prepare_cached(sql).doing(doing)?;
        for MessageId { batch, position } in &letters {
            update
                .execute(params![batch.0, position, state])
                .doing(doing)?;
        }
    }
    let positions = letters.iter().map(|id| id.position);
    message_events::note(tx, batch, positions, MessageEvent::HandedOver, now)?;
    let what = format!("{} letters were printed before the restore", letters.len());
    events::note(tx, now, batch, None, &what)?;
    Ok(letters.len() as u64)
}

fn has_consents(db: &Connection) -> Result<bool, Error> {
    let sql =
        "SELECT EXISTS (SELECT 1 FROM consent_history) OR EXISTS (SELECT 1 FROM matter_history)
             OR EXISTS (SELECT 1 FROM notice_addresses)";
    db.query_row(sql, [], |row| row.get(0))
        .doing("see whether anybody has said anything")
}

fn batches_in_queue(db: &Connection) -> Result<Vec<BatchId>, Error> {
    let doing = "list queued batches";
    let mut query = db
        .prepare_cached("SELECT DISTINCT batch FROM queued_batches ORDER BY batch")
        .doing(doing)?;
    let rows = query.query_map([], |row| row.batch("batch")).doing(doing)?;
    rows.collect::<Result<_, _>>().doing(doing)
}

/// SQLite gives the next number of an `AUTOINCREMENT` table by this row (`sqlite.org/autoinc.html`).
fn skip_numbers(tx: &Transaction<'_>, table: &str) -> Result<(), Error> {
    let doing = "skip numbers";
    let sql = "UPDATE sqlite_sequence SET seq = (seq / ?2 + 1) * ?2 WHERE name = ?1";
    if tx.execute(sql, params![table, SKIPPED]).doing(doing)? == 0 {
        let sql = "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)";
        tx.execute(sql, params![table, SKIPPED]).doing(doing)?;
    }
    Ok(())
}

fn doubtful_batches(db: &Connection) -> Result<Vec<DoubtfulBatch>, Error> {
    let doing = "list unfinished batches";
    let sql = "SELECT b.id, b.state, (SELECT COUNT(*) FROM messages m WHERE m.batch = b.id
                AND m.state IN ('accepted', 'waiting', 'routed', 'composed')) AS open
         FROM batches b
         WHERE b.state IN ('received', 'opened', 'routed', 'delivered', 'composed')
            OR b.due_at IS NOT NULL ORDER BY b.id";
    let mut query = db.prepare(sql).doing(doing)?;
    let rows = query.query_map([], |row| {
        Ok(DoubtfulBatch {
            batch: row.batch("id")?,
            state: row.word("state")?,
            open: row.get("open")?,
        })
    });
    rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)
}

fn doubtful_bundles(db: &Connection) -> Result<Vec<DoubtfulBundle>, Error> {
    let doing = "list bundles in doubt";
    let sql = "SELECT b.id, b.batch, b.print_house, b.state,
            b.state = 'handed-over' AS stood_there,
            NOT EXISTS (SELECT 1 FROM pieces p LEFT JOIN printed_before q
                         ON q.batch = p.batch AND q.position = p.position
                        WHERE p.bundle = b.id AND q.batch IS NULL) AS is_printed,
            EXISTS (SELECT 1 FROM pieces p JOIN printed_before q
                         ON q.batch = p.batch AND q.position = p.position
                     WHERE p.bundle = b.id) AS has_printed
         FROM bundles b LEFT JOIN outgoing o ON o.bundle = b.id
         WHERE b.state IN ('planned', 'composed')
            OR (b.state = 'handed-over' AND o.awaits_pickup = 1) ORDER BY b.id";
    let mut query = db.prepare(sql).doing(doing)?;
    let rows = query.query_map([], |row| {
        Ok(DoubtfulBundle {
            bundle: BundleId(row.get("id")?),
            batch: row.batch("batch")?,
            print_house: row.parsed("print_house")?,
            state: row.word("state")?,
            stood_there: row.get("stood_there")?,
            is_printed: row.get("is_printed")?,
            is_printed_in_part: row.get("has_printed")? && !row.get("is_printed")?,
        })
    });
    rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)
}

fn note_letter(
    tx: &Transaction<'_>,
    message: MessageId,
    bundle: BundleId,
    now: Timestamp,
    noted: &mut PrintedNoted,
) -> Result<(), Error> {
    let doing = "note a printed letter";
    let known = tx
        .query_row(
            "SELECT 1 FROM batches WHERE id = ?",
            [message.batch.0],
            |_| Ok(()),
        )
        .optional()
        .doing(doing)?;
    if known.is_none() {
        noted.unknown.push(message.batch);
        return Ok(());
    }
    let sql = "INSERT OR IGNORE INTO printed_before (batch, position, bundle, noted_at)
         VALUES (?1, ?2, ?3, ?4)";
    let given = params![message.batch.0, message.position, bundle.0, millis(now)];
    tx.execute(sql, given).doing(doing)?;
    noted.letters += 1;
    Ok(())
}

/// A bundle of which all letters are printed is that of the list. One of which some are has other
/// letters beside them than the printed one had.
fn settle_bundle(
    tx: &Transaction<'_>,
    bundle: &DoubtfulBundle,
    action: &NewEvent,
    noted: &mut PrintedNoted,
) -> Result<(), Error> {
    let id = bundle.bundle;
    if bundle.stood_there {
        if bundle.is_printed {
            picked_up(tx, id, action.at)?;
        }
        return Ok(());
    }
    if bundle.is_printed && bundle.state == BundleState::Composed {
        handed_over(tx, bundle, action.at)?;
        noted.handed_over.push(id);
    } else if bundle.is_printed || bundle.is_printed_in_part {
        bundles::withdraw(tx, id)?;
        plan_again(tx, bundle.batch, action.at)?;
        noted.withdrawn.push(id);
    } else {
        return Ok(());
    }
    events::note_action(
        tx,
        action,
        bundle.batch,
        None,
        &format!("{id} was printed before"),
    )
}

fn picked_up(tx: &Transaction<'_>, bundle: BundleId, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE outgoing SET awaits_pickup = 0, overdue_at = NULL, picked_up_at = ?2
         WHERE bundle = ?1";
    tx.execute(sql, params![bundle.0, millis(now)])
        .doing("record a pick-up")?;
    Ok(())
}

fn handed_over(tx: &Transaction<'_>, bundle: &DoubtfulBundle, now: Timestamp) -> Result<(), Error> {
    let outgoing = "UPDATE outgoing SET state = 'handed-over', handed_over_at = ?2, due_at = NULL,
            lease_until = NULL, held_at = NULL, attempts = 0, last_error = NULL
         WHERE bundle = ?1";
    tx.execute(outgoing, params![bundle.bundle.0, millis(now)])
        .doing("record a hand-over")?;
    hand_overs::hand_over_bundle(tx, bundle.batch, bundle.bundle, now)
}

/// Letters of a bundle that was taken back are to be planned anew.
fn plan_again(tx: &Transaction<'_>, batch: BatchId, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE batches SET state = 'delivered', due_at = ?2
         WHERE id = ?1 AND state IN ('composed', 'reported')";
    tx.execute(sql, params![batch.0, millis(now)])
        .doing("plan letters anew")?;
    Ok(())
}
