use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    CommandError,
    renderer::{Renderer, Undrawn},
};
use crate::{
    pdf::Document,
    proof::{self, Colour, Drawn, Lack, Limits, Outline, Size},
    telemetry,
};

/// A page that is to be drawn with something over it.
pub(super) struct PageToDraw<'a> {
    pub(super) document: &'a Document<'a>,
    /// From 1.
    pub(super) number: u32,
    /// Dots an inch.
    pub(super) dpi: u16,
    pub(super) outlines: Vec<Outline>,
}

/// A page that was drawn, or why it was not.
pub(super) struct DrawnPage {
    number: u32,
    drawing: Result<Drawing, Undrawn>,
}

struct Drawing {
    png: Vec<u8>,
    outlines: Vec<Drawn>,
    lacks: Vec<Lack>,
}

impl PageToDraw<'_> {
    pub(super) fn draw(self, renderer: Renderer) -> DrawnPage {
        DrawnPage {
            number: self.number,
            drawing: self.drawing(renderer),
        }
    }

    fn drawing(self, renderer: Renderer) -> Result<Drawing, Undrawn> {
        let geometry = self.document.page(self.number);
        let geometry = geometry.map_err(proof::Error::Page)?;
        let size = Size::of(&geometry, self.dpi, &Limits::default())?;
        let pdf = proof::single_page(self.document, self.number)?;
        let mut drawn = renderer.draw(&pdf, size)?;
        let outlines = proof::draw(&mut drawn.picture, &geometry, self.outlines);
        Ok(Drawing {
            png: drawn.picture.png()?,
            outlines,
            lacks: drawn.lacks,
        })
    }
}

impl DrawnPage {
    /// Hands the picture, if there is one, to whoever keeps it and says where it is.
    pub(super) fn keep(
        self,
        keep: impl FnOnce(&[u8]) -> Result<PathBuf, CommandError>,
    ) -> Result<PictureOfPage, CommandError> {
        let page = self.number;
        let drawing = match self.drawing {
            Ok(drawing) => drawing,
            Err(why) => {
                let why = telemetry::with_causes(&why);
                return Ok(PictureOfPage::failed(page, why));
            }
        };
        let file = keep(&drawing.png)?;
        Ok(PictureOfPage {
            page,
            file: Some(shown(&file)),
            failed: None,
            lacks: drawing.lacks.into_iter().map(Lack::as_str).collect(),
            zones: drawing.outlines.into_iter().map(ZoneDrawn::from).collect(),
        })
    }
}

/// `./a.png` is `a.png`.
fn shown(file: &Path) -> String {
    file.strip_prefix(".").unwrap_or(file).display().to_string()
}

/// One page: where its picture is, or why there is none.
#[derive(Serialize, JsonSchema)]
pub(super) struct PictureOfPage {
    /// 1-based page of its PDF.
    page: u32,
    file: Option<String>,
    /// Why it was not drawn.
    failed: Option<String>,
    /// What is on the page and not in the picture.
    lacks: Vec<&'static str>,
    /// What is drawn over the page.
    zones: Vec<ZoneDrawn>,
}

/// An area of the page and the colour in which its edge is drawn.
#[derive(Serialize, JsonSchema)]
pub(super) struct ZoneDrawn {
    /// A zone of the print house, or the code of a finding.
    name: String,
    /// `red`, which is filled: something stands here that must not. `green`: must be white, and is.
    /// `blue`: the recipient's window. `orange`: the sender's. `violet`: the mark.
    colour: &'static str,
    left_mm: f64,
    top_mm: f64,
    width_mm: f64,
    height_mm: f64,
}

impl PictureOfPage {
    pub(super) fn failed(page: u32, why: String) -> Self {
        Self {
            page,
            file: None,
            failed: Some(why),
            lacks: Vec::new(),
            zones: Vec::new(),
        }
    }

    /// Whether there is a picture, and all of the page is on it.
    pub(super) fn is_whole(&self) -> bool {
        self.file.is_some() && self.lacks.is_empty()
    }

    pub(super) fn zones(&self) -> &[ZoneDrawn] {
        &self.zones
    }
}

impl From<Drawn> for ZoneDrawn {
    fn from(drawn: Drawn) -> Self {
        let area = drawn.outline.area;
        Self {
            colour: drawn.colour().as_str(),
            name: drawn.outline.name,
            left_mm: hundredths(area.left_mm),
            top_mm: hundredths(area.top_mm),
            width_mm: hundredths(area.width_mm()),
            height_mm: hundredths(area.height_mm()),
        }
    }
}

fn hundredths(mm: f64) -> f64 {
    (mm * 100.0).round() / 100.0
}

/// `P-0031-12-1.png  page 23`
impl fmt::Display for PictureOfPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, &self.failed) {
            (Some(file), _) => write!(f, "{file}  page {}", self.page)?,
            (None, why) => {
                let why = why.as_deref().unwrap_or_default();
                write!(f, "page {} is not drawn: {why}", self.page)?;
            }
        }
        self.lacks
            .iter()
            .try_for_each(|lack| write!(f, "; lacks {lack}"))
    }
}

/// What each colour stands for on the pictures of one command, a row a colour.
pub(super) struct Legend<'a>(BTreeMap<&'static str, Vec<&'a str>>);

impl<'a> Legend<'a> {
    pub(super) fn of(zones: impl Iterator<Item = &'a ZoneDrawn>) -> Self {
        let mut names: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for zone in zones {
            let of_colour = names.entry(zone.colour).or_default();
            if !of_colour.contains(&zone.name.as_str()) {
                of_colour.push(&zone.name);
            }
        }
        Self(names)
    }
}

/// Nothing where nothing was drawn.
impl fmt::Display for Legend<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_empty() {
            writeln!(f)?;
        }
        for colour in Colour::ALL.map(Colour::as_str) {
            if let Some(names) = self.0.get(colour) {
                writeln!(f, "{colour:<10}{}", names.join(", "))?;
            }
        }
        Ok(())
    }
}
