//! What the outbox does with its rows: claim one, put it off, hold it, record it as done.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, named_params, params};

use super::{
    Await, Error, Outgoing, Place, Store, Transaction,
    columns::millis,
    error::Doing,
    events,
    held_back::{Which, hold_back},
    message_events,
    outgoing::{outgoing_row, with_files},
    places,
};
use crate::domain::{BatchId, BundleId, MessageEvent};

/// The head of each place's queue, and of those the one that has been due longest.
///
/// A place that does not work is asked by one row once its wait is over. Receipts of a batch go in
/// the order in which they were made; one that is held does not hold up those after it.
const CLAIM: &str = "WITH RECURSIVE
     waiting (place) AS (
        SELECT MIN(place) FROM outgoing WHERE due_at IS NOT NULL
        UNION ALL
        SELECT (SELECT MIN(place) FROM outgoing WHERE due_at IS NOT NULL AND place > w.place)
          FROM waiting w WHERE w.place IS NOT NULL),
     open (place) AS (
        SELECT w.place FROM waiting w
          LEFT JOIN outgoing_places p ON p.place = w.place AND p.since IS NOT NULL
         WHERE w.place IS NOT NULL
           AND w.place NOT IN (SELECT value FROM json_each(:full))
           AND (p.place IS NULL OR (p.next_try <= :now AND NOT EXISTS
                (SELECT 1 FROM outgoing l WHERE l.place = w.place AND l.lease_until > :now)))),
     heads (id) AS (
        SELECT (SELECT o.id FROM outgoing o
                 WHERE o.place = open.place AND o.due_at <= :now
                   AND (o.lease_until IS NULL OR o.lease_until <= :now)
                   AND (o.bundle IS NOT NULL OR NOT EXISTS
                        (SELECT 1 FROM outgoing e
                          WHERE e.batch = o.batch AND e.place = o.place AND e.bundle IS NULL
                            AND e.id < o.id AND e.due_at IS NOT NULL))
                 ORDER BY o.due_at, o.id LIMIT 1)
          FROM open)
     UPDATE outgoing SET lease_until = :lease, attempts = attempts + 1,
            begun_at = COALESCE(begun_at, :now)
      WHERE id = (SELECT o.id FROM heads h JOIN outgoing o ON o.id = h.id
                   ORDER BY o.due_at, o.id LIMIT 1)
     RETURNING *";

