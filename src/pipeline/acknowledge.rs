use super::{Error, House, receipt};
use crate::{
    receipts::{Acknowledgement, write_acknowledgement},
    store::{BatchRow, OutgoingKind},
};

/// Tells the sender that the file is safely stored, once.
pub(super) fn run(house: &House, row: &BatchRow) -> Result<(), Error> {
    if !house.sender(&row.sender)?.receipts.wants_acknowledgement() {
        return Ok(());
    }
    let acknowledgement = Acknowledgement {
        batch: row.id,
        sender: row.sender.clone(),
        file_name: row.file_name.clone(),
        bytes: row.bytes,
        sha256: row.sha256.clone(),
        received_at: row.received_at,
    };
    let mut file = house.store.spool().begin()?;
    write_acknowledgement(&acknowledgement, &mut file)?;
    let outgoing = receipt::spooled(row, OutgoingKind::Acknowledgement, 1, file)?;
    house
        .store
        .record_acknowledgement(&outgoing, house.clock.now())?;
    Ok(())
}
