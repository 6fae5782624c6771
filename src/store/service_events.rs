//! What mailboxes tell of messages, after these were delivered.
//!
//! A page of a service's events, and where to go on, are one transaction ([`Store::record_service_events`]):
//! after a crash the page is asked for again, or the one behind it. Which page it is does not matter: an
//! event that is there already is counted and no more, and each keeps its own time, whatever the order.

mod feeds;
mod meaning;
mod own_id;
#[cfg(test)]
pub(super) mod tests;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, ToSql, named_params, params};

pub use feeds::ServiceFeed;
pub(super) use feeds::all as feeds;
pub use meaning::ServiceEventKind;

use self::{meaning::Meaning, own_id::OwnId};
use super::{
    Error, Store, Transaction,
    columns::{Columns, Word, millis},
    error::Doing,
    message_events::{self, Told},
    reprocess::message_id,
    timers,
};
use crate::domain::{MessageEvent, MessageId, ServiceName};

/// Something that a mailbox service tells of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewServiceEvent {
    pub kind: ServiceEventKind,
    /// By the service's clock.
    pub at: Timestamp,
    /// The service's number of the message, where it tells that.
    pub number: Option<i64>,
    pub external_id: Option<String>,
    /// It is told of the id that this service has in the settings.
    pub is_of_service: bool,
}

/// Some events of one service, and where to go on.
#[derive(Debug, Clone, Copy)]
pub struct NewServiceEvents<'a> {
    pub events: &'a [NewServiceEvent],
    /// Events of the page that nobody could read.
    pub unreadable: u64,
    /// Where the page was asked for to begin; `None`: at the beginning.
    pub asked_from: Option<&'a str>,
    pub continuation: &'a str,
    /// It was the last one for now: all is known that was read until then.
    pub is_last: bool,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventBecame {
    /// An event of its message, of which its sender is told.
    Recorded,
    /// It was known.
    Known,
    /// It says nothing that the house does not know.
    NothingNew,
    /// No message of this house has that id or number.
    Orphan,
    /// It is of another service of the same organisation.
    OfOtherService,
    /// Of a message of which nothing is kept.
    Erased,
    /// The house does not know such events.
    UnknownKind,
    Unreadable,
}

impl EventBecame {
    pub fn as_str(self) -> &'static str {
        self.word()
    }
}

/// How many events of a page were alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventTally {
    pub kind: ServiceEventKind,
    pub became: EventBecame,
    pub events: u64,
}

impl Store {
    /// Records a page of events and where to go on, in one transaction. Returns what became of them.
    ///
    /// Where somebody wanted events read from another place while the page was on its way, that stands, and
    /// no more is known to be read than before.
    pub fn record_service_events(
        &self,
        service: &ServiceName,
        page: &NewServiceEvents<'_>,
        now: Timestamp,
    ) -> Result<Vec<EventTally>, Error> {
        self.write("record what a mailbox service tells", |tx| {
            let mut tallies = Tallies::default();
            for event in page.events {
                let became = record(tx, service, event, now)?;
                tallies.add(event.kind, became, event.number);
            }
            for _ in 0..page.unreadable {
                let (kind, became) = (ServiceEventKind::Other, EventBecame::Unreadable);
                tallies.add(kind, became, None);
            }
            tallies.keep(tx, service, now)?;
            let has_gone_on = feeds::go_on(tx, service, page, now)?;
            if has_gone_on && page.is_last {
                timers::note_look(tx, Some(service), now)?;
            }
            Ok(tallies.told())
        })
    }
}

fn record(
    tx: &Transaction<'_>,
    service: &ServiceName,
    event: &NewServiceEvent,
    now: Timestamp,
) -> Result<EventBecame, Error> {
    if !event.is_of_service {
        return Ok(EventBecame::OfOtherService);
    }
    let Some(post) = post(tx, service, event)? else {
        return Ok(EventBecame::Orphan);
    };
    let (what, reason) = match event.kind.means(post.is_multichannel) {
        Meaning::Event(what, reason) => (what, reason),
        Meaning::Nothing => return Ok(EventBecame::NothingNew),
        Meaning::Unknown => return Ok(EventBecame::UnknownKind),
    };
    if !may_be_told_of(tx, post.message)? {
        return Ok(EventBecame::Erased);
    }
    let at = event.at;
    if is_known(tx, post.message, what, at)? {
        return Ok(EventBecame::Known);
    }
    let told = Told { what, at, reason };
    if is_of_another_delivery(tx, service, event, post.message)? {
        message_events::note_of_before(tx, post.message, told, now)?;
        return Ok(EventBecame::Recorded);
    }
    if what == MessageEvent::Delivered {
        lies_in_mailbox(tx, post.message, at)?;
    }
    message_events::note_told(tx, post.message, told, now)?;
    Ok(EventBecame::Recorded)
}

