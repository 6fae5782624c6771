use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use jiff::tz::TimeZone;

use super::{Clock, Error, Patience};
use crate::{
    batch,
    domain::{
        DuplicateLetterIds, Language, PostageClass, PostalAddress, PrintHouseId, Private, SenderId,
        ServiceKind, ServiceName,
    },
    mailbox::{
        Mailbox,
        suomifi::{PostalAccount, Suomifi},
    },
    pdf::SecondReader,
    print, receipts, routing,
    signing::Signer,
    store::Store,
};

/// Whether one refused message refuses its whole batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Gate {
    #[default]
    Partial,
    AllOrNothing,
}

/// What becomes of a page that lies on its side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Landscape {
    /// It is none that can be printed.
    #[default]
    Refuse,
    /// It is turned upright for print.
    Turn,
}

/// Why the other messages of a batch are refused under [`Gate::AllOrNothing`].
pub(super) const NOT_WHOLE: &str =
    "a message is refused, and this sender's batches go whole or not at all";

/// When a batch waits for an operator before it is routed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldPolicy {
    /// More refused messages of a hundred than this hold the batch; 100 holds none.
    pub above_error_percent: u8,
    /// More messages that are to go than this hold the batch.
    pub above_letters: Option<u32>,
    /// Hold until one batch of the sender has passed.
    pub first_batch: bool,
}

impl HoldPolicy {
    /// Nothing is held.
    pub const NONE: Self = Self {
        above_error_percent: 100,
        above_letters: None,
        first_batch: false,
    };
}

impl Default for HoldPolicy {
    /// A new sender's first letters are looked at before they go. So is a batch of which every
    /// fifth letter is refused: its export is broken, and what passed the checks may be too.
    fn default() -> Self {
        Self {
            above_error_percent: 20,
            above_letters: None,
            first_batch: true,
        }
    }
}

/// How a sender's messages are shown in a mailbox of its service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// The recipient may answer.
    pub replies_allowed: bool,
    /// Only the recipient sees them, and nobody who may act for them.
    pub recipient_only: bool,
    /// The service reminds of those that are not read.
    pub reminder: bool,
}

impl Default for Shown {
    fn default() -> Self {
        Self {
            replies_allowed: false,
            recipient_only: false,
            reminder: true,
        }
    }
}

/// What the settings say of one sender.
#[derive(Debug, Clone)]
pub struct SenderSettings {
    pub id: SenderId,
    /// As recipients see it in their mailbox.
    pub display_name: String,
    /// The sender block of an address page, at most four rows.
    pub address_rows: Vec<String>,
    pub gate: Gate,
    pub holds: HoldPolicy,
    pub duplicate_letter_ids: DuplicateLetterIds,
    pub receipts: receipts::Settings,
    /// The one that receipts say in what to do.
    pub language: Language,
    /// [`SenderSettings::batch_settings`] fills in what other settings say.
    pub batch: batch::Settings,
    pub routing: routing::Policy,
    /// Absent means that the sender has no print contract.
    pub print_house: Option<PrintHouseId>,
    /// Where its messages go; absent means into the house's own mailboxes.
    pub suomifi: Option<ServiceName>,
    pub shown: Shown,
    pub patience: Patience,
    /// What control data does not say.
    pub duplex: bool,
    pub colour: bool,
    pub postage: PostageClass,
    pub service: ServiceKind,
    /// An address page of our own goes in front of every letter.
    pub address_page: bool,
    /// The address in the envelope's window is compared with that of the control data.
    pub compare_address: bool,
    pub landscape: Landscape,
    /// Letters to the same recipient and address share an envelope while it holds.
    pub household: bool,
    /// The title of a message that has no subject.
    pub default_subject: String,
}

impl SenderSettings {
    /// A sender without a print house has no print contract.
    pub fn policy(&self) -> routing::Policy {
        routing::Policy {
            print_contract: self.print_house.is_some(),
            ..self.routing.clone()
        }
    }

    /// How batches of this sender are opened. What becomes of their letters on paper is for the print
    /// house to say, where there is one.
    pub fn batch_settings(&self, print_house: Option<&PrintHouseSettings>) -> batch::Settings {
        batch::Settings {
            paper: batch::Paper {
                max_sheets: print_house.and_then(|house| house.print.max_sheets()),
                duplex: self.duplex,
                address_page: self.address_page,
            },
            ..self.batch.clone()
        }
    }

