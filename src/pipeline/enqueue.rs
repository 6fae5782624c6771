use super::{Error, House, deliver::delivery_id, routed_pages, stop::Stop};
use crate::{
    domain::ServiceName,
    mailbox::suomifi::ExternalId,
    store::{BatchRow, Door, MessageRow, NewQueued},
    telemetry::meters,
};

/// Lets each message that goes to a mailbox wait for the service that takes it there, page by page.
///
/// The service takes some messages a second: the batch goes on meanwhile, so that its paper waits for
/// none of them. What waits already is left in its place, so that the step can be done again. Whether
/// a recipient still wants it there, the courier asks when it is sent.
pub(super) fn run(
    house: &House,
    row: &BatchRow,
    service: &ServiceName,
    stop: &Stop,
) -> Result<(), Error> {
    routed_pages::each(house, row, stop, |page| {
        let page: Vec<_> = page.iter().map(|stored| queued(row, stored)).collect();
        let queued = house
            .store
            .enqueue(row, service, &page, house.clock.now())?;
        meters::MESSAGES.add(&["queued"], queued);
        Ok(())
    })
}

fn queued(row: &BatchRow, stored: &MessageRow) -> NewQueued {
    NewQueued {
        position: stored.id.position,
        door: Door::Electronic,
        external_id: external_id(row, stored).0,
    }
}

/// By which a service knows this message whenever it comes: another one only where an operator wants
/// a repeat of what it has.
pub(super) fn external_id(row: &BatchRow, stored: &MessageRow) -> ExternalId {
    ExternalId(format!("kuori.{}.{}", row.sender, delivery_id(row, stored)))
}
