//! What a receipt needs to leave the house: its files in the spool and its row.

use std::io::Write;

use super::{Error, House};
use crate::{
    domain::BatchId,
    receipts::{self, Format, Kind, Report, ReportHeader, ReportLine, SIGNATURE_ENDING, file_name},
    signing::{self, Signer},
    store::{
        BatchRow, Counts, NewOutgoing, NewSpoolFile, OutgoingFile, OutgoingKind, Place, SpoolKey,
        SpooledFile,
    },
};

/// A receipt in one of the formats that the sender wants.
pub(super) type Written = (Format, NewSpoolFile);

/// A report in all the formats that the sender wants, on its way into the spool.
pub(super) struct Reports(Vec<(Format, Report<NewSpoolFile>)>);

impl Reports {
    pub(super) fn begin(
        house: &House,
        row: &BatchRow,
        header: ReportHeader<'_>,
    ) -> Result<Self, Error> {
        let formats = &house.sender(&row.sender)?.receipts.formats;
        let begin = |&format: &Format| {
            let file = house.store.spool().begin()?;
            Ok((format, Report::begin(header, format, file)?))
        };
        formats
            .iter()
            .map(begin)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub(super) fn line(&mut self, line: ReportLine<'_>) -> Result<(), Error> {
        for (_, report) in &mut self.0 {
            report.line(line)?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Vec<Written>, Error> {
        let finish = |(format, report): (Format, Report<_>)| Ok((format, report.finish()?));
        self.0.into_iter().map(finish).collect()
    }
}

/// Spools a receipt, signed where the sender wants it, and says where it goes:
/// `receipts/<stem>.<batch>.<kind>.<format>` of its sender.
pub(super) fn spooled(
    house: &House,
    row: &BatchRow,
    kind: OutgoingKind,
    revision: u32,
    written: Vec<Written>,
) -> Result<NewOutgoing, Error> {
    let is_signed = house.sender(&row.sender)?.receipts.sign;
    let signer = is_signed
        .then(|| house.signer.as_ref().ok_or(Error::NoSigningKey))
        .transpose()?;
    let mut files = Vec::new();
    for (format, file) in written {
        let spool_name = spool_name(row.id, kind, revision, format);
        let receipt = file.keep(&SpoolKey::new("outgoing", &spool_name))?;
        let path = format!("receipts/{}", receipt_name(row, kind, revision, format));
        // First, so that whoever sees the receipt can verify it.
        if let Some(signer) = signer {
            files.push(OutgoingFile {
                path: format!("{path}{SIGNATURE_ENDING}"),
                file: signature(house, signer, &receipt, &spool_name)?,
            });
        }
        files.push(OutgoingFile {
            path,
            file: receipt,
        });
    }
    Ok(NewOutgoing {
        batch: row.id,
        bundle: None,
        kind,
        place: Place::Sender(row.sender.clone()),
        files,
    })
}

/// The same for the same receipt.
fn signature(
    house: &House,
    signer: &Signer,
    receipt: &SpooledFile,
    spool_name: &str,
) -> Result<SpooledFile, Error> {
    let spool = house.store.spool();
    let receipt = spool.map(&receipt.key)?;
    let signature = signer.sign(signing::RECEIPTS, receipt.as_ref())?;
    let mut file = spool.begin()?;
    file.write_all(signature.as_bytes())
        .map_err(Error::Signature)?;
    let key = SpoolKey::new("outgoing", format!("{spool_name}{SIGNATURE_ENDING}"));
    Ok(file.keep(&key)?)
}

/// Where the messages of a batch are, as receipts count them.
pub(super) fn counts(counts: &Counts) -> receipts::Counts {
    receipts::Counts {
        received: counts.received,
        delivered: counts.delivered,
        printed: counts.composed + counts.printed,
        also_printed: counts.also_to_print + counts.also_printed,
        refused: counts.refused,
        held: counts.held,
        waiting: counts.in_progress,
        cancelled: counts.cancelled,
    }
}

fn receipt_name(row: &BatchRow, kind: OutgoingKind, revision: u32, format: Format) -> String {
    let stem = row.file_name.strip_suffix(".zip").unwrap_or(&row.file_name);
    file_name(stem, row.id, receipt_kind(kind), revision, format)
}

fn spool_name(batch: BatchId, kind: OutgoingKind, revision: u32, format: Format) -> String {
    let (kind, extension) = (receipt_kind(kind).as_str(), format.extension());
    format!("{batch}.{kind}-{revision}.{extension}")
}

fn receipt_kind(kind: OutgoingKind) -> Kind {
    match kind {
        OutgoingKind::Acknowledgement => Kind::Acknowledgement,
        OutgoingKind::ProcessingReport | OutgoingKind::Bundle => Kind::Processing,
        OutgoingKind::DeliveryReport => Kind::Delivery,
    }
}
