//! Which messages an operator means: what is done again is picked by, and what is listed.

use std::fmt::Write as _;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{
    Error, MessageRow, Store, batches,
    columns::{Columns, Word, millis},
    error::Doing,
    messages::{self, in_states},
    reprocess::message_id,
    senders,
};
use crate::domain::{BatchId, BundleId, Channel, Code, MessageId, MessageState, SenderId};

/// Messages by what is known of them. All that is said must hold; a list holds where one of it does,
/// or where it is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageFilter {
    pub batches: Vec<BatchId>,
    /// Of a batch that one of these is of, only these.
    pub messages: Vec<MessageId>,
    pub senders: Vec<SenderId>,
    /// Received at this time or later.
    pub since: Option<Timestamp>,
    /// Received before this time.
    pub until: Option<Timestamp>,
    pub states: Vec<MessageState>,
    /// Of the message, or of its batch as a whole.
    pub findings: Vec<Code>,
    /// As they were last routed.
    pub channels: Vec<Channel>,
    /// The live bundle that they are in.
    pub bundle: Option<BundleId>,
}

impl MessageFilter {
    /// The states of messages that failed.
    pub const FAILED: &[MessageState] = &[MessageState::Refused, MessageState::Held];

    pub fn of_batch(batch: BatchId) -> Self {
        Self {
            batches: vec![batch],
            ..Self::default()
        }
    }

    /// Whether nothing narrows it down.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// The positions that are asked for by name in a batch; empty where the others of it are meant.
    pub fn named_in(&self, batch: BatchId) -> impl Iterator<Item = u32> {
        let named = self.messages.iter();
        named
            .filter(move |message| message.batch == batch)
            .map(|message| message.position)
    }

    /// What a message `m` of one batch fulfils: ` AND …`, or nothing. Every value in it is a number or
    /// a word of the house.
    pub(super) fn of_messages(&self, batch: BatchId) -> String {
        let named = self.named_in(batch).map(|position| position.to_string());
        let mut sql = one_of(" AND m.position", named);
        sql.push_str(&self.of_any_messages("m"));
        sql
    }

    fn of_any_messages(&self, m: &str) -> String {
        let mut sql = in_states(&format!(" AND {m}.state"), &self.states);
        let channels = self.channels.iter().copied().map(word);
        sql.push_str(&one_of(&format!(" AND {m}.channel"), channels));
        if let Some(bundle) = self.bundle {
            let _ = write!(sql, " AND {m}.bundle = {}", bundle.0);
        }
        let codes = one_of("f.code", self.findings.iter().copied().map(code));
        if !codes.is_empty() {
            // Asked one by one, so that each is found by its index.
            let _ = write!(
                sql,
                " AND (EXISTS (SELECT 1 FROM findings f WHERE f.batch = {m}.batch
                         AND f.position = {m}.position AND {codes})
                    OR EXISTS (SELECT 1 FROM findings f WHERE f.batch = {m}.batch
                         AND f.position IS NULL AND {codes}))"
            );
        }
        sql
    }

    /// What a refused message `n` of an earlier batch `nb` fulfils that is picked beside `m` of batch
    /// `b` and is the same letter; `None` where one batch alone is meant.
    pub(super) fn of_earlier_letters(&self) -> Option<String> {
        let batches = self.named_batches();
        if batches.len() == 1 {
            return None;
        }
        let batches = one_of(" AND n.batch", batches.iter().copied().map(number));
        let named = self.messages.iter().map(|message| {
            let MessageId { batch, position } = message;
            format!("(n.batch = {} AND n.position = {position})", batch.0)
        });
        let named: Vec<_> = named.collect();
        let whole = self
            .batches
            .iter()
            .filter(|&&batch| self.named_in(batch).next().is_none());
        let whole = one_of("n.batch", whole.copied().map(number));
        let either: Vec<_> = named
            .into_iter()
            .chain([whole])
            .filter(|sql| !sql.is_empty())
            .collect();
        let either = if either.is_empty() {
            String::new()
        } else {
            format!(" AND ({})", either.join(" OR "))
        };
        Some(format!(
            "n.sender_letter_id = m.sender_letter_id AND nb.sender = b.sender AND nb.is_test = 0
             AND n.batch < m.batch AND n.state IN ('refused', 'cancelled') AND n.state = 'refused'
             {batches}{either}{}{}",
            self.of_any_messages("n"),
            self.of_batches("nb")
        ))
    }

    /// What a batch `b` fulfils, by itself.
    fn of_batches(&self, b: &str) -> String {
        let mut sql = one_of(&format!(" AND {b}.sender"), self.senders.iter().map(text));
        if let Some(since) = self.since {
            let _ = write!(sql, " AND {b}.received_at >= {}", millis(since));
        }
        if let Some(until) = self.until {
            let _ = write!(sql, " AND {b}.received_at < {}", millis(until));
        }
        sql
    }

    /// Batches that failed as a whole are meant too where failed messages are, though none of theirs
    /// may have failed. Not one that waits at the gate: what it needs is an approval.
    fn of_stopped_batches(&self) -> String {
        let stopped = [MessageState::Refused, MessageState::Held];
        let stopped = stopped
            .into_iter()
            .filter(|state| self.states.contains(state));
        let states = one_of("b.state", stopped.map(word));
        if !self.channels.is_empty() || self.bundle.is_some() || states.is_empty() {
            return String::new();
        }
        let codes = one_of("f.code", self.findings.iter().copied().map(code));
        let found = if codes.is_empty() {
            String::new()
        } else {
            format!(" AND EXISTS (SELECT 1 FROM findings f WHERE f.batch = b.id AND {codes})")
        };
        format!(
            " OR ({states}{found} AND NOT EXISTS
                (SELECT 1 FROM holds h WHERE h.batch = b.id AND h.approved_at IS NULL))"
        )
    }

    fn named_batches(&self) -> Vec<BatchId> {
        let named = self.messages.iter().map(|message| message.batch);
        let mut named: Vec<_> = self.batches.iter().copied().chain(named).collect();
        named.sort_unstable();
        named.dedup();
        named
    }
}

