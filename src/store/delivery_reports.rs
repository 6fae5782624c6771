use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params, params};

use super::{
    BatchRow, Counts, Error, NewOutgoing, Store, batches,
    columns::{Columns, maybe_millis, millis},
    counts,
    error::Doing,
    events, outgoing, steps,
};
use crate::domain::BatchId;

/// What the sender of a batch was told of its messages, and what not.
#[derive(Debug, Clone)]
pub struct DeliveryReportRow {
    pub batch: BatchId,
    /// The newest change of the batch.
    pub newest: u64,
    /// The newest change that the sender was told of.
    pub told: u64,
    /// When the oldest change was made that is still to be told.
    pub untold_since: Option<Timestamp>,
    /// How many delivery reports there were.
    pub reports: u32,
    /// The last report said that nothing is under way any more.
    pub is_final: bool,
    /// The number of the claim that holds it.
    pub lease: i64,
    pub attempts: u32,
    /// How often the program has ended while it was being written.
    pub crashes: u32,
}

/// Rows to be looked at. A batch with a step to be done first is left alone: there may be thousands
/// of changes to come, and its processing report.
const DUE: &str = "SELECT d.batch FROM delivery_reports d JOIN batches b ON b.id = d.batch
     WHERE d.due_at <= :now AND (d.lease_until IS NULL OR d.lease_until <= :now)
       AND (d.lease = 0 OR d.batch NOT IN (SELECT value FROM json_each(:in_hand)))
       AND (b.due_at IS NULL OR b.due_at > :now)
     ORDER BY d.due_at, d.batch LIMIT 1";

