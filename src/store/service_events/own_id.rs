use rusqlite::params;

use crate::{
    domain::{MessageId, ServiceName},
    store::{Error, Transaction, error::Doing},
};

/// An id that this house gives to what it sends (`pipeline::enqueue`):
/// `kuori.example-city.B-0007-12-0123abcd`, with the beginning of the digest of the batch's file,
/// perhaps `r2` for a second repeat, and `.post` for paper.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OwnId<'a> {
    sender: &'a str,
    message: MessageId,
    digest: &'a str,
    again: u32,
}

impl<'a> OwnId<'a> {
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let text = text.strip_suffix(".post").unwrap_or(text);
        let (sender, id) = text.strip_prefix("kuori.")?.rsplit_once('.')?;
        let (message, digest) = id.rsplit_once('-')?;
        let (digest, again) = match digest.split_once('r') {
            Some((digest, again)) => (digest, again.parse().ok()?),
            None => (digest, 0),
        };
        Some(Self {
            sender,
            message: message.parse().ok()?,
            digest,
            again,
        })
    }

    /// The message, if it is of this house and would be sent under this id now.
    pub(super) fn find(&self, tx: &Transaction<'_>) -> Result<Option<MessageId>, Error> {
        let doing = "look for a message by its own id";
        let sql = "SELECT 1 FROM messages m JOIN batches b ON b.id = m.batch
             WHERE m.batch = ?1 AND m.position = ?2 AND m.again = ?3
               AND b.sender = ?4 AND substr(b.sha256, 1, 8) = ?5";
        let MessageId { batch, position } = self.message;
        let mut query = tx.prepare_cached(sql).doing(doing)?;
        let given = params![batch.0, position, self.again, self.sender, self.digest];
        let is_known = query.exists(given).doing(doing)?;
        Ok(is_known.then_some(self.message))
    }
}

impl OwnId<'_> {
    /// Remembers a batch of this house that is not opened yet. Nothing is known of another one.
    pub(super) fn remember_batch(
        &self,
        tx: &Transaction<'_>,
        service: &ServiceName,
    ) -> Result<(), Error> {
        let doing = "remember a batch that is not opened";
        let sql = "INSERT OR IGNORE INTO early_events (service, batch)
             SELECT ?1, b.id FROM batches b
              WHERE b.id = ?2 AND b.sender = ?3 AND substr(b.sha256, 1, 8) = ?4
                AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.batch = b.id)";
        let mut insert = tx.prepare_cached(sql).doing(doing)?;
        let given = params![
            service.as_str(),
            self.message.batch.0,
            self.sender,
            self.digest
        ];
        insert.execute(given).doing(doing)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::BatchId;

    #[test]
    fn ids_of_this_house_are_read_and_no_others() {
        let id = |again| OwnId {
            sender: "example-city",
            message: MessageId {
                batch: BatchId(7),
                position: 12,
            },
            digest: "0123abcd",
            again,
        };
        let read = OwnId::read;
        assert_eq!(read("kuori.example-city.B-0007-12-0123abcd"), Some(id(0)));
        let repeat = "kuori.example-city.B-0007-12-0123abcdr2.post";
        assert_eq!(read(repeat), Some(id(2)));
        for other in [
            "",
            "kuori",
            "kuori.example-city.B-0007-12",
            "kuori.example-city.B-0007-12-0123abcdr",
            "other.example-city.B-0007-12-0123abcd",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
