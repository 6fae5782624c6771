//! What an operator sees at one glance: how much is where, since when, and what it waits for.
//!
//! Nothing here reads what is done: each query has an index that holds only what is under way.

mod lists;
mod queues;

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;

use super::{
    ConsentFeed, Counts, Error, InboxLook, NoticeQueue, Place, PlaceTrouble, QueueNumbers,
    ServiceFeed, Start, Store, TimerNumbers, consent_feeds, error::Doing, mailbox_services,
    notices, places, service_events, starts, timers,
};
use crate::domain::{BatchId, BatchState, BundleState, MessageState, SenderId};

/// A number of things, and since when the oldest of them is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Queue {
    pub count: u64,
    pub since: Option<Timestamp>,
}

/// The things of one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InState<S> {
    pub state: S,
    pub queue: Queue,
}

/// What goes to one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceQueue {
    pub place: Place,
    /// To be handed over by itself.
    pub due: Queue,
    /// Kept for an operator.
    pub held: Queue,
    /// They wait because their batch or its sender is on hold.
    pub held_back: Queue,
    /// Handed over, and not taken away yet.
    pub awaited: Queue,
    /// Of `awaited`: for too long.
    pub overdue: Queue,
    /// The oldest of `held`, else of `due`: its batch, its tries and why the last one failed.
    pub oldest: Option<OldestHandOver>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldestHandOver {
    pub batch: BatchId,
    /// `P-0031`, or the kind of receipt.
    pub what: String,
    pub attempts: u32,
    pub next_try: Option<Timestamp>,
    pub error: Option<String>,
}

/// A batch that does not go on by itself, or not yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchNote {
    pub batch: BatchId,
    pub sender: SenderId,
    pub state: BatchState,
    pub received_at: Timestamp,
    /// When it came into this state, as far as the history tells.
    pub since: Timestamp,
    /// The reason of a held batch, or the last error.
    pub why: String,
    /// Of a held batch: who ends that.
    pub held_by: HeldBy,
    pub attempts: u32,
    pub next_try: Option<Timestamp>,
}

/// What a held batch waits for, those that need somebody first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeldBy {
    /// A step failed.
    Failure,
    /// The gate; an approval lets it go on.
    Gate,
    /// Its sender is on hold, and nothing else holds it.
    Sender,
    /// An operator wants it so.
    Operator,
}

/// Messages of one sender that wait, or are held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderMessages {
    pub sender: SenderId,
    /// An operator holds them.
    pub is_on_purpose: bool,
    pub messages: Queue,
    pub batches: u64,
    /// The oldest of these batches.
    pub first: BatchId,
}

/// Batches of one sender that are not through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderBatches {
    pub sender: SenderId,
    pub batches: Queue,
    pub first: BatchId,
    pub state: BatchState,
}

/// Deliveries that one sender was not told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderReports {
    pub sender: SenderId,
    pub untold: Queue,
    /// Of `untold`: their last try failed.
    pub failing: u64,
    pub first: BatchId,
    pub error: Option<String>,
}

/// A sender whose batches wait for an operator's release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderOnHold {
    pub sender: SenderId,
    pub since: Timestamp,
    pub why: String,
}

/// Files that stand in one inbox for the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxFiles {
    pub inbox: String,
    pub wait: super::FileWait,
    pub files: Queue,
}

