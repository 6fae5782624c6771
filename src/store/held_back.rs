//! Bundles that wait for the print house and may not go, because their batch or its sender is on hold.
//!
//! Each way in which a bundle comes to wait leads through [`hold_back`]. What the outbox has in its
//! hands is left to it: only where that fails, and the bundle waits again, is it held.

use jiff::Timestamp;
use rusqlite::{Connection, Row};

use super::{Error, Transaction, columns::millis, error::Doing};
use crate::domain::{BatchId, BundleId, SenderId};

/// Which bundles.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which<'a> {
    /// The hand-over of this number, which nobody has in hand.
    HandOver(i64),
    Batch(BatchId),
    Sender(&'a SenderId),
    All,
}

/// What is on hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeldFor {
    Batch,
    Sender,
}

impl HeldFor {
    fn word(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Sender => "sender",
        }
    }
}

impl Which<'_> {
    fn condition(self) -> String {
        match self {
            Self::HandOver(id) => format!("o.id = {id}"),
            Self::Batch(batch) => format!("o.batch = {}", batch.0),
            // Names have no quotes.
            Self::Sender(sender) => {
                format!("o.batch IN (SELECT id FROM batches WHERE sender = '{sender}')")
            }
            Self::All => "TRUE".to_owned(),
        }
    }

    /// Nobody has it in hand.
    fn is_free(self, now: Timestamp) -> String {
        match self {
            Self::HandOver(_) => "TRUE".to_owned(),
            Self::Batch(_) | Self::Sender(_) | Self::All => {
                format!(
                    "(o.lease_until IS NULL OR o.lease_until <= {})",
                    millis(now)
                )
            }
        }
    }

    /// Bundles that wait: due, put off, or held because something failed.
    fn waits(self, now: Timestamp) -> String {
        format!(
            "o.bundle IS NOT NULL AND o.state = 'due' AND {} AND {}
             AND (o.due_at IS NOT NULL OR o.held_at IS NOT NULL)",
            self.is_free(now),
            self.condition()
        )
    }
}

/// Holds those bundles that wait and whose batch or sender is on hold.
pub(super) fn hold_back(
    tx: &Transaction<'_>,
    which: Which<'_>,
    now: Timestamp,
) -> Result<(), Error> {
    let doing = "hold bundles back";
    let waits = which.waits(now);
    let set = |whose: &str, why: &str| {
        format!(
            "UPDATE outgoing AS o SET held_for = '{whose}', due_at = NULL, lease_until = NULL,
                held_at = COALESCE(o.held_at, h.held_at),
                last_error = CASE WHEN o.due_at IS NULL AND o.held_for IS NULL THEN o.last_error
                                  ELSE {why} END"
        )
    };
    let of_batches = format!(
        "{} FROM holds h
         WHERE h.batch = o.batch AND h.cause = 'operator' AND h.approved_at IS NULL
           AND o.held_for IS NOT 'batch' AND {waits}",
        set("batch", "'its batch is on hold: ' || h.why")
    );
    let of_senders = format!(
        "{} FROM batches b JOIN senders h ON h.name = b.sender
         WHERE b.id = o.batch AND h.held_at IS NOT NULL AND b.is_test = 0
           AND o.held_for IS NULL AND {waits}
           AND NOT EXISTS (SELECT 1 FROM holds a WHERE a.batch = b.id AND a.cause = 'sender'
                            AND a.approved_at IS NOT NULL)",
        set("sender", "'its sender is on hold: ' || h.held_why")
    );
    for sql in [of_batches, of_senders] {
        tx.execute(&sql, []).doing(doing)?;
    }
    Ok(())
}

/// Makes bundles due that waited for that, unless something else is on hold too.
pub(super) fn let_go(
    tx: &Transaction<'_>,
    held_for: HeldFor,
    which: Which<'_>,
    now: Timestamp,
) -> Result<(), Error> {
    let doing = "let bundles go";
    let sql = format!(
        "UPDATE outgoing AS o SET held_for = NULL, held_at = NULL, due_at = {}, attempts = 0,
            last_error = NULL
         WHERE o.held_for = '{}' AND {}",
        millis(now),
        held_for.word(),
        which.condition()
    );
    tx.execute(&sql, []).doing(doing)?;
    hold_back(tx, which, now)
}

/// Bundles that wait, and those that the outbox has in its hands or that may be at their place already.
pub(super) fn waiting_and_going(
    db: &Connection,
    which: Which<'_>,
    now: Timestamp,
) -> Result<(Vec<BundleId>, Vec<BundleId>), Error> {
    let doing = "list bundles that wait";
    let sql = format!(
        "SELECT o.bundle, {} AND o.state = 'due' AS waits FROM outgoing o
         WHERE o.bundle IS NOT NULL AND o.state IN ('due', 'handing-over') AND {}
         ORDER BY o.bundle",
        which.is_free(now),
        which.condition()
    );
    let mut query = db.prepare(&sql).doing(doing)?;
    let rows = query.query_map([], standing);
    let mut found = (Vec::new(), Vec::new());
    for row in rows.doing(doing)? {
        let (bundle, waits) = row.doing(doing)?;
        let list = if waits { &mut found.0 } else { &mut found.1 };
        list.push(bundle);
    }
    Ok(found)
}

/// Bundles that are held for that.
pub(super) fn held(
    db: &Connection,
    held_for: HeldFor,
    which: Which<'_>,
) -> Result<Vec<BundleId>, Error> {
    let doing = "list bundles that are held back";
    let sql = format!(
        "SELECT o.bundle FROM outgoing o WHERE o.held_for = '{}' AND {} ORDER BY o.bundle",
        held_for.word(),
        which.condition()
    );
    let mut query = db.prepare(&sql).doing(doing)?;
    let rows = query.query_map([], |row| Ok(BundleId(row.get(0)?)));
    rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)
}

fn standing(row: &Row<'_>) -> rusqlite::Result<(BundleId, bool)> {
    Ok((BundleId(row.get("bundle")?), row.get("waits")?))
}
