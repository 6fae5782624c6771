//! Lists of all who have said anything: who is not in one has withdrawn, until a later one has them again.
//!
//! A list is laid out in a table of the writing connection alone, which lies in a file without a name,
//! so that it takes little memory and is gone with the program whatever happens; then all of it is
//! taken in one transaction, or nothing.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params, params};

use super::{
    ConsentEntry, ConsentStatus, ConsentsTaken, Error, MatterWish, NewEvent, NoticeWish, Store,
    Transaction,
    columns::{Columns, Word, millis},
    consent_entries::take_all,
    error::Doing,
    events, matter_addresses,
};
use crate::domain::{EmailAddress, Matter};

/// How a list is to be taken.
#[derive(Debug, Clone, Copy)]
pub struct FullListWish {
    /// When the list was made: who is not in it has withdrawn since then.
    pub as_of: Timestamp,
    /// The greatest share of those granted that may be missing, in percent; `None` where any may.
    pub most_missing_percent: Option<u8>,
    /// Say what would become of it, and record nothing.
    pub dry_run: bool,
}

/// What a list has done to the register, or would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FullListTold {
    /// Consents granted before.
    pub granted: u64,
    /// Those of them that the list does not have.
    pub missing: u64,
    /// Rows that said anything new, with those brought back. `None` where nothing was recorded.
    pub changed: Option<u64>,
    /// Whom an earlier list did not have: their consents stand again.
    pub brought_back: u64,
    /// Withdrawals in it that do not count: the register has a consent that is newer.
    pub unheeded: u64,
    /// Why nothing was recorded.
    pub fault: Option<ListFault>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListFault {
    TooManyMissing,
    /// A list that was made later, then, was taken before.
    Older {
        newest: Timestamp,
    },
}

/// A list that is laid out beside the register, until it is dropped. One at a time.
pub struct FullList<'a> {
    store: &'a Store,
}

/// Rows that are read at once, and recorded in the order of their recipients.
const PAGE: u32 = 50_000;

/// Granted when the list was made, and not in it. What the house was told later stands.
const IS_MISSING: &str = "status = 'granted' AND since <= :as_of AND NOT EXISTS (
        SELECT 1 FROM temp.full_list l
         WHERE l.recipient_id = consents.recipient_id AND l.status IS NOT NULL)";

impl Store {
    /// Begins a list: nothing is in it yet.
    pub fn begin_full_list(&self) -> Result<FullList<'_>, Error> {
        let list = FullList { store: self };
        self.write("begin a list of consents", |tx| {
            tx.execute_batch(
                "DROP TABLE IF EXISTS temp.full_list;
                 CREATE TEMP TABLE full_list (
                    place        INTEGER PRIMARY KEY,
                    recipient_id TEXT NOT NULL,
                    status       TEXT,
                    since        INTEGER,
                    is_inferred  INTEGER NOT NULL,
                    source       TEXT,
                    matter       TEXT,
                    print_only   INTEGER,
                    address      TEXT,
                    -- Empty: the address is taken back.
                    email        TEXT,
                    language     TEXT
                 );
                 CREATE INDEX temp.full_list_of ON full_list (recipient_id, status);",
            )
            .doing("begin a list of consents")
        })?;
        Ok(list)
    }
}

impl FullList<'_> {
    /// Lays more rows out, behind those that are there.
    pub fn add(&self, page: &[ConsentEntry]) -> Result<(), Error> {
        self.store.lay_out_consents(page)
    }

    /// Takes the list as the deed of an operator: all of it, or nothing.
    pub fn take(
        self,
        wish: FullListWish,
        source: &str,
        action: &NewEvent,
    ) -> Result<FullListTold, Error> {
        self.store.take_full_list(wish, source, action)
    }
}

impl Drop for FullList<'_> {
    fn drop(&mut self) {
        // Where that fails, it goes with the connection.
        let _ = self.store.forget_full_list();
    }
}

impl Store {
    fn lay_out_consents(&self, page: &[ConsentEntry]) -> Result<(), Error> {
        let doing = "lay out a list of consents";
        let sql = "INSERT INTO temp.full_list
                (recipient_id, status, since, is_inferred, source, matter, print_only, address, email,
                 language)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        self.write(doing, |tx| {
            let mut insert = tx.prepare_cached(sql).doing(doing)?;
            for entry in page {
                let matter = entry.matter.as_ref();
                let notice = entry.notice.as_ref();
                let given = params![
                    entry.recipient.expose(),
                    entry.said.map(|(status, _)| status.word()),
                    entry.said.map(|(_, since)| millis(since)),
                    entry.is_inferred,
                    entry.source,
                    matter.map(|wish| wish.matter.as_str()),
                    matter.map(|wish| wish.print_only),
                    matter.and_then(|wish| wish.address.as_ref().map(matter_addresses::text)),
                    notice.map(|wish| wish.address.as_ref().map_or("", EmailAddress::expose)),
                    notice.and_then(|wish| wish.language).map(Word::word),
                ];
                insert.execute(given).doing(doing)?;
            }
            Ok(())
        })
    }