impl Store {
    /// The batches with messages that are meant, oldest first. One that is named is among them also
    /// where none of its messages is.
    ///
    /// # Errors
    ///
    /// [`Error::NoBatch`] where one that is named is not there, and [`Error::NoSender`].
    pub fn batches_with(&self, filter: &MessageFilter) -> Result<Vec<BatchId>, Error> {
        let named = filter.named_batches();
        self.read(|db| {
            for &batch in &named {
                batches::by_id(db, batch)?;
            }
            for sender in &filter.senders {
                senders::must_be_known(db, sender)?;
            }
            batches_with(db, filter, &named)
        })
    }

    /// A page of the messages that are meant, in the order of batch and position, after `after`.
    pub fn messages_with(
        &self,
        filter: &MessageFilter,
        after: Option<MessageId>,
        limit: u32,
    ) -> Result<Vec<MessageRow>, Error> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        for batch in self.batches_with(filter)? {
            let position = match after {
                Some(after) if batch < after.batch => continue,
                Some(after) if batch == after.batch => after.position,
                _ => 0,
            };
            let wanted = limit - found.len();
            found.extend(self.read(|db| page(db, filter, batch, position, wanted))?);
            if found.len() >= limit {
                break;
            }
        }
        Ok(found)
    }

    /// The messages of a sender that carry its own letter id: the one that it belongs to, and those
    /// that were refused, called off, tests or repeats.
    pub fn messages_of_letter(
        &self,
        sender: &SenderId,
        letter_id: &str,
    ) -> Result<Vec<MessageId>, Error> {
        let doing = "look for a letter id";
        let sql = "SELECT batch, position FROM letter_ids WHERE sender = ?1 AND letter_id = ?2
             UNION
             SELECT m.batch, m.position FROM messages m JOIN batches b ON b.id = m.batch
              WHERE m.state IN ('refused', 'cancelled') AND m.sender_letter_id = ?2 AND b.sender = ?1
             UNION
             SELECT m.batch, m.position FROM batches b CROSS JOIN messages m ON m.batch = b.id
              WHERE b.is_test = 1 AND b.sender = ?1 AND m.sender_letter_id = ?2
             UNION
             SELECT m.batch, m.position FROM findings f
              CROSS JOIN messages m ON m.batch = f.batch AND m.position = f.position
              CROSS JOIN batches b ON b.id = m.batch
              WHERE f.code = 'message-repeated' AND m.sender_letter_id = ?2 AND b.sender = ?1
             ORDER BY batch, position";
        self.read(|db| {
            senders::must_be_known(db, sender)?;
            let mut query = db.prepare_cached(sql).doing(doing)?;
            let given = params![sender.as_str(), letter_id];
            let rows = query.query_map(given, message_id).doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }
}

fn batches_with(
    db: &Connection,
    filter: &MessageFilter,
    named: &[BatchId],
) -> Result<Vec<BatchId>, Error> {
    let doing = "select batches";
    let which = if named.is_empty() {
        let messages = filter.of_any_messages("m");
        let stopped = filter.of_stopped_batches();
        format!("(EXISTS (SELECT 1 FROM messages m WHERE m.batch = b.id{messages}){stopped})")
    } else {
        one_of("b.id", named.iter().copied().map(number))
    };
    let sql = format!(
        "SELECT b.id FROM batches b WHERE {which}{} ORDER BY b.id",
        filter.of_batches("b")
    );
    let mut query = db.prepare(&sql).doing(doing)?;
    let rows = query.query_map([], |row| row.batch("id")).doing(doing)?;
    rows.collect::<Result<_, _>>().doing(doing)
}

fn page(
    db: &Connection,
    filter: &MessageFilter,
    batch: BatchId,
    after: u32,
    limit: usize,
) -> Result<Vec<MessageRow>, Error> {
    let doing = "list messages";
    let rest = format!(
        "WHERE m.batch = ?1 AND m.position > ?2{} ORDER BY m.position LIMIT ?3",
        filter.of_messages(batch)
    );
    let sql = messages::select(&rest);
    let mut query = db.prepare(&sql).doing(doing)?;
    let given = params![batch.0, after, limit as u64];
    let rows = query.query_map(given, messages::message_row).doing(doing)?;
    rows.collect::<Result<_, _>>().doing(doing)
}

/// ` AND m.state IN ('held', …)`, or nothing where all values are wanted.
fn one_of(column: &str, values: impl Iterator<Item = String>) -> String {
    let values: Vec<_> = values.collect();
    if values.is_empty() {
        return String::new();
    }
    format!("{column} IN ({})", values.join(", "))
}

fn number(batch: BatchId) -> String {
    batch.0.to_string()
}

fn word<T: Word>(value: T) -> String {
    format!("'{}'", value.word())
}

fn code(code: Code) -> String {
    format!("'{}'", code.as_str())
}

fn text(sender: &SenderId) -> String {
    format!("'{}'", sender.as_str().replace('\'', "''"))
}
