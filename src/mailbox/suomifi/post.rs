use std::fmt;

use crate::domain::{PostalAddress, Private, RecipientId, ServiceKind};

/// By which the service knows a repeat: 1 to 256 characters, chosen by us, the same for each try.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternalId(pub String);

impl fmt::Display for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// By which the service knows an uploaded file, for 24 hours unless a message uses it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AttachmentId(pub String);

/// A file that goes with a message.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    /// What the recipient sees it called.
    pub name: String,
    /// `application/pdf`.
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

/// A message for the service. The parts say which of its three doors it takes: electronic alone,
/// both (multichannel: the service chooses), or paper alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    pub external_id: ExternalId,
    /// `None` for paper alone.
    pub recipient: Option<RecipientId>,
    pub electronic: Option<Electronic>,
    pub paper: Option<Paper>,
}

/// How it is shown in the mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Electronic {
    /// 1 to 256 characters.
    pub title: Private<String>,
    /// 1 to 40,000 characters of plain text.
    pub body: Private<String>,
    pub service: ServiceKind,
    /// At most 50.
    pub attachments: Vec<AttachmentId>,
    /// Only the recipient, and nobody who may act for them.
    pub recipient_only: bool,
    pub replies_allowed: bool,
    /// Whether the service reminds of an unread message.
    pub reminder: bool,
}

/// How it is printed by the service's own print house (TKJ).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    /// One PDF.
    pub attachment: AttachmentId,
    pub recipient: PostalAddressee,
    pub sender: PostalAddressee,
    pub account: PostalAccount,
    pub service: ServiceKind,
    pub colour: bool,
    pub duplex: bool,
    /// An address page is put in front.
    pub address_page: bool,
    pub turn_landscape: bool,
}

/// A postal address that is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostalAddressee(pub PostalAddress);

/// Who pays for the paper, at the service's print house.
#[derive(Clone, PartialEq, Eq)]
pub struct PostalAccount {
    /// 6 characters.
    pub user: String,
    /// 4 characters.
    pub password: Private<String>,
    /// 5 to 256 characters.
    pub contact_email: String,
    /// 1 to 15 of `A` to `Z` and `0` to `9`.
    pub cost_pool: Option<String>,
}

impl fmt::Debug for PostalAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// The service has it: now, or since an earlier try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentMessage {
    /// The service's own number, or [`SentMessage::NO_NUMBER`].
    pub message_id: i64,
    /// It was sent before, under the same external id (HTTP 409).
    pub was_sent_before: bool,
}

impl SentMessage {
    /// Of paper that was sent before, and of which the service does not tell its number.
    pub const NO_NUMBER: i64 = 0;
}
