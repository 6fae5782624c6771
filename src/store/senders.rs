//! Senders as operators see them: on hold or not, and what became of their batches.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    Error, NewEvent, Store, Transaction,
    columns::{Columns, Word, millis},
    error::Doing,
    events,
    held_back::{self, HeldFor, Which},
    holds,
};
use crate::domain::{BatchId, BatchState, BundleId, HoldCause, SenderId};

/// A sender whose batches are taken and opened, and go no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderHold {
    pub since: Timestamp,
    pub actor: String,
    pub why: String,
}

/// A sender as it stands in the store.
#[derive(Debug, Clone)]
pub struct SenderRow {
    pub name: SenderId,
    pub hold: Option<SenderHold>,
    /// How many batches are in each state that one is in, in the order of the lifecycle.
    pub batches: Vec<(BatchState, u64)>,
    pub last_batch: Option<(BatchId, Timestamp)>,
}

/// What putting a sender on hold does.
#[derive(Debug, Clone)]
pub struct SenderHolding {
    pub sender: SenderId,
    /// It was on hold before: nothing is done.
    pub already: Option<SenderHold>,
    /// Bundles that wait for the print house, and wait on.
    pub bundles: Vec<BundleId>,
    /// Bundles on their way out at this moment: these are not stopped.
    pub going: Vec<BundleId>,
    /// Batches of which messages are being put into mailboxes at this moment: these are not stopped.
    pub delivering: Vec<BatchId>,
}

/// What releasing a sender does.
#[derive(Debug, Clone)]
pub struct Release {
    pub sender: SenderId,
    /// The hold that ends; `None` where there is none, and nothing is done.
    pub hold: Option<SenderHold>,
    /// Batches that go on.
    pub freed: Vec<BatchId>,
    /// Batches that stay held for another cause.
    pub still_held: Vec<BatchId>,
    /// Bundles that go on to the print house, unless their batch is on hold.
    pub bundles: Vec<BundleId>,
}

impl Store {
    /// Remembers the senders of the settings, so that commands beside the daemon know them.
    pub fn know_senders<'a>(
        &self,
        senders: impl IntoIterator<Item = &'a SenderId>,
    ) -> Result<(), Error> {
        self.write("record the senders", |tx| {
            senders.into_iter().try_for_each(|sender| know(tx, sender))
        })
    }

    /// All senders by name, with what became of their batches.
    pub fn senders(&self) -> Result<Vec<SenderRow>, Error> {
        self.read(|db| {
            let sql = "SELECT * FROM senders ORDER BY name";
            let mut query = db.prepare_cached(sql).doing("list senders")?;
            let rows = query.query_map([], sender_row).doing("list senders")?;
            let rows: Vec<_> = rows.collect::<Result<_, _>>().doing("list senders")?;
            rows.into_iter().map(|row| with_batches(db, row)).collect()
        })
    }

    /// What [`Store::hold_sender`] would do.
    pub fn plan_sender_hold(
        &self,
        sender: &SenderId,
        now: Timestamp,
    ) -> Result<SenderHolding, Error> {
        self.read(|db| plan_hold(db, sender, now))
    }

    /// Puts a sender on hold: from here on none of its batches is routed, no delivery of them begins,
    /// and no bundle is handed over. What was approved under an earlier hold is held by this one too.
    ///
    /// # Errors
    ///
    /// [`Error::NoSender`], as for the other calls that name one.
    pub fn hold_sender(
        &self,
        sender: &SenderId,
        action: &NewEvent,
    ) -> Result<SenderHolding, Error> {
        let sql = "UPDATE senders SET held_at = ?2, held_by = ?3, held_why = ?4 WHERE name = ?1";
        let ask_anew = "DELETE FROM holds WHERE cause = 'sender' AND approved_at IS NOT NULL
             AND batch IN (SELECT id FROM batches WHERE sender = ?)";
        self.write("hold a sender", |tx| {
            let plan = plan_hold(tx, sender, action.at)?;
            if plan.already.is_none() {
                let given = params![sender.as_str(), millis(action.at), action.actor, action.why];
                tx.execute(sql, given).doing("hold a sender")?;
                tx.execute(ask_anew, [sender.as_str()])
                    .doing("hold a sender")?;
                held_back::hold_back(tx, Which::Sender(sender), action.at)?;
                events::note_sender(tx, action, sender, "held")?;
            }
            Ok(plan)
        })
    }

    /// What [`Store::release_sender`] would do.
    pub fn plan_release(&self, sender: &SenderId) -> Result<Release, Error> {
        self.read(|db| plan_release(db, sender))
    }

    /// Ends a sender's hold; batches that were held for nothing else go on, in one transaction.
    pub fn release_sender(&self, sender: &SenderId, action: &NewEvent) -> Result<Release, Error> {
        self.write("release a sender", |tx| {
            let plan = plan_release(tx, sender)?;
            if plan.hold.is_some() {
                carry_out(tx, &plan, action)?;
            }
            Ok(plan)
        })
    }
}

/// Adds a sender that was not known.
pub(super) fn know(tx: &Transaction<'_>, sender: &SenderId) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO senders (name) VALUES (?) ON CONFLICT DO NOTHING",
        [sender.as_str()],
    )
    .doing("record a sender")?;
    Ok(())
}

pub(super) fn hold_of(db: &Connection, sender: &SenderId) -> Result<Option<SenderHold>, Error> {
    let sql = "SELECT * FROM senders WHERE name = ?";
    let mut query = db.prepare_cached(sql).doing("look at a sender")?;
    let found = query.query_row([sender.as_str()], sender_hold).optional();
    Ok(found.doing("look at a sender")?.flatten())
}