impl Store {
    /// Takes the batch whose delivery report has been due longest to be looked at.
    pub fn claim_due_delivery_report(
        &self,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<DeliveryReportRow>, Error> {
        self.claim_delivery_report_but(&[], now, lease_until)
    }

    /// As [`Store::claim_due_delivery_report`], but of none that is still being written here, though
    /// its lease has run out.
    pub fn claim_delivery_report_but(
        &self,
        in_hand: &[BatchId],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<DeliveryReportRow>, Error> {
        let doing = "claim a delivery report";
        let sql = format!(
            "UPDATE delivery_reports
                SET lease_until = :lease_until, lease = :turn, attempts = attempts + 1
              WHERE batch = ({DUE}) RETURNING *"
        );
        let in_hand = steps::ids(in_hand);
        if !self.is_delivery_report_due(&in_hand, now)? {
            return Ok(None);
        }
        self.write(doing, |tx| {
            let turn = steps::next_turn(tx)?;
            let mut claim = tx.prepare_cached(&sql).doing(doing)?;
            let given = named_params! {
                ":now": millis(now),
                ":lease_until": millis(lease_until),
                ":turn": turn,
                ":in_hand": in_hand,
            };
            claim
                .query_row(given, delivery_report_row)
                .optional()
                .doing(doing)
        })
    }

    /// Asked often, and a claim waits for whoever writes.
    fn is_delivery_report_due(&self, in_hand: &str, now: Timestamp) -> Result<bool, Error> {
        self.read(|db| {
            let mut query = db.prepare_cached(DUE).doing("look for a delivery report")?;
            let given = named_params! {":now": millis(now), ":in_hand": in_hand};
            query.exists(given).doing("look for a delivery report")
        })
    }

    /// Keeps a claim for longer; `false` where it is gone.
    pub fn renew_delivery_report(
        &self,
        row: &DeliveryReportRow,
        lease_until: Timestamp,
    ) -> Result<bool, Error> {
        let doing = "renew a lease";
        let sql = "UPDATE delivery_reports SET lease_until = ?3
             WHERE batch = ?1 AND lease = ?2 AND lease_until IS NOT NULL";
        self.write(doing, |tx| {
            let given = params![row.batch.0, row.lease, millis(lease_until)];
            Ok(tx.execute(sql, given).doing(doing)? == 1)
        })
    }

    /// When the next delivery report is to be looked at.
    pub fn next_delivery_report_due(&self) -> Result<Option<Timestamp>, Error> {
        self.read(|db| {
            let sql = "SELECT MIN(due_at) AS due_at FROM delivery_reports WHERE due_at IS NOT NULL";
            db.query_row(sql, [], |row| row.maybe_time("due_at"))
                .doing("find what is due")
        })
    }

    /// Where a batch stands, as of one moment: what of it is untold, and where its messages are. So a
    /// report that says that nothing is under way tells how the last message went.
    pub fn delivery_standing(
        &self,
        batch: BatchId,
    ) -> Result<(DeliveryReportRow, BatchRow, Counts), Error> {
        let sql = "SELECT * FROM delivery_reports WHERE batch = ?";
        let doing = "look at a delivery report";
        self.read(|db| {
            let due = db.query_row(sql, [batch.0], delivery_report_row);
            let row = batches::by_id(db, batch)?;
            Ok((due.doing(doing)?, row, counts::of_batch(db, batch)?))
        })
    }

    /// Records a delivery report and which changes it goes up to, in one transaction. Without a
    /// report the sender's settings want none of these changes told.
    pub fn record_delivery_report(
        &self,
        row: &DeliveryReportRow,
        report: Option<&NewOutgoing>,
        is_final: bool,
        now: Timestamp,
    ) -> Result<(), Error> {
        let doing = "record a delivery report";
        // What has changed meanwhile is told by the next one.
        let sql = "UPDATE delivery_reports SET told = :newest, is_final = :final,
                reports = reports + :reports, lease_until = NULL, lease = 0, attempts = 0,
                crashes = 0, last_error = NULL,
                due_at = CASE WHEN newest > :newest THEN :now END,
                untold_since = CASE WHEN newest > :newest THEN :now END
             WHERE batch = :batch AND lease = :lease";
        self.write(doing, |tx| {
            if let Some(report) = report {
                outgoing::insert(tx, report, now)?;
                events::note(tx, now, row.batch, None, "delivery report")?;
            }
            let given = named_params! {
                ":batch": row.batch.0,
                ":newest": row.newest,
                ":final": is_final,
                ":reports": u32::from(report.is_some()),
                ":now": millis(now),
                ":lease": row.lease,
            };
            held(row, tx.execute(sql, given).doing(doing)?)
        })
    }

    /// Puts a delivery report off to its time, or for good where `until` is `None`. A change that
    /// came meanwhile brings it back at once.
    pub fn put_off_delivery_report(
        &self,
        row: &DeliveryReportRow,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let doing = "put a delivery report off";
        let sql = "UPDATE delivery_reports SET lease_until = NULL, lease = 0, attempts = 0,
                crashes = 0, last_error = NULL,
                due_at = CASE WHEN newest > ?2 THEN ?3 ELSE ?4 END
             WHERE batch = ?1 AND lease = ?5";
        self.write(doing, |tx| {
            let until = maybe_millis(until);
            let given = params![row.batch.0, row.newest, millis(now), until, row.lease];
            held(row, tx.execute(sql, given).doing(doing)?)
        })
    }

    /// Keeps the delivery report due and says why it could not be written.
    pub fn retry_delivery_report(
        &self,
        row: &DeliveryReportRow,
        error: &str,
        at: Timestamp,
    ) -> Result<(), Error> {
        let doing = "put a delivery report off";
        let sql = "UPDATE delivery_reports SET lease_until = NULL, lease = 0, crashes = 0,
                due_at = ?2, last_error = ?3
             WHERE batch = ?1 AND lease = ?4";
        self.write(doing, |tx| {
            let given = params![row.batch.0, millis(at), error, row.lease];
            held(row, tx.execute(sql, given).doing(doing)?)
        })
    }
}

/// What ends a delivery report changes nothing where another claim has the row by now.
fn held(row: &DeliveryReportRow, changed: usize) -> Result<(), Error> {
    match changed {
        0 => Err(Error::LeaseLost(row.batch)),
        _ => Ok(()),
    }
}

fn delivery_report_row(row: &Row<'_>) -> rusqlite::Result<DeliveryReportRow> {
    Ok(DeliveryReportRow {
        batch: row.batch("batch")?,
        newest: row.get("newest")?,
        told: row.get("told")?,
        untold_since: row.maybe_time("untold_since")?,
        reports: row.get("reports")?,
        is_final: row.get("is_final")?,
        lease: row.get("lease")?,
        attempts: row.get("attempts")?,
        crashes: row.get("crashes")?,
    })
}
