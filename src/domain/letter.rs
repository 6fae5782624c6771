use super::{MessageId, PageRange, PostageClass, PostalAddress, Private};

/// A message routed to print. A message is a letter only from here on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub message: MessageId,
    pub pages: PageRange,
    pub address: PostalAddress,
    pub subject: Option<Private<String>>,
    pub postage: PostageClass,
    /// Sent against a receipt (*saantitodistus*): verifiable service on paper.
    pub registered: bool,
    pub colour: bool,
    pub duplex: bool,
    /// An address page of our own goes in front.
    pub address_page: bool,
}
