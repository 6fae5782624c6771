//! Font descriptors (ISO 32000-1, 9.8).

use super::numbers;
use super::widths::{THOUSANDTH, share};
use crate::pdf::Refusal;
use crate::pdf::dictionary::{Dictionary, number};
use crate::pdf::objects::Objects;

/// What a font's descriptor says; nothing where it has none.
#[derive(Default)]
pub(super) struct Descriptor {
    pub(super) is_embedded: bool,
    /// The stream of a Type 1 program.
    pub(super) type1_program: Option<u32>,
    pub(super) missing_width: f32,
    flags: Option<i64>,
    /// As shares of the font's size; below the baseline is less than 0.
    ascent: Option<f64>,
    descent: Option<f64>,
}

/// Of letters with their accents and tails, where the font does not say: above and below the
/// baseline.
pub(super) const ORDINARY_HEIGHTS: (f64, f64) = (0.75, -0.25);

/// Beyond it, what a font says of its heights is no share of its size.
const HIGHEST: f64 = 2.0;

/// Of both heights together. Some state them as if the size were 1, or 10.
const LOWEST: f64 = 0.1;

impl Descriptor {
    /// That of a simple font, or of the descendant of a composite one.
    pub(super) fn of(objects: &Objects<'_>, font: Dictionary<'_>) -> Result<Self, Refusal> {
        let Some(descriptor) = objects.dictionary(font, b"FontDescriptor")? else {
            return Ok(Self::default());
        };
        let number_of = |key: &[u8]| Ok(objects.get(descriptor, key)?.and_then(number));
        let missing_width = number_of(b"MissingWidth")?.unwrap_or(0.0);
        let flags: Option<f64> = number_of(b"Flags")?;
        let bounds = numbers::<4>(objects, descriptor, b"FontBBox")?;
        let [_, bottom, _, top] = bounds.unwrap_or_default();
        let height = |stated: Option<f64>, bound: f64| {
            let height = stated
                .filter(|stated| *stated != 0.0)
                .unwrap_or(bound)
                .abs()
                / 1000.0;
            Some(height).filter(|height| *height > 0.0 && *height <= HIGHEST)
        };
        let ascent = height(number_of(b"Ascent")?, top.max(0.0));
        // Some write the descent without its sign.
        let descent = height(number_of(b"Descent")?, bottom.min(0.0));
        let is_high = ascent.unwrap_or(0.0) + descent.unwrap_or(0.0) >= LOWEST;
        Ok(Self {
            is_embedded: is_embedded(objects, descriptor)?,
            type1_program: descriptor.reference(b"FontFile"),
            missing_width: share(missing_width, THOUSANDTH),
            #[expect(clippy::cast_possible_truncation, reason = "flags are 32 bits")]
            flags: flags.map(|flags| flags as i64),
            ascent: ascent.filter(|_| is_high),
            descent: descent.map(|descent| -descent).filter(|_| is_high),
        })
    }

    pub(super) fn has_heights(&self) -> bool {
        self.ascent.is_some()
    }

    /// Above and below the baseline.
    pub(super) fn heights(&self) -> (f64, f64) {
        let (ascent, descent) = ORDINARY_HEIGHTS;
        (
            self.ascent.unwrap_or(ascent),
            self.descent.unwrap_or(descent),
        )
    }

    /// Whether its letters are known to be those of Latin writing.
    pub(super) fn is_nonsymbolic(&self) -> bool {
        self.flag(6) && !self.flag(3)
    }

    pub(super) fn has_flags(&self) -> bool {
        self.flags.is_some()
    }

    pub(super) fn is_fixed_pitch(&self) -> bool {
        self.flag(1)
    }

    pub(super) fn is_serif(&self) -> bool {
        self.flag(2)
    }

    /// By its position, from 1 (table 123).
    fn flag(&self, position: u32) -> bool {
        self.flags.unwrap_or(0) >> (position - 1) & 1 == 1
    }
}

fn is_embedded(objects: &Objects<'_>, descriptor: Dictionary<'_>) -> Result<bool, Refusal> {
    for key in [&b"FontFile2"[..], b"FontFile3", b"FontFile"] {
        if objects.get(descriptor, key)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
