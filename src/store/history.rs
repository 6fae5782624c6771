//! The whole history of one thing, from all the tables that know of it.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use super::{
    BatchRow, Error, Event, Store, batches,
    columns::{Columns, Word},
    error::Doing,
    events::event,
};
use crate::domain::{
    BatchId, BundleId, Channel, Code, MailboxStatus, MessageEvent, MessageId, MessageState, Reason,
    SenderId,
};

/// Whose history is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Batch(BatchId),
    Message(MessageId),
    Bundle(BundleId),
}

/// Who does what nobody asked for.
const DAEMON: &str = "kuori";

impl Store {
    /// All that happened to one thing, oldest first: what the daemon and operators did, what was
    /// decided and why, what was found, and what has left the house. Nothing of a person.
    pub fn history(&self, subject: Subject) -> Result<Vec<Event>, Error> {
        let mut history = self.read(|db| match subject {
            Subject::Batch(batch) => of_batch(db, batch),
            Subject::Message(message) => of_message(db, message),
            Subject::Bundle(bundle) => of_bundle(db, bundle),
        })?;
        history.sort_by_key(|event| event.at);
        Ok(history)
    }

    /// The newest message that a sender gave this letter id.
    pub fn message_of_letter_id(
        &self,
        sender: &SenderId,
        letter_id: &str,
    ) -> Result<Option<MessageId>, Error> {
        let doing = "look for a letter id";
        let claimed = "SELECT batch, position FROM letter_ids WHERE sender = ?1 AND letter_id = ?2";
        // One that is refused, or of a test, has no claim on its id; all of the sender's are read.
        let any =
            "SELECT m.batch, m.position FROM batches b CROSS JOIN messages m ON m.batch = b.id
             WHERE b.sender = ?1 AND m.sender_letter_id = ?2
             ORDER BY m.batch DESC, m.position DESC LIMIT 1";
        self.read(|db| {
            for sql in [claimed, any] {
                let mut query = db.prepare_cached(sql).doing(doing)?;
                let found = query.query_row(params![sender.as_str(), letter_id], |row| {
                    Ok(MessageId {
                        batch: row.batch("batch")?,
                        position: row.get("position")?,
                    })
                });
                if let Some(found) = found.optional().doing(doing)? {
                    return Ok(Some(found));
                }
            }
            Ok(None)
        })
    }
}

fn of_batch(db: &Connection, batch: BatchId) -> Result<Vec<Event>, Error> {
    batches::by_id(db, batch)?;
    // Of one moment, what comes first here is shown first.
    let sql = "SELECT id AS bundle, planned_at AS at, letters AS count FROM bundles
         WHERE batch = ?1 ORDER BY id";
    let mut history = list(db, sql, [batch.0], planned)?;
    let sql = "SELECT * FROM events WHERE batch = ?1 ORDER BY id";
    history.extend(list(db, sql, [batch.0], event)?);
    let sql = "SELECT what, bundle, COUNT(*) AS count, MAX(at) AS at FROM message_events
         WHERE batch = ?1 GROUP BY what, bundle ORDER BY at";
    history.extend(list(db, sql, [batch.0], many_messages)?);
    history.extend(receipts(db, batch)?);
    Ok(history)
}

