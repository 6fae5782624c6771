//! What belongs to no batch: the file of the database, its schema, and rows that refer to nothing.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::{
    super::{Error, database::fresh_schema, error::Doing},
    DATABASE, Verified,
};
use crate::domain::{BatchId, Breach, MessageId};

/// Columns that name a batch, and that the schema does not hold to it: looking each up would cost
/// more at every write than it is worth.
const LOOSE: [&str; 3] = ["letter_ids", "pieces", "events"];

/// Answers whether the rest can be looked at.
pub(super) fn verify(db: &Connection, found: &mut Verified) -> Result<bool, Error> {
    if !is_sound(db, found)? || !has_schema(db, found)? {
        return Ok(false);
    }
    foreign_keys(db, found)?;
    for table in LOOSE {
        batches_of(db, table, found)?;
    }
    reports(db, found)?;
    queues(db, found)?;
    timers(db, found)?;
    Ok(true)
}

fn is_sound(db: &Connection, found: &mut Verified) -> Result<bool, Error> {
    let doing = "check the database";
    let mut query = db.prepare("PRAGMA quick_check(20)").doing(doing)?;
    let rows = query.query_map([], |row| row.get::<_, String>(0));
    let told: Vec<_> = rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)?;
    let damages = told.iter().filter(|line| *line != "ok");
    for damage in damages.clone() {
        found.add(Breach::DatabaseDamaged, DATABASE, damage);
    }
    Ok(damages.count() == 0)
}

/// Compares every table, index and trigger with what the migrations make. Answers whether all tables
/// are there.
fn has_schema(db: &Connection, found: &mut Verified) -> Result<bool, Error> {
    let expected = schema(&fresh_schema()?)?;
    let there = schema(db)?;
    let mut has_tables = true;
    for (name, sql) in &expected {
        let how = match there.get(name) {
            Some(own) if own == sql => continue,
            Some(_) => "it is another one than this program makes",
            None => "it is missing",
        };
        found.add(Breach::SchemaDiffers, name, how);
        has_tables &= there.contains_key(name) || !sql.starts_with("CREATE TABLE");
    }
    Ok(has_tables)
}

fn schema(db: &Connection) -> Result<BTreeMap<String, String>, Error> {
    let doing = "read the schema";
    let sql = "SELECT name, sql FROM main.sqlite_master WHERE sql IS NOT NULL";
    let mut query = db.prepare(sql).doing(doing)?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)
}

fn foreign_keys(db: &Connection, found: &mut Verified) -> Result<(), Error> {
    let doing = "check references";
    let mut query = db.prepare("PRAGMA foreign_key_check").doing(doing)?;
    let rows = query.query_map([], |row| {
        Ok((
            row.get::<_, String>("table")?,
            row.get::<_, String>("parent")?,
        ))
    });
    for row in rows.doing(doing)? {
        let (table, parent) = row.doing(doing)?;
        let how = format!("a row of it names a row of `{parent}` that is not there");
        found.add(Breach::OrphanRow, table, how);
    }
    Ok(())
}

fn batches_of(db: &Connection, table: &str, found: &mut Verified) -> Result<(), Error> {
    let doing = "check references";
    let sql = format!(
        "SELECT batch, COUNT(*) FROM {table}
          WHERE batch IS NOT NULL AND batch NOT IN (SELECT id FROM batches) GROUP BY batch"
    );
    let mut query = db.prepare(&sql).doing(doing)?;
    let rows = query.query_map([], |row| Ok((BatchId(row.get(0)?), row.get::<_, u64>(1)?)));
    for row in rows.doing(doing)? {
        let (batch, count) = row.doing(doing)?;
        let how = format!("{count} of its rows name {batch}, which is not there");
        found.add(Breach::OrphanRow, table, how);
    }
    Ok(())
}

