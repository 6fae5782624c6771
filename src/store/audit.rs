//! What operators did, as a chain: each row carries the hash of the one before it, so that a row that
//! is changed or removed is noticed. Who can write the database can write a new chain too: that is
//! noticed by whoever kept a head of the old one elsewhere.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    Error, NewEvent, Store, Transaction,
    columns::{Columns, maybe_millis, millis},
    error::Doing,
};

/// A deed of an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// 1, 2, … without a gap.
    pub id: u64,
    pub at: Timestamp,
    pub actor: String,
    pub what: String,
    /// `B-0007`, `sender:<name>`, `account:<name>` or `house`.
    pub about: String,
    pub why: Option<String>,
    /// The hash of the row before this one.
    pub previous: String,
    /// SHA-256 in lower-case hex of `["id", "at", "actor", "what", "about", "why", "previous"]` as JSON
    /// without spaces, `at` in milliseconds.
    pub hash: String,
}

/// The end of the chain: who keeps it elsewhere can tell later whether all before it still stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditHead {
    pub rows: u64,
    pub hash: String,
}

/// Which rows are listed; by default all.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    pub since: Option<Timestamp>,
    /// Not included.
    pub until: Option<Timestamp>,
    pub actor: Option<String>,
    pub about: Option<String>,
}

/// What a look at the whole chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditCheck {
    /// Up to the break, or all.
    pub sound: u64,
    /// What the chain says is its end.
    pub head: AuditHead,
    pub broken: Option<AuditBreak>,
}

/// Where the chain breaks first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditBreak {
    #[error("row {0} is missing")]
    Missing(u64),
    #[error("row {0} is not as it was written")]
    Changed(u64),
    #[error("row {0} does not follow the row before it")]
    Unchained(u64),
    #[error("there are {found} rows, and there were {rows}: the last ones are missing")]
    Cut { rows: u64, found: u64 },
    #[error("the last row is not the one that was written last")]
    OtherEnd,
    #[error("no row has the hash `{0}`: what is here was written anew, or the end is missing")]
    NoSuchHead(String),
}

/// The hash before the first row.
const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Who begins the chain.
const HOUSE: &str = "kuori";

impl Store {
    /// A page of the audit, the newest first: those before row `before`, at most `limit`.
    pub fn audit(
        &self,
        filter: &AuditFilter,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<AuditRow>, Error> {
        let doing = "list the audit";
        let sql = "SELECT * FROM audit
             WHERE (:before IS NULL OR id < :before) AND (:since IS NULL OR at >= :since)
               AND (:until IS NULL OR at < :until) AND (:actor IS NULL OR actor = :actor)
               AND (:about IS NULL OR about = :about)
             ORDER BY id DESC LIMIT :limit";
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing(doing)?;
            let given = named_params! {
                ":before": before,
                ":since": maybe_millis(filter.since),
                ":until": maybe_millis(filter.until),
                ":actor": filter.actor,
                ":about": filter.about,
                ":limit": limit,
            };
            let rows = query.query_map(given, audit_row).doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }

    pub fn audit_head(&self) -> Result<AuditHead, Error> {
        self.read(|db| Ok(head(db)?.unwrap_or_else(AuditHead::of_nothing)))
    }

    /// Goes through the whole chain, and says where it breaks first.
    pub fn check_audit(&self) -> Result<AuditCheck, Error> {
        self.check_audit_since(None)
    }

    /// As [`Store::check_audit`]; also, whether the row whose hash begins with `kept` still stands in it.
    pub fn check_audit_since(&self, kept: Option<&str>) -> Result<AuditCheck, Error> {
        let doing = "go through the audit";
        self.read(|db| {
            let head = head(db)?.unwrap_or_else(AuditHead::of_nothing);
            let mut walk = Walk::new(kept);
            let sql = "SELECT * FROM audit ORDER BY id";
            let mut query = db.prepare_cached(sql).doing(doing)?;
            let mut rows = query.query([]).doing(doing)?;
            let mut broken = None;
            while let (None, Some(row)) = (&broken, rows.next().doing(doing)?) {
                broken = walk.step(&audit_row(row).doing(doing)?);
            }
            let broken = broken.or_else(|| walk.end(&head));
            let sound = walk.sound;
            Ok(AuditCheck {
                sound,
                head,
                broken,
            })
        })
    }
}

impl AuditHead {
    fn of_nothing() -> Self {
        Self {
            rows: 0,
            hash: NOTHING.to_owned(),
        }
    }
}

/// A walk along the chain.
struct Walk<'a> {
    sound: u64,
    hash: String,
    kept: Option<&'a str>,
    has_met: bool,
}

impl<'a> Walk<'a> {
    fn new(kept: Option<&'a str>) -> Self {
        Self {
            sound: 0,
            hash: NOTHING.to_owned(),
            kept,
            has_met: false,
        }
    }

