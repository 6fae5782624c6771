//! When it was last seen what is read in a mailbox. What was not looked at after its time may have been
//! read in time all the same.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, named_params, params};

use crate::{
    domain::ServiceName,
    store::{
        Error, Store, Transaction,
        columns::{Columns, millis},
        error::Doing,
    },
};

/// After a longer time without a look, the house has stood still or its clock has leapt ahead.
const GAP: SignedDuration = SignedDuration::from_hours(48);
/// How long nothing goes on paper then: time for somebody to see that the clock is wrong.
const WARY: SignedDuration = SignedDuration::from_hours(24);

/// Of a timer `t`: its Maildir could not be looked into. It is one of many, and holds up no other.
macro_rules! missed {
    () => {
        "EXISTS (SELECT 1 FROM read_marks r WHERE t.mailbox = '' AND r.batch = t.batch
             AND r.position = t.position AND r.missed_for IS NOT NULL)"
    };
}

/// Of a timer `t`: its mailbox was looked into since it is over.
macro_rules! watched {
    () => {
        concat!(
            "EXISTS (SELECT 1 FROM mailbox_looks l
                 WHERE l.mailbox = t.mailbox AND l.looked_at >= t.look_at
                   AND COALESCE(l.wary_until, 0) <= :now)
              AND NOT ",
            missed!()
        )
    };
}

/// Whether a timer `t` is over, and its mailbox was looked into since.
pub(super) const OVER: &str = concat!("t.look_at <= :now AND ", watched!());

/// Whether a timer `t` would be over, had its mailbox been looked into.
pub(super) const UNWATCHED: &str = concat!("t.look_at <= :now AND NOT (", watched!(), ")");

impl Store {
    /// Records that all is known that was read until `now`: in the mailboxes of a service, or in the
    /// Maildirs (`None`).
    pub fn note_look(&self, service: Option<&ServiceName>, now: Timestamp) -> Result<(), Error> {
        self.write("note a look into mailboxes", |tx| note(tx, service, now))
    }

    /// Records that nobody can look into any Maildir, and why, until somebody has ([`Store::note_look`]).
    pub fn note_failed_look(&self, why: &str, now: Timestamp) -> Result<(), Error> {
        let doing = "note that mailboxes are away";
        // A first row says of no time that anybody had looked.
        let sql = "INSERT INTO mailbox_looks (mailbox, looked_at, failing_since, error)
             VALUES ('', 0, ?1, ?2)
             ON CONFLICT (mailbox) DO UPDATE SET
                failing_since = COALESCE(failing_since, ?1), error = ?2";
        self.write(doing, |tx| {
            tx.execute(sql, params![millis(now), why]).doing(doing)?;
            Ok(())
        })
    }
}

/// As [`Store::note_look`], in the transaction that records what was read last.
pub(in crate::store) fn note(
    tx: &Transaction<'_>,
    service: Option<&ServiceName>,
    now: Timestamp,
) -> Result<(), Error> {
    let doing = "note a look into mailboxes";
    let sql = "INSERT INTO mailbox_looks (mailbox, looked_at) VALUES (:mailbox, :now)
         ON CONFLICT (mailbox) DO UPDATE SET looked_at = :now,
            failing_since = NULL, error = NULL,
            wary_until = CASE WHEN :now - looked_at > :gap THEN :now + :wary
                              WHEN wary_until > :now THEN wary_until END";
    let given = named_params! {
        ":mailbox": service.map_or("", ServiceName::as_str),
        ":now": millis(now),
        ":gap": i64::try_from(GAP.as_millis()).unwrap_or(i64::MAX),
        ":wary": i64::try_from(WARY.as_millis()).unwrap_or(0),
    };
    let mut update = tx.prepare_cached(sql).doing(doing)?;
    update.execute(given).doing(doing)?;
    Ok(())
}

/// Since when nobody can look into any Maildir, and why.
pub(super) fn failing(db: &Connection) -> Result<Option<(Timestamp, String)>, Error> {
    let doing = "see whether mailboxes are away";
    let sql = "SELECT failing_since, error FROM mailbox_looks
         WHERE mailbox = '' AND failing_since IS NOT NULL";
    let mut query = db.prepare_cached(sql).doing(doing)?;
    let found = query.query_row([], |row| {
        Ok((row.time("failing_since")?, row.get("error")?))
    });
    found.optional().doing(doing)
}
