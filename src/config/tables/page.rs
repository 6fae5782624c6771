//! What a print house wants of the pages that senders send.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{mirror::mirror, words::SidesName};
use crate::{
    config::{key_path::KeyPath, problem::Problems},
    pdf::{Area, ContentLimits},
    print::{AllowedFonts, CheckSettings, ReservedZone},
};

/// Measured from the upper left corner of the page.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the unit is in the name")]
pub(super) struct WindowTable {
    /// Left edge.
    #[schemars(required, range(min = 0.0, max = 210.0))]
    x_mm: Option<f64>,
    /// Upper edge.
    #[schemars(required, range(min = 0.0, max = 297.0))]
    y_mm: Option<f64>,
    /// To the right edge.
    #[schemars(required, range(min = 1.0, max = 210.0))]
    width_mm: Option<f64>,
    /// Down to the lower edge.
    #[schemars(required, range(min = 1.0, max = 297.0))]
    height_mm: Option<f64>,
}

/// A part of the page that the print house keeps for itself: senders must leave it white. The place
/// of the mark is one without being named.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ZoneTable {
    /// As findings name it.
    #[schemars(required, length(min = 1, max = 40))]
    name: Option<String>,
    /// Left edge.
    #[schemars(required, range(min = 0.0, max = 210.0))]
    x_mm: Option<f64>,
    /// Upper edge.
    #[schemars(required, range(min = 0.0, max = 297.0))]
    y_mm: Option<f64>,
    /// To the right edge.
    #[schemars(required, range(min = 1.0, max = 210.0))]
    width_mm: Option<f64>,
    /// Down to the lower edge.
    #[schemars(required, range(min = 1.0, max = 297.0))]
    height_mm: Option<f64>,
    /// Which pages have it.
    #[serde(default)]
    on: SidesName,
}

/// Bounds on what one page, and all pages of a file together, may draw; past one of them it is refused
/// with `pdf-limits`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the keys are the room's names")]
pub(super) struct ContentTable {
    /// Unpacked bytes of a page's content, those of a form each time that it is drawn.
    #[schemars(range(min = 1))]
    max_content_bytes: u64,
    /// The same of all pages of a file together; in a large file they may come to 256 times its length.
    #[schemars(range(min = 1))]
    max_document_bytes: u64,
    /// Operators of a page.
    #[schemars(range(min = 1))]
    max_operators: u32,
    /// Forms drawn by forms.
    #[schemars(range(min = 1, max = 100))]
    max_form_depth: u32,
    /// Things in windows and zones that are looked at.
    #[schemars(range(min = 1))]
    max_kept: usize,
}

mirror!(ContentTable of ContentLimits { max_content_bytes, max_document_bytes, max_operators, max_form_depth, max_kept });

/// Stands for the 14 fonts in a list of fonts.
const STANDARD_14: &str = "standard-14";

/// What of a print house's table is about pages.
pub(super) struct PageTables {
    pub(super) page_tolerance_mm: f64,
    pub(super) allowed_fonts: Vec<String>,
    pub(super) recipient_window: WindowTable,
    pub(super) sender_window: WindowTable,
    pub(super) zones: Vec<ZoneTable>,
    pub(super) content: ContentTable,
}

impl PageTables {
    pub(super) fn read(self, at: &KeyPath, problems: &mut Problems) -> CheckSettings {
        let default = CheckSettings::default();
        let recipient_window = self.recipient_window.area();
        let sender_window = self.sender_window.area();
        let mut settings = CheckSettings {
            page_tolerance_mm: self.page_tolerance_mm,
            recipient_window: recipient_window.unwrap_or(default.recipient_window),
            sender_window: sender_window.unwrap_or(default.sender_window),
            zones: zones(self.zones, &at.key("zones"), problems),
            allowed_fonts: allowed_fonts(self.allowed_fonts),
            content_limits: default.content_limits,
        };
        self.content.set(&mut settings.content_limits);
        settings
    }
}

impl From<Area> for WindowTable {
    fn from(area: Area) -> Self {
        Self {
            x_mm: Some(area.left_mm),
            y_mm: Some(area.top_mm),
            width_mm: Some(area.width_mm()),
            height_mm: Some(area.height_mm()),
        }
    }
}

impl WindowTable {
    fn area(&self) -> Option<Area> {
        Some(Area::at(
            self.x_mm?,
            self.y_mm?,
            self.width_mm?,
            self.height_mm?,
        ))
    }
}

impl ZoneTable {
    fn zone(self) -> Option<ReservedZone> {
        let area = Area::at(self.x_mm?, self.y_mm?, self.width_mm?, self.height_mm?);
        Some(ReservedZone {
            name: self.name?,
            area,
            on: self.on.into(),
        })
    }
}

fn zones(tables: Vec<ZoneTable>, at: &KeyPath, problems: &mut Problems) -> Vec<ReservedZone> {
    let mut zones: Vec<ReservedZone> = Vec::new();
    for (index, table) in tables.into_iter().enumerate() {
        let Some(zone) = table.zone() else {
            continue;
        };
        if zones.iter().any(|known| known.name == zone.name) {
            let at = at.element(index).key("name");
            problems.add(&at, format!("repeats the name {:?}", zone.name));
        }
        zones.push(zone);
    }
    zones
}

fn allowed_fonts(names: Vec<String>) -> AllowedFonts {
    let (standard, names): (Vec<_>, _) = names.into_iter().partition(|name| name == STANDARD_14);
    AllowedFonts {
        standard_14: !standard.is_empty(),
        names,
    }
}
