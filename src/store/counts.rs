use rusqlite::{Connection, Row};

use super::{Error, Store, columns::Columns, error::Doing};
use crate::domain::{BatchId, Channel, MessageState};

/// Where the messages of a batch are.
///
/// `received` is the sum of `in_progress`, `delivered`, `composed`, `printed`, `refused`, `held` and
/// `cancelled`; the other fields say more about some of those.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub received: u64,
    /// Not decided, or decided and not yet carried out.
    pub in_progress: u64,
    /// Of `in_progress`: their mailbox status was not known.
    pub waiting: u64,
    /// In the recipient's mailbox.
    pub delivered: u64,
    /// In a bundle that waits for the print house.
    pub composed: u64,
    /// In a bundle that the print house has.
    pub printed: u64,
    /// Of `delivered`: at the print house too.
    pub also_printed: u64,
    /// Of `delivered`: to go on paper too, and not at the print house yet.
    pub also_to_print: u64,
    pub refused: u64,
    pub held: u64,
    pub cancelled: u64,
}

impl Counts {
    /// Whether nothing is under way: every message is delivered, printed, refused, held or
    /// cancelled.
    pub fn is_settled(&self) -> bool {
        self.in_progress == 0 && self.composed == 0 && self.also_to_print == 0
    }

    pub(super) fn add(&mut self, state: MessageState, channel: Option<Channel>, messages: u64) {
        self.received += messages;
        let both = channel == Some(Channel::MailboxAndPrint);
        let field = match state {
            MessageState::Accepted | MessageState::Waiting | MessageState::Routed => {
                &mut self.in_progress
            }
            MessageState::Delivered => &mut self.delivered,
            MessageState::Composed | MessageState::HandedOver if both => &mut self.delivered,
            MessageState::Composed => &mut self.composed,
            MessageState::HandedOver => &mut self.printed,
            MessageState::Refused => &mut self.refused,
            MessageState::Held => &mut self.held,
            MessageState::Cancelled => &mut self.cancelled,
        };
        *field += messages;
        if state == MessageState::Waiting {
            self.waiting += messages;
        }
        match state {
            MessageState::HandedOver if both => self.also_printed += messages,
            MessageState::Delivered | MessageState::Composed if both => {
                self.also_to_print += messages;
            }
            _ => {}
        }
    }
}

impl Store {
    pub fn counts(&self, batch: BatchId) -> Result<Counts, Error> {
        self.read(|db| of_batch(db, batch))
    }
}

pub(super) fn of_batch(db: &Connection, batch: BatchId) -> Result<Counts, Error> {
    let sql = "SELECT state, channel, COUNT(*) AS messages FROM messages
         WHERE batch = ? GROUP BY state, channel";
    let mut query = db.prepare_cached(sql).doing("count messages")?;
    let rows = query.query_map([batch.0], group).doing("count messages")?;
    let mut counts = Counts::default();
    for row in rows {
        let (state, channel, messages) = row.doing("count messages")?;
        counts.add(state, channel, messages);
    }
    Ok(counts)
}

fn group(row: &Row<'_>) -> rusqlite::Result<(MessageState, Option<Channel>, u64)> {
    Ok((
        row.word("state")?,
        row.maybe_word("channel")?,
        row.get("messages")?,
    ))
}
