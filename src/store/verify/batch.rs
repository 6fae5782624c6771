//! The rows of one batch, held to the invariants.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, Row, params};

use super::{
    super::{
        BatchRow, Error, SpoolKey, batches,
        columns::{Columns, Word, maybe_millis},
        error::Doing,
        events::DAEMON,
        mailbox_queue::IS_QUEUED,
    },
    Verification, Verified,
    files::NamedFile,
};
use crate::domain::{
    AtService, BatchFacts, BatchId, Breach, BundleFacts, BundleId, BundleState, Channel,
    HandOverFacts, MessageFacts, MessageId, MessageState, OutgoingState,
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

/// How bundles stand, and which of their letters lie in one that was not withdrawn.
struct Bundles {
    states: HashMap<BundleId, BundleState>,
    /// Position and bundle, in this order.
    live: Vec<(u32, BundleId)>,
    planned: u64,
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

    /// By bundle: how many hand-overs it has, and the state of the last.
    fn hand_overs(
        &mut self,
        options: &Verification,
        files: &mut Vec<NamedFile>,
    ) -> Result<HashMap<BundleId, (u64, OutgoingState)>, Error> {
        let sql = "SELECT *, due_at IS NOT NULL AS is_due, held_at IS NOT NULL AS is_held,
                handed_over_at IS NOT NULL AS was_handed_over
             FROM outgoing WHERE batch = ? ORDER BY id";
        let rows = collect(&mut self.query(sql)?, self.row.id, hand_over)?;
        let mut of_bundles = HashMap::new();
        for row in rows {
            let about = row.about(self.row.id);
            let Some(state) = OutgoingState::of(&row.state) else {
                self.unknown(&about, &row.state);
                continue;
            };
            let is_here = row.bundle.is_none() || self.row.payload_purged_at.is_none();
            let named = self.files_of(row.id)?;
            let facts = HandOverFacts {
                state,
                files: if is_here { named.len() as u64 } else { 1 },
                ..row.facts
            };
            self.found.add_all(&about, facts.broken());
            self.lease(&about, row.lease_until, options);
            if is_here && state != OutgoingState::Withdrawn {
                files.extend(named);
            }
            if let Some(bundle) = row.bundle {
                let (count, _) = of_bundles.get(&bundle).copied().unwrap_or((0, state));
                of_bundles.insert(bundle, (count + 1, state));
            }
        }
        Ok(of_bundles)
    }

    fn files_of(&self, outgoing: i64) -> Result<Vec<NamedFile>, Error> {
        let sql = "SELECT spool, bytes, sha256 FROM outgoing_files WHERE outgoing = ?";
        let mut query = self.query(sql)?;
        let rows = query.query_map([outgoing], |row| {
            Ok(NamedFile {
                key: SpoolKey(row.get("spool")?),
                bytes: row.get("bytes")?,
                sha256: row.get("sha256")?,
            })
        });
        rows.doing(DOING)?.collect::<Result<_, _>>().doing(DOING)
    }

    fn bundles(
        &mut self,
        hand_overs: &HashMap<BundleId, (u64, OutgoingState)>,
    ) -> Result<Bundles, Error> {
        let sql = "SELECT id, state, pieces, letters, pages, sheets FROM bundles WHERE batch = ?";
        let rows = collect(&mut self.query(sql)?, self.row.id, counted_bundle)?;
        let mut bundles = Bundles {
            states: HashMap::new(),
            live: Vec::new(),
            planned: 0,
        };
        for (id, state, counted) in rows {
            self.found.bundles += 1;
            let Some(state) = BundleState::of(&state) else {
                self.unknown(&id, &state);
                continue;
            };
            let pieces = self.pieces(id, state, &mut bundles.live)?;
            let hand_over = hand_overs.get(&id);
            let facts = BundleFacts {
                state,
                hand_overs: hand_over.map_or(0, |(count, _)| *count),
                hand_over: hand_over.map(|(_, state)| *state),
                is_unbroken: pieces.is_unbroken,
                strangers: pieces.strangers,
                counted,
                found: pieces.found,
            };
            self.found.add_all(&id, facts.broken());
            bundles.planned += u64::from(state == BundleState::Planned);
            bundles.states.insert(id, state);
        }
        bundles.live.sort_unstable();
        Ok(bundles)
    }

    fn pieces(
        &self,
        bundle: BundleId,
        state: BundleState,
        live: &mut Vec<(u32, BundleId)>,
    ) -> Result<Pieces, Error> {
        let sql = "SELECT sequence, batch, position, pages, sheets FROM pieces WHERE bundle = ?
             ORDER BY sequence, position";
        let mut query = self.query(sql)?;
        let mut rows = query.query([bundle.0]).doing(DOING)?;
        let mut pieces = Pieces {
            is_unbroken: true,
            strangers: 0,
            found: [0; 4],
        };
        while let Some(row) = rows.next().doing(DOING)? {
            pieces.count(row).doing(DOING)?;
            if row.batch("batch").doing(DOING)? != self.row.id {
                pieces.strangers += 1;
                continue;
            }
            if state != BundleState::Withdrawn {
                live.push((row.get("position").doing(DOING)?, bundle));
            }
        }
        Ok(pieces)
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

struct Pieces {
    is_unbroken: bool,
    strangers: u64,
    /// Envelopes, letters, pages, sheets.
    found: [u64; 4],
}

impl Pieces {
    /// Rows come in the order of their sequence.
    fn count(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        let [last, letters, pages, sheets] = &mut self.found;
        let sequence: u64 = row.get("sequence")?;
        self.is_unbroken &= sequence == *last + 1 || sequence == *last && *letters > 0;
        *last = sequence;
        *letters += 1;
        *pages += row.get::<_, u64>("pages")?;
        *sheets += row.get::<_, u64>("sheets")?;
        Ok(())
    }
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

struct HandOver {
    id: i64,
    bundle: Option<BundleId>,
    kind: String,
    state: String,
    lease_until: Option<Timestamp>,
    /// But for its state and files.
    facts: HandOverFacts,
}

impl HandOver {
    /// `P-0031`, or `processing of B-0007`.
    fn about(&self, batch: BatchId) -> String {
        match self.bundle {
            Some(bundle) => bundle.to_string(),
            None => format!("{} of {batch}", self.kind),
        }
    }
}

fn hand_over(row: &Row<'_>) -> rusqlite::Result<HandOver> {
    Ok(HandOver {
        id: row.get("id")?,
        bundle: row.maybe_bundle("bundle")?,
        kind: row.get("kind")?,
        state: row.get("state")?,
        lease_until: row.maybe_time("lease_until")?,
        facts: HandOverFacts {
            state: OutgoingState::Due,
            is_due: row.get("is_due")?,
            is_held: row.get("is_held")?,
            was_handed_over: row.get("was_handed_over")?,
            files: 0,
        },
    })
}

fn counted_bundle(row: &Row<'_>) -> rusqlite::Result<(BundleId, String, [u64; 4])> {
    let counted = [
        row.get("pieces")?,
        row.get("letters")?,
        row.get("pages")?,
        row.get("sheets")?,
    ];
    Ok((BundleId(row.get("id")?), row.get("state")?, counted))
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
