use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::{
    Error, Store, Transaction, audit,
    columns::{Columns, millis},
    error::Doing,
};
use crate::domain::{BatchId, SenderId, ServiceName};

/// Something that happened to a batch or a message.
#[derive(Debug, Clone)]
pub struct Event {
    pub at: Timestamp,
    /// `kuori` for the daemon, else who gave the command.
    pub actor: String,
    pub position: Option<u32>,
    pub what: String,
    pub why: Option<String>,
}

/// An operator's action, to be recorded in the transaction that carries it out.
#[derive(Debug, Clone)]
pub struct NewEvent {
    pub at: Timestamp,
    pub actor: String,
    /// May be empty where none is needed.
    pub why: String,
}

impl NewEvent {
    fn told<'a>(&'a self, what: &'a str) -> (&'a str, &'a str, Option<&'a str>) {
        let why = Some(self.why.as_str()).filter(|why| !why.is_empty());
        (&self.actor, what, why)
    }
}

/// Who did what nobody asked for.
pub(super) const DAEMON: &str = "kuori";

impl Store {
    /// What operators did to a sender, oldest first.
    pub fn sender_events(&self, sender: &SenderId) -> Result<Vec<Event>, Error> {
        self.read(|db| {
            let sql = "SELECT * FROM events WHERE sender = ?1 ORDER BY id";
            let mut query = db.prepare_cached(sql).doing("list events")?;
            let rows = query.query_map([sender.as_str()], event);
            rows.doing("list events")?
                .collect::<Result<_, _>>()
                .doing("list events")
        })
    }

    /// The history of a batch, oldest first.
    pub fn events(&self, batch: BatchId) -> Result<Vec<Event>, Error> {
        self.read(|db| {
            let sql = "SELECT * FROM events WHERE batch = ?1 ORDER BY id";
            let mut query = db.prepare_cached(sql).doing("list events")?;
            let rows = query.query_map([batch.0], event).doing("list events")?;
            rows.collect::<Result<_, _>>().doing("list events")
        })
    }

    /// Notes that an operator changed the password of a mailbox service. The service has it by then.
    pub fn note_changed_password(
        &self,
        service: &ServiceName,
        action: &NewEvent,
    ) -> Result<(), Error> {
        self.write("note a changed password", |tx| {
            let what = format!("changed the password of the mailbox service {service}");
            note_house(tx, action, &what)
        })
    }
}

/// Whose history an event belongs to.
#[derive(Debug, Clone, Copy)]
enum About<'a> {
    Batch(BatchId, Option<u32>),
    Sender(&'a SenderId),
    Account(&'a str),
    House,
}

/// Notes what the daemon did.
pub(super) fn note(
    tx: &Transaction<'_>,
    at: Timestamp,
    batch: BatchId,
    position: Option<u32>,
    what: &str,
) -> Result<(), Error> {
    insert(tx, at, About::Batch(batch, position), (DAEMON, what, None))
}

/// Notes what the daemon did and why.
pub(super) fn note_because(
    tx: &Transaction<'_>,
    at: Timestamp,
    batch: BatchId,
    what: &str,
    why: Option<&str>,
) -> Result<(), Error> {
    insert(tx, at, About::Batch(batch, None), (DAEMON, what, why))
}

/// Notes what an operator did and why. A deed is told once of its batch, which the audit has, and once
/// of each message that it concerns, which the audit has not.
pub(super) fn note_action(
    tx: &Transaction<'_>,
    action: &NewEvent,
    batch: BatchId,
    position: Option<u32>,
    what: &str,
) -> Result<(), Error> {
    if position.is_none() {
        audit::note(tx, action, batch.to_string(), what)?;
    }
    let about = About::Batch(batch, position);
    insert(tx, action.at, about, action.told(what))
}

/// Notes what an operator did to some messages of a batch and why: those `m` that fulfil a condition.
pub(super) fn note_messages(
    tx: &Transaction<'_>,
    action: &NewEvent,
    batch: BatchId,
    what: &str,
    condition: &str,
) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO events (at, batch, position, actor, what, why)
         SELECT ?2, m.batch, m.position, ?3, ?4, ?5 FROM messages m
          WHERE m.batch = ?1 AND {condition} ORDER BY m.position"
    );
    let (actor, what, why) = action.told(what);
    let given = params![batch.0, millis(action.at), actor, what, why];
    tx.execute(&sql, given).doing("note events")?;
    Ok(())
}

/// Notes what an operator did to a sender and why.
pub(super) fn note_sender(
    tx: &Transaction<'_>,
    action: &NewEvent,
    sender: &SenderId,
    what: &str,
) -> Result<(), Error> {
    audit::note(tx, action, format!("sender:{sender}"), what)?;
    insert(tx, action.at, About::Sender(sender), action.told(what))
}

/// Notes what an operator did to an account and why.
pub(super) fn note_account(
    tx: &Transaction<'_>,
    action: &NewEvent,
    account: &str,
    what: &str,
) -> Result<(), Error> {
    audit::note(tx, action, format!("account:{account}"), what)?;
    insert(tx, action.at, About::Account(account), action.told(what))
}

/// Notes what was done to the whole house and why.
pub(super) fn note_house(tx: &Transaction<'_>, action: &NewEvent, what: &str) -> Result<(), Error> {
    audit::note(tx, action, "house".to_owned(), what)?;
    insert(tx, action.at, About::House, action.told(what))
}

pub(super) fn of_account(db: &Connection, account: &str) -> Result<Vec<Event>, Error> {
    let sql = "SELECT * FROM events WHERE account = ?1 ORDER BY id";
    let mut query = db.prepare_cached(sql).doing("list events")?;
    let rows = query.query_map([account], event).doing("list events")?;
    rows.collect::<Result<_, _>>().doing("list events")
}

fn insert(
    tx: &Transaction<'_>,
    at: Timestamp,
    about: About<'_>,
    (actor, what, why): (&str, &str, Option<&str>),
) -> Result<(), Error> {
    let sql = "INSERT INTO events (at, batch, position, sender, account, actor, what, why)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let (batch, position, sender, account) = match about {
        About::Batch(batch, position) => (Some(batch.0), position, None, None),
        About::Sender(sender) => (None, None, Some(sender.as_str()), None),
        About::Account(account) => (None, None, None, Some(account)),
        About::House => (None, None, None, None),
    };
    let mut insert = tx.prepare_cached(sql).doing("note an event")?;
    let given = params![
        millis(at),
        batch,
        position,
        sender,
        account,
        actor,
        what,
        why
    ];
    insert.execute(given).doing("note an event")?;
    Ok(())
}

pub(super) fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    Ok(Event {
        at: row.time("at")?,
        actor: row.get("actor")?,
        position: row.get("position")?,
        what: row.get("what")?,
        why: row.get("why")?,
    })
}
