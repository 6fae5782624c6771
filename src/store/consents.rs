use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::{
    Error, MatterWish, NewEvent, Store, Transaction,
    columns::{Columns, Word, millis},
    error::Doing,
    events, matter_addresses,
};
use crate::domain::{Asked, MailboxStatus, Matter, RecipientId};

/// What a recipient has said about electronic delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConsentStatus {
    Granted,
    Withdrawn,
}

impl Word for ConsentStatus {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Granted, "granted"), (Self::Withdrawn, "withdrawn")];
}

impl ConsentStatus {
    pub fn as_str(self) -> &'static str {
        self.word()
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::of(word)
    }
}

/// What one recipient has said of electronic delivery, and since when.
#[derive(Debug, Clone)]
pub struct ConsentChange {
    pub recipient: RecipientId,
    pub status: ConsentStatus,
    pub since: Timestamp,
}

/// What became of one change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// The register has another word now than before.
    pub is_news: bool,
    /// What the register has by now, and since when.
    pub status: ConsentStatus,
    pub since: Timestamp,
}

impl Store {
    /// Records a page of changes; each that says something new of its time enters the history. A change
    /// older than what the register has does not overrule it, and of two of one time the withdrawal stands,
    /// whichever was told first. Returns how many changed the register.
    pub fn record_consents(
        &self,
        page: &[ConsentChange],
        source: &str,
        now: Timestamp,
    ) -> Result<usize, Error> {
        self.write("record consents", |tx| record(tx, page, source, now))
    }

    /// Records one change as the deed of an operator, and answers what stands then. The audit has what was
    /// said, and nobody's id.
    pub fn record_consent_by(
        &self,
        change: &ConsentChange,
        source: &str,
        action: &NewEvent,
    ) -> Result<Heard, Error> {
        self.write("record consents", |tx| {
            let is_news = say(tx, change, source, action.at)?;
            let count = |status| u8::from(change.status == status);
            let (granted, withdrawn) =
                (count(ConsentStatus::Granted), count(ConsentStatus::Withdrawn));
            let changed = u8::from(is_news);
            let what = format!(
                "consents {source}: {granted} granted, {withdrawn} withdrawn; {changed} changed the register"
            );
            events::note_house(tx, action, &what)?;
            let (status, since) = standing(tx, &change.recipient)?;
            Ok(Heard {
                is_news,
                status,
                since,
            })
        })
    }

    /// Notes that letters of a matter go to this recipient on paper, or takes that back.
    pub fn set_print_only_matter(
        &self,
        recipient: &RecipientId,
        matter: &str,
        print_only: bool,
        now: Timestamp,
    ) -> Result<(), Error> {
        let source = format!("set by {}", events::DAEMON);
        let wish = MatterWish {
            matter: Matter::of_register(matter.to_owned()),
            print_only,
            address: None,
        };
        self.write("record a matter", |tx| {
            set_matter(tx, recipient, &wish, &source, now).map(drop)
        })
    }

    /// As [`Store::set_print_only_matter`], as the deed of an operator, who may say to which address they
    /// go. The audit has whether, and not where.
    pub fn set_matter_by(
        &self,
        recipient: &RecipientId,
        wish: &MatterWish,
        action: &NewEvent,
    ) -> Result<(), Error> {
        let source = format!("set by {}", action.actor);
        self.write("record a matter", |tx| {
            set_matter(tx, recipient, wish, &source, action.at)?;
            let what = match (wish.print_only, &wish.address) {
                (true, Some(_)) => "on paper, to another address",
                (true, None) => "on paper",
                (false, _) => "by consent",
            };
            let what = format!("letters of matter `{}` to a recipient: {what}", wish.matter);
            events::note_house(tx, action, &what)
        })
    }

    /// How many consents there are of each status: granted, withdrawn.
    pub fn consent_counts(&self) -> Result<(u64, u64), Error> {
        let sql = "SELECT COALESCE(SUM(status = 'granted'), 0),
             COALESCE(SUM(status = 'withdrawn'), 0) FROM consents";
        self.read(|db| {
            db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
                .doing("count consents")
        })
    }

