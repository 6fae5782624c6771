//! What a receipt needs to leave the house: its file in the spool and its row.

use super::Error;
use crate::{
    domain::BatchId,
    receipts::{Format, Kind, file_name},
    store::{BatchRow, NewOutgoing, NewSpoolFile, OutgoingFile, OutgoingKind, Place, SpoolKey},
};

/// Spools a receipt and says where it goes: `receipts/<stem>.<batch>.<kind>.xml` of its sender.
pub(super) fn spooled(
    row: &BatchRow,
    kind: OutgoingKind,
    revision: u32,
    file: NewSpoolFile,
) -> Result<NewOutgoing, Error> {
    let name = receipt_name(row, kind, revision);
    let key = SpoolKey::new("outgoing", spool_name(row.id, kind, revision));
    Ok(NewOutgoing {
        batch: row.id,
        bundle: None,
        kind,
        place: Place::Sender(row.sender.clone()),
        files: vec![OutgoingFile {
            path: format!("receipts/{name}"),
            file: file.keep(&key)?,
        }],
    })
}

fn receipt_name(row: &BatchRow, kind: OutgoingKind, revision: u32) -> String {
    let stem = row.file_name.strip_suffix(".zip").unwrap_or(&row.file_name);
    file_name(stem, row.id, receipt_kind(kind), revision, Format::Xml)
}

fn spool_name(batch: BatchId, kind: OutgoingKind, revision: u32) -> String {
    format!("{batch}.{}-{revision}.xml", receipt_kind(kind).as_str())
}

fn receipt_kind(kind: OutgoingKind) -> Kind {
    match kind {
        OutgoingKind::Acknowledgement => Kind::Acknowledgement,
        OutgoingKind::ProcessingReport | OutgoingKind::Bundle => Kind::Processing,
    }
}
