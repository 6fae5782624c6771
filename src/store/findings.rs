use rusqlite::{Row, params};

use super::{Error, Store, Transaction, columns::Columns, error::Doing, messages::REOPENED};
use crate::domain::{BatchId, Finding, MessageId, Place};

impl Store {
    /// Findings of the batch as a whole.
    pub fn batch_findings(&self, batch: BatchId) -> Result<Vec<Finding>, Error> {
        let sql = "SELECT * FROM findings WHERE batch = ?1 AND position IS NULL ORDER BY id";
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing("list findings")?;
            let rows = query.query_map([batch.0], finding).doing("list findings")?;
            rows.collect::<Result<_, _>>().doing("list findings")
        })
    }

    pub fn message_findings(&self, id: MessageId) -> Result<Vec<Finding>, Error> {
        self.findings_between(id.batch, id.position, id.position)
    }

    /// Findings of the messages at positions `first` to `last`, in the order of position.
    pub fn findings_between(
        &self,
        batch: BatchId,
        first: u32,
        last: u32,
    ) -> Result<Vec<Finding>, Error> {
        let sql = "SELECT * FROM findings
             WHERE batch = ?1 AND position BETWEEN ?2 AND ?3 ORDER BY position, id";
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing("list findings")?;
            let given = params![batch.0, first, last];
            let rows = query.query_map(given, finding).doing("list findings")?;
            rows.collect::<Result<_, _>>().doing("list findings")
        })
    }
}

pub(super) fn insert(
    tx: &Transaction<'_>,
    batch: BatchId,
    findings: &[Finding],
) -> Result<(), Error> {
    let sql = "INSERT INTO findings (batch, position, code, detail, entry, line, page)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let mut insert = tx.prepare_cached(sql).doing("record a finding")?;
    for Finding {
        code,
        place,
        detail,
    } in findings
    {
        let given = params![
            batch.0,
            place.message,
            code.as_str(),
            detail,
            place.entry,
            place.line,
            place.page
        ];
        insert.execute(given).doing("record a finding")?;
    }
    Ok(())
}

/// Forgets the findings that opening the batch again will find again.
pub(super) fn forget_reopened(tx: &Transaction<'_>, batch: BatchId) -> Result<(), Error> {
    let sql = format!(
        "DELETE FROM findings WHERE batch = ?1 AND (position IS NULL OR position IN
            (SELECT position FROM messages WHERE batch = ?1 AND state IN {REOPENED}))"
    );
    tx.execute(&sql, [batch.0]).doing("forget findings")?;
    Ok(())
}

fn finding(row: &Row<'_>) -> rusqlite::Result<Finding> {
    let place = Place {
        entry: None,
        line: row.get("line")?,
        message: row.get("position")?,
        page: row.get("page")?,
    };
    let place = match row.get::<_, Option<String>>("entry")? {
        Some(entry) => place.in_entry(entry),
        None => place,
    };
    let detail: String = row.get("detail")?;
    Ok(Finding::new(row.code("code")?, place, detail))
}
