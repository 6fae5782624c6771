//! The register as files have it.

use jiff::Timestamp;
use rusqlite::{Connection, Row};

use super::{
    ConsentEntry, Error, MatterWish, NewEvent, NoticeWish, Store,
    columns::{Columns, millis},
    error::Doing,
    events, matter_addresses,
};
use crate::domain::Matter;

impl Store {
    /// Gives each row of the register as of `time`, what the house had been told by then: consents by
    /// recipient, then matters, then where recipients want to be told. Of addresses, what was taken back
    /// since is not remembered. Taken in again, the rows say the same.
    ///
    /// # Errors
    ///
    /// The first that `give` returns, and then no more rows are given.
    pub fn each_consent<E: From<Error>>(
        &self,
        time: Timestamp,
        mut give: impl FnMut(&ConsentEntry) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut refused = None;
        self.read(|db| {
            let mut take = |entry: &ConsentEntry| {
                refused = give(entry).err();
                refused.is_none()
            };
            let _all = consents(db, time, &mut take)?
                && matters(db, time, &mut take)?
                && notices(db, time, &mut take)?;
            Ok(())
        })?;
        refused.map_or(Ok(()), Err)
    }

    /// Notes that an operator has taken the register out of the house.
    pub fn note_consent_export(
        &self,
        rows: u64,
        time: Timestamp,
        action: &NewEvent,
    ) -> Result<(), Error> {
        self.write("note an export of consents", |tx| {
            let what = format!("exported the consents as of {time}: {rows} rows");
            events::note_house(tx, action, &what)
        })
    }
}

/// Whether all were taken; so do the others.
fn consents(
    db: &Connection,
    time: Timestamp,
    take: &mut impl FnMut(&ConsentEntry) -> bool,
) -> Result<bool, Error> {
    let sql = "SELECT recipient_id, status, since, source, is_inferred FROM consent_history
         WHERE recorded_at <= ?1 AND (lifted_at IS NULL OR lifted_at > ?1)
         ORDER BY recipient_id, is_inferred, since, status = 'withdrawn', id";
    let is_same = |one: &ConsentEntry, other: &ConsentEntry| {
        one.recipient == other.recipient && one.is_inferred == other.is_inferred
    };
    let mut own: Option<ConsentEntry> = None;
    let mut take_standing = |entry: &ConsentEntry| {
        let is_overruled = own.as_ref().is_some_and(|own| overrules(own, entry));
        if !entry.is_inferred {
            own = Some(entry.clone());
        }
        is_overruled || take(entry)
    };
    each_last(db, sql, time, consent, is_same, &mut take_standing)
}

/// Whether what recipients have said themselves is newer than what was inferred of them. Else both are
/// given: the next list that has them brings their own word back.
fn overrules(own: &ConsentEntry, inferred: &ConsentEntry) -> bool {
    let since = |entry: &ConsentEntry| entry.said.map(|(_, since)| since);
    inferred.is_inferred && own.recipient == inferred.recipient && since(own) > since(inferred)
}

fn matters(
    db: &Connection,
    time: Timestamp,
    take: &mut impl FnMut(&ConsentEntry) -> bool,
) -> Result<bool, Error> {
    let sql = "SELECT h.recipient_id, h.matter, h.print_only, h.source,
            CASE WHEN h.has_address THEN p.address END AS address
         FROM matter_history h LEFT JOIN print_only_matters p
           ON p.recipient_id = h.recipient_id AND p.matter = h.matter
         WHERE h.recorded_at <= ? ORDER BY h.recipient_id, h.matter, h.id";
    let name = |entry: &ConsentEntry| entry.matter.as_ref().map(|wish| wish.matter.clone());
    let is_same = |one: &ConsentEntry, other: &ConsentEntry| {
        one.recipient == other.recipient && name(one) == name(other)
    };
    let mut take_standing = |entry: &ConsentEntry| {
        let stands = entry.matter.as_ref().is_some_and(|wish| wish.print_only);
        !stands || take(entry)
    };
    each_last(db, sql, time, matter, is_same, &mut take_standing)
}

fn notices(
    db: &Connection,
    time: Timestamp,
    take: &mut impl FnMut(&ConsentEntry) -> bool,
) -> Result<bool, Error> {
    let sql = "SELECT recipient_id, address, language FROM notice_addresses
         WHERE since <= ? ORDER BY recipient_id";
    each_last(db, sql, time, notice, |_, _| false, take)
}