/// Where everything is, as of one moment.
#[derive(Debug, Clone)]
pub struct HouseStatus {
    /// In the order of the lifecycle; all that there are rows of.
    pub batches: Vec<InState<BatchState>>,
    /// Only those that something is still to come of.
    pub messages: Vec<InState<MessageState>>,
    pub bundles: Vec<InState<BundleState>>,
    pub places: Vec<PlaceQueue>,
    pub troubled_places: Vec<PlaceTrouble>,
    /// Without their files.
    pub inboxes: Vec<InboxLook>,
    pub inbox_files: Vec<InboxFiles>,
    /// Files that are being taken.
    pub arrivals: Queue,
    /// Batches of which a step, its report among them, is still to be done: by sender.
    pub unfinished: Vec<SenderBatches>,
    /// The oldest of those held, at most [`LISTED`]; those that need somebody first.
    pub held: Vec<BatchNote>,
    pub held_in_all: u64,
    /// Those whose step failed and is tried again, at most [`LISTED`].
    pub failing: Vec<BatchNote>,
    pub held_messages: Vec<SenderMessages>,
    pub waiting_messages: Vec<SenderMessages>,
    pub untold: Vec<SenderReports>,
    pub senders_on_hold: Vec<SenderOnHold>,
    /// Messages that go on paper if nobody reads or confirms them in time.
    pub timers: TimerNumbers,
    /// How far the events of mailbox services are read.
    pub feeds: Vec<ServiceFeed>,
    /// The feeds of consents.
    pub consent_feeds: Vec<ConsentFeed>,
    /// The mailbox services with their queues.
    pub services: Vec<QueueNumbers>,
    /// Notices by e-mail.
    pub notices: NoticeQueue,
    /// What came in the last 24 hours and is no test.
    pub day: Day,
    /// When the daemon last moved something on.
    pub last_deed: Option<Timestamp>,
    /// The newest start of a daemon.
    pub start: Option<Start>,
    /// Starts, this one not among them, that did not end by themselves since the last that did.
    pub crashes_in_a_row: u64,
    pub database_bytes: u64,
    pub free_bytes: u64,
}

/// What came in the last 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Day {
    pub batches: u64,
    pub messages: Counts,
}

/// Batches that are named one by one; of more there is a number.
pub const LISTED: u32 = 20;

impl Store {
    /// Where everything is.
    pub fn status(&self, now: Timestamp) -> Result<HouseStatus, Error> {
        let free_bytes = self.spool().free_bytes()?;
        let database_bytes = self.database_bytes();
        let mut status = self.read(|db| look(db, now))?;
        (status.free_bytes, status.database_bytes) = (free_bytes, database_bytes);
        Ok(status)
    }
}

fn look(db: &Connection, now: Timestamp) -> Result<HouseStatus, Error> {
    let yesterday = now.saturating_sub(SignedDuration::from_hours(24));
    let batches = queues::batches(db)?;
    let held = batches.iter().find(|it| it.state == BatchState::Held);
    Ok(HouseStatus {
        held_in_all: held.map_or(0, |held| held.queue.count),
        batches,
        messages: queues::messages(db)?,
        bundles: queues::bundles(db)?,
        places: queues::places(db, now)?,
        troubled_places: places::in_trouble(db)?,
        inboxes: queues::inboxes(db)?,
        inbox_files: queues::inbox_files(db)?,
        arrivals: queues::arrivals(db)?,
        unfinished: lists::unfinished(db)?,
        held: lists::held(db)?,
        failing: lists::failing(db)?,
        held_messages: lists::held_messages(db)?,
        waiting_messages: lists::waiting_messages(db)?,
        untold: lists::untold(db)?,
        senders_on_hold: lists::senders_on_hold(db)?,
        timers: timers::numbers(db, now)?,
        feeds: service_events::feeds(db)?,
        consent_feeds: consent_feeds::feeds(db)?,
        services: mailbox_services::numbers(db, now)?,
        notices: notices::queue(db, now)?,
        day: queues::day(db, yesterday.unwrap_or(now))?,
        last_deed: lists::last_deed(db)?,
        start: starts::newest(db)?,
        crashes_in_a_row: starts::crashes_in_a_row(db)?,
        database_bytes: 0,
        free_bytes: 0,
    })
}

/// Asks for a list of something.
fn list<T>(
    db: &Connection,
    doing: &'static str,
    sql: &str,
    given: impl rusqlite::Params,
    row: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, Error> {
    let mut query = db.prepare_cached(sql).doing(doing)?;
    let rows = query.query_map(given, row).doing(doing)?;
    rows.collect::<Result<_, _>>().doing(doing)
}

fn queue(row: &rusqlite::Row<'_>) -> rusqlite::Result<Queue> {
    use super::columns::Columns;
    Ok(Queue {
        count: row.get("count")?,
        since: row.maybe_time("since")?,
    })
}