    fn take_full_list(
        &self,
        wish: FullListWish,
        source: &str,
        action: &NewEvent,
    ) -> Result<FullListTold, Error> {
        self.write("take a list of consents", |tx| {
            let mut told = foresee(tx, wish, action.at)?;
            if told.fault.is_some() || wish.dry_run {
                return Ok(told);
            }
            let taken = take_rows(tx, source, action.at)?;
            told.brought_back = bring_back(tx, wish.as_of, action.at)?;
            withdraw_missing(tx, wish.as_of, source, action.at)?;
            note_list(tx, wish.as_of)?;
            let changed = taken.changed + told.brought_back;
            told.changed = Some(changed);
            told.unheeded = taken.unheeded;
            let what = format!(
                "a full list of consents {source}: {changed} changed the register; {} of {} \
                 withdrawn that it does not have, {} brought back",
                told.missing, told.granted, told.brought_back
            );
            events::note_house(tx, action, &what)?;
            Ok(told)
        })
    }

    fn forget_full_list(&self) -> Result<(), Error> {
        let doing = "forget a list of consents";
        self.write(doing, |tx| {
            tx.execute_batch("DROP TABLE IF EXISTS temp.full_list")
                .doing(doing)
        })
    }
}

fn foresee(
    tx: &Transaction<'_>,
    wish: FullListWish,
    now: Timestamp,
) -> Result<FullListTold, Error> {
    let sql = format!(
        "SELECT (SELECT COUNT(*) FROM consents WHERE status = 'granted') AS granted,
            (SELECT COUNT(*) FROM consents WHERE {IS_MISSING}) AS missing"
    );
    let given = named_params! {":as_of": millis(wish.as_of)};
    let counted = tx.query_row(&sql, given, |row| {
        Ok((row.get("granted")?, row.get("missing")?))
    });
    let (granted, missing): (u64, u64) =
        counted.doing("count what a list of consents does not have")?;
    // One of a time that is to come was taken while the clock was ahead: nobody knows which is newer.
    let newest = newest_list(tx)?.filter(|newest| wish.as_of < *newest && *newest <= now);
    let most = wish.most_missing_percent.map(u64::from);
    let is_too_many = most.is_some_and(|most| missing * 100 > granted * most);
    let too_many = is_too_many.then_some(ListFault::TooManyMissing);
    Ok(FullListTold {
        granted,
        missing,
        changed: None,
        brought_back: 0,
        unheeded: 0,
        fault: newest
            .map(|newest| ListFault::Older { newest })
            .or(too_many),
    })
}

fn newest_list(tx: &Transaction<'_>) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT as_of FROM consent_full_lists";
    let found = tx.query_row(sql, [], |row| row.time("as_of"));
    found.optional().doing("ask when the newest list was made")
}

fn note_list(tx: &Transaction<'_>, as_of: Timestamp) -> Result<(), Error> {
    let sql = "INSERT INTO consent_full_lists (id, as_of) VALUES (1, ?1)
         ON CONFLICT DO UPDATE SET as_of = excluded.as_of";
    let noted = tx.execute(sql, [millis(as_of)]);
    noted.doing("note when a list was made").map(drop)
}

/// Records what the list says and the register does not have.
fn take_rows(tx: &Transaction<'_>, source: &str, now: Timestamp) -> Result<ConsentsTaken, Error> {
    let doing = "read a list of consents";
    let sql = "SELECT l.*,
            -- Of two words of one time the later row alone is said.
            NOT EXISTS (SELECT 1 FROM temp.full_list o
                 WHERE o.recipient_id = l.recipient_id AND o.since = l.since
                   AND o.is_inferred = l.is_inferred AND o.place > l.place) AS is_said
         FROM temp.full_list l
         LEFT JOIN consents c ON c.recipient_id = l.recipient_id
         WHERE l.place > ?1 AND (l.matter IS NOT NULL OR l.email IS NOT NULL
            OR c.status IS NOT l.status OR c.since IS NOT l.since
            -- The register may have inferred what the list says.
            OR (l.status = 'withdrawn' AND EXISTS (SELECT 1 FROM consent_history h
                 WHERE h.recipient_id = l.recipient_id
                   AND h.is_inferred = 1 AND h.lifted_at IS NULL)))
         ORDER BY l.place LIMIT ?2";
    let mut query = tx.prepare_cached(sql).doing(doing)?;
    let (mut after, mut all) = (0_i64, ConsentsTaken::default());
    loop {
        let rows = query.query_map(params![after, PAGE], |row| {
            Ok((row.get::<_, i64>("place")?, entry(row)?))
        });
        let page: Vec<_> = rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)?;
        let Some((last, _)) = page.last() else {
            return Ok(all);
        };
        after = *last;
        let page: Vec<_> = page.into_iter().map(|(_, entry)| entry).collect();
        let taken = take_all(tx, &page, source, now)?;
        all.changed += taken.changed;
        all.unheeded += taken.unheeded;
    }
}

