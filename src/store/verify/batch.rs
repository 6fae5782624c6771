//! The rows of one batch, held to the invariants.

mod bundles;
mod hand_overs;

use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, Row, params};

use self::bundles::Bundles;
use super::{
    super::{
        BatchRow, Error, batches,
        columns::{Columns, Word, maybe_millis},
        error::Doing,
        events::DAEMON,
        mailbox_queue::IS_QUEUED,
    },
    Verification, Verified,
    files::NamedFile,
};
use crate::domain::{
    AtService, BatchFacts, BatchId, Breach, BundleId, BundleState, Channel, MessageFacts,
    MessageId, MessageState,
};

const DOING: &str = "verify a batch";

/// Tables whose rows name a message by its batch and position, without being held to it.
const LOOSE: [&str; 8] = [
    "letter_ids",
    "findings",
    "message_events",
    "pieces",
    "events",
    "mailbox_queue",
    "sent_posts",
    "timers",
];

/// Holds the rows of one batch to the rules; adds the files that they name.
pub(super) fn verify(
    db: &Connection,
    id: BatchId,
    options: &Verification,
    found: &mut Verified,
    files: &mut Vec<NamedFile>,
) -> Result<(), Error> {
    let Some(row) = batch_row(db, id, found)? else {
        return Ok(());
    };
    found.batches += 1;
    let mut look = Look {
        db,
        row: &row,
        found,
    };
    look.lease(&row.id, row.lease_until, options);
    let hand_overs = look.hand_overs(options, files)?;
    let bundles = look.bundles(&hand_overs)?;
    let messages = look.messages(&bundles)?;
    look.batch(&messages, &bundles)?;
    look.deliveries()?;
    look.loose_rows(&messages)?;
    if row.payload_purged_at.is_none() {
        files.push(NamedFile {
            key: row.spool.clone(),
            bytes: row.bytes,
            sha256: row.sha256.clone(),
        });
    }
    Ok(())
}

/// `None` where its state is no word of the house: then nothing more can be said of it.
fn batch_row(
    db: &Connection,
    id: BatchId,
    found: &mut Verified,
) -> Result<Option<BatchRow>, Error> {
    match batches::by_id(db, id) {
        Err(Error::Sql {
            source: source @ rusqlite::Error::FromSqlConversionFailure(..),
            ..
        }) => {
            found.add(Breach::StateUnknown, id, source.to_string());
            Ok(None)
        }
        row => row.map(Some),
    }
}

/// A look at one batch.
struct Look<'a> {
    db: &'a Connection,
    row: &'a BatchRow,
    found: &'a mut Verified,
}

/// What was counted of messages.
#[derive(Default)]
struct Messages {
    rows: u64,
    first: u32,
    last: u32,
    under_way: u64,
    waiting: u64,
    queued: u64,
}

