use super::{Error, House, Landscape, SenderSettings, compose::letter};
use crate::{
    domain::{ServiceKind, ServiceName},
    mailbox::suomifi::{AttachmentId, Paper, PostalAccount, PostalAddressee},
    store::MessageRow,
};

/// How a service is to print a letter: all but the letter itself, which it has as an uploaded file.
#[derive(Debug, Clone)]
pub(super) struct PaperLetter {
    recipient: PostalAddressee,
    sender: PostalAddressee,
    account: PostalAccount,
    service: ServiceKind,
    colour: bool,
    duplex: bool,
    address_page: bool,
    turn_landscape: bool,
}

impl PaperLetter {
    /// Where and how a letter goes is the same whoever prints it.
    ///
    /// # Errors
    ///
    /// [`Error::NoPostalAccount`] where the settings know no print house of that service any more.
    pub(super) fn of(
        house: &House,
        sender: &SenderSettings,
        service: &ServiceName,
        stored: MessageRow,
    ) -> Result<Self, Error> {
        let account = account(house, sender, service)?.clone();
        let letter = letter(sender, stored);
        Ok(Self {
            recipient: PostalAddressee(letter.address),
            sender: PostalAddressee(sender.own_address()),
            account,
            service: if letter.registered {
                ServiceKind::Verifiable
            } else {
                ServiceKind::Ordinary
            },
            colour: letter.colour,
            duplex: letter.duplex,
            address_page: letter.address_page,
            turn_landscape: sender.landscape == Landscape::Turn,
        })
    }

    /// `letter` is the uploaded PDF.
    pub(super) fn paper(&self, letter: AttachmentId) -> Paper {
        Paper {
            attachment: letter,
            recipient: self.recipient.clone(),
            sender: self.sender.clone(),
            account: self.account.clone(),
            service: self.service,
            colour: self.colour,
            duplex: self.duplex,
            address_page: self.address_page,
            turn_landscape: self.turn_landscape,
        }
    }
}

/// That of the sender's print house or, where it has another one by now, of any with that service.
fn account<'a>(
    house: &'a House,
    sender: &SenderSettings,
    service: &ServiceName,
) -> Result<&'a PostalAccount, Error> {
    let own = sender.print_house.iter();
    let mut ids = own.chain(house.print_houses.keys()).filter(|id| {
        let printing = house
            .print_houses
            .get(id)
            .and_then(|one| one.service.as_ref());
        printing.is_some_and(|printing| printing.service == *service)
    });
    let account = ids.find_map(|id| house.postal_accounts.get(id));
    account.ok_or_else(|| Error::NoPostalAccount(service.clone()))
}
