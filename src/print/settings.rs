use crate::{
    domain::EnvelopeName,
    pdf::{Limits, PdfVersion},
};

use super::{CheckSettings, Mark};

/// What one print house wants. The defaults are those of `docs/print-rules.md`.
///
/// Weights are in hundredths of a gram, so that they add up without rounding.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// From the smallest to the largest; a letter gets the first one that holds it.
    pub envelopes: Vec<EnvelopeRule>,
    /// One A4 sheet. Paper of 80 g/m² weighs 4.99 g a sheet.
    pub sheet_centigrams: u32,
    /// The most pieces in one bundle; [`Mark::MAX_SEQUENCE`](super::Mark::MAX_SEQUENCE) at most.
    pub max_pieces: u32,
    /// The most bytes of PDF in one bundle, as far as the caller knows the letters' sizes.
    pub max_bundle_bytes: u64,
    pub marks: MarkSettings,
    /// What a letter's pages have to be like.
    pub check: CheckSettings,
    pub address_page: AddressPageSettings,
    /// Whether the PDF carries document parts (ISO 16612-2, 6.5), one a piece.
    pub document_parts: bool,
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
            sheet_centigrams: 499,
            max_pieces: 2_500,
            max_bundle_bytes: 1 << 30,
            marks: MarkSettings::default(),
            check: CheckSettings::default(),
            address_page: AddressPageSettings::default(),
            document_parts: true,
            pdf_version: PdfVersion::default(),
            pdf_limits: Limits::default(),
        }
    }
}

impl Settings {
    /// Sheets that the largest envelope holds.
    pub fn max_sheets(&self) -> Option<u32> {
        let sheets = self.envelopes.iter().map(|rule| rule.max_sheets);
        sheets.max().map(|most| most.min(Mark::MAX_SHEETS))
    }
}

impl EnvelopeRule {
    pub fn new(name: &str, max_sheets: u32, centigrams: u32) -> Self {
        Self {
            name: EnvelopeName(name.to_owned()),
            max_sheets,
            centigrams,
        }
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