fn plan_hold(db: &Connection, sender: &SenderId, now: Timestamp) -> Result<SenderHolding, Error> {
    must_be_known(db, sender)?;
    let (bundles, going) = held_back::waiting_and_going(db, Which::Sender(sender), now)?;
    Ok(SenderHolding {
        sender: sender.clone(),
        already: hold_of(db, sender)?,
        bundles,
        going,
        delivering: delivering(db, sender)?,
    })
}

/// Batches whose delivery has begun and not ended.
fn delivering(db: &Connection, sender: &SenderId) -> Result<Vec<BatchId>, Error> {
    let doing = "list deliveries";
    let sql = "SELECT id FROM batches WHERE sender = ? AND state = 'routed'
         AND delivery_begun_at IS NOT NULL ORDER BY id";
    let mut query = db.prepare_cached(sql).doing(doing)?;
    let rows = query.query_map([sender.as_str()], |row| row.batch("id"));
    rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)
}

fn plan_release(db: &Connection, sender: &SenderId) -> Result<Release, Error> {
    must_be_known(db, sender)?;
    let mut plan = Release {
        sender: sender.clone(),
        hold: hold_of(db, sender)?,
        freed: Vec::new(),
        still_held: Vec::new(),
        bundles: held_back::held(db, HeldFor::Sender, Which::Sender(sender))?,
    };
    if plan.hold.is_none() {
        return Ok(plan);
    }
    for batch in held_for_sender(db, sender)? {
        if holds::open_holds(db, batch)?.len() == 1 {
            plan.freed.push(batch);
        } else {
            plan.still_held.push(batch);
        }
    }
    Ok(plan)
}

pub(super) fn must_be_known(db: &Connection, sender: &SenderId) -> Result<(), Error> {
    let mut query = db
        .prepare_cached("SELECT name FROM senders ORDER BY name")
        .doing("list senders")?;
    let names = query
        .query_map([], |row| row.get(0))
        .doing("list senders")?;
    let known: Vec<String> = names.collect::<Result<_, _>>().doing("list senders")?;
    if known.iter().any(|name| name == sender.as_str()) {
        return Ok(());
    }
    Err(Error::NoSender {
        given: sender.clone(),
        known,
    })
}

/// Batches that are held because their sender is, oldest first.
fn held_for_sender(db: &Connection, sender: &SenderId) -> Result<Vec<BatchId>, Error> {
    let sql = "SELECT b.id FROM batches b JOIN holds h ON h.batch = b.id
         WHERE b.sender = ?1 AND b.state = 'held' AND h.cause = ?2 AND h.approved_at IS NULL
         ORDER BY b.id";
    let mut query = db.prepare_cached(sql).doing("list held batches")?;
    let given = params![sender.as_str(), HoldCause::Sender.word()];
    let rows = query.query_map(given, |row| row.batch("id"));
    rows.doing("list held batches")?
        .collect::<Result<_, _>>()
        .doing("list held batches")
}

fn carry_out(tx: &Transaction<'_>, plan: &Release, action: &NewEvent) -> Result<(), Error> {
    let doing = "release a sender";
    let open = "UPDATE senders SET held_at = NULL, held_by = NULL, held_why = NULL WHERE name = ?";
    tx.execute(open, [plan.sender.as_str()]).doing(doing)?;
    events::note_sender(tx, action, &plan.sender, "released")?;
    let forget = "DELETE FROM holds WHERE batch = ?1 AND cause = ?2 AND approved_at IS NULL";
    for &batch in plan.freed.iter().chain(&plan.still_held) {
        let given = params![batch.0, HoldCause::Sender.word()];
        tx.execute(forget, given).doing(doing)?;
        events::note_action(tx, action, batch, None, "sender released")?;
    }
    let its = Which::Sender(&plan.sender);
    held_back::let_go(tx, HeldFor::Sender, its, action.at)?;
    let mut all = plan.freed.iter().chain(&plan.still_held);
    all.try_for_each(|&batch| holds::go_on_or_tell_what_is_left(tx, batch, action.at))
}

fn with_batches(db: &Connection, row: SenderRow) -> Result<SenderRow, Error> {
    let doing = "count batches";
    let sql = "SELECT state, COUNT(*) AS batches FROM batches WHERE sender = ? GROUP BY state";
    let mut query = db.prepare_cached(sql).doing(doing)?;
    let states = query.query_map([row.name.as_str()], |row| {
        Ok((row.word("state")?, row.get("batches")?))
    });
    let states: Vec<(BatchState, u64)> = states
        .doing(doing)?
        .collect::<Result<_, _>>()
        .doing(doing)?;
    let count = |state| states.iter().find(|(found, _)| *found == state).copied();
    let last = "SELECT id, received_at FROM batches WHERE sender = ? ORDER BY id DESC LIMIT 1";
    let last = db.query_row(last, [row.name.as_str()], |row| {
        Ok((row.batch("id")?, row.time("received_at")?))
    });
    Ok(SenderRow {
        batches: BatchState::ALL.into_iter().filter_map(count).collect(),
        last_batch: last.optional().doing(doing)?,
        ..row
    })
}

fn sender_row(row: &Row<'_>) -> rusqlite::Result<SenderRow> {
    Ok(SenderRow {
        name: row.parsed("name")?,
        hold: sender_hold(row)?,
        batches: Vec::new(),
        last_batch: None,
    })
}

fn sender_hold(row: &Row<'_>) -> rusqlite::Result<Option<SenderHold>> {
    let Some(since) = row.maybe_time("held_at")? else {
        return Ok(None);
    };
    Ok(Some(SenderHold {
        since,
        actor: row.get("held_by")?,
        why: row.get("held_why")?,
    }))
}
