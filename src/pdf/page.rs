//! What is kept of a page dictionary (ISO 32000-1, 7.7.3.3): a whitelist.

use super::annotations::Lost;
use super::dictionary::{Dictionary, elements, number};
use super::objects::Objects;
use super::page_tree::Inherited;
use super::{PageGeometry, Refusal};

/// The attributes of a page as they stand, inherited ones among them.
#[derive(Default)]
pub(super) struct Page<'s> {
    pub(super) resources: Option<&'s [u8]>,
    pub(super) contents: Option<&'s [u8]>,
    pub(super) group: Option<&'s [u8]>,
    media_box: Option<&'s [u8]>,
    crop_box: Option<&'s [u8]>,
    rotate: Option<&'s [u8]>,
    user_unit: Option<&'s [u8]>,
    pub(super) annotations: Option<&'s [u8]>,
}

impl<'s> Page<'s> {
    pub(super) fn of(dictionary: Dictionary<'s>, inherited: &'s Inherited) -> Self {
        let mut page = Self {
            resources: inherited.resources.as_deref(),
            media_box: inherited.media_box.as_deref(),
            crop_box: inherited.crop_box.as_deref(),
            rotate: inherited.rotate.as_deref(),
            ..Self::default()
        };
        for pair in dictionary.pairs() {
            let attribute = match pair.key {
                b"Resources" => &mut page.resources,
                b"Contents" => &mut page.contents,
                b"Group" => &mut page.group,
                b"MediaBox" => &mut page.media_box,
                b"CropBox" => &mut page.crop_box,
                b"Rotate" => &mut page.rotate,
                b"UserUnit" => &mut page.user_unit,
                b"Annots" => &mut page.annotations,
                _ => continue,
            };
            *attribute = Some(pair.value);
        }
        page
    }

    /// Without what its annotations lose.
    pub(super) fn geometry(&self, objects: &Objects<'_>) -> Result<PageGeometry, Refusal> {
        let media = rectangle(objects, self.media_box)?.unwrap_or(LETTER);
        let crop = rectangle(objects, self.crop_box)?;
        let turned = resolved_number(objects, self.rotate)?.unwrap_or(0.0);
        let unit = resolved_number(objects, self.user_unit)?;
        Ok(PageGeometry {
            visible: crop.and_then(|crop| common(crop, media)).unwrap_or(media),
            rotate: quarter_turns(turned),
            user_unit: unit.filter(|unit| *unit > 0.0).unwrap_or(1.0),
            lost: Lost::NONE,
        })
    }
}

/// What readers take when a page has no usable size, although the standard demands one.
const LETTER: [f64; 4] = [0.0, 0.0, 612.0, 792.0];

/// Left, bottom, right, top; `None` if it is no rectangle or holds nothing.
pub(super) fn rectangle(
    objects: &Objects<'_>,
    value: Option<&[u8]>,
) -> Result<Option<[f64; 4]>, Refusal> {
    let Some(value) = value else {
        return Ok(None);
    };
    let mut corners = [0.0; 4];
    let mut values = elements(objects.resolved(value)?);
    for corner in &mut corners {
        match resolved_number(objects, values.next())? {
            Some(value) => *corner = value,
            None => return Ok(None),
        }
    }
    let [left, bottom, right, top] = corners;
    let sorted = [
        left.min(right),
        bottom.min(top),
        left.max(right),
        bottom.max(top),
    ];
    Ok(Some(sorted).filter(holds_something))
}

fn holds_something([left, bottom, right, top]: &[f64; 4]) -> bool {
    left < right && bottom < top
}

fn common(a: [f64; 4], b: [f64; 4]) -> Option<[f64; 4]> {
    let both = [
        a[0].max(b[0]),
        a[1].max(b[1]),
        a[2].min(b[2]),
        a[3].min(b[3]),
    ];
    Some(both).filter(holds_something)
}

fn resolved_number(objects: &Objects<'_>, value: Option<&[u8]>) -> Result<Option<f64>, Refusal> {
    match value {
        Some(value) => Ok(number(objects.resolved(value)?)),
        None => Ok(None),
    }
}

/// Degrees clockwise, 0 to 270; what is no quarter turn counts as none.
fn quarter_turns(degrees: f64) -> u16 {
    let turned = degrees.rem_euclid(360.0);
    [90, 180, 270]
        .into_iter()
        .find(|quarter| (f64::from(*quarter) - turned).abs() < 0.5)
        .unwrap_or(0)
}
