use crate::{
    domain::Code,
    pdf::{Area, Drawn, Ink, PageContent, Paint},
};

use super::{
    Lies, PageFinding, PageList, Zone, ZoneKind,
    shift::Shift,
    zone::{page_area, place_on, shrunk},
};

/// What stands in the zones that must stay white, over all pages of a letter.
#[derive(Debug)]
pub(super) struct Trespasses {
    zones: Vec<Guarded>,
    /// Where the zones are on the page in hand.
    areas: Vec<Area>,
    /// Pages in whose zones something could stand that was not looked through, and why.
    unread: (PageList, &'static str),
}

#[derive(Debug)]
struct Guarded {
    zone: Zone,
    /// How the page in hand lies; `None` where the zone is not on it.
    here: Option<Lies>,
    ink: Trespass,
    pictures: Trespass,
}

/// What stands in one zone.
#[derive(Debug, Default)]
struct Trespass {
    pages: PageList,
    /// On the first of the pages.
    areas: Vec<Area>,
    what: &'static str,
    /// The longest of the ways out that single things have; `None` if one has none.
    shift: Option<Shift>,
}

/// Things of one zone that are shown to whoever draws the page.
const MOST_AREAS: usize = 200;

impl Trespasses {
    pub(super) fn of(zones: Vec<Zone>) -> Self {
        let is_kept = |zone: &Zone| matches!(zone.kind, ZoneKind::Mark | ZoneKind::Reserved);
        let guarded = |zone| Guarded {
            zone,
            here: None,
            ink: Trespass::default(),
            pictures: Trespass::default(),
        };
        Self {
            zones: zones.into_iter().filter(is_kept).map(guarded).collect(),
            areas: Vec::new(),
            unread: (PageList::default(), ""),
        }
    }

    /// The zones of a page of the letter, counted from 0, as they lie on it.
    pub(super) fn prepare(&mut self, index: u32, duplex: bool, lies: Lies) -> &mut Vec<Area> {
        self.areas.clear();
        for guarded in &mut self.zones {
            let is_here = lies != Lies::Unfit && guarded.zone.on.hold(index, duplex);
            self.areas
                .extend(is_here.then(|| place_on(lies, &guarded.zone.area)));
            guarded.here = is_here.then_some(lies);
        }
        &mut self.areas
    }

    /// What the page in hand draws.
    pub(super) fn add(&mut self, page: u32, content: &PageContent) {
        for guarded in &mut self.zones {
            if let Some(lies) = guarded.here {
                guarded.add(page, &content.drawn, lies, &self.areas);
            }
        }
        let has_zones = self.zones.iter().any(|guarded| guarded.here.is_some());
        if let Some(why) = content.unread.filter(|_| has_zones) {
            self.unread.0.add(page);
            self.unread.1 = why;
        }
    }

    pub(super) fn findings(&self) -> impl Iterator<Item = PageFinding> {
        let told = self.zones.iter().flat_map(Guarded::findings);
        let (pages, why) = &self.unread;
        let unread = pages.first().map(|first| {
            let detail = format!("what {pages} draws cannot be looked through: {why}");
            PageFinding::new(Code::ZonePicture, first, detail)
        });
        told.chain(unread)
    }
}

impl Guarded {
    /// `kept` are all zones of the page: a way out of one may not lead into another.
    fn add(&mut self, page: u32, drawn: &[Drawn], lies: Lies, kept: &[Area]) {
        let zone = place_on(lies, &self.zone.area);
        let paper = page_area(lies);
        let is_free = |place: &Area| {
            paper.contains(place) && !kept.iter().any(|zone| place.overlaps(&shrunk(zone)))
        };
        let is_in = |drawn: &&Drawn| is_seen(drawn) && drawn.area.overlaps(&shrunk(&zone));
        for drawn in drawn.iter().filter(is_in) {
            let trespass = match drawn.ink {
                Ink::Picture => &mut self.pictures,
                _ => &mut self.ink,
            };
            trespass.add(page, drawn, Shift::out_of(&zone, &drawn.area, is_free));
        }
    }

    fn findings(&self) -> impl Iterator<Item = PageFinding> {
        let name = &self.zone.name;
        let ink = self.ink.pages.first().map(|first| {
            let Trespass { pages, what, .. } = &self.ink;
            let detail = match self.ink.shift {
                Some(shift) => format!("{what} in the zone `{name}` on {pages}: move it {shift}"),
                None => format!("{what} in the zone `{name}` on {pages}: leave the zone white"),
            };
            PageFinding::new(Code::ZoneNotEmpty, first, detail).around(self.ink.areas.clone())
        });
        let picture = self.pictures.pages.first().map(|first| {
            let detail = format!(
                "a picture covers the zone `{name}` on {}",
                self.pictures.pages
            );
            PageFinding::new(Code::ZonePicture, first, detail).around(self.pictures.areas.clone())
        });
        ink.into_iter().chain(picture)
    }
}

impl Trespass {
    fn add(&mut self, page: u32, drawn: &Drawn, shift: Option<Shift>) {
        if self.pages.first().is_none() {
            self.what = words(&drawn.ink);
            self.shift = shift;
        }
        self.shift = self.shift.zip(shift).map(|(known, new)| known.longer(new));
        self.pages.add(page);
        if self.pages.first() == Some(page) && self.areas.len() < MOST_AREAS {
            self.areas.push(drawn.area);
        }
    }
}

pub(super) fn words(ink: &Ink) -> &'static str {
    match ink {
        Ink::Text(_) => "text stands",
        Ink::Path => "lines or surfaces stand",
        Ink::Picture => "a picture stands",
        Ink::Shading => "a shading stands",
    }
}

/// Whether it leaves something on white paper.
pub(super) fn is_seen(drawn: &Drawn) -> bool {
    matches!(drawn.paint, Paint::Grey | Paint::Colour)
}