impl Look<'_> {
    fn query(&self, sql: &str) -> Result<CachedStatement<'_>, Error> {
        self.db.prepare_cached(sql).doing(DOING)
    }

    /// A lease that has ended, or whose daemon has.
    fn lease(&mut self, about: &dyn ToString, until: Option<Timestamp>, options: &Verification) {
        if let Some(until) = until
            && (until <= options.now || !options.is_worked_on)
        {
            let how = format!("it is claimed until {until}, and nobody works on it");
            self.found
                .add(Breach::LeaseOfTheDead, about.to_string(), how);
        }
    }

    fn messages(&mut self, bundles: &Bundles) -> Result<Messages, Error> {
        let sql = format!(
            "SELECT position, state, channel, bundle, delivered_at IS NOT NULL AS delivered,
                {IS_QUEUED} AS is_queued,
                CASE WHEN state = 'handed-over' AND bundle IS NULL
                     THEN EXISTS (SELECT 1 FROM sent_posts s WHERE s.batch = m.batch
                                   AND s.position = m.position AND s.door <> 'electronic')
                     ELSE 0 END AS is_printed_by_service
             FROM messages m WHERE batch = ? ORDER BY position"
        );
        let db = self.db;
        let mut query = db.prepare_cached(&sql).doing(DOING)?;
        let mut rows = query.query([self.row.id.0]).doing(DOING)?;
        let mut counted = Messages::default();
        let mut live = bundles.live.as_slice();
        while let Some(row) = rows.next().doing(DOING)? {
            let position = row.get("position").doing(DOING)?;
            counted.count(position);
            let before = live.partition_point(|(other, _)| *other < position);
            let own = live.get(before..).unwrap_or_default();
            let own = own.get(..own.partition_point(|(other, _)| *other == position));
            let own = own.unwrap_or_default();
            live = live.get(before + own.len()..).unwrap_or_default();
            self.message(row, position, own, bundles, &mut counted)?;
        }
        self.found.messages += counted.rows;
        Ok(counted)
    }

    /// `own`: where its letters lie.
    fn message(
        &mut self,
        row: &Row<'_>,
        position: u32,
        own: &[(u32, BundleId)],
        bundles: &Bundles,
        counted: &mut Messages,
    ) -> Result<(), Error> {
        let id = MessageId {
            batch: self.row.id,
            position,
        };
        let state: &str = word(row, "state")?;
        let Some(state) = MessageState::of(state) else {
            self.unknown(&id, state);
            return Ok(());
        };
        let bundle = row.maybe_bundle("bundle").doing(DOING)?;
        let is_other = |(_, other): &&(u32, BundleId)| {
            Some(*other) != bundle && bundles.states.get(other) != Some(&BundleState::HandedOver)
        };
        let facts = MessageFacts {
            state,
            channel: maybe_word(row, "channel")?.and_then(Channel::of),
            is_in_mailbox: row.get("delivered").doing(DOING)?,
            bundle: bundle.and_then(|bundle| bundles.states.get(&bundle).copied()),
            is_in_bundle: own.iter().any(|(_, other)| Some(*other) == bundle),
            in_other_bundles: own.iter().filter(is_other).count(),
            at_service: at_service(row).doing(DOING)?,
        };
        counted.queued += u64::from(facts.at_service == AtService::Waits);
        counted.under_way += u64::from(facts.is_under_way());
        counted.waiting += u64::from(state == MessageState::Waiting);
        self.hold_to_rules(id, &facts, own.len())
    }

    /// What an operator asked for by name is no breach.
    fn hold_to_rules(
        &mut self,
        id: MessageId,
        facts: &MessageFacts,
        copies: usize,
    ) -> Result<(), Error> {
        for (breach, how) in facts.broken() {
            if breach == Breach::MailboxAndBundle && self.asked_for(id)? > 0 {
                continue;
            }
            self.found.add(breach, id, how);
        }
        let repeats = copies.saturating_sub(1 + facts.in_other_bundles);
        if repeats > 0 && self.asked_for(id)? < repeats {
            let how = format!("it lies in {copies} bundles, and no operator asked for that");
            self.found.add(Breach::PrintedTwice, id, how);
        }
        Ok(())
    }

    /// How often an operator did something to a message. Of rows that have been forgotten nobody knows.
    fn asked_for(&self, id: MessageId) -> Result<usize, Error> {
        if self.row.messages_purged_at.is_some() {
            return Ok(usize::MAX);
        }
        let sql = "SELECT COUNT(*) FROM events WHERE batch = ?1 AND position = ?2 AND actor <> ?3";
        let given = params![id.batch.0, id.position, DAEMON];
        self.query(sql)?
            .query_row(given, |row| row.get(0))
            .doing(DOING)
    }

    fn batch(&mut self, messages: &Messages, bundles: &Bundles) -> Result<(), Error> {
        let facts = BatchFacts {
            state: self.row.state,
            is_due: maybe_millis(self.row.due_at).is_some(),
            under_way: messages.under_way,
            waiting: messages.waiting,
            queued: messages.queued,
            is_to_settle: self.is_to_settle()?,
            planned: bundles.planned,
        };
        self.found.add_all(&self.row.id, facts.broken());
        let unbroken =
            messages.rows == 0 || messages.first == 1 && u64::from(messages.last) == messages.rows;
        if !unbroken {
            let Messages {
                rows, first, last, ..
            } = messages;
            let how = format!("it has {rows} messages, from {first} to {last}");
            self.found.add(Breach::MessagesMissing, self.row.id, how);
        }
        Ok(())
    }

    fn is_to_settle(&self) -> Result<bool, Error> {
        let sql = "SELECT 1 FROM queued_batches WHERE batch = ? AND unsettled_since IS NOT NULL";
        self.query(sql)?.exists([self.row.id.0]).doing(DOING)
    }

    fn deliveries(&mut self) -> Result<(), Error> {
        let sql = "SELECT d.position, d.times, m.again FROM
                (SELECT position, COUNT(*) AS times FROM message_events
                  WHERE batch = ?1 AND what = 'delivered' GROUP BY position HAVING COUNT(*) > 1) d
             JOIN messages m ON m.batch = ?1 AND m.position = d.position
             WHERE d.times > m.again + 1";
        let twice = |row: &Row<'_>| Ok((row.get("position")?, row.get::<_, u64>("times")?));
        let rows = collect(&mut self.query(sql)?, self.row.id, twice)?;
        for (position, times) in rows {
            let how = format!("it was delivered {times} times, and no operator asked for that");
            let batch = self.row.id;
            let id = MessageId { batch, position };
            self.found.add(Breach::DeliveredTwice, id, how);
        }
        Ok(())
    }

    /// Rows that name a message before the first or behind the last.
    fn loose_rows(&mut self, messages: &Messages) -> Result<(), Error> {
        for table in LOOSE {
            let sql = format!(
                "SELECT (SELECT MIN(position) FROM {table} WHERE batch = ?1),
                        (SELECT MAX(position) FROM {table} WHERE batch = ?1)"
            );
            let ends = |row: &Row<'_>| Ok([row.get(0)?, row.get(1)?]);
            let ends: [Option<u32>; 2] = self
                .query(&sql)?
                .query_row([self.row.id.0], ends)
                .doing(DOING)?;
            for position in ends.into_iter().flatten() {
                if !(messages.first..=messages.last).contains(&position) {
                    let batch = self.row.id;
                    let id = MessageId { batch, position };
                    let how = format!("a row of it names message {id}, which is not there");
                    self.found.add(Breach::OrphanRow, table, how);
                    break;
                }
            }
        }
        Ok(())
    }

    fn unknown(&mut self, about: &dyn ToString, state: &str) {
        let how = format!("its state is `{state}`, which this program does not know");
        self.found.add(Breach::StateUnknown, about.to_string(), how);
    }
}

fn at_service(row: &Row<'_>) -> rusqlite::Result<AtService> {
    Ok(if row.get("is_queued")? {
        AtService::Waits
    } else if row.get("is_printed_by_service")? {
        AtService::Prints
    } else {
        AtService::Nothing
    })
}

impl Messages {
    fn count(&mut self, position: u32) {
        if self.rows == 0 {
            self.first = position;
        }
        self.last = position;
        self.rows += 1;
    }
}

fn collect<T>(
    query: &mut CachedStatement<'_>,
    batch: BatchId,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, Error> {
    let rows = query.query_map([batch.0], read).doing(DOING)?;
    rows.collect::<Result<_, _>>().doing(DOING)
}

/// Without a copy: a million of them are read.
fn word<'row>(row: &'row Row<'_>, column: &str) -> Result<&'row str, Error> {
    Ok(maybe_word(row, column)?.unwrap_or_default())
}

fn maybe_word<'row>(row: &'row Row<'_>, column: &str) -> Result<Option<&'row str>, Error> {
    let value = row.get_ref(column).doing(DOING)?;
    let text = value.as_str_or_null().map_err(rusqlite::Error::from);
    text.doing(DOING)
}
