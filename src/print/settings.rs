use crate::{
    domain::{EnvelopeName, PostageClass, PostageCode},
    pdf::{Limits, PdfVersion},
};

use super::{CheckSettings, Destination, Mark, OmrSettings};

/// What one print house wants. The defaults are those of `docs/print-rules.md`.
///
/// Weights are in hundredths of a gram, so that they add up without rounding.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// From the smallest to the largest; a piece gets the first one that holds it.
    pub envelopes: Vec<EnvelopeRule>,
    /// Weight to postage; a piece gets the lightest row of its class and destination that it does
    /// not exceed. Empty: the class alone is told.
    pub postage: Vec<PostageRule>,
    /// One A4 sheet. Paper of 80 g/m² weighs 4.99 g a sheet.
    pub sheet_centigrams: u32,
    /// The most pieces in one bundle; [`Mark::MAX_SEQUENCE`](super::Mark::MAX_SEQUENCE) at most.
    pub max_pieces: u32,
    /// The most bytes of PDF in one bundle, as far as the caller knows the letters' sizes.
    pub max_bundle_bytes: u64,
    /// The most sheets in one bundle, such as a roll of paper has. `None`: pieces and bytes decide.
    pub max_bundle_sheets: Option<u32>,
    /// The most sheets in an envelope that several letters share. `None`: the envelopes decide.
    pub household_max_sheets: Option<u32>,
    /// A letter that asks for colour and has no page in colour goes with the grey ones.
    pub grey_saves: bool,
    pub marks: MarkSettings,
    /// What a letter's pages have to be like.
    pub check: CheckSettings,
    pub address_page: AddressPageSettings,
    /// Whether the PDF carries document parts (ISO 16612-2, 6.5), one a piece.
    pub document_parts: bool,
    /// Marks of each bundle that are read back out of its PDF before it is handed over, at most; 0
    /// reads none.
    pub verify_marks: u32,
    /// Whether the bundle comes with a job ticket in XJDF as well.
    pub xjdf: bool,
    /// What the PDF says it is.
    pub pdf_version: PdfVersion,
    /// Bounds on a letter's own PDF when it is opened again for its bundle.
    pub pdf_limits: Limits,
}

/// One row of the envelope table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvelopeRule {
    pub name: EnvelopeName,
    /// Sheets that it holds, the address page counted.
    pub max_sheets: u32,
    /// The empty envelope, in hundredths of a gram.
    pub centigrams: u32,
    /// What it may weigh with its sheets. `None`: the sheets alone decide.
    pub max_grams: Option<u32>,
}

/// One row of the postage table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostageRule {
    pub class: PostageClass,
    pub destination: Destination,
    /// The heaviest piece that it is for, sheets and envelope.
    pub max_grams: u32,
    pub code: PostageCode,
}

/// Where the mark of a sheet stands, in millimetres from the upper left corner of the page.
#[derive(Debug, Clone, PartialEq)]
pub struct MarkSettings {
    /// Left edge of the symbol, without its quiet zone.
    pub x_mm: f64,
    /// Upper edge of the symbol, without its quiet zone.
    pub y_mm: f64,
    /// Side of one module. 0.508 mm is 12 dots at 600 dpi.
    pub module_mm: f64,
    /// White around the symbol, in modules; ISO/IEC 16022, 7.1 wants at least one.
    pub quiet_zone_modules: u32,
    /// A line under the symbol that people can read: `31-12 1/3`.
    pub readable_line: bool,
    /// Lines beside it for machines that read no DataMatrix.
    pub omr: Option<OmrSettings>,
}

/// What an address page says besides the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressPageSettings {
    /// The postage mark of a priority letter.
    pub priority_text: String,
    /// The postage mark of an economy letter.
    pub economy_text: String,
    /// Stands under the postage mark of a letter that goes against a receipt.
    pub registered_text: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            envelopes: vec![
                EnvelopeRule::new("C5", 9, 700),
                EnvelopeRule::new("C4", 60, 1_800),
                EnvelopeRule::new("box", 500, 12_000),
            ],
            postage: Vec::new(),
            sheet_centigrams: 499,
            max_pieces: 2_500,
            max_bundle_bytes: 1 << 30,
            max_bundle_sheets: None,
            household_max_sheets: None,
            grey_saves: false,
            marks: MarkSettings::default(),
            check: CheckSettings::default(),
            address_page: AddressPageSettings::default(),
            document_parts: true,
            verify_marks: 20,
            xjdf: false,
            pdf_version: PdfVersion::default(),
            pdf_limits: Limits::default(),
        }
    }
}

impl Settings {
    /// Sheets that the largest envelope holds.
    pub fn max_sheets(&self) -> Option<u32> {
        let holds = |rule: &EnvelopeRule| rule.holds_sheets(self.sheet_centigrams);
        self.envelopes.iter().map(holds).max()
    }
}

impl EnvelopeRule {
    pub fn new(name: &str, max_sheets: u32, centigrams: u32) -> Self {
        Self {
            name: EnvelopeName(name.to_owned()),
            max_sheets,
            centigrams,
            max_grams: None,
        }
    }

    /// Sheets that it holds by number and by weight, and that a mark can count.
    pub(super) fn holds_sheets(&self, sheet_centigrams: u32) -> u32 {
        let by_weight = self.max_grams.map_or(u32::MAX, |grams| {
            let left = grams.saturating_mul(100).saturating_sub(self.centigrams);
            left.checked_div(sheet_centigrams).unwrap_or(u32::MAX)
        });
        self.max_sheets.min(by_weight).min(Mark::MAX_SHEETS)
    }

    /// With so many sheets in it, rounded up.
    pub(super) fn weight_grams(&self, sheets: u32, sheet_centigrams: u32) -> u32 {
        sheets
            .saturating_mul(sheet_centigrams)
            .saturating_add(self.centigrams)
            .div_ceil(100)
    }
}

impl Default for MarkSettings {
    fn default() -> Self {
        Self {
            x_mm: 4.0,
            y_mm: 12.0,
            module_mm: 0.5,
            quiet_zone_modules: 1,
            readable_line: true,
            omr: None,
        }
    }
}

impl Default for AddressPageSettings {
    fn default() -> Self {
        Self {
            priority_text: "PRIORITY".to_owned(),
            economy_text: "ECONOMY".to_owned(),
            registered_text: "REGISTERED".to_owned(),
        }
    }
}
