use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::mirror::mirror;
use crate::batch::Limits;

/// How much of a batch file is taken.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LimitsTable {
    /// Size of the ZIP.
    #[schemars(range(min = 1))]
    max_zip_bytes: u64,
    /// Size of all entries together, those of nested ZIPs included.
    #[schemars(range(min = 1))]
    max_unpacked_bytes: u64,
    /// Size of one entry.
    #[schemars(range(min = 1))]
    max_document_bytes: u64,
    /// Size of the PDF of one letter that goes to a mailbox.
    #[schemars(range(min = 1))]
    max_letter_pdf_bytes: u64,
    /// Unpacked bytes for each packed one.
    #[schemars(range(min = 1))]
    max_ratio: u64,
    /// Entries that unpack to no more than this may have any ratio.
    ratio_floor_bytes: u64,
    /// Number of files and folders, those of nested ZIPs included.
    #[schemars(range(min = 1))]
    max_entries: u64,
    /// Messages in one batch.
    #[schemars(range(min = 1))]
    max_messages: u32,
    /// Files that letters name and that are not in the ZIP; beyond this the batch is given up.
    max_missing_documents: u32,
    /// PDFs of one batch that only the second reader reads; beyond this they are refused. See
    /// `second_reader`.
    max_second_readings: u32,
    /// ZIPs inside a ZIP; 0 takes none.
    max_nesting: u8,
    /// Length of one field of control data.
    #[schemars(range(min = 1))]
    max_field_chars: usize,
    /// Length of the message text of a CSV row.
    #[schemars(range(min = 1))]
    max_body_chars: usize,
    /// Characters of one row of an address; longer ones are told.
    #[schemars(range(min = 1))]
    max_address_row_chars: usize,
    /// Depth of elements in control data.
    #[schemars(range(min = 4))]
    max_xml_depth: usize,
    /// Attributes of one element.
    #[schemars(range(min = 1))]
    max_xml_attributes: usize,
    /// Size of one tag, comment, stretch of text or CSV row.
    #[schemars(range(min = 1))]
    max_token_bytes: usize,
}

mirror!(LimitsTable of Limits {
    max_zip_bytes,
    max_unpacked_bytes,
    max_document_bytes,
    max_letter_pdf_bytes,
    max_ratio,
    ratio_floor_bytes,
    max_entries,
    max_messages,
    max_missing_documents,
    max_second_readings,
    max_nesting,
    max_field_chars,
    max_body_chars,
    max_address_row_chars,
    max_xml_depth,
    max_xml_attributes,
    max_token_bytes,
});

impl LimitsTable {
    pub(super) fn read(self) -> Limits {
        let mut limits = Limits::default();
        self.set(&mut limits);
        limits
    }
}
