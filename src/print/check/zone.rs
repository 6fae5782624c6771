use crate::{
    pdf::Area,
    print::{Settings, mark_drawing},
};

use super::Sides;

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
}