/// Whether its message was sent anew since, because an operator wanted it: what happened to the post of
/// before says nothing of the new one.
fn is_of_another_delivery(
    tx: &Transaction<'_>,
    service: &ServiceName,
    event: &NewServiceEvent,
    message: MessageId,
) -> Result<bool, Error> {
    let doing = "see which delivery an event is of";
    let sql = "SELECT 1 FROM sent_posts p
         JOIN messages m ON m.batch = p.batch AND m.position = p.position
         WHERE p.service = :service AND p.batch = :batch AND p.position = :position
           AND (p.external_id = :external_id OR p.number = :number) AND p.sent_at < m.again_at";
    let given = named_params! {
        ":service": service.as_str(),
        ":batch": message.batch.0,
        ":position": message.position,
        ":external_id": event.external_id,
        ":number": event.number,
    };
    let mut query = tx.prepare_cached(sql).doing(doing)?;
    query.exists(given).doing(doing)
}

/// A service that chooses has put a letter into a mailbox, and prints nothing: from now on the letter is
/// as any message there, for its sender, for the counts, and for whoever waits for it to be read.
///
/// Returns whether that is new.
fn lies_in_mailbox(tx: &Transaction<'_>, message: MessageId, at: Timestamp) -> Result<bool, Error> {
    let doing = "record that a letter lies in a mailbox";
    let sql = "UPDATE messages SET state = 'delivered', channel = 'mailbox', delivered_at = ?3
         WHERE batch = ?1 AND position = ?2 AND state = 'handed-over' AND channel = 'print'
           AND reason = 'service-chooses'";
    let mut update = tx.prepare_cached(sql).doing(doing)?;
    let given = params![message.batch.0, message.position, millis(at)];
    Ok(update.execute(given).doing(doing)? == 1)
}

/// As [`lies_in_mailbox`], of a letter that was handed over a moment ago: its service may have told of the
/// mailbox before its answer came.
pub(super) fn heed_what_came_before(
    tx: &Transaction<'_>,
    message: MessageId,
    now: Timestamp,
) -> Result<(), Error> {
    let doing = "see whether a letter lies in a mailbox";
    let sql = "SELECT MAX(e.at) AS at FROM message_events e
         JOIN messages m ON m.batch = e.batch AND m.position = e.position
         WHERE e.batch = ?1 AND e.position = ?2 AND e.what = 'delivered'
           AND (m.again_at IS NULL OR e.at >= m.again_at)";
    let mut query = tx.prepare_cached(sql).doing(doing)?;
    let given = params![message.batch.0, message.position];
    let at = query.query_row(given, |row| row.maybe_time("at"));
    if let Some(at) = at.doing(doing)?
        && lies_in_mailbox(tx, message, at)?
    {
        timers::follow(tx, message, MessageEvent::Delivered, now)?;
    }
    Ok(())
}

/// What the service has, or will have said that it has: an event may come before the answer does.
struct Post {
    message: MessageId,
    /// The service chose whether it goes on paper.
    is_multichannel: bool,
}

/// By an id of ours: what the service has, then what it may have.
const BY_EXTERNAL_ID: [&str; 2] = [
    "SELECT batch, position, door FROM sent_posts WHERE service = ?1 AND external_id = ?2",
    "SELECT batch, position, door FROM mailbox_queue WHERE service = ?1 AND external_id = ?2",
];
/// The index is named: left to itself, each event goes over all that the service has.
pub(super) const BY_NUMBER: &str = "SELECT batch, position, door FROM sent_posts
     INDEXED BY sent_posts_by_number WHERE service = ?1 AND number = ?2";

