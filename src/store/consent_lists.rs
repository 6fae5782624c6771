//! Lists of all who have said anything: who is not in one has withdrawn.
//!
//! A list is laid out in a table of the writing connection alone, which lies in a file without a name,
//! so that it takes little memory and is gone with the program whatever happens; then all of it is
//! taken in one transaction, or nothing.

use jiff::Timestamp;
use rusqlite::{Row, named_params, params};

use super::{
    ConsentEntry, Error, MatterWish, NewEvent, NoticeWish, Store, Transaction,
    columns::{Columns, Word, millis},
    consent_entries::take_all,
    error::Doing,
    events, matter_addresses,
};
use crate::domain::EmailAddress;

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
    /// Rows that said anything new. `None` where nothing was recorded.
    pub changed: Option<u64>,
    /// More are missing than may: nothing was recorded.
    pub is_too_many: bool,
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
                (recipient_id, status, since, source, matter, print_only, address, email, language)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        self.write(doing, |tx| {
            let mut insert = tx.prepare_cached(sql).doing(doing)?;
            for entry in page {
                let matter = entry.matter.as_ref();
                let notice = entry.notice.as_ref();
                let given = params![
                    entry.recipient.expose(),
                    entry.said.map(|(status, _)| status.word()),
                    entry.said.map(|(_, since)| millis(since)),
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
            let mut told = foresee(tx, wish)?;
            if told.is_too_many || wish.dry_run {
                return Ok(told);
            }
            let changed = take_rows(tx, source, action.at)?;
            withdraw_missing(tx, wish.as_of, source, action.at)?;
            told.changed = Some(changed);
            let what = format!(
                "a full list of consents {source}: {changed} changed the register; {} of {} \
                 withdrawn that it does not have",
                told.missing, told.granted
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

fn foresee(tx: &Transaction<'_>, wish: FullListWish) -> Result<FullListTold, Error> {
    let sql = format!(
        "SELECT (SELECT COUNT(*) FROM consents WHERE status = 'granted') AS granted,
            (SELECT COUNT(*) FROM consents WHERE {IS_MISSING}) AS missing"
    );
    let given = named_params! {":as_of": millis(wish.as_of)};
    let counted = tx.query_row(&sql, given, |row| {
        let (granted, missing): (u64, u64) = (row.get("granted")?, row.get("missing")?);
        let most = wish.most_missing_percent.map(u64::from);
        Ok(FullListTold {
            granted,
            missing,
            changed: None,
            is_too_many: most.is_some_and(|most| missing * 100 > granted * most),
        })
    });
    counted.doing("count what a list of consents does not have")
}

/// Records what the list says and the register does not have.
fn take_rows(tx: &Transaction<'_>, source: &str, now: Timestamp) -> Result<u64, Error> {
    let doing = "read a list of consents";
    let sql = "SELECT l.* FROM temp.full_list l
         LEFT JOIN consents c ON c.recipient_id = l.recipient_id
         WHERE l.place > ?1 AND (l.matter IS NOT NULL OR l.email IS NOT NULL
            OR c.status IS NOT l.status OR c.since IS NOT l.since
            -- What the register has by then, another row of the list may have said.
            OR EXISTS (SELECT 1 FROM temp.full_list o
                 WHERE o.recipient_id = l.recipient_id AND o.status IS NOT NULL
                   AND o.place <> l.place))
         ORDER BY l.place LIMIT ?2";
    let mut query = tx.prepare_cached(sql).doing(doing)?;
    let (mut after, mut changed) = (0_i64, 0);
    loop {
        let rows = query.query_map(params![after, PAGE], |row| {
            Ok((row.get::<_, i64>("place")?, entry(row)?))
        });
        let page: Vec<_> = rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)?;
        let Some((last, _)) = page.last() else {
            return Ok(changed);
        };
        after = *last;
        let page: Vec<_> = page.into_iter().map(|(_, entry)| entry).collect();
        changed += take_all(tx, &page, source, now)? as u64;
    }
}

fn withdraw_missing(
    tx: &Transaction<'_>,
    as_of: Timestamp,
    source: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let doing = "withdraw what a list of consents does not have";
    let note = format!(
        "INSERT INTO consent_history (recipient_id, status, since, recorded_at, source)
         SELECT recipient_id, 'withdrawn', :as_of, :now, :source FROM consents WHERE {IS_MISSING}"
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
    let matter: Option<String> = row.get("matter")?;
    let print_only: Option<bool> = row.get("print_only")?;
    let address: Option<String> = row.get("address")?;
    Ok(ConsentEntry {
        recipient: row.parsed("recipient_id")?,
        said: status.zip(row.maybe_time("since")?),
        source: row.get("source")?,
        matter: matter
            .zip(print_only)
            .map(|(matter, print_only)| MatterWish {
                matter,
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
mod tests {
    use super::*;
    use crate::{
        domain::RecipientId,
        store::{ConsentChange, ConsentStatus},
    };

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    /// Artificial people whose codes have the right check characters.
    fn person(nth: u32) -> RecipientId {
        let digits = 10_190_900 + nth;
        let check = crate::domain::PersonalIdentityCode::check_character(digits);
        let code = format!("010190-{}{check}", 900 + nth);
        RecipientId::Person(code.parse().unwrap())
    }

    fn granted(nth: u32, since: &str) -> ConsentChange {
        ConsentChange {
            recipient: person(nth),
            status: ConsentStatus::Granted,
            since: at(since),
        }
    }

    fn row(nth: u32) -> ConsentEntry {
        ConsentEntry {
            recipient: person(nth),
            said: Some((ConsentStatus::Granted, at("2026-01-01T00:00:00Z"))),
            source: None,
            matter: None,
            notice: None,
        }
    }

    /// Ten granted in January.
    fn ten() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let page: Vec<_> = (0..10)
            .map(|nth| granted(nth, "2026-01-01T00:00:00Z"))
            .collect();
        store
            .record_consents(&page, "first", at("2026-01-01T00:00:00Z"))
            .unwrap();
        (folder, store)
    }

    fn wish() -> FullListWish {
        FullListWish {
            as_of: at("2026-02-01T00:00:00Z"),
            most_missing_percent: Some(20),
            dry_run: false,
        }
    }

    fn take_list(store: &Store, rows: &[ConsentEntry], wish: FullListWish) -> FullListTold {
        let list = store.begin_full_list().unwrap();
        for page in rows.chunks(3) {
            list.add(page).unwrap();
        }
        let action = NewEvent {
            at: at("2026-03-01T08:00:00Z"),
            actor: "maija".to_owned(),
            why: String::new(),
        };
        list.take(wish, "imported by maija", &action).unwrap()
    }

    fn rows(nths: impl IntoIterator<Item = u32>) -> Vec<ConsentEntry> {
        nths.into_iter().map(row).collect()
    }

    #[test]
    fn who_is_not_in_the_list_has_withdrawn_as_of_its_time() {
        let (_folder, store) = ten();
        let told = take_list(&store, &rows(2..11), wish());
        let expected = FullListTold {
            granted: 10,
            missing: 2,
            changed: Some(1),
            is_too_many: false,
        };
        assert_eq!(told, expected);
        assert_eq!(store.consent_counts().unwrap(), (9, 2));
        let said = store.consent(&person(0)).unwrap().said.unwrap();
        assert_eq!(said.status, ConsentStatus::Withdrawn);
        assert_eq!(said.since, at("2026-02-01T00:00:00Z"));
        assert_eq!(
            said.source.as_deref(),
            Some("not in the list imported by maija")
        );
    }

    #[test]
    fn the_same_list_again_says_nothing_new() {
        let (_folder, store) = ten();
        take_list(&store, &rows(2..10), wish());
        let before = store.consent_history(&person(0)).unwrap();
        let again = take_list(&store, &rows(2..10), wish());
        assert_eq!((again.missing, again.changed), (0, Some(0)));
        assert_eq!(store.consent_history(&person(0)).unwrap(), before);
    }

    #[test]
    fn a_fifth_may_be_missing_and_one_more_may_not() {
        let (_folder, store) = ten();
        let told = take_list(&store, &rows(3..10), wish());
        assert!(told.is_too_many && told.changed.is_none());
        assert_eq!(store.consent_counts().unwrap(), (10, 0));
        let any = FullListWish {
            most_missing_percent: None,
            ..wish()
        };
        assert_eq!(take_list(&store, &rows(3..10), any).missing, 3);
        assert_eq!(store.consent_counts().unwrap(), (7, 3));
    }

    #[test]
    fn a_rehearsal_counts_and_records_nothing() {
        let (_folder, store) = ten();
        let rehearsal = FullListWish {
            dry_run: true,
            ..wish()
        };
        let told = take_list(&store, &rows(1..10), rehearsal);
        assert_eq!((told.missing, told.changed), (1, None));
        assert_eq!(store.consent_counts().unwrap(), (10, 0));
    }

    #[test]
    fn what_the_house_was_told_after_the_list_was_made_stands() {
        let (_folder, store) = ten();
        let late = granted(0, "2026-02-15T00:00:00Z");
        store
            .record_consents(&[late], "by letter", at("2026-02-15T00:00:00Z"))
            .unwrap();
        let told = take_list(&store, &rows(1..10), wish());
        assert_eq!(told.missing, 0);
        let said = store.consent(&person(0)).unwrap().said.unwrap();
        assert_eq!(said.status, ConsentStatus::Granted);
    }

    #[test]
    fn a_row_of_a_matter_alone_says_nothing_of_consent() {
        let (_folder, store) = ten();
        let mut list = rows(1..10);
        list.push(ConsentEntry {
            said: None,
            matter: Some(MatterWish {
                matter: "school".to_owned(),
                print_only: true,
                address: None,
            }),
            ..row(0)
        });
        let told = take_list(&store, &list, wish());
        assert_eq!((told.missing, told.changed), (1, Some(1)));
        let consent = store.consent(&person(0)).unwrap();
        assert_eq!(consent.print_only_matters.len(), 1);
    }

    #[test]
    fn of_two_rows_that_say_other_things_of_the_same_time_the_later_one_counts() {
        let (_folder, store) = ten();
        let said = |status| ConsentEntry {
            said: Some((status, at("2026-01-01T00:00:00Z"))),
            ..row(0)
        };
        let (granted, withdrawn) = (ConsentStatus::Granted, ConsentStatus::Withdrawn);
        // Whatever the register had before.
        for order in [
            [granted, withdrawn],
            [granted, withdrawn],
            [withdrawn, granted],
            [withdrawn, granted],
        ] {
            let mut list = rows(1..10);
            list.extend(order.map(said));
            take_list(&store, &list, wish());
            let said = store.consent(&person(0)).unwrap().said.unwrap();
            assert_eq!(said.status, order[1]);
        }
    }
}