/// Goes over rows in order and gives the last of those that are the same; the others are what was said
/// before.
fn each_last(
    db: &Connection,
    sql: &str,
    time: Timestamp,
    read: fn(&Row<'_>) -> rusqlite::Result<ConsentEntry>,
    is_same: impl Fn(&ConsentEntry, &ConsentEntry) -> bool,
    take: &mut impl FnMut(&ConsentEntry) -> bool,
) -> Result<bool, Error> {
    let doing = "read the register of consents";
    let mut query = db.prepare(sql).doing(doing)?;
    let rows = query.query_map([millis(time)], read).doing(doing)?;
    let mut last: Option<ConsentEntry> = None;
    for row in rows {
        let entry = row.doing(doing)?;
        if let Some(before) = last.replace(entry)
            && last.as_ref().is_none_or(|entry| !is_same(&before, entry))
            && !take(&before)
        {
            return Ok(false);
        }
    }
    Ok(last.as_ref().is_none_or(take))
}

fn consent(row: &Row<'_>) -> rusqlite::Result<ConsentEntry> {
    Ok(ConsentEntry {
        said: Some((row.word("status")?, row.time("since")?)),
        is_inferred: row.get("is_inferred")?,
        source: row.get("source")?,
        ..nothing_of(row)?
    })
}

fn matter(row: &Row<'_>) -> rusqlite::Result<ConsentEntry> {
    let address: Option<String> = row.get("address")?;
    Ok(ConsentEntry {
        source: row.get("source")?,
        matter: Some(MatterWish {
            matter: Matter::of_register(row.get("matter")?),
            print_only: row.get("print_only")?,
            address: address.as_deref().map(matter_addresses::address),
        }),
        ..nothing_of(row)?
    })
}

fn notice(row: &Row<'_>) -> rusqlite::Result<ConsentEntry> {
    Ok(ConsentEntry {
        notice: Some(NoticeWish {
            address: Some(row.parsed("address")?),
            language: row.maybe_word("language")?,
        }),
        ..nothing_of(row)?
    })
}

fn nothing_of(row: &Row<'_>) -> rusqlite::Result<ConsentEntry> {
    Ok(ConsentEntry {
        recipient: row.parsed("recipient_id")?,
        said: None,
        is_inferred: false,
        source: None,
        matter: None,
        notice: None,
    })
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

    fn person(code: &str) -> RecipientId {
        RecipientId::Person(code.parse().unwrap())
    }

    /// One who granted in January and withdrew in March, and one of whom a matter and an address are
    /// known alone.
    fn filled() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        for (status, since) in [
            (ConsentStatus::Granted, "2026-01-01T00:00:00Z"),
            (ConsentStatus::Withdrawn, "2026-03-01T00:00:00Z"),
        ] {
            let change = ConsentChange {
                recipient: person("010190-900P"),
                status,
                since: at(since),
            };
            store
                .record_consents(&[change], "by letter", at(since))
                .unwrap();
        }
        let other = person("010190-999W");
        store
            .set_print_only_matter(&other, "school", true, at("2026-01-01T00:00:00Z"))
            .unwrap();
        store
            .set_print_only_matter(&other, "tax", true, at("2026-01-01T00:00:00Z"))
            .unwrap();
        store
            .set_print_only_matter(&other, "tax", false, at("2026-02-01T00:00:00Z"))
            .unwrap();
        let address = "maija@example.fi".parse().unwrap();
        store
            .set_notice_address(&other, Some(&address), None, at("2026-03-02T00:00:00Z"))
            .unwrap();
        (folder, store)
    }

    /// What each row says, without whom.
    fn exported(store: &Store, time: &str) -> Vec<String> {
        let mut rows = Vec::new();
        let each = |entry: &ConsentEntry| {
            let said = entry.said.map(|(status, _)| status.as_str().to_owned());
            let matter = entry.matter.as_ref().map(|wish| wish.matter.to_string());
            let notice = entry.notice.as_ref().map(|_| "address".to_owned());
            rows.extend(said.or(matter).or(notice));
            Ok::<_, Error>(())
        };
        store.each_consent(at(time), each).unwrap();
        rows
    }

    #[test]
    fn the_register_is_given_as_it_was_at_a_time() {
        let (_folder, store) = filled();
        assert!(exported(&store, "2025-12-31T00:00:00Z").is_empty());
        let january = exported(&store, "2026-01-31T00:00:00Z");
        assert_eq!(january, ["granted", "school", "tax"]);
        let march = exported(&store, "2026-03-31T00:00:00Z");
        assert_eq!(march, ["withdrawn", "school", "address"]);
    }

    #[test]
    fn nothing_more_is_given_to_one_who_has_had_enough() {
        let (_folder, store) = filled();
        let mut given = 0;
        let first = |_: &ConsentEntry| {
            given += 1;
            Err(Error::Unsteady)
        };
        let ended = store.each_consent(at("2026-03-31T00:00:00Z"), first);
        assert!(matches!(ended, Err(Error::Unsteady)));
        assert_eq!(given, 1);
    }
}
