//! The messages of a batch that go to mailboxes and are not there yet, some at a time.

use super::{Error, House, stop::Stop};
use crate::store::{BatchRow, MessageRow};

/// Messages loaded, asked about and recorded at a time, and the most that one sync of a mailbox covers.
pub(super) const PAGE: u32 = 2_000;

/// Does something with each page, in the order of the batch. Where an operator holds the batch
/// meanwhile, the page in hand is the last.
pub(super) fn each(
    house: &House,
    row: &BatchRow,
    stop: &Stop,
    mut take: impl FnMut(Vec<MessageRow>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut position = 0;
    loop {
        if house.store.has_moved(row)? {
            return Err(Error::OnHold(row.id));
        }
        let page = after(house, row, position, PAGE)?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        stop.between_pages(position)?;
        position = last.id.position;
        take(page)?;
    }
}

/// At most `limit` of them that stand behind `position`; the first position of a batch is 1.
pub(super) fn after(
    house: &House,
    row: &BatchRow,
    position: u32,
    limit: u32,
) -> Result<Vec<MessageRow>, Error> {
    Ok(house.store.messages_for_mailbox(row.id, position, limit)?)
}
