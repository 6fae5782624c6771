use crate::domain::{EnvelopeName, Letter, expected_sheets};

use super::{EnvelopeRule, Mark, Settings};

/// What a letter becomes on paper: arithmetic only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Paper {
    pub(super) sheets: u32,
    /// Pages in the bundle's PDF, the address page and blank backs counted.
    pub(super) pages: u32,
    pub(super) envelope: EnvelopeName,
    /// Sheets and envelope, rounded up.
    pub(super) weight_grams: u32,
}

impl Paper {
    /// `Err` holds the number of sheets where no envelope is large enough.
    pub(super) fn of(letter: &Letter, settings: &Settings) -> Result<Self, u32> {
        let sheets = expected_sheets(letter.pages.count, letter.duplex, letter.address_page);
        let rule = envelope_for(sheets, settings).ok_or(sheets)?;
        Ok(Self {
            sheets,
            pages: sheets * sides(letter.duplex),
            envelope: rule.name.clone(),
            weight_grams: weight_grams(sheets, rule, settings),
        })
    }
}

/// Pages of the PDF that make one sheet: a simplex bundle holds fronts only.
pub(super) fn sides(duplex: bool) -> u32 {
    if duplex { 2 } else { 1 }
}

fn envelope_for(sheets: u32, settings: &Settings) -> Option<&EnvelopeRule> {
    let holds = |rule: &&EnvelopeRule| sheets <= rule.max_sheets.min(Mark::MAX_SHEETS);
    settings.envelopes.iter().find(holds)
}

fn weight_grams(sheets: u32, rule: &EnvelopeRule, settings: &Settings) -> u32 {
    sheets
        .saturating_mul(settings.sheet_centigrams)
        .saturating_add(rule.centigrams)
        .div_ceil(100)
}