/// Lifts what earlier lists have inferred of those whose consent the list has: what they have said
/// themselves stands again. Answers for how many that is a consent.
fn bring_back(tx: &Transaction<'_>, as_of: Timestamp, now: Timestamp) -> Result<u64, Error> {
    let doing = "bring back whom a list of consents did not have";
    let lift = "UPDATE consent_history SET lifted_at = :now
         WHERE is_inferred = 1 AND lifted_at IS NULL AND since <= :as_of AND EXISTS (
            SELECT 1 FROM temp.full_list l
             WHERE l.recipient_id = consent_history.recipient_id AND l.status = 'granted')
          -- A list that was exported has what they said beside what was inferred of them.
          AND NOT EXISTS (SELECT 1 FROM temp.full_list l
             WHERE l.recipient_id = consent_history.recipient_id AND l.is_inferred)
         RETURNING recipient_id";
    let mut lift = tx.prepare_cached(lift).doing(doing)?;
    let given = named_params! {":now": millis(now), ":as_of": millis(as_of)};
    let lifted = lift.query_map(given, |row| row.get("recipient_id"));
    let lifted: Vec<String> = lifted
        .doing(doing)?
        .collect::<Result<_, _>>()
        .doing(doing)?;
    let stand = "UPDATE consents SET (status, since, source) = (
            SELECT status, since, source FROM consent_history h
             WHERE h.recipient_id = consents.recipient_id AND h.lifted_at IS NULL
             ORDER BY since DESC, status = 'withdrawn' DESC, id DESC LIMIT 1)
         WHERE recipient_id = ?1 AND status = 'withdrawn'
         RETURNING status";
    let mut stand = tx.prepare_cached(stand).doing(doing)?;
    let mut brought_back = 0;
    for recipient in lifted {
        let stands = stand.query_row([recipient], |row| row.word("status"));
        let stands = stands.optional().doing(doing)?;
        brought_back += u64::from(stands == Some(ConsentStatus::Granted));
    }
    Ok(brought_back)
}

fn withdraw_missing(
    tx: &Transaction<'_>,
    as_of: Timestamp,
    source: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let doing = "withdraw what a list of consents does not have";
    let note = format!(
        "INSERT INTO consent_history
            (recipient_id, status, since, recorded_at, source, is_inferred)
         SELECT recipient_id, 'withdrawn', :as_of, :now, :source, 1 FROM consents
          WHERE {IS_MISSING}"
    );
    let withdraw = format!(
        "UPDATE consents SET status = 'withdrawn', since = :as_of, source = :source
         WHERE {IS_MISSING}"
    );
    let source = format!("not in the list {source}");
    let (as_of, now) = (millis(as_of), millis(now));
    let given = named_params! {":as_of": as_of, ":now": now, ":source": source};
    tx.execute(&note, given).doing(doing)?;
    let given = named_params! {":as_of": as_of, ":source": source};
    tx.execute(&withdraw, given).doing(doing)?;
    Ok(())
}

fn entry(row: &Row<'_>) -> rusqlite::Result<ConsentEntry> {
    let status = row.maybe_word("status")?;
    let is_said: bool = row.get("is_said")?;
    let matter: Option<String> = row.get("matter")?;
    let print_only: Option<bool> = row.get("print_only")?;
    let address: Option<String> = row.get("address")?;
    Ok(ConsentEntry {
        recipient: row.parsed("recipient_id")?,
        said: status.zip(row.maybe_time("since")?).filter(|_| is_said),
        is_inferred: row.get("is_inferred")?,
        source: row.get("source")?,
        matter: matter
            .zip(print_only)
            .map(|(matter, print_only)| MatterWish {
                matter: Matter::of_register(matter),
                print_only,
                address: address.as_deref().map(matter_addresses::address),
            }),
        notice: notice(row)?,
    })
}

fn notice(row: &Row<'_>) -> rusqlite::Result<Option<NoticeWish>> {
    let email: Option<String> = row.get("email")?;
    let Some(email) = email else {
        return Ok(None);
    };
    let address = if email.is_empty() {
        None
    } else {
        Some(row.parsed("email")?)
    };
    Ok(Some(NoticeWish {
        address,
        language: row.maybe_word("language")?,
    }))
}

#[cfg(test)]
mod tests;
