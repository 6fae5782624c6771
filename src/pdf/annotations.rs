//! What of a page's annotations and form fields shows in print (ISO 32000-1, 12.5 and 12.7).
//!
//! An annotation prints if its flags and its layer say so. It is drawn if it has an appearance;
//! what a reader would have to make up itself is lost, and counted.

mod appearance;
mod border;
mod field;
mod flattened;

use super::Refusal;
use super::dictionary::{Dictionary, elements, is_name, number};
use super::document::File;
use super::objects::Objects;
use super::page::{Page, rectangle};
use appearance::Look;

pub(super) use appearance::Appearance;
pub(super) use flattened::Flattened;

/// What of a page's annotations shows in print.
pub(super) struct Annotations {
    /// In drawing order.
    pub(super) drawn: Vec<Drawn>,
    pub(super) lost: Lost,
}

pub(super) enum Drawn {
    Appearance(Appearance),
    /// Operators that need no resources.
    Border(Vec<u8>),
}

/// What a reader would print and cannot be drawn here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost {
    /// Without an appearance; of fields, those that are empty and have a frame.
    pub(super) annotations: u32,
    /// Filled, and without an appearance; and annotations that cannot be read.
    pub(super) fields: u32,
}

impl Lost {
    pub(super) const NONE: Self = Self {
        annotations: 0,
        fields: 0,
    };
}

/// Flags (table 165).
const INVISIBLE: i64 = 1 << 0;
const HIDDEN: i64 = 1 << 1;
const PRINT: i64 = 1 << 2;
const NO_ROTATE: i64 = 1 << 4;

impl Annotations {
    /// `rotate` is the page's, in degrees.
    pub(super) fn of(file: &File<'_>, page: &Page<'_>, rotate: u16) -> Result<Self, Refusal> {
        let mut annotations = Self {
            drawn: Vec::new(),
            lost: Lost::NONE,
        };
        let Some(listed) = page.annotations else {
            return Ok(annotations);
        };
        let reader = Reader { file, rotate };
        let listed = match file.objects.resolved(listed) {
            Err(Refusal::Unreadable { .. }) => &b"[[]]"[..],
            listed => listed?,
        };
        for annotation in elements(listed) {
            match reader.read(annotation) {
                Ok(outcome) => annotations.take(outcome),
                Err(Refusal::Unreadable { .. }) => annotations.take(Outcome::LostField),
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(annotations)
    }

    fn take(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Nothing => {}
            Outcome::Drawn(drawn) => self.drawn.push(drawn),
            Outcome::Lost => self.lost.annotations += 1,
            Outcome::LostField => self.lost.fields += 1,
        }
    }
}

/// What one annotation comes to.
enum Outcome {
    Nothing,
    Drawn(Drawn),
    Lost,
    LostField,
}

struct Reader<'f, 'a> {
    file: &'f File<'a>,
    rotate: u16,
}

impl Reader<'_, '_> {
    fn read(&self, annotation: &[u8]) -> Result<Outcome, Refusal> {
        let objects = &self.file.objects;
        let annotation = objects.resolved(annotation)?;
        if annotation == b"null" {
            return Ok(Outcome::Nothing);
        }
        let annotation = Dictionary::of(annotation).ok_or(NO_ANNOTATION)?;
        let kind = Kind::of(objects, annotation)?;
        let flags = integer(objects, annotation, b"F")?.unwrap_or(0);
        if !kind.prints(flags) || !self.is_on_shown_layer(annotation)? {
            return Ok(Outcome::Nothing);
        }
        let Some(look) = Look::of(objects, annotation)? else {
            return self.without_appearance(annotation, kind);
        };
        if kind == Kind::Field && field::is_stale(self.file, annotation, &look)? {
            return Ok(Outcome::LostField);
        }
        let Some(place) = rectangle(objects, annotation.get(b"Rect"))? else {
            return Ok(Outcome::Nothing);
        };
        let keeps_upright = kind == Kind::Note || flags & NO_ROTATE != 0;
        let turned = if keeps_upright { self.rotate } else { 0 };
        Ok(match look.fitted_to(place, turned) {
            Some(appearance) => Outcome::Drawn(Drawn::Appearance(appearance)),
            None => Outcome::Nothing,
        })
    }

    fn is_on_shown_layer(&self, annotation: Dictionary<'_>) -> Result<bool, Refusal> {
        match annotation.get(b"OC") {
            Some(membership) => self.file.layers.shows(&self.file.objects, membership),
            None => Ok(true),
        }
    }

    /// Readers draw these as they see fit. Of links they draw the border, and of fields the value
    /// and the frame.
    fn without_appearance(
        &self,
        annotation: Dictionary<'_>,
        kind: Kind,
    ) -> Result<Outcome, Refusal> {
        let objects = &self.file.objects;
        Ok(match kind {
            Kind::Field if field::has_value(objects, annotation)? => Outcome::LostField,
            Kind::Field if field::has_frame(objects, annotation)? => Outcome::Lost,
            Kind::Field | Kind::Popup => Outcome::Nothing,
            Kind::Link => match border::of_link(objects, annotation)? {
                Some(operators) => {
                    objects.count_reread(appearance::COST)?;
                    Outcome::Drawn(Drawn::Border(operators))
                }
                None => Outcome::Nothing,
            },
            Kind::Note | Kind::Other | Kind::Unknown => Outcome::Lost,
        })
    }
}

/// The subtypes that differ in print (table 169).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Field,
    Link,
    Popup,
    /// Stays upright whatever its flags (12.5.6.4).
    Note,
    Other,
    Unknown,
}

impl Kind {
    fn of(objects: &Objects<'_>, annotation: Dictionary<'_>) -> Result<Self, Refusal> {
        let subtype = objects.get(annotation, b"Subtype")?.unwrap_or_default();
        let is = |name: &&[u8]| is_name(subtype, name);
        let known = [
            (&b"Widget"[..], Self::Field),
            (b"Link", Self::Link),
            (b"Popup", Self::Popup),
            (b"Text", Self::Note),
        ];
        let known = known.iter().find(|(name, _)| is(name));
        Ok(match known {
            Some((_, kind)) => *kind,
            None if OTHERS.iter().any(is) => Self::Other,
            None => Self::Unknown,
        })
    }

    /// A window that pops up is no part of the page. The other flags (`NoView`, `NoZoom`, locks)
    /// are about the screen (12.5.3).
    fn prints(self, flags: i64) -> bool {
        flags & PRINT != 0
            && flags & HIDDEN == 0
            && self != Self::Popup
            && !(self == Self::Unknown && flags & INVISIBLE != 0)
    }
}

const OTHERS: [&[u8]; 22] = [
    b"FreeText",
    b"Line",
    b"Square",
    b"Circle",
    b"Polygon",
    b"PolyLine",
    b"Highlight",
    b"Underline",
    b"Squiggly",
    b"StrikeOut",
    b"Stamp",
    b"Caret",
    b"Ink",
    b"FileAttachment",
    b"Sound",
    b"Movie",
    b"Screen",
    b"PrinterMark",
    b"TrapNet",
    b"Watermark",
    b"3D",
    b"Redact",
];

const NO_ANNOTATION: Refusal = Refusal::Unreadable {
    what: "an annotation is no dictionary",
};

fn integer(
    objects: &Objects<'_>,
    dictionary: Dictionary<'_>,
    key: &[u8],
) -> Result<Option<i64>, Refusal> {
    let value = objects.get(dictionary, key)?.and_then(number);
    #[expect(clippy::cast_possible_truncation, reason = "flags are small")]
    Ok(value.map(|value| value as i64))
}
