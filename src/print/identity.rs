use jiff::{Timestamp, civil::Date};

use crate::{
    domain::{BundleId, PrintHouseId, SenderId},
    pdf::DigestKey,
};

/// What a bundle is called, and for whom: everything about it that its letters do not say.
#[derive(Clone)]
pub struct BundleIdentity {
    pub bundle: BundleId,
    pub sender: SenderId,
    pub print_house: PrintHouseId,
    /// Fixed when the bundle is planned, so that composing it again gives the same bytes.
    pub created: Timestamp,
    /// The day on which it should be posted.
    pub due: Option<Date>,
    /// A test bundle says `TEST` on each sheet and in its ticket.
    pub test: bool,
    /// Decides what is shared inside the PDF; random and secret, one a bundle.
    pub digest_key: DigestKey,
    /// The sender's rows on address pages.
    pub return_address: Vec<String>,
}

impl BundleIdentity {
    /// The file identifier of the PDF: the same for the same bundle, whenever it is composed.
    pub(super) fn file_id(&self) -> [u8; 16] {
        let name = format!(
            "{} {} {} {}",
            self.print_house, self.sender, self.bundle, self.created
        );
        let mut id = [0; 16];
        blake3::Hasher::new()
            .update(name.as_bytes())
            .finalize_xof()
            .fill(&mut id);
        id
    }
}
