use crate::{
    pdf::Area,
    print::{Settings, mark_drawing},
};

use super::{Lies, Sides};

/// A part of a page that print reserves.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone {
    /// As findings name it: `mark`.
    pub name: String,
    pub area: Area,
    pub kind: ZoneKind,
    /// Which pages of a letter it is on.
    pub on: Sides,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneKind {
    RecipientWindow,
    SenderWindow,
    /// Where the mark of a sheet is printed.
    Mark,
    /// The print house's own.
    Reserved,
}

/// The zones of a page, for those who check it and those who draw it.
pub fn zones(settings: &Settings) -> Vec<Zone> {
    let check = &settings.check;
    let windows = [
        (
            "recipient window",
            check.recipient_window,
            ZoneKind::RecipientWindow,
        ),
        ("sender window", check.sender_window, ZoneKind::SenderWindow),
    ];
    let windows = windows.map(|(name, area, kind)| Zone::new(name, area, kind, Sides::First));
    let (symbol, readable) = mark_drawing::areas(&settings.marks, settings.max_pieces);
    let marks = [
        Some(("mark", symbol)),
        readable.map(|area| ("line under the mark", area)),
        settings
            .marks
            .omr
            .as_ref()
            .map(|omr| ("OMR lines", omr.area())),
    ];
    let marks = marks.into_iter().flatten();
    let marks = marks.map(|(name, area)| Zone::new(name, area, ZoneKind::Mark, Sides::Fronts));
    let own = check.zones.iter();
    let own = own.map(|zone| Zone::new(&zone.name, zone.area, ZoneKind::Reserved, zone.on));
    windows.into_iter().chain(marks).chain(own).collect()
}

impl Zone {
    fn new(name: &str, area: Area, kind: ZoneKind, on: Sides) -> Self {
        Self {
            name: name.to_owned(),
            area,
            kind,
            on,
        }
    }

    /// The same on an A4 page that lies on its side until print turns it, as its reader sees it.
    #[must_use]
    pub fn on_side(self) -> Self {
        Self {
            area: place_on(Lies::Turned, &self.area),
            ..self
        }
    }
}

/// Boxes of text reach a little beyond its ink, and lines end where zones begin.
const SLACK_MM: f64 = 0.3;

/// The zone without its rim, in which nothing is told.
pub(super) fn shrunk(zone: &Area) -> Area {
    Area {
        left_mm: zone.left_mm + SLACK_MM,
        top_mm: zone.top_mm + SLACK_MM,
        right_mm: zone.right_mm - SLACK_MM,
        bottom_mm: zone.bottom_mm - SLACK_MM,
    }
}

const SHORT_MM: f64 = 210.0;
const LONG_MM: f64 = 297.0;

/// The paper as the reader of the page sees it.
pub(super) fn page_area(lies: Lies) -> Area {
    match lies {
        Lies::Upright | Lies::Unfit => Area::at(0.0, 0.0, SHORT_MM, LONG_MM),
        Lies::Turned => Area::at(0.0, 0.0, LONG_MM, SHORT_MM),
    }
}

/// Where a zone of the upright paper is on the page as its reader sees it.
///
/// A page on its side is turned a quarter to the left for print, as `pdf::Treatment` has it: its
/// upper edge becomes the left one.
pub(super) fn place_on(lies: Lies, zone: &Area) -> Area {
    match lies {
        Lies::Upright | Lies::Unfit => *zone,
        Lies::Turned => Area {
            left_mm: LONG_MM - zone.bottom_mm,
            top_mm: zone.left_mm,
            right_mm: LONG_MM - zone.top_mm,
            bottom_mm: zone.right_mm,
        },
    }
}
