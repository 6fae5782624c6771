use crate::domain::{Code, Letter, PostageClass, expected_sheets};

use super::{Destination, EnvelopeRule, PostageRule, Settings, group::Manner};

/// What a piece becomes on paper: arithmetic only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Paper {
    /// At most what a mark can count.
    pub(super) sheets: u16,
    /// In the print house's table of envelopes, from 0.
    pub(super) envelope_row: u8,
    /// In its table of postage, from 0; `None` where it has none.
    pub(super) postage_row: Option<u8>,
    /// Sheets and envelope, rounded up.
    pub(super) weight_grams: u32,
}

/// Why a piece cannot be posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfit {
    TooManySheets {
        sheets: u32,
    },
    /// `limit_grams` is `None` where the table says nothing of letters of this class.
    NoPostage {
        class: PostageClass,
        destination: Destination,
        weight_grams: u32,
        limit_grams: Option<u32>,
    },
}

impl Paper {
    /// The smallest envelope that holds `sheets`, and the postage of what that weighs.
    pub(super) fn of(sheets: u32, manner: Manner, settings: &Settings) -> Result<Self, Misfit> {
        let too_many = Misfit::TooManySheets { sheets };
        let counted = u16::try_from(sheets).map_err(|_| too_many)?;
        let (envelope_row, rule) = envelope_for(sheets, settings).ok_or(too_many)?;
        let weight_grams = rule.weight_grams(sheets, settings.sheet_centigrams);
        Ok(Self {
            sheets: counted,
            envelope_row,
            postage_row: postage_for(weight_grams, manner, &settings.postage)?,
            weight_grams,
        })
    }
}

impl Misfit {
    pub(super) fn code(self) -> Code {
        match self {
            Self::TooManySheets { .. } => Code::TooManySheets,
            Self::NoPostage { .. } => Code::NoPostage,
        }
    }

    pub(super) fn detail(self) -> String {
        match self {
            Self::TooManySheets { sheets } => {
                format!("{sheets} sheets are more than the largest envelope holds")
            }
            Self::NoPostage {
                class,
                destination,
                weight_grams,
                limit_grams,
            } => {
                let letters = format!("{} {} letters", destination.as_str(), class.as_str());
                limit_grams.map_or_else(
                    || format!("the print house has no postage for {letters}"),
                    |limit| {
                        format!(
                            "the piece weighs {weight_grams} g; the print house's postage for {letters} ends at {limit} g"
                        )
                    },
                )
            }
        }
    }
}

/// Pages of the PDF that make one sheet: a simplex bundle holds fronts only.
pub(super) fn sides(duplex: bool) -> u32 {
    if duplex { 2 } else { 1 }
}

/// Sheets of a letter's own pages, no address page counted.
pub(super) fn own_sheets(letter: &Letter) -> u32 {
    expected_sheets(letter.pages.count, letter.duplex, false)
}

/// Rows past the 256th are never chosen: a row's number has one byte.
fn envelope_for(sheets: u32, settings: &Settings) -> Option<(u8, &EnvelopeRule)> {
    let holds = |rule: &EnvelopeRule| sheets <= rule.holds_sheets(settings.sheet_centigrams);
    (0..=u8::MAX)
        .zip(&settings.envelopes)
        .find(|(_, rule)| holds(rule))
}

/// `Ok(None)` where there is no table: the letter's class says all.
fn postage_for(
    weight_grams: u32,
    manner: Manner,
    table: &[PostageRule],
) -> Result<Option<u8>, Misfit> {
    if table.is_empty() {
        return Ok(None);
    }
    let (class, destination) = (manner.postage, manner.destination);
    let is_for = |rule: &PostageRule| (rule.class, rule.destination) == (class, destination);
    let rows = || (0..=u8::MAX).zip(table).filter(|(_, rule)| is_for(rule));
    let fitting = rows().filter(|(_, rule)| weight_grams <= rule.max_grams);
    let lightest = fitting.min_by_key(|(_, rule)| rule.max_grams);
    lightest
        .map(|(row, _)| Some(row))
        .ok_or_else(|| Misfit::NoPostage {
            class,
            destination,
            weight_grams,
            limit_grams: rows().map(|(_, rule)| rule.max_grams).max(),
        })
}
