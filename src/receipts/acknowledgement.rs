use std::io::Write;

use jiff::Timestamp;

use super::{Error, Kind, xml::Element, xml::Xml};
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

/// Writes the receipt `acknowledgement`.
pub fn write_acknowledgement<W: Write>(
    acknowledgement: &Acknowledgement,
    out: W,
) -> Result<(), Error> {
    let failed = |source| Error::Write {
        kind: Kind::Acknowledgement,
        batch: acknowledgement.batch,
        source,
    };
    let root = Element::root("Acknowledgement")
        .with("batch", acknowledgement.batch)
        .with("sender", &acknowledgement.sender)
        .with("receivedAt", acknowledgement.received_at);
    let file = Element::new("File")
        .with("name", &acknowledgement.file_name)
        .with("bytes", acknowledgement.bytes)
        .with("sha256", &acknowledgement.sha256);
    let mut xml = Xml::begin(out).map_err(failed)?;
    xml.open(&root)
        .and_then(|()| xml.empty(&file))
        .and_then(|()| xml.close("Acknowledgement"))
        .and_then(|()| xml.finish())
        .map(drop)
        .map_err(failed)
}