    /// Where a letter goes whose recipient has no usable address, if the settings want that: the
    /// rows of the sender's own address, of which the last is postal code and locality.
    pub(super) fn own_address(&self) -> PostalAddress {
        let private = |text: &str| Some(Private::new(text.to_owned()));
        let mut rows = self.address_rows.iter().rev().map(String::as_str);
        let (code, city) = rows
            .next()
            .and_then(|row| row.split_once(' '))
            .unwrap_or_default();
        PostalAddress {
            name: private(&self.display_name),
            street: rows.next().and_then(private),
            postal_code: private(code),
            city: private(city),
            ..PostalAddress::default()
        }
    }
}

/// What the settings say of one print house.
#[derive(Debug, Clone)]
pub struct PrintHouseSettings {
    pub id: PrintHouseId,
    pub print: print::Settings,
    /// Who prints where no bundles are made.
    pub service: Option<PrintingService>,
}

/// A service of Suomi.fi Messages that prints: letters wait for it one by one, and it has no folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintingService {
    pub service: ServiceName,
    /// The user at its print house: 6 characters.
    pub user: String,
    /// Holds that user's password: 4 characters.
    pub password_file: PathBuf,
    pub contact_email: String,
    pub cost_pool: Option<String>,
    /// It looks itself whether a recipient has a mailbox, and prints where there is none.
    pub lets_service_choose: bool,
}

/// Everything that the steps work with.
pub struct House {
    pub store: Arc<Store>,
    pub mailbox: Arc<dyn Mailbox>,
    /// Where messages of test batches go: they never leave the house.
    pub test_mailbox: Arc<dyn Mailbox>,
    /// The services that senders name.
    pub services: BTreeMap<ServiceName, Arc<Suomifi>>,
    pub senders: BTreeMap<SenderId, SenderSettings>,
    pub print_houses: BTreeMap<PrintHouseId, PrintHouseSettings>,
    /// Who pays for paper, where a service prints.
    pub postal_accounts: BTreeMap<PrintHouseId, PostalAccount>,
    /// Who reads the PDFs that the house itself does not.
    pub second_reader: Arc<dyn SecondReader>,
    pub clock: Clock,
    /// By whose clocks people here live.
    pub time_zone: TimeZone,
    /// For senders who want their receipts signed.
    pub signer: Option<Signer>,
    /// Recipients are told by e-mail of what lies in their mailbox.
    pub sends_notices: bool,
}

impl House {
    pub(super) fn sender(&self, id: &SenderId) -> Result<&SenderSettings, Error> {
        self.senders
            .get(id)
            .ok_or_else(|| Error::NoSender(id.clone()))
    }

    pub(super) fn print_house(&self, id: &PrintHouseId) -> Result<&PrintHouseSettings, Error> {
        self.print_houses
            .get(id)
            .ok_or_else(|| Error::NoPrintHouse(id.clone()))
    }

    pub(super) fn mailbox_for(&self, is_test: bool) -> &Arc<dyn Mailbox> {
        if is_test {
            &self.test_mailbox
        } else {
            &self.mailbox
        }
    }

    /// How messages of such a batch are routed.
    pub(super) fn policy(&self, sender: &SenderSettings, is_test: bool) -> routing::Policy {
        let printing = self.printing_service(sender, is_test);
        // Another service than the sender's own would deliver in another's name.
        let service_chooses = printing.is_some_and(|printing| {
            printing.lets_service_choose && sender.suomifi.as_ref() == Some(&printing.service)
        });
        routing::Policy {
            service_chooses,
            ..sender.policy()
        }
    }

    /// The service that prints letters of such a batch, if no bundles are made of them. Those of test
    /// batches go to the test shelf, like all.
    pub(super) fn printing_service(
        &self,
        sender: &SenderSettings,
        is_test: bool,
    ) -> Option<&PrintingService> {
        let id = sender.print_house.as_ref().filter(|_| !is_test)?;
        self.print_houses.get(id)?.service.as_ref()
    }

    /// The service that takes the messages of such a batch, if not the house's own mailboxes do.
    /// Messages of test batches never leave the house.
    pub fn service_for(&self, sender: &SenderSettings, is_test: bool) -> Option<&Arc<Suomifi>> {
        let name = sender.suomifi.as_ref().filter(|_| !is_test)?;
        self.services.get(name)
    }
}
