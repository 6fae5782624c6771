use std::{mem, path::PathBuf};

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    account::AccountTable,
    further_inbox::{self, FurtherInboxTable},
    hand_over::{HAND_OVERS_AT_ONCE, at_once, hours},
    limits::LimitsTable,
    name::usable_name,
    place::PlaceTables,
    retention::SenderRetentionTable,
    routing::RoutingTable,
    sftp::SftpTable,
    site::Site,
    suomifi::ShownTable,
    upload::UploadTable,
    words::{
        ArtificialIdsName, DuplicateLetterIdsName, FormatName, GateName, LandscapeName,
        LanguageName, PostageName, ReceiptsName, ServiceName,
    },
};
use crate::{
    batch,
    config::{FolderConfig, SenderConfig, key_path::KeyPath, nearest::nearest, problem::Problems},
    domain::{PrintHouseId, ServiceName as SuomifiName},
    outbox,
    pipeline::{HoldPolicy, Patience, SenderSettings},
    receipts,
};

/// How often it is looked for receipts that were fetched, where the settings want to know.
const RECEIPTS_LOOK: SignedDuration = SignedDuration::from_mins(15);

/// An organisation that sends batches. Without `directory` and `sftp` it has an account on the
/// embedded server.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SenderTable {
    /// As recipients see the sender in their mailbox. Default: the name of the table.
    #[schemars(length(min = 1, max = 100))]
    display_name: Option<String>,
    /// The sender's block on address pages, at most four rows.
    #[schemars(length(max = 4))]
    address_rows: Vec<String>,
    /// Whether one refused message refuses its whole batch.
    gate: GateName,
    /// Hold a batch of which more messages than this are refused, until `kuori batch approve`. 100
    /// holds none.
    #[schemars(range(max = 100))]
    hold_above_error_percent: u8,
    /// Hold a batch of which more messages than this are to go, until `kuori batch approve`.
    /// Default: no batch is held for its size.
    #[schemars(range(min = 1))]
    hold_above_letters: Option<u32>,
    /// Hold batches of a sender of whom none has passed yet, until `kuori batch approve`.
    hold_first_batch: bool,
    /// What becomes of a message whose id of the sender's was in an earlier batch.
    duplicate_letter_ids: DuplicateLetterIdsName,
    /// How much the sender wants to hear.
    receipts: ReceiptsName,
    /// The language in which receipts, and `kuori check` for this sender, say what to do.
    language: LanguageName,
    /// Forms of receipts. Each receipt comes in all of them.
    #[schemars(length(min = 1, max = 3))]
    receipt_formats: Vec<FormatName>,
    /// Put a signature beside each receipt, made with the key of `receipt_key_file`.
    sign_receipts: bool,
    /// The hour, by the clocks of `time_zone`, after which delivery reports tell what has changed.
    #[schemars(range(min = 0, max = 23))]
    delivery_report_hour: i8,
    /// Name of the print house that prints for this sender. Default: there is no print contract,
    /// and what cannot go to a mailbox is refused.
    print_house: Option<String>,
    /// Name of the service of Suomi.fi Messages that this sender's messages go to. Default: the
    /// mailboxes of `mailbox`.
    suomifi: Option<String>,
    /// Within how many days a verifiable message is to be confirmed; one that is not goes on paper,
    /// registered.
    #[schemars(range(min = 1, max = 60))]
    acknowledge_within_days: u32,
    /// After how many days an ordinary message that nobody has read goes on paper too. Default: it
    /// never does. A mailbox tells what is read for 60 days.
    #[schemars(range(min = 1, max = 60))]
    print_if_unread_days: Option<u32>,
    /// Print on both sides where the control data does not say.
    duplex: bool,
    /// Print in colour where the control data does not say.
    colour: bool,
    /// Postage where the control data does not say.
    postage: PostageName,
    /// Kind of service where the control data does not say.
    service: ServiceName,
    /// Put an address page of our own in front of every letter.
    address_page: bool,
    /// Compare the address in the envelope's window with that of the control data. A letter that
    /// shows somebody else's goes nowhere.
    compare_address: bool,
    /// What becomes of a page that lies on its side.
    landscape: LandscapeName,
    /// Put ordinary letters of a batch to the same recipient and address into one envelope, while it
    /// holds them.
    household: bool,
    /// The title in the mailbox of a message that has no subject.
    #[schemars(length(min = 1, max = 255))]
    default_subject: String,
    account: Option<AccountTable>,
    /// Folder on this machine that holds `inbox` and `receipts`.
    directory: Option<PathBuf>,
    sftp: Option<SftpTable>,
    /// The most receipts that are handed over at once.
    #[schemars(range(min = 1, max = 64))]
    hand_overs_at_once: u32,
    /// Receipts that nobody fetches for longer than this are told in the log, once a day, and by
    /// `kuori outbox list --overdue`. Default: nobody looks whether receipts are fetched.
    #[schemars(range(min = 1, max = 365))]
    receipts_alert_days: Option<u32>,
    /// What is said of identity codes that no person has (individual number 900 to 999).
    artificial_ids: ArtificialIdsName,
    upload: UploadTable,
    /// Further folders that this sender's batches come from, beside its own.
    inboxes: Vec<FurtherInboxTable>,
    limits: LimitsTable,
    routing: RoutingTable,
    mailbox: ShownTable,
    retention: SenderRetentionTable,
}

