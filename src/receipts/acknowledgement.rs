use std::io::Write;

use jiff::Timestamp;

use super::{Error, Format, Kind, csv, json, told, xml};
use crate::domain::{BatchId, SenderId};

/// The file is safely stored: what it is, so that the sender can compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    pub batch: BatchId,
    pub sender: SenderId,
    /// As the sender named it.
    pub file_name: String,
    pub bytes: u64,
    /// 64 lower-case hexadecimal digits.
    pub sha256: String,
    pub received_at: Timestamp,
}

/// Writes the receipt `acknowledgement`, flushes, and gives back what it was written to.
pub fn write_acknowledgement<W: Write>(
    acknowledgement: &Acknowledgement,
    format: Format,
    out: W,
) -> Result<W, Error> {
    let told = told::Acknowledgement::from(acknowledgement);
    let written = match format {
        Format::Xml => xml::write_acknowledgement(&told, out),
        Format::Json => json::write_acknowledgement(&told, out),
        Format::Csv => csv::write_acknowledgement(&told, out),
    };
    written.map_err(|source| Error::Write {
        kind: Kind::Acknowledgement,
        batch: acknowledgement.batch,
        source,
    })
}