fn of_message(db: &Connection, id: MessageId) -> Result<Vec<Event>, Error> {
    let batch = batches::by_id(db, id.batch)?;
    let given = params![id.batch.0, id.position];
    let decision = "SELECT * FROM messages WHERE batch = ?1 AND position = ?2";
    let decided = list(db, decision, given, |row| decision_of(row, id))?;
    let Some(decided) = decided.into_iter().next() else {
        return Err(Error::NoMessage(id));
    };
    let sql = "SELECT * FROM events
         WHERE batch = ?1 AND (position IS NULL OR position = ?2) ORDER BY id";
    let events = list(db, sql, given, event)?;
    let bundles = bundles_of(db, id)?;
    let mut history = findings(db, id, opened_at(&events, &batch))?;
    history.extend(decided);
    let sql = "SELECT p.*, b.planned_at AS at FROM pieces p JOIN bundles b ON b.id = p.bundle
         WHERE p.batch = ?1 AND p.position = ?2 ORDER BY p.bundle";
    history.extend(list(db, sql, given, |row| piece(row, id))?);
    history.extend(
        events
            .into_iter()
            .filter(|event| is_about(&event.what, &bundles)),
    );
    let sql = "SELECT * FROM message_events WHERE batch = ?1 AND position = ?2 ORDER BY change";
    history.extend(list(db, sql, given, one_message)?);
    history.extend(receipts(db, id.batch)?);
    Ok(history)
}

fn of_bundle(db: &Connection, id: BundleId) -> Result<Vec<Event>, Error> {
    let sql = "SELECT id AS bundle, batch, planned_at AS at, letters AS count FROM bundles
         WHERE id = ?1";
    let found = list(db, sql, [id.0], |row| {
        Ok((row.batch("batch")?, planned(row)?))
    })?;
    let Some((batch, planned)) = found.into_iter().next() else {
        return Err(Error::NoBundle(id));
    };
    let mut history = vec![planned];
    let sql = "SELECT * FROM events WHERE batch = ?1 AND instr(what, 'P-') > 0 ORDER BY id";
    let events = list(db, sql, [batch.0], event)?;
    history.extend(
        events
            .into_iter()
            .filter(|event| is_about(&event.what, &[id])),
    );
    let sql = "SELECT what, bundle, COUNT(*) AS count, MAX(at) AS at FROM message_events
         WHERE batch = ?1 AND bundle = ?2 GROUP BY what ORDER BY at";
    history.extend(list(db, sql, params![batch.0, id.0], many_messages)?);
    Ok(history)
}

/// Bundles that the message was put into, withdrawn ones too.
fn bundles_of(db: &Connection, id: MessageId) -> Result<Vec<BundleId>, Error> {
    let sql = "SELECT DISTINCT bundle FROM pieces WHERE batch = ?1 AND position = ?2";
    list(db, sql, params![id.batch.0, id.position], |row| {
        Ok(BundleId(row.get("bundle")?))
    })
}

/// What names a bundle is about the messages in it alone.
fn is_about(what: &str, bundles: &[BundleId]) -> bool {
    let named = what
        .split_whitespace()
        .find_map(|word| word.parse::<BundleId>().ok());
    named.is_none_or(|named| bundles.contains(&named))
}

/// Findings have no time of their own: opening found them.
fn opened_at(history: &[Event], batch: &BatchRow) -> Timestamp {
    let opened = history.iter().find(|event| {
        event.position.is_none() && (event.what == "opened" || event.what == "refused")
    });
    opened.map_or(batch.received_at, |event| event.at)
}

fn findings(db: &Connection, id: MessageId, at: Timestamp) -> Result<Vec<Event>, Error> {
    let sql = "SELECT code, detail FROM findings WHERE batch = ?1 AND position = ?2 ORDER BY id";
    list(db, sql, params![id.batch.0, id.position], |row| {
        let code: Code = row.code("code")?;
        let why = Some(row.get("detail")?);
        Ok(of_daemon(
            at,
            Some(id.position),
            format!("finding {}", code.as_str()),
            why,
        ))
    })
}

/// Where it was sent to, or why nowhere.
fn decision_of(row: &Row<'_>, id: MessageId) -> rusqlite::Result<Option<Event>> {
    let Some(at) = row.maybe_time("decided_at")? else {
        return Ok(None);
    };
    let channel: Option<Channel> = row.maybe_word("channel")?;
    let reason: Option<Reason> = row.maybe_word("reason")?;
    let status: Option<MailboxStatus> = row.maybe_word("asked_status")?;
    let state: MessageState = row.word("state")?;
    let what = match channel {
        Some(channel) => format!("routed to {}", channel.as_str()),
        None if state == MessageState::Waiting => "waits for its mailbox status".to_owned(),
        None => "routed nowhere".to_owned(),
    };
    let status = status.map(|status| format!("mailbox {}", status.word()));
    let why: Vec<_> = reason
        .map(|reason| reason.as_str().to_owned())
        .into_iter()
        .chain(status)
        .collect();
    let why = (!why.is_empty()).then(|| why.join(", "));
    Ok(Some(of_daemon(at, Some(id.position), what, why)))
}

