use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;

use super::Error;
use crate::domain::{MessageId, Private, RecipientId, SenderId, ServiceKind};

/// Where messages are delivered digitally.
#[async_trait]
pub trait Mailbox: Send + Sync {
    /// Delivers a page of messages, no two of them with the same id, and answers in their order.
    ///
    /// A receipt means that the message lies in the mailbox and stays there through a power cut. A
    /// message that lay there already gets the receipt of its first delivery.
    ///
    /// # Errors
    ///
    /// An inner error concerns one message. An outer one leaves open what became of the page: it
    /// may be delivered again as it is.
    async fn deliver(
        &self,
        page: Vec<Delivery>,
    ) -> Result<Vec<Result<MailboxReceipt, Error>>, Error>;

    /// Asks whether a message lies in the recipient's mailbox: after a crash, before acting again.
    async fn has(&self, id: DeliveryId, recipient: &RecipientId) -> Result<bool, Error>;

    /// Looks which of some messages their recipients have read. Nothing that the recipient sees is changed.
    ///
    /// A mailbox that tells of it in other ways, or cannot, sees nothing new.
    async fn look(&self, page: Vec<Unread>) -> Result<Vec<Result<Look, Error>>, Error> {
        Ok(page.iter().map(|_| Ok(Look::Unchanged)).collect())
    }

    /// Clears away what a crash left of a delivery that is not to be made any more. What lies in the
    /// mailbox stays there; the recipient has seen nothing of the rest.
    async fn discard(&self, id: DeliveryId, recipient: &RecipientId) -> Result<(), Error>;
}

/// What a mailbox knows a delivery by: the message, the batch's content, and how often an operator
/// has asked by name for it to be delivered once more.
///
/// Numbers of messages are given out again where an older backup is restored, so a number alone
/// could name a message of another batch that the recipient has had before.
///
/// A repeat after a crash has the same id and adds nothing; one that was asked for has a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeliveryId {
    pub message: MessageId,
    /// The first 32 bits of the batch's SHA-256.
    pub content: u32,
    pub repeat: u32,
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:08x}", self.message, self.content)?;
        match self.repeat {
            0 => Ok(()),
            repeat => write!(f, "r{repeat}"),
        }
    }
}

/// One message as its recipient will read it.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: DeliveryId,
    pub sender: SenderId,
    /// As the recipient knows the sender: `Example City`.
    pub sender_name: String,
    pub recipient: RecipientId,
    pub title: Private<String>,
    /// Plain text.
    pub body: Private<String>,
    pub pdf: Vec<u8>,
    /// What the recipient's program calls the PDF.
    pub pdf_file_name: String,
    /// Further files of the sender's, in the sender's order.
    pub attachments: Vec<AttachedFile>,
    /// The date of the message. The same at each attempt.
    pub created: Timestamp,
    pub service: ServiceKind,
}

/// A file that goes with a message.
#[derive(Clone, PartialEq, Eq)]
pub struct AttachedFile {
    pub name: String,
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("id", &self.id)
            .field("pdf_bytes", &self.pdf.len())
            .finish_non_exhaustive()
    }
}

/// Proof that a message lies in its recipient's mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxReceipt {
    pub message: MessageId,
    /// When it was first delivered.
    pub delivered_at: Timestamp,
    /// What the mailbox calls the message. It says nothing about the recipient.
    pub reference: String,
}

/// A message that nobody was seen to read yet.
#[derive(Debug, Clone)]
pub struct Unread {
    pub id: DeliveryId,
    pub recipient: RecipientId,
    /// What the last look answered in [`Look::Unread`].
    pub changed: Option<i64>,
}

/// What a look at a message has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Nothing has happened in its mailbox since the last look.
    Unchanged,
    /// It is not read, or not there any more. `changed` stays the same until something happens in the
    /// mailbox; it is absent where something has happened this moment.
    Unread { changed: Option<i64> },
    /// When its mark was set, by the clock of the mailbox.
    Read { at: Timestamp },
}