/// Delivery reports that have told what never happened: what does happen would not be told.
fn reports(db: &Connection, found: &mut Verified) -> Result<(), Error> {
    let doing = "look at delivery reports";
    let sql = "SELECT batch FROM delivery_reports WHERE told > newest ORDER BY batch";
    let mut query = db.prepare(sql).doing(doing)?;
    let rows = query.query_map([], |row| Ok(BatchId(row.get(0)?)));
    for batch in rows.doing(doing)? {
        let how = "its delivery reports told of more than has happened";
        found.add(Breach::ReportInconsistent, batch.doing(doing)?, how);
    }
    Ok(())
}

/// Whose turn it is hangs on these numbers, and nobody sends to a service that the settings have lost.
fn queues(db: &Connection, found: &mut Verified) -> Result<(), Error> {
    let doing = "look at the queues of mailbox services";
    let sql = "WITH counted AS (SELECT service, batch, SUM(is_sending = 0) AS waiting,
                SUM(is_sending) AS sending, SUM(retry_at IS NOT NULL) AS put_off
               FROM mailbox_queue GROUP BY service, batch)
         SELECT COALESCE(q.batch, c.batch) AS batch FROM counted c
           FULL JOIN queued_batches q ON q.service = c.service AND q.batch = c.batch
          WHERE COALESCE(c.waiting, 0) IS NOT COALESCE(q.waiting, 0)
             OR COALESCE(c.sending, 0) IS NOT COALESCE(q.sending, 0)
             OR COALESCE(c.put_off, 0) IS NOT COALESCE(q.put_off, 0)
          ORDER BY 1";
    let mut query = db.prepare(sql).doing(doing)?;
    let rows = query.query_map([], |row| Ok(BatchId(row.get(0)?)));
    for batch in rows.doing(doing)? {
        let how = "its queue has other messages than are counted there";
        found.add(Breach::QueueMiscounted, batch.doing(doing)?, how);
    }
    let sql = "SELECT service, COUNT(*) FROM mailbox_queue
         WHERE service NOT IN (SELECT name FROM mailbox_services WHERE is_in_settings)
         GROUP BY service";
    let mut query = db.prepare(sql).doing(doing)?;
    let rows = query.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, u64>(1)?))
    });
    for row in rows.doing(doing)? {
        let (service, count) = row.doing(doing)?;
        let how = format!("{count} messages wait for it, and the settings do not have it");
        found.add(Breach::QueueForsaken, service, how);
    }
    Ok(())
}

/// What has a timer lies in a mailbox, and nobody has read it since it was put there: else it would go on
/// paper for nothing, or keep its batch's file for ever.
fn timers(db: &Connection, found: &mut Verified) -> Result<(), Error> {
    let doing = "look at timers";
    let sql = "SELECT t.batch, t.position,
            m.state = 'delivered' AND m.channel IS 'mailbox' AND m.erased_at IS NULL AS lies_there,
            m.again_at IS NULL AND EXISTS (SELECT 1 FROM message_events e
                 WHERE e.batch = t.batch AND e.position = t.position
                   AND e.what IN ('read', 'acknowledged')
                   AND e.change > COALESCE((SELECT MAX(d.change) FROM message_events d
                         WHERE d.batch = t.batch AND d.position = t.position
                           AND d.what = 'delivered'), 0)) AS is_read
          FROM timers t JOIN messages m ON m.batch = t.batch AND m.position = t.position
         WHERE is_read OR NOT lies_there ORDER BY t.batch, t.position";
    let mut query = db.prepare(sql).doing(doing)?;
    let rows = query.query_map([], |row| {
        let batch = BatchId(row.get("batch")?);
        let position = row.get("position")?;
        Ok((
            MessageId { batch, position },
            row.get::<_, bool>("is_read")?,
        ))
    });
    for row in rows.doing(doing)? {
        let (message, is_read) = row.doing(doing)?;
        let how = if is_read {
            "it has a timer, and was read or confirmed"
        } else {
            "it has a timer, and lies in no mailbox alone"
        };
        found.add(Breach::MessageInconsistent, message, how);
    }
    Ok(())
}