impl Default for SenderTable {
    fn default() -> Self {
        Self {
            display_name: None,
            address_rows: Vec::new(),
            gate: GateName::Partial,
            hold_above_error_percent: HoldPolicy::default().above_error_percent,
            hold_above_letters: HoldPolicy::default().above_letters,
            hold_first_batch: HoldPolicy::default().first_batch,
            duplicate_letter_ids: DuplicateLetterIdsName::Refuse,
            receipts: ReceiptsName::All,
            language: LanguageName::English,
            receipt_formats: vec![FormatName::Xml],
            sign_receipts: false,
            delivery_report_hour: receipts::Settings::default().delivery_report_hour,
            print_house: None,
            suomifi: None,
            acknowledge_within_days: Patience::default().acknowledge_within_days,
            print_if_unread_days: Patience::default().print_if_unread_days,
            duplex: true,
            colour: false,
            postage: PostageName::Economy,
            service: ServiceName::Ordinary,
            address_page: false,
            compare_address: true,
            landscape: LandscapeName::Refuse,
            household: false,
            default_subject: "Letter".to_owned(),
            account: None,
            directory: None,
            sftp: None,
            hand_overs_at_once: HAND_OVERS_AT_ONCE,
            receipts_alert_days: None,
            artificial_ids: ArtificialIdsName::Warn,
            upload: UploadTable::default(),
            inboxes: Vec::new(),
            limits: LimitsTable::default(),
            routing: RoutingTable::default(),
            mailbox: ShownTable::default(),
            retention: SenderRetentionTable::default(),
        }
    }
}

impl SenderTable {
    pub(super) fn read(
        mut self,
        name: &str,
        at: &KeyPath,
        site: &Site,
        problems: &mut Problems,
    ) -> Option<SenderConfig> {
        let place = self.places().read(at, site, problems);
        let is_embedded = matches!(place.folder, FolderConfig::Embedded);
        let upload =
            mem::take(&mut self.upload).read(is_embedded, "inbox", &at.key("upload"), problems);
        let inboxes = further_inbox::read(mem::take(&mut self.inboxes), at, site, problems);
        let hand_over = self.hand_over();
        let retention = mem::take(&mut self.retention);
        let retention = retention.read(site.retention, &at.key("retention"), problems);
        let settings = self.settings(name, at, site, problems)?;
        let id = &settings.id;
        Some(SenderConfig {
            hand_over,
            retention,
            inbox: upload.inbox(id, id.to_string(), "inbox", site)?,
            further_inboxes: inboxes.into_iter().filter_map(|f| f.of(id, site)).collect(),
            settings,
            folder: place.folder,
            account: place.account,
        })
    }

    fn hand_over(&self) -> outbox::PlaceSettings {
        let within = hours(self.receipts_alert_days.unwrap_or(0).saturating_mul(24));
        outbox::PlaceSettings {
            at_once: at_once(self.hand_overs_at_once),
            pickup: outbox::PickUp {
                wanted: within.map_or(outbox::Await::Nothing, outbox::Await::PickUpWithin),
                look_every: RECEIPTS_LOOK,
            },
            ..outbox::PlaceSettings::default()
        }
    }

    fn places(&mut self) -> PlaceTables {
        PlaceTables {
            account: self.account.take(),
            directory: self.directory.take(),
            sftp: self.sftp.take(),
        }
    }