fn piece(row: &Row<'_>, id: MessageId) -> rusqlite::Result<Event> {
    let bundle = BundleId(row.get("bundle")?);
    let (sequence, pages): (u32, u32) = (row.get("sequence")?, row.get("pages")?);
    let first: u32 = row.get("first_page")?;
    let last = first.saturating_add(pages).saturating_sub(1);
    let what = format!("planned into {bundle} as piece {sequence}, pages {first} to {last}");
    Ok(of_daemon(row.time("at")?, Some(id.position), what, None))
}

fn planned(row: &Row<'_>) -> rusqlite::Result<Event> {
    let bundle = BundleId(row.get("bundle")?);
    let letters: u64 = row.get("count")?;
    let what = format!(
        "planned {bundle}: {letters} {}",
        if letters == 1 { "letter" } else { "letters" }
    );
    Ok(of_daemon(row.time("at")?, None, what, None))
}

fn one_message(row: &Row<'_>) -> rusqlite::Result<Event> {
    let what: MessageEvent = row.word("what")?;
    let bundle = row.maybe_bundle("bundle")?;
    let told = bundle.map_or(String::new(), |bundle| format!(" in {bundle}"));
    let what = format!("{}{told}", what.as_str().replace('-', " "));
    let position = Some(row.get("position")?);
    Ok(of_daemon(
        row.time("at")?,
        position,
        what,
        row.get("reason")?,
    ))
}

/// Of thousands, the number and the last of them.
fn many_messages(row: &Row<'_>) -> rusqlite::Result<Event> {
    let what: MessageEvent = row.word("what")?;
    let count: u64 = row.get("count")?;
    let bundle = row.maybe_bundle("bundle")?;
    let told = bundle.map_or(String::new(), |bundle| format!(" in {bundle}"));
    let messages = if count == 1 { "message" } else { "messages" };
    let what = format!(
        "{count} {messages} {}{told}",
        what.as_str().replace('-', " ")
    );
    Ok(of_daemon(row.time("at")?, None, what, None))
}

/// Receipts of a batch that its sender was given, and took.
fn receipts(db: &Connection, batch: BatchId) -> Result<Vec<Event>, Error> {
    let sql = "SELECT * FROM outgoing WHERE batch = ?1 AND bundle IS NULL ORDER BY id";
    let rows = list(db, sql, [batch.0], super::outgoing::outgoing_row)?;
    let told = rows.iter().flat_map(|row| {
        let what = row.kind.as_str();
        let given = row
            .handed_over_at
            .map(|at| (at, format!("handed over the {what} receipt")));
        let taken = row
            .picked_up_at
            .map(|at| (at, format!("picked up the {what} receipt")));
        [given, taken].into_iter().flatten()
    });
    Ok(told
        .map(|(at, what)| of_daemon(at, None, what, None))
        .collect())
}

fn of_daemon(at: Timestamp, position: Option<u32>, what: String, why: Option<String>) -> Event {
    Event {
        at,
        actor: DAEMON.to_owned(),
        position,
        what,
        why,
    }
}

fn list<T>(
    db: &Connection,
    sql: &str,
    given: impl Params,
    row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, Error> {
    let doing = "read a history";
    let mut query = db.prepare_cached(sql).doing(doing)?;
    let rows = query.query_map(given, row).doing(doing)?;
    rows.collect::<Result<_, _>>().doing(doing)
}
