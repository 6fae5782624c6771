use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::{
    Error, Store, Transaction,
    columns::{Columns, Word, millis},
    error::Doing,
};
use crate::domain::{EmailAddress, Language, RecipientId};

/// Where a recipient wants to be told of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeAddress {
    pub address: EmailAddress,
    /// `None`: nobody knows which.
    pub language: Option<Language>,
}

impl Store {
    /// Records where a recipient wants to be told of messages; without an address, nowhere, and nothing
    /// of them is kept here.
    pub fn set_notice_address(
        &self,
        recipient: &RecipientId,
        address: Option<&EmailAddress>,
        language: Option<Language>,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.write("set a notice address", |tx| {
            set_notice_address(tx, recipient, address, language, now)
        })
    }

    pub fn notice_address(&self, recipient: &RecipientId) -> Result<Option<NoticeAddress>, Error> {
        let doing = "look up a notice address";
        let sql = "SELECT address, language FROM notice_addresses WHERE recipient_id = ?";
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing(doing)?;
            let found = query.query_row([recipient.expose()], |row| {
                Ok(NoticeAddress {
                    address: row.parsed("address")?,
                    language: row.maybe_word("language")?,
                })
            });
            found.optional().doing(doing)
        })
    }
}

/// As [`Store::set_notice_address`], in a transaction that does more.
pub(super) fn set_notice_address(
    tx: &Transaction<'_>,
    recipient: &RecipientId,
    address: Option<&EmailAddress>,
    language: Option<Language>,
    now: Timestamp,
) -> Result<(), Error> {
    let doing = "set a notice address";
    let Some(address) = address else {
        let sql = "DELETE FROM notice_addresses WHERE recipient_id = ?";
        let mut forget = tx.prepare_cached(sql).doing(doing)?;
        forget.execute([recipient.expose()]).doing(doing)?;
        return Ok(());
    };
    let sql = "INSERT INTO notice_addresses (recipient_id, address, language, since)
         VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (recipient_id) DO UPDATE SET
            address = excluded.address, language = excluded.language, since = excluded.since";
    let mut set = tx.prepare_cached(sql).doing(doing)?;
    let language = language.map(Word::word);
    let given = params![recipient.expose(), address.expose(), language, millis(now)];
    set.execute(given).doing(doing)?;
    Ok(())
}