    fn step(&mut self, row: &AuditRow) -> Option<AuditBreak> {
        let expected = self.sound + 1;
        if row.id != expected {
            return Some(AuditBreak::Missing(expected));
        }
        if row.previous != self.hash {
            return Some(AuditBreak::Unchained(row.id));
        }
        if row.hash != row.digest() {
            return Some(AuditBreak::Changed(row.id));
        }
        self.has_met |= self.kept.is_some_and(|kept| row.hash.starts_with(kept));
        self.sound = row.id;
        self.hash.clone_from(&row.hash);
        None
    }

    fn end(&self, head: &AuditHead) -> Option<AuditBreak> {
        if head.rows > self.sound || self.sound == 0 {
            let (rows, found) = (head.rows.max(1), self.sound);
            return Some(AuditBreak::Cut { rows, found });
        }
        if (head.rows, &head.hash) != (self.sound, &self.hash) {
            return Some(AuditBreak::OtherEnd);
        }
        let kept = self.kept.filter(|_| !self.has_met)?;
        Some(AuditBreak::NoSuchHead(kept.to_owned()))
    }
}

impl AuditRow {
    /// What `hash` must be.
    fn digest(&self) -> String {
        let form = json!([
            self.id,
            millis(self.at),
            self.actor,
            self.what,
            self.about,
            self.why,
            self.previous
        ]);
        hex(Sha256::digest(form.to_string()))
    }
}

/// Writes the first row, where there is none: what operators did before there was an audit is bound by
/// its digest.
pub(super) fn begin(tx: &Transaction<'_>) -> Result<(), Error> {
    if head(tx)?.is_some() {
        return Ok(());
    }
    let doing = "begin the audit";
    let now = "SELECT unixepoch() * 1000 AS now";
    let at = tx.query_row(now, [], |row| row.time("now")).doing(doing)?;
    let begun = NewEvent {
        at,
        actor: HOUSE.to_owned(),
        why: older_deeds(tx)?,
    };
    note(tx, &begun, "house".to_owned(), "the audit begins")
}

/// `12 deeds before this, up to event 345, of digest …`: SHA-256 over a line of JSON each.
fn older_deeds(tx: &Transaction<'_>) -> Result<String, Error> {
    let doing = "read older events";
    let sql = "SELECT id, json_array(id, at, batch, position, sender, account, actor, what, why)
         FROM events WHERE actor <> ?1 ORDER BY id";
    let mut query = tx.prepare(sql).doing(doing)?;
    let mut rows = query.query([HOUSE]).doing(doing)?;
    let (mut deeds, mut last, mut digest) = (0_u64, 0_u64, Sha256::new());
    while let Some(row) = rows.next().doing(doing)? {
        let line: String = row.get(1).doing(doing)?;
        digest.update(line.as_bytes());
        digest.update(b"\n");
        last = row.get(0).doing(doing)?;
        deeds += 1;
    }
    if deeds == 0 {
        return Ok(String::new());
    }
    let digest = hex(digest.finalize());
    Ok(format!(
        "deeds before this: {deeds}, up to event {last}, SHA-256 {digest}"
    ))
}

/// Writes a deed down, in the transaction that carries it out.
pub(super) fn note(
    tx: &Transaction<'_>,
    action: &NewEvent,
    about: String,
    what: &str,
) -> Result<(), Error> {
    let doing = "write the audit";
    let end = head(tx)?.unwrap_or_else(AuditHead::of_nothing);
    let mut row = AuditRow {
        id: end.rows + 1,
        at: action.at,
        actor: action.actor.clone(),
        what: what.to_owned(),
        about,
        why: Some(action.why.clone()).filter(|why| !why.is_empty()),
        previous: end.hash,
        hash: String::new(),
    };
    row.hash = row.digest();
    let sql = "INSERT INTO audit (id, at, actor, what, about, why, previous, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let mut insert = tx.prepare_cached(sql).doing(doing)?;
    let given = params![
        row.id,
        millis(row.at),
        row.actor,
        row.what,
        row.about,
        row.why,
        row.previous,
        row.hash
    ];
    insert.execute(given).doing(doing)?;
    let sql = "INSERT INTO audit_head VALUES (1, ?1, ?2)
         ON CONFLICT (id) DO UPDATE SET rows = ?1, hash = ?2";
    let mut keep = tx.prepare_cached(sql).doing(doing)?;
    keep.execute(params![row.id, row.hash]).doing(doing)?;
    Ok(())
}

fn head(db: &Connection) -> Result<Option<AuditHead>, Error> {
    let doing = "look at the end of the audit";
    let sql = "SELECT rows, hash FROM audit_head";
    let mut query = db.prepare_cached(sql).doing(doing)?;
    let found = query.query_row([], |row| {
        Ok(AuditHead {
            rows: row.get("rows")?,
            hash: row.get("hash")?,
        })
    });
    found.optional().doing(doing)
}

fn hex(digest: impl AsRef<[u8]>) -> String {
    let digits = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
    digits.collect()
}

fn audit_row(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    Ok(AuditRow {
        id: row.get("id")?,
        at: row.time("at")?,
        actor: row.get("actor")?,
        what: row.get("what")?,
        about: row.get("about")?,
        why: row.get("why")?,
        previous: row.get("previous")?,
        hash: row.get("hash")?,
    })
}

#[cfg(test)]
mod tests;
