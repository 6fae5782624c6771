//! Letters that a mailbox service prints: they wait in its queue, and no bundle is made of them.

use super::{Error, House, PrintingService, deliver::recipient, enqueue::external_id, stop::Stop};
use crate::{
    domain::{MessageState, Reason},
    store::{BatchRow, Door, MessageRow, NewQueued},
};

/// Letters that are queued in one transaction.
const PAGE: u32 = 1_000;

/// Queues all letters of a batch that are to go on paper and do not wait there yet.
///
/// Those that were planned for another print house, before the settings named this one, are planned no
/// more.
pub(super) fn run(
    house: &House,
    row: &BatchRow,
    printing: &PrintingService,
    stop: &Stop,
) -> Result<(), Error> {
    for bundle in house.store.planned_bundles(row.id)? {
        tracing::info!(bundle = %bundle.id, "planned for another print house: queued instead");
        house.store.give_up_plan(&bundle)?;
    }
    let mut after = 0;
    loop {
        // An operator holds it: what is queued waits until it is released.
        if house.store.has_moved(row)? {
            return Ok(());
        }
        let page = house.store.messages_to_plan(row.id, after, PAGE)?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        // Who comes back for the rest finds what is queued no more.
        stop.between_pages(0)?;
        after = last.id.position;
        let letters: Vec<_> = page.iter().map(|stored| queued(row, stored)).collect();
        let (store, now) = (&house.store, house.clock.now());
        store.enqueue(row, &printing.service, &letters, now)?;
    }
}

/// Into the mailbox or onto paper where routing left that to the service; else onto paper alone, as that
/// of a message which lies in its mailbox already.
fn queued(row: &BatchRow, stored: &MessageRow) -> NewQueued {
    let chooses = stored.reason == Some(Reason::ServiceChooses)
        && stored.state != MessageState::Delivered
        && recipient(stored).is_some();
    NewQueued {
        position: stored.id.position,
        door: if chooses {
            Door::Multichannel
        } else {
            Door::Paper
        },
        external_id: id_on_paper(row, stored),
    }
}

/// A letter whose message lies in its mailbox already is another post than that: it has an id of its
/// own.
fn id_on_paper(row: &BatchRow, stored: &MessageRow) -> String {
    let id = external_id(row, stored).0;
    match stored.state {
        MessageState::Delivered => format!("{id}.post"),
        _ => id,
    }
}
