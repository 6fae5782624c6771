use std::path::PathBuf;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    account::AccountTable,
    hand_over::{HAND_OVERS_AT_ONCE, PickedUpName, ReadBackName, at_once, hours},
    mirror::mirror,
    name::usable_name,
    omr::OmrTable,
    page::{ContentTable, PageTables, WindowTable, ZoneTable},
    paper::{EnvelopeTable, PostageTable, envelopes, postage},
    place::PlaceTables,
    printing_service::PrintingServiceTable,
    sftp::SftpTable,
    site::Site,
    words::PdfVersionName,
};
use crate::{
    config::{PrintHouseConfig, key_path::KeyPath, problem::Problems},
    outbox,
    pipeline::PrintHouseSettings,
    print::{AddressPageSettings, MarkSettings, Settings},
};

/// A postal partner that prints bundles. Without `directory` and `sftp` it has an account on the
/// embedded server. Distances are measured from the upper left corner of the page.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PrintHouseTable {
    account: Option<AccountTable>,
    /// Folder on this machine that holds `pickup` and `feedback`.
    directory: Option<PathBuf>,
    sftp: Option<SftpTable>,
    suomifi: Option<PrintingServiceTable>,
    /// The most bundles that are handed over at once.
    #[schemars(range(min = 1, max = 64))]
    hand_overs_at_once: u32,
    /// How much of an uploaded file is read back before it gets its name.
    read_back: ReadBackName,
    /// What shows that the print house has picked a bundle up.
    picked_up_when: PickedUpName,
    /// How often it is looked for bundles that were picked up.
    #[schemars(range(min = 1))]
    pickup_look_secs: u32,
    /// A bundle that stands there for longer is told in the log, once a day, and by
    /// `kuori outbox list --overdue`. 0 tells of none.
    #[schemars(range(max = 8760))]
    pickup_alert_hours: u32,
    /// From the smallest to the largest; a piece gets the first one that holds it.
    #[schemars(length(min = 1, max = 100))]
    envelopes: Vec<EnvelopeTable>,
    /// Postage by weight: a piece gets the lightest row of its class and destination that it does not
    /// exceed, and a letter that is heavier than all of them is refused. Default: no table, and the
    /// class alone is told.
    #[schemars(length(max = 100))]
    postage: Vec<PostageTable>,
    /// One A4 sheet, in hundredths of a gram: 499 is paper of 80 g/m².
    #[schemars(range(min = 1))]
    sheet_centigrams: u32,
    /// The most pieces in one bundle.
    #[schemars(range(min = 1, max = 999_999))]
    max_pieces: u32,
    /// The most bytes of PDF in one bundle.
    #[schemars(range(min = 1))]
    max_bundle_bytes: u64,
    /// The most sheets in one bundle, such as a roll of paper has. A letter with more is a bundle of
    /// its own. Default: pieces and bytes decide.
    #[schemars(range(min = 1))]
    max_bundle_sheets: Option<u32>,
    /// The most sheets in an envelope that several letters to one recipient share, where their sender
    /// wants that. Default: as many as the largest envelope holds.
    #[schemars(range(min = 1, max = 999))]
    household_max_sheets: Option<u32>,
    /// Print a letter that asks for colour and has no page in colour among the grey ones.
    grey_saves: bool,
    /// Whether the PDF carries document parts (ISO 16612-2, 6.5), one a piece.
    document_parts: bool,
    /// Marks of each bundle that are read back out of its PDF before it is handed over, at most,
    /// evenly spread; 0 reads none.
    verify_marks: u32,
    /// Whether the bundle comes with a job ticket in XJDF (CIP4) as well.
    xjdf: bool,
    /// The version of PDF that a bundle says it is.
    pdf_version: PdfVersionName,
    /// How far each side of a page may be from A4.
    #[schemars(range(min = 0.0, max = 20.0))]
    page_tolerance_mm: f64,
    /// Fonts that need not be in the PDF, by their PostScript names; `standard-14` stands for the 14
    /// that every PDF reader has.
    allowed_fonts: Vec<String>,
    /// Where the envelope's window shows the recipient's address.
    recipient_window: WindowTable,
    /// Where the envelope's window shows the sender's address.
    sender_window: WindowTable,
    zones: Vec<ZoneTable>,
    page_limits: ContentTable,
    marks: MarkTable,
    address_page: AddressPageTable,
}

/// The mark on the front of each sheet.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct MarkTable {
    /// Left edge of the symbol, without its quiet zone.
    #[schemars(range(min = 0.0, max = 210.0))]
    x_mm: f64,
    /// Upper edge of the symbol, without its quiet zone.
    #[schemars(range(min = 0.0, max = 297.0))]
    y_mm: f64,
    /// Side of one module of the DataMatrix. 0.508 is 12 dots at 600 dpi.
    #[schemars(range(min = 0.1, max = 5.0))]
    module_mm: f64,
    /// White around the symbol, in modules; ISO/IEC 16022, 7.1 wants at least one.
    #[schemars(range(min = 1, max = 50))]
    quiet_zone_modules: u32,
    /// A line under the symbol that people can read: `31-12 1/3`.
    readable_line: bool,
    omr: Option<OmrTable>,
}