    /// The mailbox status of each recipient by the register, in the order asked.
    pub fn mailbox_statuses(
        &self,
        recipients: &[&RecipientId],
        now: Timestamp,
    ) -> Result<Vec<Asked>, Error> {
        // In the order of the register: those who stand on one page of it follow each other.
        let mut asked: Vec<_> = recipients.iter().enumerate().collect();
        asked.sort_unstable_by_key(|(_, recipient)| recipient.expose());
        let statuses = self.read(|db| {
            let sql = "SELECT status FROM consents WHERE recipient_id = ?";
            let mut query = db.prepare_cached(sql).doing("ask the register")?;
            let ask = |(nth, recipient): (usize, &&RecipientId)| {
                let row = query.query_row([recipient.expose()], |row| row.word(0));
                Ok((nth, row.optional().doing("ask the register")?))
            };
            asked.into_iter().map(ask).collect::<Result<Vec<_>, _>>()
        });
        let mut statuses = statuses?;
        statuses.sort_unstable_by_key(|(nth, _)| *nth);
        let answer = |(_, status)| Asked {
            status: mailbox_status(status),
            at: now,
        };
        Ok(statuses.into_iter().map(answer).collect())
    }

    /// Whether each recipient gets letters of the matter beside it on paper only, in the order
    /// asked.
    pub fn are_print_only(&self, asked: &[(&RecipientId, &str)]) -> Result<Vec<bool>, Error> {
        // Most batches have no matters: no reader is lent for them.
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        self.read(|db| {
            let sql = "SELECT 1 FROM print_only_matters WHERE recipient_id = ?1 AND matter = ?2";
            let mut query = db.prepare_cached(sql).doing("look for a matter")?;
            let mut is_print_only = |(recipient, matter): &(&RecipientId, &str)| {
                query
                    .exists(params![recipient.expose(), matter])
                    .doing("look for a matter")
            };
            asked.iter().map(&mut is_print_only).collect()
        })
    }
}

fn mailbox_status(consent: Option<ConsentStatus>) -> MailboxStatus {
    match consent {
        Some(ConsentStatus::Granted) => MailboxStatus::Active,
        Some(ConsentStatus::Withdrawn) => MailboxStatus::Withdrawn,
        None => MailboxStatus::Inactive,
    }
}

fn record(
    tx: &Transaction<'_>,
    page: &[ConsentChange],
    source: &str,
    now: Timestamp,
) -> Result<usize, Error> {
    let mut changed = 0;
    for change in page {
        changed += usize::from(say(tx, change, source, now)?);
    }
    Ok(changed)
}

/// Records one change. Whether the register has another word now than before.
pub(super) fn say(
    tx: &Transaction<'_>,
    change: &ConsentChange,
    source: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    let sql = "INSERT INTO consent_history (recipient_id, status, since, recorded_at, source)
         SELECT ?1, ?2, ?3, ?4, ?5
          WHERE NOT EXISTS (SELECT 1 FROM consent_history
                WHERE recipient_id = ?1 AND since = ?3 AND status = ?2 AND NOT is_inferred)";
    note(tx, sql, change, source, now)?;
    upsert(tx, change, source)
}

/// Records that a full list of that time did not have the recipient, as another register has it. Where a
/// later list has lifted that here, it stays so. Whether the register has another word now than before.
pub(super) fn infer(
    tx: &Transaction<'_>,
    change: &ConsentChange,
    source: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    let sql = "INSERT INTO consent_history
            (recipient_id, status, since, recorded_at, source, is_inferred)
         SELECT ?1, ?2, ?3, ?4, ?5, 1
          WHERE NOT EXISTS (SELECT 1 FROM consent_history
                WHERE recipient_id = ?1 AND since = ?3 AND status = ?2 AND is_inferred)";
    Ok(note(tx, sql, change, source, now)? && upsert(tx, change, source)?)
}

/// Records what is to hold for a matter. Whether that is something else than before.
pub(super) fn set_matter(
    tx: &Transaction<'_>,
    recipient: &RecipientId,
    wish: &MatterWish,
    source: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    let doing = "record a matter";
    let set = "INSERT INTO print_only_matters (recipient_id, matter, recorded_at, address)
         VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET recorded_at = excluded.recorded_at, address = excluded.address
          WHERE excluded.address IS NOT print_only_matters.address";
    let unset = "DELETE FROM print_only_matters WHERE recipient_id = ?1 AND matter = ?2";
    let (id, matter, at) = (recipient.expose(), wish.matter.as_str(), millis(now));
    let address = wish.address.as_ref().map(matter_addresses::text);
    let changed = if wish.print_only {
        let mut set = tx.prepare_cached(set).doing(doing)?;
        set.execute(params![id, matter, at, address])
    } else {
        let mut unset = tx.prepare_cached(unset).doing(doing)?;
        unset.execute(params![id, matter])
    };
    let is_news = changed.doing(doing)? > 0;
    if is_news {
        let sql =
            "INSERT INTO matter_history (recipient_id, matter, print_only, recorded_at, source,
                has_address)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let mut note = tx.prepare_cached(sql).doing(doing)?;
        let has_address = wish.print_only && address.is_some();
        note.execute(params![
            id,
            matter,
            wish.print_only,
            at,
            source,
            has_address
        ])
        .doing(doing)?;
    }
    Ok(is_news)
}

