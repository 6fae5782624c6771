use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::{
    Error, NewEvent, Store, Transaction,
    columns::{Columns, Word, millis},
    error::Doing,
    events,
};
use crate::domain::{Asked, MailboxStatus, RecipientId};

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

/// One line of an import, or one `kuori consent set`.
#[derive(Debug, Clone)]
pub struct ConsentChange {
    pub recipient: RecipientId,
    pub status: ConsentStatus,
    pub since: Timestamp,
}

/// A consent as the register has it, with the matters that go on paper all the same.
#[derive(Debug, Clone)]
pub struct Consent {
    pub recipient: RecipientId,
    pub status: ConsentStatus,
    pub since: Timestamp,
    pub print_only_matters: Vec<String>,
}

impl Store {
    /// Records a page of changes; every change enters the history. A change older than what the
    /// register has does not overrule it. Returns how many changed the register.
    pub fn record_consents(
        &self,
        page: &[ConsentChange],
        source: &str,
        now: Timestamp,
    ) -> Result<usize, Error> {
        self.write("record consents", |tx| record(tx, page, source, now))
    }

    /// As [`Store::record_consents`], as the deed of an operator. The audit has how many, and nobody's id.
    pub fn record_consents_by(
        &self,
        page: &[ConsentChange],
        source: &str,
        action: &NewEvent,
    ) -> Result<usize, Error> {
        self.write("record consents", |tx| {
            let changed = record(tx, page, source, action.at)?;
            let granted = |change: &&ConsentChange| change.status == ConsentStatus::Granted;
            let granted = page.iter().filter(granted).count();
            let withdrawn = page.len() - granted;
            let what = format!(
                "consents {source}: {granted} granted, {withdrawn} withdrawn; {changed} changed the register"
            );
            events::note_house(tx, action, &what)?;
            Ok(changed)
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
        self.write("record a matter", |tx| {
            set_matter(tx, recipient, matter, print_only, now)
        })
    }

    /// As [`Store::set_print_only_matter`], as the deed of an operator.
    pub fn set_print_only_matter_by(
        &self,
        recipient: &RecipientId,
        matter: &str,
        print_only: bool,
        action: &NewEvent,
    ) -> Result<(), Error> {
        self.write("record a matter", |tx| {
            set_matter(tx, recipient, matter, print_only, action.at)?;
            let what = if print_only { "on paper" } else { "by consent" };
            let what = format!("letters of matter `{matter}` to a recipient: {what}");
            events::note_house(tx, action, &what)
        })
    }

    pub fn consent(&self, recipient: &RecipientId) -> Result<Option<Consent>, Error> {
        let sql = "SELECT * FROM consents WHERE recipient_id = ?";
        self.read(|db| {
            let row = db
                .query_row(sql, [recipient.expose()], consent_row)
                .optional();
            let Some(consent) = row.doing("read a consent")? else {
                return Ok(None);
            };
            let sql =
                "SELECT matter FROM print_only_matters WHERE recipient_id = ? ORDER BY matter";
            let mut query = db.prepare_cached(sql).doing("list matters")?;
            let matters = query.query_map([recipient.expose()], |row| row.get(0));
            Ok(Some(Consent {
                print_only_matters: matters
                    .doing("list matters")?
                    .collect::<Result<_, _>>()
                    .doing("list matters")?,
                ..consent
            }))
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
        self.read(|db| {
            let sql = "SELECT status FROM consents WHERE recipient_id = ?";
            let mut query = db.prepare_cached(sql).doing("ask the register")?;
            let ask = |recipient: &&RecipientId| {
                let row = query.query_row([recipient.expose()], |row| row.word("status"));
                let status = row.optional().doing("ask the register")?;
                Ok(Asked {
                    status: mailbox_status(status),
                    at: now,
                })
            };
            recipients.iter().map(ask).collect()
        })
    }

    /// Whether each recipient gets letters of the matter beside it on paper only, in the order
    /// asked.
    pub fn are_print_only(&self, asked: &[(&RecipientId, &str)]) -> Result<Vec<bool>, Error> {
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
        note(tx, change, source, now)?;
        changed += upsert(tx, change)?;
    }
    Ok(changed)
}

fn set_matter(
    tx: &Transaction<'_>,
    recipient: &RecipientId,
    matter: &str,
    print_only: bool,
    now: Timestamp,
) -> Result<(), Error> {
    let set = "INSERT INTO print_only_matters VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    let unset = "DELETE FROM print_only_matters WHERE recipient_id = ?1 AND matter = ?2";
    let id = recipient.expose();
    if print_only {
        tx.execute(set, params![id, matter, millis(now)])
            .doing("record a matter")?;
    } else {
        tx.execute(unset, params![id, matter])
            .doing("forget a matter")?;
    }
    Ok(())
}

fn note(
    tx: &Transaction<'_>,
    change: &ConsentChange,
    source: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "INSERT INTO consent_history (recipient_id, status, since, recorded_at, source)
         VALUES (?1, ?2, ?3, ?4, ?5)";
    let mut insert = tx.prepare_cached(sql).doing("record a consent")?;
    let (id, status) = (change.recipient.expose(), change.status.word());
    let given = params![id, status, millis(change.since), millis(now), source];
    insert.execute(given).doing("record a consent")?;
    Ok(())
}

fn upsert(tx: &Transaction<'_>, change: &ConsentChange) -> Result<usize, Error> {
    let sql = "INSERT INTO consents (recipient_id, status, since) VALUES (?1, ?2, ?3)
         ON CONFLICT (recipient_id) DO UPDATE SET status = excluded.status, since = excluded.since
         WHERE excluded.since > consents.since
            OR (excluded.since = consents.since AND excluded.status <> consents.status)";
    let mut insert = tx.prepare_cached(sql).doing("record a consent")?;
    let given = params![
        change.recipient.expose(),
        change.status.word(),
        millis(change.since)
    ];
    insert.execute(given).doing("record a consent")
}

fn consent_row(row: &Row<'_>) -> rusqlite::Result<Consent> {
    Ok(Consent {
        recipient: row.parsed("recipient_id")?,
        status: row.word("status")?,
        since: row.time("since")?,
        print_only_matters: Vec::new(),
    })
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
}
