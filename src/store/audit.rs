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
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{domain::SenderId, store::NewEvent};

    fn because(second: i64) -> NewEvent {
        NewEvent {
            at: Timestamp::from_second(second).unwrap(),
            actor: "maija".to_owned(),
            why: "old \"letters\"\n€".to_owned(),
        }
    }

    fn city() -> SenderId {
        "example-city".parse().unwrap()
    }

    /// A store with three deeds behind the first row.
    fn store(folder: &Path) -> Store {
        let store = Store::open(folder).unwrap();
        store.know_senders([&city()]).unwrap();
        store.hold_sender(&city(), &because(1)).unwrap();
        store.release_sender(&city(), &because(2)).unwrap();
        store.hold_sender(&city(), &because(3)).unwrap();
        store
    }

    /// Somebody with the database in hand, whom no trigger stops.
    fn tamper(folder: &Path, sql: &str) {
        let db = Connection::open(folder.join("kuori.sqlite")).unwrap();
        let bare = "DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_removed;";
        db.execute_batch(&format!("{bare}{sql}")).unwrap();
    }

    fn broken_by(sql: &str) -> Option<AuditBreak> {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        tamper(folder.path(), sql);
        store.check_audit().unwrap().broken
    }

    #[test]
    fn every_deed_is_a_row_and_the_chain_holds() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        let rows = store.audit(&AuditFilter::default(), None, 9).unwrap();
        let told: Vec<_> = rows.iter().map(|row| (row.id, row.what.as_str())).collect();
        let expected = [
            (4, "held"),
            (3, "released"),
            (2, "held"),
            (1, "the audit begins"),
        ];
        assert_eq!(told, expected);
        assert_eq!(rows[0].about, "sender:example-city");
        let check = store.check_audit().unwrap();
        assert_eq!((check.sound, check.broken), (4, None));
        assert_eq!(check.head, store.audit_head().unwrap());
        // A deed that is not done leaves none.
        store.hold_sender(&city(), &because(4)).unwrap();
        assert_eq!(store.audit_head().unwrap(), check.head);
    }

    #[test]
    fn a_hash_is_the_digest_of_a_form_that_others_can_write() {
        let row = AuditRow {
            id: 2,
            at: Timestamp::from_second(1).unwrap(),
            actor: "maija".to_owned(),
            what: "held".to_owned(),
            about: "sender:example-city".to_owned(),
            why: None,
            previous: NOTHING.to_owned(),
            hash: String::new(),
        };
        let form = format!(r#"[2,1000,"maija","held","sender:example-city",null,"{NOTHING}"]"#);
        assert_eq!(row.digest(), hex(Sha256::digest(form)));
    }

    #[test]
    fn what_is_changed_or_removed_is_noticed() {
        let row = |id| format!("DELETE FROM audit WHERE id = {id};");
        assert_eq!(broken_by(&row(2)), Some(AuditBreak::Missing(2)));
        assert_eq!(broken_by(&row(1)), Some(AuditBreak::Missing(1)));
        let cut = AuditBreak::Cut { rows: 4, found: 3 };
        assert_eq!(broken_by(&row(4)), Some(cut));
        let all = AuditBreak::Cut { rows: 4, found: 0 };
        assert_eq!(broken_by("DELETE FROM audit;"), Some(all));
        for change in [
            "actor = 'other'",
            "at = 5",
            "why = NULL",
            "what = 'x'",
            "about = 'house'",
        ] {
            let sql = format!("UPDATE audit SET {change} WHERE id = 3;");
            assert_eq!(broken_by(&sql), Some(AuditBreak::Changed(3)), "{change}");
        }
        let renumbered = format!("{} UPDATE audit SET id = 2 WHERE id = 3;", row(2));
        assert_eq!(broken_by(&renumbered), Some(AuditBreak::Unchained(2)));
        let other_end = "UPDATE audit_head SET hash = 'x';";
        assert_eq!(broken_by(other_end), Some(AuditBreak::OtherEnd));
    }

    #[test]
    fn who_kept_a_head_notices_an_end_that_is_gone_with_all_its_traces() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        let kept = store.audit_head().unwrap().hash;
        let since = |kept: &str| store.check_audit_since(Some(kept)).unwrap().broken;
        assert_eq!(since(&kept), None);
        assert_eq!(since(&kept[..16]), None);
        tamper(
            folder.path(),
            "DELETE FROM audit WHERE id = 4;
             UPDATE audit_head SET rows = 3, hash = (SELECT hash FROM audit WHERE id = 3);",
        );
        assert_eq!(store.check_audit().unwrap().broken, None);
        assert_eq!(since(&kept), Some(AuditBreak::NoSuchHead(kept.clone())));
        // And so it stays, whatever is done afterwards.
        store.release_sender(&city(), &because(9)).unwrap();
        assert_eq!(since(&kept), Some(AuditBreak::NoSuchHead(kept.clone())));
    }

    #[test]
    fn the_database_itself_refuses_to_change_or_remove_a_row() {
        let folder = tempfile::tempdir().unwrap();
        drop(store(folder.path()));
        let db = Connection::open(folder.path().join("kuori.sqlite")).unwrap();
        for sql in ["UPDATE audit SET why = 'x'", "DELETE FROM audit"] {
            let refused = db.execute(sql, []).unwrap_err().to_string();
            assert!(refused.contains("never"), "{refused}");
        }
    }

    #[test]
    fn rows_are_found_by_time_actor_and_what_they_are_about() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        let second = |second| Some(Timestamp::from_second(second).unwrap());
        let ids = |filter: &AuditFilter, before, limit| {
            let rows = store.audit(filter, before, limit).unwrap();
            rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
        };
        let maija = AuditFilter {
            actor: Some("maija".to_owned()),
            ..AuditFilter::default()
        };
        assert_eq!(ids(&maija, None, 9), [4, 3, 2]);
        assert_eq!(ids(&maija, Some(4), 1), [3]);
        let between = AuditFilter {
            since: second(2),
            until: second(3),
            ..AuditFilter::default()
        };
        assert_eq!(ids(&between, None, 9), [3]);
        let house = AuditFilter {
            about: Some("house".to_owned()),
            ..AuditFilter::default()
        };
        assert_eq!(ids(&house, None, 9), [1]);
    }

    #[test]
    fn what_operators_did_before_there_was_an_audit_is_bound_by_its_first_row() {
        let folder = tempfile::tempdir().unwrap();
        drop(store(folder.path()));
        tamper(folder.path(), "DELETE FROM audit; DELETE FROM audit_head;");
        let store = Store::open(folder.path()).unwrap();
        store.write("begin the audit", begin).unwrap();
        let first = store.audit(&AuditFilter::default(), None, 9).unwrap();
        let why = first[0].why.as_deref().unwrap();
        assert!(
            why.starts_with("deeds before this: 3, up to event 3, SHA-256 "),
            "{why}"
        );
        assert_eq!(store.check_audit().unwrap().broken, None);
    }
}