/// What an address page says besides the address.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the keys are the room's names")]
struct AddressPageTable {
    /// The postage mark of a priority letter.
    priority_text: String,
    /// The postage mark of an economy letter.
    economy_text: String,
    /// Stands under the postage mark of a letter that goes against a receipt.
    registered_text: String,
}

impl Default for MarkTable {
    fn default() -> Self {
        let settings = MarkSettings::default();
        Self {
            x_mm: settings.x_mm,
            y_mm: settings.y_mm,
            module_mm: settings.module_mm,
            quiet_zone_modules: settings.quiet_zone_modules,
            readable_line: settings.readable_line,
            omr: None,
        }
    }
}

impl MarkTable {
    fn read(self, at: &KeyPath, problems: &mut Problems) -> MarkSettings {
        let omr = self.omr.map(|omr| omr.read(&at.key("omr"), problems));
        MarkSettings {
            x_mm: self.x_mm,
            y_mm: self.y_mm,
            module_mm: self.module_mm,
            quiet_zone_modules: self.quiet_zone_modules,
            readable_line: self.readable_line,
            omr,
        }
    }
}

mirror!(AddressPageTable of AddressPageSettings { priority_text, economy_text, registered_text });

impl Default for PrintHouseTable {
    fn default() -> Self {
        let settings = Settings::default();
        Self {
            account: None,
            directory: None,
            sftp: None,
            suomifi: None,
            hand_overs_at_once: HAND_OVERS_AT_ONCE,
            read_back: ReadBackName::Digest,
            picked_up_when: PickedUpName::Removed,
            pickup_look_secs: 60,
            pickup_alert_hours: 24,
            envelopes: settings
                .envelopes
                .into_iter()
                .map(EnvelopeTable::from)
                .collect(),
            postage: Vec::new(),
            sheet_centigrams: settings.sheet_centigrams,
            max_pieces: settings.max_pieces,
            max_bundle_bytes: settings.max_bundle_bytes,
            max_bundle_sheets: settings.max_bundle_sheets,
            household_max_sheets: settings.household_max_sheets,
            grey_saves: settings.grey_saves,
            document_parts: settings.document_parts,
            verify_marks: settings.verify_marks,
            xjdf: settings.xjdf,
            pdf_version: settings.pdf_version.into(),
            page_tolerance_mm: settings.check.page_tolerance_mm,
            allowed_fonts: Vec::new(),
            recipient_window: settings.check.recipient_window.into(),
            sender_window: settings.check.sender_window.into(),
            zones: Vec::new(),
            page_limits: ContentTable::default(),
            marks: MarkTable::default(),
            address_page: AddressPageTable::default(),
        }
    }
}

impl PrintHouseTable {
    /// Whether Suomi.fi prints, and no bundles are made.
    pub(super) fn is_service(&self) -> bool {
        self.suomifi.is_some()
    }

    pub(super) fn read(
        self,
        name: &str,
        at: &KeyPath,
        site: &Site,
        problems: &mut Problems,
    ) -> Option<PrintHouseConfig> {
        let id = usable_name(name, "example-print", at, problems);
        let place = PlaceTables {
            account: self.account,
            directory: self.directory,
            sftp: self.sftp,
        };
        let is_service = self.suomifi.is_some();
        let place = if is_service {
            place.none(at, "suomifi", problems)
        } else {
            place.read(at, site, problems)
        };
        let suomifi = self
            .suomifi
            .map(|table| table.read(&at.key("suomifi"), site, problems));
        let within = hours(self.pickup_alert_hours);
        let hand_over = outbox::PlaceSettings {
            at_once: at_once(self.hand_overs_at_once),
            read_back: self.read_back.into(),
            pickup: outbox::PickUp {
                wanted: self.picked_up_when.awaited(within),
                look_every: SignedDuration::from_secs(self.pickup_look_secs.into()),
            },
        };
        let pages = PageTables {
            page_tolerance_mm: self.page_tolerance_mm,
            allowed_fonts: self.allowed_fonts,
            recipient_window: self.recipient_window,
            sender_window: self.sender_window,
            zones: self.zones,
            content: self.page_limits,
        };
        let mut print = Settings {
            check: pages.read(at, problems),
            envelopes: envelopes(self.envelopes, &at.key("envelopes"), problems),
            postage: postage(self.postage, &at.key("postage"), problems),
            sheet_centigrams: self.sheet_centigrams,
            max_pieces: self.max_pieces,
            max_bundle_bytes: self.max_bundle_bytes,
            max_bundle_sheets: self.max_bundle_sheets,
            household_max_sheets: self.household_max_sheets,
            grey_saves: self.grey_saves,
            document_parts: self.document_parts,
            verify_marks: self.verify_marks,
            xjdf: self.xjdf,
            pdf_version: self.pdf_version.into(),
            marks: self.marks.read(&at.key("marks"), problems),
            ..Settings::default()
        };
        self.address_page.set(&mut print.address_page);
        Some(PrintHouseConfig {
            settings: PrintHouseSettings {
                id: id?,
                print,
                service: suomifi.flatten(),
            },
            folder: (!is_service).then_some(place.folder),
            hand_over,
            account: place.account,
        })
    }
}