    fn settings(
        mut self,
        name: &str,
        at: &KeyPath,
        site: &Site,
        problems: &mut Problems,
    ) -> Option<SenderSettings> {
        let id = usable_name(name, "example-city", at, problems);
        let print_house = (self.print_house.take())
            .and_then(|name| print_house(&name, &at.key("print_house"), site, problems));
        let suomifi = (self.suomifi.take())
            .and_then(|name| service(&name, &at.key("suomifi"), site, problems));
        self.check_print_house(print_house.as_ref(), at, site, problems);
        let has_address = !self.address_rows.is_empty();
        let at = at.key("routing");
        let routing = self
            .routing
            .read(print_house.is_some(), has_address, &at, problems);
        Some(SenderSettings {
            id: id?,
            display_name: self.display_name.unwrap_or_else(|| name.to_owned()),
            address_rows: self.address_rows,
            gate: self.gate.into(),
            holds: HoldPolicy {
                above_error_percent: self.hold_above_error_percent,
                above_letters: self.hold_above_letters,
                first_batch: self.hold_first_batch,
            },
            duplicate_letter_ids: self.duplicate_letter_ids.into(),
            receipts: receipts::Settings {
                level: self.receipts.into(),
                formats: formats(&self.receipt_formats),
                sign: self.sign_receipts,
                delivery_report_hour: self.delivery_report_hour,
            },
            language: self.language.into(),
            batch: batch::Settings {
                limits: self.limits.read(),
                artificial_ids: self.artificial_ids.into(),
                ..batch::Settings::default()
            },
            routing,
            print_house,
            suomifi,
            shown: self.mailbox.read(),
            patience: Patience {
                acknowledge_within_days: self.acknowledge_within_days,
                print_if_unread_days: self.print_if_unread_days,
            },
            duplex: self.duplex,
            colour: self.colour,
            postage: self.postage.into(),
            service: self.service.into(),
            address_page: self.address_page,
            compare_address: self.compare_address,
            landscape: self.landscape.into(),
            household: self.household,
            default_subject: self.default_subject,
        })
    }

    /// What is asked of a sender by who prints for it.
    fn check_print_house(
        &self,
        print_house: Option<&PrintHouseId>,
        at: &KeyPath,
        site: &Site,
        problems: &mut Problems,
    ) {
        if self.print_if_unread_days.is_some() && print_house.is_none() {
            let message = "needs a `print_house`, which prints what nobody has read";
            problems.add(&at.key("print_if_unread_days"), message);
        }
        let of_service = |id: &PrintHouseId| site.service_print_houses.contains(id.as_str());
        if print_house.is_some_and(of_service) && !is_postal(&self.address_rows) {
            let message = "must end with a street and, below it, postal code and locality, as \
                           `[\"Example City\", \"PL 1\", \"00099 EXAMPLE CITY\"]`: Suomi.fi prints for \
                           nobody without an address";
            problems.add(&at.key("address_rows"), message);
        }
    }
}

/// Whether the last two rows are a street, and a postal code with its locality.
fn is_postal(rows: &[String]) -> bool {
    let [.., street, locality] = rows else {
        return false;
    };
    let has_locality = locality
        .split_once(' ')
        .is_some_and(|(code, city)| !code.is_empty() && !city.trim().is_empty());
    has_locality && !street.trim().is_empty()
}

/// In the order of the file, each once.
fn formats(names: &[FormatName]) -> Vec<receipts::Format> {
    let mut formats = Vec::new();
    for format in names.iter().map(|&name| name.into()) {
        if !formats.contains(&format) {
            formats.push(format);
        }
    }
    formats
}

fn print_house(
    name: &str,
    at: &KeyPath,
    site: &Site,
    problems: &mut Problems,
) -> Option<PrintHouseId> {
    let houses = &site.print_houses;
    if !houses.contains(name)
        && !problems.was_written(&KeyPath::root().key("print_houses").key(name))
    {
        let meant = nearest(name, houses.iter().map(String::as_str));
        let message = format!("names the print house {name:?}, which is not set up");
        problems.add_suggesting(at, message, meant);
    }
    name.parse().ok()
}

pub(super) fn service(
    name: &str,
    at: &KeyPath,
    site: &Site,
    problems: &mut Problems,
) -> Option<SuomifiName> {
    let services = &site.services;
    if !services.contains(name) && !problems.was_written(&KeyPath::root().key("suomifi").key(name))
    {
        let meant = nearest(name, services.iter().map(String::as_str));
        let message = format!(
            "names the service {name:?}, which is not set up; give it a table `[suomifi.{name}]`"
        );
        problems.add_suggesting(at, message, meant);
    }
    name.parse().ok()
}
