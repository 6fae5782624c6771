//! Lines for inserters that read no `DataMatrix`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::{OmrLineName, OmrParityName, OmrSequenceName};
use crate::{
    config::{key_path::KeyPath, problem::Problems},
    print::{OmrLine, OmrSettings},
};

/// OMR lines on the front of each sheet, for inserters that read no `DataMatrix`. Without this table
/// there are none.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct OmrTable {
    /// Left end of the lines.
    #[schemars(range(min = 0.0, max = 210.0))]
    x_mm: f64,
    /// Upper edge of the first line.
    #[schemars(range(min = 0.0, max = 297.0))]
    y_mm: f64,
    #[schemars(range(min = 1.0, max = 50.0))]
    length_mm: f64,
    #[schemars(range(min = 0.1, max = 5.0))]
    thickness_mm: f64,
    /// From the upper edge of a line to that of the next. 4.233 is a sixth of an inch.
    #[schemars(range(min = 0.5, max = 50.0))]
    pitch_mm: f64,
    /// White on all sides.
    #[schemars(range(min = 0.0, max = 50.0))]
    quiet_mm: f64,
    /// How the sheets of a bundle are counted.
    sequence: OmrSequenceName,
    /// Which lines parity makes even, itself among them.
    parity: OmrParityName,
    /// What the lines stand for, from the top.
    #[schemars(length(min = 1, max = 40))]
    lines: Vec<OmrLineName>,
}

impl Default for OmrTable {
    fn default() -> Self {
        let settings = OmrSettings::default();
        Self {
            x_mm: settings.x_mm,
            y_mm: settings.y_mm,
            length_mm: settings.length_mm,
            thickness_mm: settings.thickness_mm,
            pitch_mm: settings.pitch_mm,
            quiet_mm: settings.quiet_mm,
            sequence: settings.sequence.into(),
            parity: settings.parity.into(),
            lines: settings.lines.into_iter().map(OmrLineName::from).collect(),
        }
    }
}

impl OmrTable {
    pub(super) fn read(self, at: &KeyPath, problems: &mut Problems) -> OmrSettings {
        if self.pitch_mm <= self.thickness_mm {
            let message = "must be more than `thickness_mm`, or lines run together";
            problems.add(&at.key("pitch_mm"), message);
        }
        let lines: Vec<_> = self.lines.into_iter().map(OmrLine::from).collect();
        if lines
            .iter()
            .filter(|line| **line == OmrLine::Parity)
            .count()
            > 1
        {
            problems.add(&at.key("lines"), "has more than one `parity`");
        }
        OmrSettings {
            x_mm: self.x_mm,
            y_mm: self.y_mm,
            length_mm: self.length_mm,
            thickness_mm: self.thickness_mm,
            pitch_mm: self.pitch_mm,
            quiet_mm: self.quiet_mm,
            sequence: self.sequence.into(),
            parity: self.parity.into(),
            lines,
        }
    }
}
