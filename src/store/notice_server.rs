use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{
    Error, Store,
    columns::{Columns, maybe_millis, millis},
    error::Doing,
};

/// How the mail server that notices go through does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NoticeServer {
    /// `None`: it takes notices, as far as anybody knows.
    pub failing_since: Option<Timestamp>,
    /// Nothing is sent before; `None`: at once.
    pub retry_at: Option<Timestamp>,
    /// Failures in a row.
    pub attempts: u32,
    /// Why the last one failed; nobody's address stands in it.
    pub error: Option<String>,
}

impl Store {
    pub fn notice_server(&self) -> Result<NoticeServer, Error> {
        self.read(server)
    }

    /// Records that the mail server takes nothing, or not the notice that was tried; where it is
    /// not to be asked for a while, until when.
    pub fn note_notice_trouble(
        &self,
        error: &str,
        retry_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let doing = "note that notices do not go";
        let sql = "UPDATE notice_server SET failing_since = COALESCE(failing_since, ?1),
                retry_at = ?2, error = ?3, attempts = attempts + (?2 IS NOT NULL)";
        self.write(doing, |tx| {
            let given = params![millis(now), maybe_millis(retry_at), error];
            tx.execute(sql, given).doing(doing)?;
            Ok(())
        })
    }
}

pub(super) fn server(db: &Connection) -> Result<NoticeServer, Error> {
    let doing = "see how the mail server does";
    let mut query = db
        .prepare_cached("SELECT * FROM notice_server")
        .doing(doing)?;
    let found = query.query_row([], |row| {
        Ok(NoticeServer {
            failing_since: row.maybe_time("failing_since")?,
            retry_at: row.maybe_time("retry_at")?,
            attempts: row.get("attempts")?,
            error: row.get("error")?,
        })
    });
    found.doing(doing)
}
