use super::{Look, Outline};
use crate::print::{self, Zone, ZoneKind};

/// Whose page it is that is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// A sender's: the place of the mark must be white.
    Received,
    /// The same, lying on its side until print turns it.
    ReceivedOnSide,
    /// A bundle's: our mark stands in its place.
    Composed,
}

/// The zones of a page of a letter, counted from 0, as they are drawn.
pub fn outlines(
    settings: &print::Settings,
    stage: Stage,
    index: u32,
    duplex: bool,
) -> Vec<Outline> {
    let zones = print::zones(settings).into_iter();
    let on_page = zones.filter(|zone| zone.on.hold(index, duplex));
    let placed = on_page.map(|zone| match stage {
        Stage::ReceivedOnSide => zone.on_side(),
        Stage::Received | Stage::Composed => zone,
    });
    let drawn = placed.map(|zone| Outline {
        look: look(&zone, stage),
        name: zone.name,
        area: zone.area,
    });
    drawn.collect()
}

fn look(zone: &Zone, stage: Stage) -> Look {
    match zone.kind {
        ZoneKind::RecipientWindow => Look::Window,
        ZoneKind::SenderWindow => Look::SenderWindow,
        ZoneKind::Mark if stage == Stage::Composed => Look::Mark,
        ZoneKind::Mark | ZoneKind::Reserved => Look::KeptClear,
    }
}
