use super::{MessageId, PageRange, PostageClass, PostalAddress, PrintFacts, Private, RecipientId};

/// A message routed to print. A message is a letter only from here on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub message: MessageId,
    pub pages: PageRange,
    pub address: PostalAddress,
    /// Tells people of one name and address apart, where the control data has it.
    pub recipient: Option<RecipientId>,
    pub subject: Option<Private<String>>,
    pub postage: PostageClass,
    /// Sent against a receipt (*saantitodistus*): verifiable service on paper.
    pub registered: bool,
    pub colour: bool,
    pub duplex: bool,
    /// An address page of our own goes in front.
    pub address_page: bool,
    /// It may lie in one envelope with other letters to the same recipient.
    pub shares_envelope: bool,
    pub facts: PrintFacts,
}

/// The sheets of a letter of so many pages: two pages a sheet in duplex, and one for an address
/// page of our own, whose back stays blank.
pub fn expected_sheets(pages: u32, duplex: bool, address_page: bool) -> u32 {
    let content = if duplex { pages.div_ceil(2) } else { pages };
    content.saturating_add(u32::from(address_page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_follow_from_pages_sides_and_the_address_page() {
        assert_eq!(expected_sheets(1, true, false), 1);
        assert_eq!(expected_sheets(3, true, false), 2);
        assert_eq!(expected_sheets(3, false, false), 3);
        assert_eq!(expected_sheets(3, true, true), 3);
        assert_eq!(expected_sheets(u32::MAX, false, true), u32::MAX);
    }
}