/// What the register has of a recipient who has said something.
pub(super) fn standing(
    tx: &Transaction<'_>,
    recipient: &RecipientId,
) -> Result<(ConsentStatus, Timestamp), Error> {
    let doing = "ask the register";
    let sql = "SELECT status, since FROM consents WHERE recipient_id = ?";
    let mut query = tx.prepare_cached(sql).doing(doing)?;
    let found = query.query_row([recipient.expose()], |row| {
        Ok((row.word("status")?, row.time("since")?))
    });
    found.doing(doing)
}

/// A word of that time that the history has already is not said twice: a file can be taken again and
/// again. Whether it is new.
fn note(
    tx: &Transaction<'_>,
    sql: &str,
    change: &ConsentChange,
    source: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    let mut insert = tx.prepare_cached(sql).doing("record a consent")?;
    let (id, status) = (change.recipient.expose(), change.status.word());
    let given = params![id, status, millis(change.since), millis(now), source];
    Ok(insert.execute(given).doing("record a consent")? > 0)
}

/// The newest word stands, and of two of one time the withdrawal: so the words of a recipient may come in
/// any order, and again, and what stands is the same.
fn upsert(tx: &Transaction<'_>, change: &ConsentChange, source: &str) -> Result<bool, Error> {
    let sql = "INSERT INTO consents (recipient_id, status, since, source) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (recipient_id) DO UPDATE
            SET status = excluded.status, since = excluded.since, source = excluded.source
         WHERE excluded.since > consents.since
            OR (excluded.since = consents.since
                AND excluded.status = 'withdrawn' AND consents.status = 'granted')";
    let mut insert = tx.prepare_cached(sql).doing("record a consent")?;
    let (id, status) = (change.recipient.expose(), change.status.word());
    let given = params![id, status, millis(change.since), source];
    Ok(insert.execute(given).doing("record a consent")? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matters_are_answered_in_the_order_asked() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let person = RecipientId::Person("010190-900P".parse().unwrap());
        for matter in ["taxes", "day care"] {
            store
                .set_print_only_matter(&person, matter, true, now)
                .unwrap();
        }
        store
            .set_print_only_matter(&person, "taxes", false, now)
            .unwrap();
        let asked = ["day care", "taxes", "permits"].map(|matter| (&person, matter));
        let answers = store.are_print_only(&asked).unwrap();
        assert_eq!(answers, [true, false, false]);
    }

    fn history(store: &Store) -> u64 {
        let count = |db: &rusqlite::Connection| {
            db.query_row("SELECT COUNT(*) FROM consent_history", [], |row| row.get(0))
                .doing("count words")
        };
        store.read(count).unwrap()
    }

    fn said(status: ConsentStatus, since: &str) -> ConsentChange {
        ConsentChange {
            recipient: RecipientId::Person("010190-900P".parse().unwrap()),
            status,
            since: since.parse().unwrap(),
        }
    }

    #[test]
    fn what_is_said_again_enters_the_history_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let now: Timestamp = "2026-03-01T08:00:00Z".parse().unwrap();
        let page = [
            said(ConsentStatus::Granted, "2026-01-01T00:00:00Z"),
            said(ConsentStatus::Withdrawn, "2026-02-01T00:00:00Z"),
        ];
        for changed in [2, 0, 0] {
            assert_eq!(
                store.record_consents(&page, "a file", now).unwrap(),
                changed
            );
            assert_eq!(history(&store), 2);
        }
    }

    #[test]
    fn of_two_words_of_one_time_the_withdrawal_stands_whichever_comes_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let now: Timestamp = "2026-03-01T08:00:00Z".parse().unwrap();
        let person = said(ConsentStatus::Granted, "2026-01-01T00:00:00Z").recipient;
        let (granted, withdrawn) = (ConsentStatus::Granted, ConsentStatus::Withdrawn);
        for (status, changed, words) in [
            (granted, 1, 1),
            (withdrawn, 1, 2),
            // The list of every day says its old word of them.
            (granted, 0, 2),
            (withdrawn, 0, 2),
            (granted, 0, 2),
        ] {
            let page = [said(status, "2026-01-01T00:00:00Z")];
            assert_eq!(
                store.record_consents(&page, "a file", now).unwrap(),
                changed
            );
            assert_eq!(history(&store), words);
        }
        let asked = store.mailbox_statuses(&[&person], now).unwrap();
        assert_eq!(asked[0].status, MailboxStatus::Withdrawn);
        let consent = store.consent(&person).unwrap();
        assert_eq!(consent.said.unwrap().status, withdrawn);
    }
}
