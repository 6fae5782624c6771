//! Control data: what the sender says about each message, before its PDF is looked at.

mod ahead;
mod blocks;
mod elements;
mod encoding;
mod fields;
mod letter_bundle;
mod markup;
mod quotes;
mod table;
mod tag;
mod text;
mod unknown;

use std::io::Read;

pub(super) use self::unknown::Unknown;
use self::{
    ahead::read_ahead,
    blocks::{BLOCK_BYTES, Blocks, Decoder},
    fields::Fields,
    letter_bundle::LetterBundle,
    table::Table,
    text::Text,
};
use super::Limits;
use crate::domain::{
    ChannelWish, Code, Finding, Message, PageRange, Place, PostageClass, PostalAddress, Private,
    Recipient, ServiceKind, StatedRecipient,
};

/// Control data as a stream, in the order of the file.
pub(super) trait ControlData {
    /// The next message, or `None` at the end. An error concerns the whole file: what follows it
    /// cannot be understood, so what came before cannot be trusted either.
    fn next_draft(&mut self) -> Result<Option<Draft>, Finding>;

    /// What is wrong outside of messages, once the end is reached.
    fn remarks(&mut self) -> Vec<Finding>;

    /// What nobody uses, once the end is reached.
    fn unknown(&mut self) -> Unknown;

    fn is_test(&self) -> bool;
}

/// What control data is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    LetterBundle,
    Table,
}

/// Lets `work` read control data of so many bytes. It is unpacked while `work` goes on; what is
/// small, when it is asked for.
pub(super) fn read<T, X: From<Finding>>(
    source: impl Read + Send,
    bytes: u64,
    form: Form,
    place: &Place,
    limits: &Limits,
    work: impl FnOnce(&mut dyn ControlData) -> Result<T, X>,
) -> Result<T, X> {
    let work = |blocks: &mut dyn Blocks| match form {
        Form::LetterBundle => work(&mut LetterBundle::new(blocks, place, limits)),
        Form::Table => work(&mut Table::open(blocks, place, limits)?),
    };
    if bytes <= BLOCK_BYTES as u64 {
        work(&mut Decoder::new(source))
    } else {
        read_ahead(source, work)
    }
}

/// A message as the control data states it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    /// Where its description begins.
    pub(super) line: u32,
    /// The PDF, as the control data names it; `None` where it does not.
    pub(super) file: Option<String>,
    pub(super) pages: StatedPages,
    pub(super) letter_id: Option<Private<String>>,
    pub(super) recipient: StatedRecipient,
    pub(super) address: PostalAddress,
    pub(super) subject: Option<Private<String>>,
    pub(super) body: Option<Private<String>>,
    pub(super) service: ServiceKind,
    pub(super) wish: ChannelWish,
    pub(super) deny_electronic_only: bool,
    pub(super) deny_electronic_copy: bool,
    pub(super) colour: Option<bool>,
    pub(super) duplex: Option<bool>,
    pub(super) postage: Option<PostageClass>,
    pub(super) matter: Option<String>,
    /// Files, as the control data names them.
    pub(super) attachments: Vec<String>,
    pub(super) findings: Vec<Finding>,
}

/// Which pages a letter claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StatedPages {
    /// Nothing is said: the whole document, where it holds no other letter.
    Whole,
    /// 1-based first page, and how many.
    Range { first: u32, count: u32 },
    /// Something is said that is no range.
    Unusable,
}

impl Draft {
    pub(super) fn new(line: u32) -> Self {
        Self {
            line,
            file: None,
            pages: StatedPages::Whole,
            letter_id: None,
            recipient: StatedRecipient::Absent,
            address: PostalAddress::default(),
            subject: None,
            body: None,
            service: ServiceKind::default(),
            wish: ChannelWish::default(),
            deny_electronic_only: false,
            deny_electronic_copy: false,
            colour: None,
            duplex: None,
            postage: None,
            matter: None,
            attachments: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// Keeps what was found in the fields.
    fn finish(mut self, fields: Fields<'_>) -> Self {
        self.findings = fields.into_findings();
        self
    }

    /// Whether the sender wants paper whatever the recipient has: paper always goes, and no
    /// electronic copy beside it, leaves paper too.
    pub(super) fn is_for_print_only(&self) -> bool {
        let denies_electronic = self.deny_electronic_only && self.deny_electronic_copy;
        denies_electronic || self.wish == ChannelWish::PrintOnly
    }

    pub(super) fn into_message(
        self,
        position: u32,
        pages: PageRange,
        attachments: Vec<crate::domain::Attachment>,
    ) -> Message {
        Message {
            position,
            sender_letter_id: self.letter_id,
            recipient: Recipient {
                id: self.recipient,
                address: self.address,
            },
            pages,
            subject: self.subject,
            body: self.body,
            service: self.service,
            wish: self.wish,
            deny_electronic_only: self.deny_electronic_only,
            deny_electronic_copy: self.deny_electronic_copy,
            colour: self.colour,
            duplex: self.duplex,
            postage: self.postage,
            matter: self.matter,
            attachments,
        }
    }
}

impl StatedPages {
    /// Both numbers or neither; one alone is no range, and neither is something that is no number.
    fn of(
        first: Result<Option<u32>, ()>,
        count: Result<Option<u32>, ()>,
        fields: &mut Fields<'_>,
    ) -> Self {
        match (first, count) {
            (Ok(Some(first)), Ok(Some(count))) => Self::Range { first, count },
            (Ok(None), Ok(None)) => Self::Whole,
            (Ok(_), Ok(_)) => {
                let detail = "the first page and the number of pages must both be given";
                fields.find(Code::PageRangeMissing, detail);
                Self::Unusable
            }
            _ => Self::Unusable,
        }
    }
}
