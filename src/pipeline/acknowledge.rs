use super::{Error, House, receipt};
use crate::{
    receipts::{Acknowledgement, Format, write_acknowledgement},
    store::{BatchRow, OutgoingKind},
};

/// Tells the sender that the file is safely stored, once.
pub(super) fn run(house: &House, row: &BatchRow) -> Result<(), Error> {
    let settings = &house.sender(&row.sender)?.receipts;
    if !settings.level.wants_acknowledgement() {
        return Ok(());
    }
    // Opened again, under another key or in other formats, the files would not be those of its row.
    if house.store.has_acknowledgement(row.id)? {
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
    let write = |&format: &Format| -> Result<_, Error> {
        let file = house.store.spool().begin()?;
        let file = write_acknowledgement(&acknowledgement, format, file)?;
        Ok((format, file))
    };
    let written = settings.formats.iter().map(write);
    let written = written.collect::<Result<_, _>>()?;
    let outgoing = receipt::spooled(house, row, OutgoingKind::Acknowledgement, 1, written)?;
    house
        .store
        .record_acknowledgement(&outgoing, house.clock.now())?;
    Ok(())
}
