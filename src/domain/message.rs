use super::{PostageClass, PostalAddress, Private, StatedRecipient};

/// The name of a PDF inside the batch, as the control data writes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentName(pub String);

/// Consecutive pages of one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRange {
    pub document: DocumentName,
    /// 1-based.
    pub first: u32,
    /// At least 1.
    pub count: u32,
}

impl PageRange {
    /// The last page, 1-based.
    pub fn last(&self) -> u32 {
        self.first.saturating_add(self.count.saturating_sub(1))
    }
}

/// Who gets a message, and where they live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    pub id: StatedRecipient,
    pub address: PostalAddress,
}

/// Which channels the sender allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChannelWish {
    #[default]
    Any,
    MailboxOnly,
    PrintOnly,
}

/// Ordinary service, or verifiable: proof of receipt required (*todisteellinen tiedoksianto*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ServiceKind {
    #[default]
    Ordinary,
    Verifiable,
}

/// A further file that goes to the mailbox with the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    pub document: DocumentName,
}

/// One recipient's content, until it is known how it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// 1-based position in the batch; with the batch it is the message's id.
    pub position: u32,
    /// The sender's own id of the letter (`senderLetterId`, `letter_id`). It may hold a case
    /// number, so it goes into receipts and stays out of logs.
    pub sender_letter_id: Option<Private<String>>,
    pub recipient: Recipient,
    pub pages: PageRange,
    pub subject: Option<Private<String>>,
    pub body: Option<Private<String>>,
    pub service: ServiceKind,
    pub wish: ChannelWish,
    /// `denyElectronicOnlyDelivery`: paper always goes, an electronic copy may go too.
    pub deny_electronic_only: bool,
    /// `denyElectronicCopyDelivery`: no electronic copy beside the paper.
    pub deny_electronic_copy: bool,
    /// `None` where the control data does not say: the sender's settings do.
    pub colour: Option<bool>,
    pub duplex: Option<bool>,
    pub postage: Option<PostageClass>,
    /// What the letter is about, for consent exceptions by matter.
    pub matter: Option<String>,
    pub attachments: Vec<Attachment>,
}