fn post(
    tx: &Transaction<'_>,
    service: &ServiceName,
    event: &NewServiceEvent,
) -> Result<Option<Post>, Error> {
    let name = service.as_str();
    if let Some(id) = &event.external_id {
        for sql in BY_EXTERNAL_ID {
            if let Some(post) = find(tx, sql, params![name, id])? {
                return Ok(Some(post));
            }
        }
    }
    match find(tx, BY_NUMBER, params![name, event.number])? {
        None => by_own_id(tx, service, event),
        found => Ok(found),
    }
}

fn find(tx: &Transaction<'_>, sql: &str, given: &[&dyn ToSql]) -> Result<Option<Post>, Error> {
    let doing = "look for the message of an event";
    let mut query = tx.prepare_cached(sql).doing(doing)?;
    let found = query.query_row(given, |row| {
        Ok(Post {
            message: message_id(row)?,
            is_multichannel: row.get::<_, String>("door")? == "multichannel",
        })
    });
    found.optional().doing(doing)
}

/// One that no row tells to be sent: after a restore the house does not know what it has sent since the
/// backup until that is queued anew, and events are told once.
fn by_own_id(
    tx: &Transaction<'_>,
    service: &ServiceName,
    event: &NewServiceEvent,
) -> Result<Option<Post>, Error> {
    let Some(own_id) = event.external_id.as_deref().and_then(OwnId::read) else {
        return Ok(None);
    };
    let message = own_id.find(tx)?;
    if message.is_none() {
        own_id.remember_batch(tx, service)?;
    }
    Ok(message.map(|message| Post {
        message,
        is_multichannel: false,
    }))
}

/// Whether there is such a message, and nobody has wanted nothing kept of it.
fn may_be_told_of(tx: &Transaction<'_>, message: MessageId) -> Result<bool, Error> {
    let doing = "look for a message";
    let sql = "SELECT m.erased_at IS NULL AND b.messages_purged_at IS NULL
         FROM messages m JOIN batches b ON b.id = m.batch WHERE m.batch = ?1 AND m.position = ?2";
    let mut query = tx.prepare_cached(sql).doing(doing)?;
    let given = params![message.batch.0, message.position];
    let found = query.query_row(given, |row| row.get(0)).optional();
    Ok(found.doing(doing)?.unwrap_or(false))
}

fn is_known(
    tx: &Transaction<'_>,
    message: MessageId,
    what: MessageEvent,
    at: Timestamp,
) -> Result<bool, Error> {
    let doing = "see whether an event is known";
    let sql = "SELECT 1 FROM message_events
         WHERE batch = ?1 AND position = ?2 AND what = ?3 AND at = ?4";
    let mut query = tx.prepare_cached(sql).doing(doing)?;
    let given = params![message.batch.0, message.position, what.word(), millis(at)];
    query.exists(given).doing(doing)
}

/// Events that were alike, and the number of the last one's message.
#[derive(Default)]
struct Tallies(Vec<(EventTally, Option<i64>)>);

impl Tallies {
    fn add(&mut self, kind: ServiceEventKind, became: EventBecame, number: Option<i64>) {
        let alike =
            |(tally, _): &&mut (EventTally, _)| tally.kind == kind && tally.became == became;
        if let Some((tally, last)) = self.0.iter_mut().find(alike) {
            tally.events += 1;
            *last = number;
            return;
        }
        let tally = EventTally {
            kind,
            became,
            events: 1,
        };
        self.0.push((tally, number));
    }

    fn keep(
        &self,
        tx: &Transaction<'_>,
        service: &ServiceName,
        now: Timestamp,
    ) -> Result<(), Error> {
        let doing = "count events";
        let sql = "INSERT INTO service_event_counts
                (service, kind, became, events, last_at, last_message)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (service, kind, became) DO UPDATE SET events = events + ?4, last_at = ?5,
                last_message = ?6";
        let mut insert = tx.prepare_cached(sql).doing(doing)?;
        for (tally, last) in &self.0 {
            let (kind, became) = (tally.kind.word(), tally.became.word());
            let given = params![
                service.as_str(),
                kind,
                became,
                tally.events,
                millis(now),
                last
            ];
            insert.execute(given).doing(doing)?;
        }
        Ok(())
    }

    fn told(self) -> Vec<EventTally> {
        self.0.into_iter().map(|(tally, _)| tally).collect()
    }
}
