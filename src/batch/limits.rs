use std::sync::Arc;

use super::PostalCodes;
use crate::{
    domain::{MAX_ROW_CHARS, PrintFacts},
    pdf,
};

/// How much of a stranger's file is taken. Every limit is a count of what was really there, never
/// of what a header claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    pub max_zip_bytes: u64,
    /// All entries together, those of nested ZIPs included.
    pub max_unpacked_bytes: u64,
    /// One entry.
    pub max_document_bytes: u64,
    /// One letter that goes to a mailbox, with its attachments.
    pub max_letter_pdf_bytes: u64,
    /// Unpacked bytes for each packed one.
    pub max_ratio: u64,
    /// Entries that unpack to no more than this may have any ratio: deflate reaches 1,000 on a
    /// blank page, and so small an entry harms nobody.
    pub ratio_floor_bytes: u64,
    /// All files and folders, those of nested ZIPs included.
    pub max_entries: u64,
    pub max_messages: u32,
    /// Files that letters name and that are not in the ZIP: beyond this it was packed wrongly,
    /// and the batch is given up.
    pub max_missing_documents: u32,
    /// Documents that only the second reader reads; each is a process of its own. Beyond this they are
    /// refused.
    pub max_second_readings: u32,
    /// ZIPs inside a ZIP; 0 takes none.
    pub max_nesting: u8,
    /// One field of control data, in characters.
    pub max_field_chars: usize,
    /// The message text of a CSV row, in characters.
    pub max_body_chars: usize,
    /// One row of an address, in characters: the post reads no more. Longer ones are told.
    pub max_address_row_chars: usize,
    pub max_xml_depth: usize,
    /// Attributes of one element.
    pub max_xml_attributes: usize,
    /// One tag, comment, stretch of text or CSV row: what the reader of control data must hold at once.
    pub max_token_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_zip_bytes: 4 << 30,
            max_unpacked_bytes: 16 << 30,
            max_document_bytes: 2 << 30,
            max_letter_pdf_bytes: 10 << 20,
            max_ratio: 200,
            ratio_floor_bytes: 1 << 20,
            max_entries: 200_000,
            max_messages: 1_000_000,
            max_missing_documents: 1_000,
            max_second_readings: 1_000,
            max_nesting: 1,
            max_field_chars: 512,
            max_body_chars: 5_000,
            max_address_row_chars: MAX_ROW_CHARS,
            max_xml_depth: 32,
            max_xml_attributes: 64,
            max_token_bytes: 1 << 20,
        }
    }
}

/// How a batch is opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    pub limits: Limits,
    pub paper: Paper,
    pub artificial_ids: ArtificialIds,
    /// `None` where nobody knows which postal codes there are.
    pub postal_codes: Option<Arc<PostalCodes>>,
    pub pdf: pdf::Limits,
}

/// How the sender's letters become paper, as far as a letter's fitness for it hangs on that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paper {
    /// Sheets that the largest envelope holds, an address page counted; `None` where nobody prints.
    pub max_sheets: Option<u32>,
    /// Where the control data does not say.
    pub duplex: bool,
    /// An address page of our own goes in front.
    pub address_page: bool,
}

impl Paper {
    /// As it is for a letter of which that was found.
    #[must_use]
    pub(super) fn with(self, facts: PrintFacts) -> Self {
        Self {
            address_page: self.address_page || facts.lacks_address,
            ..self
        }
    }
}

impl Default for Paper {
    /// The largest envelope that needs no agreement with the post.
    fn default() -> Self {
        Self {
            max_sheets: Some(60),
            duplex: true,
            address_page: false,
        }
    }
}

/// What is said of identity codes that no person has, in a batch that is no test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ArtificialIds {
    #[default]
    Accept,
    Warn,
}