impl Store {
    /// Takes the hand-over that has been due longest, of places that work.
    pub fn claim_due_outgoing(
        &self,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<Outgoing>, Error> {
        self.claim_due_outgoing_but(&[], now, lease_until)
    }

    /// As [`Store::claim_due_outgoing`], with nothing for those places.
    pub fn claim_due_outgoing_but(
        &self,
        full: &[&Place],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<Outgoing>, Error> {
        let doing = "claim a hand-over";
        let full = json(full);
        self.write(doing, |tx| {
            let mut claim = tx.prepare_cached(CLAIM).doing(doing)?;
            let given = named_params! {
                ":full": full,
                ":now": millis(now),
                ":lease": millis(lease_until),
            };
            let row = claim.query_row(given, outgoing_row).optional();
            let row = row.doing(doing)?;
            row.map(|row| with_files(tx, row)).transpose()
        })
    }

    /// Keeps a claim for longer.
    pub fn renew_outgoing(&self, outgoing: &Outgoing, lease_until: Timestamp) -> Result<(), Error> {
        let sql = "UPDATE outgoing SET lease_until = ?2 WHERE id = ?1 AND lease_until IS NOT NULL";
        self.change(
            "renew a claim",
            sql,
            params![outgoing.id, millis(lease_until)],
        )
    }

    /// Lets go of a claim of which nothing came: it counts as no try.
    pub fn release_outgoing(&self, outgoing: &Outgoing) -> Result<(), Error> {
        let sql = "UPDATE outgoing SET lease_until = NULL, attempts = MAX(attempts - 1, 0)
             WHERE id = ?1 AND lease_until IS NOT NULL";
        self.free("let go of a hand-over", outgoing, sql, params![outgoing.id])
    }

    /// Records the intent to place the marker: the point after which the other side may act.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] where the claim ran out meanwhile (the machine slept, or its clock was set
    /// forward) and an operator has held or withdrawn the bundle: it must not go.
    pub fn intend_marker(&self, outgoing: &Outgoing) -> Result<(), Error> {
        let doing = "record an intent";
        let sql = "UPDATE outgoing SET state = 'handing-over'
             WHERE id = ? AND state = 'due' AND lease_until IS NOT NULL";
        self.write(doing, |tx| {
            match tx.execute(sql, [outgoing.id]).doing(doing)? {
                0 => Err(Error::LeaseLost(outgoing.batch)),
                _ => Ok(()),
            }
        })
    }

    /// Records that the other side has everything; a bundle's messages move on with it.
    pub fn record_handed_over(
        &self,
        outgoing: &Outgoing,
        pickup: Await,
        now: Timestamp,
    ) -> Result<(), Error> {
        let doing = "record a hand-over";
        let done = "UPDATE outgoing SET state = 'handed-over', handed_over_at = ?2, due_at = NULL,
                waits_since = NULL, lease_until = NULL, last_error = NULL, awaits_pickup = ?3,
                overdue_at = ?4, picked_up_at = NULL
             WHERE id = ?1";
        let overdue = pickup.overdue_at(now).map(millis);
        let given = params![outgoing.id, millis(now), pickup.is_watched(), overdue];
        self.write(doing, |tx| {
            tx.execute(done, given).doing(doing)?;
            places::answered(tx, &outgoing.place)?;
            if let Some(bundle) = outgoing.bundle {
                hand_over_bundle(tx, outgoing.batch, bundle, now)?;
                let what = format!("handed over {bundle}");
                events::note(tx, now, outgoing.batch, None, &what)?;
            }
            Ok(())
        })
    }

    /// Records that nothing of a withdrawn bundle stands at its place any more.
    pub fn record_removed(&self, outgoing: &Outgoing, now: Timestamp) -> Result<(), Error> {
        let doing = "record what was removed";
        let done = "UPDATE outgoing SET due_at = NULL, waits_since = NULL, lease_until = NULL,
                last_error = NULL
             WHERE id = ?1";
        self.write(doing, |tx| {
            tx.execute(done, [outgoing.id]).doing(doing)?;
            places::answered(tx, &outgoing.place)?;
            let what = outgoing
                .bundle
                .map(|it| format!("removed what was written of {it}"));
            let note = |what: String| events::note(tx, now, outgoing.batch, None, &what);
            what.map_or(Ok(()), note)
        })
    }

    /// Keeps the hand-over due and says why it did not work; not one that an operator has taken away
    /// meanwhile.
    pub fn retry_outgoing(
        &self,
        outgoing: &Outgoing,
        error: &str,
        at: Timestamp,
    ) -> Result<(), Error> {
        let doing = "put a hand-over off";
        let sql = "UPDATE outgoing SET lease_until = NULL, due_at = ?2, last_error = ?3
             WHERE id = ?1 AND lease_until IS NOT NULL";
        self.free(
            doing,
            outgoing,
            sql,
            params![outgoing.id, millis(at), error],
        )
    }

    /// Keeps the hand-over until an operator says that it is to be tried again.
    pub fn hold_outgoing(
        &self,
        outgoing: &Outgoing,
        error: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let doing = "hold a hand-over";
        let sql = "UPDATE outgoing SET lease_until = NULL, due_at = NULL, held_at = ?2,
                last_error = ?3
             WHERE id = ?1 AND lease_until IS NOT NULL";
        let what = format!("held the hand-over of {}", outgoing.what());
        self.write(doing, |tx| {
            let given = params![outgoing.id, millis(now), error];
            if tx.execute(sql, given).doing(doing)? == 0 {
                return Ok(());
            }
            places::answered(tx, &outgoing.place)?;
            hold_back(tx, Which::HandOver(outgoing.id), now)?;
            events::note_because(tx, now, outgoing.batch, &what, Some(error))
        })
    }

    /// As [`Store::change`]; where its batch or sender was put on hold meanwhile, it waits with that.
    fn free(
        &self,
        doing: &'static str,
        outgoing: &Outgoing,
        sql: &str,
        given: impl rusqlite::Params,
    ) -> Result<(), Error> {
        self.write(doing, |tx| {
            let mut change = tx.prepare_cached(sql).doing(doing)?;
            change.execute(given).doing(doing)?;
            hold_back(tx, Which::HandOver(outgoing.id), Timestamp::UNIX_EPOCH)
        })
    }

    fn change(
        &self,
        doing: &'static str,
        sql: &str,
        given: impl rusqlite::Params,
    ) -> Result<(), Error> {
        self.write(doing, |tx| {
            let mut change = tx.prepare_cached(sql).doing(doing)?;
            change.execute(given).doing(doing)?;
            Ok(())
        })
    }
}

pub(super) fn hand_over_bundle(
    tx: &Transaction<'_>,
    batch: BatchId,
    bundle: BundleId,
    now: Timestamp,
) -> Result<(), Error> {
    let doing = "record a bundle's hand-over";
    let hand = "UPDATE bundles SET state = 'handed-over', handed_over_at = ?2 WHERE id = ?1";
    tx.execute(hand, params![bundle.0, millis(now)])
        .doing(doing)?;
    let advance =
        "UPDATE messages SET state = 'handed-over' WHERE bundle = ? AND state = 'composed'";
    if tx.execute(advance, [bundle.0]).doing(doing)? == 0 {
        return Ok(());
    }
    message_events::note_bundle(tx, batch, bundle, MessageEvent::HandedOver, now)
}

/// A list as SQLite reads one. Places have no character that JSON would want escaped.
fn json(places: &[&Place]) -> String {
    let quoted: Vec<_> = places.iter().map(|place| format!("\"{place}\"")).collect();
    format!("[{}]", quoted.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How the database goes about the claim, a row a line.
    fn plan_of_claim(store: &Store) -> Vec<String> {
        let plan = store.read(|db| {
            let mut query = db
                .prepare(&format!("EXPLAIN QUERY PLAN {CLAIM}"))
                .doing("explain")?;
            let given = named_params! {":full": "[]", ":now": 0, ":lease": 1};
            let rows = query
                .query_map(given, |row| row.get("detail"))
                .doing("explain")?;
            rows.collect::<Result<_, _>>().doing("explain")
        });
        plan.unwrap()
    }

    #[test]
    fn what_was_handed_over_is_not_read_to_find_what_is_due() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let plan = plan_of_claim(&store);
        let reads_all = |line: &&String| line.starts_with("SCAN outgoing") || *line == "SCAN o";
        assert_eq!(plan.iter().find(reads_all), None, "{plan:#?}");
        let by_place = plan
            .iter()
            .filter(|line| line.contains("outgoing_due_of (place=?"));
        assert!(by_place.count() >= 1, "{plan:#?}");
    }
}
