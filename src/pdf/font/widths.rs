//! How far glyphs advance (ISO 32000-1, 9.2.4 and 9.7.4.3).

use crate::pdf::Refusal;
use crate::pdf::dictionary::{Dictionary, elements, is_array, number};
use crate::pdf::objects::Objects;

/// By code, as shares of the font's size.
pub(super) type CodeWidths = [f32; 256];

/// The `/Widths` of a simple font, each times `scale`, and `missing` for the codes outside of them.
/// `None` if the font has none.
pub(super) fn simple(
    objects: &Objects<'_>,
    font: Dictionary<'_>,
    missing: f32,
    scale: f64,
) -> Result<Option<CodeWidths>, Refusal> {
    let Some(array) = objects
        .get(font, b"Widths")?
        .filter(|value| is_array(value))
    else {
        return Ok(None);
    };
    let mut widths = [missing; 256];
    let first = objects.get(font, b"FirstChar")?.and_then(number);
    let first = usize::try_from(whole(first.unwrap_or(0.0)));
    let places = widths.iter_mut().skip(first.unwrap_or(0));
    for (place, value) in places.zip(elements(array)) {
        if let Some(width) = number(objects.resolved(value)?) {
            *place = share(width, scale);
        }
    }
    Ok(Some(widths))
}

pub(super) const THOUSANDTH: f64 = 0.001;

/// Of glyphs by CID.
pub(super) struct CidWidths {
    /// From CID 0.
    widths: Vec<f32>,
    others: f32,
}

impl CidWidths {
    /// `/W` and `/DW` of a descendant font.
    pub(super) fn read(objects: &Objects<'_>, font: Dictionary<'_>) -> Result<Self, Refusal> {
        let others = objects.get(font, b"DW")?.and_then(number);
        let mut widths = Self {
            widths: Vec::new(),
            others: share(others.unwrap_or(1000.0), THOUSANDTH),
        };
        if let Some(array) = objects.get(font, b"W")? {
            widths.put_all(objects, array)?;
        }
        Ok(widths)
    }

    /// As a share of the font's size.
    pub(super) fn get(&self, cid: Option<u32>) -> f64 {
        let width = cid.and_then(|cid| self.widths.get(cid as usize));
        f64::from(width.copied().unwrap_or(self.others))
    }

    /// Ends at the first thing that is not as it should be.
    fn put_all(&mut self, objects: &Objects<'_>, array: &[u8]) -> Result<(), Refusal> {
        let mut left = MOST_WRITTEN;
        let mut values = elements(array);
        while let (Some(first), Some(second)) = (values.next(), values.next()) {
            let Some(first) = number(objects.resolved(first)?).and_then(cid) else {
                break;
            };
            let second = objects.resolved(second)?;
            if is_array(second) {
                for (at, value) in (first..=LAST_CID).zip(elements(second)) {
                    let width = number(objects.resolved(value)?);
                    self.put(at, at, width, &mut left);
                }
            } else {
                let last = number(second).and_then(cid);
                let Some((last, width)) = last.zip(values.next()) else {
                    break;
                };
                let width = number(objects.resolved(width)?);
                self.put(first, last, width, &mut left);
            }
        }
        Ok(())
    }

    fn put(&mut self, first: usize, last: usize, width: Option<f64>, left: &mut usize) {
        let count = (last + 1).saturating_sub(first);
        let (Some(width), Some(after)) = (width, left.checked_sub(count)) else {
            return;
        };
        *left = after;
        if self.widths.len() <= last && count > 0 {
            self.widths.resize(last + 1, self.others);
        }
        if let Some(places) = self.widths.get_mut(first..=last) {
            places.fill(share(width, THOUSANDTH));
        }
    }
}

/// Of all glyphs there can be (annex C).
const LAST_CID: usize = 65_535;

/// How many widths may be written, some of them over others.
const MOST_WRITTEN: usize = 4 * (LAST_CID + 1);

fn cid(value: f64) -> Option<usize> {
    let value = usize::try_from(whole(value)).ok()?;
    Some(value.min(LAST_CID))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "what is too large saturates"
)]
fn whole(value: f64) -> i64 {
    value as i64
}

#[expect(clippy::cast_possible_truncation, reason = "seven digits are enough")]
pub(super) fn share(width: f64, scale: f64) -> f32 {
    let share = (width * scale) as f32;
    if share.is_finite() { share } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdf::Limits;

    fn widths_of(font: &str) -> CidWidths {
        let objects = Objects::new(b"", &Limits::default());
        CidWidths::read(&objects, Dictionary::of(font.as_bytes()).unwrap()).unwrap()
    }

    #[track_caller]
    fn check(font: &str, expected: &[(u32, f64)]) {
        let widths = widths_of(font);
        for (cid, width) in expected {
            let found = widths.get(Some(*cid));
            assert!((found - width).abs() < 1e-6, "{cid} is {found} wide");
        }
    }

    #[test]
    fn lists_and_ranges_of_cids_have_widths_and_the_others_the_default() {
        let font = "<</DW 750/W[1[500 250.5]10 12 600 12[100]]>>";
        check(font, &[(0, 0.75), (1, 0.5), (2, 0.2505), (3, 0.75)]);
        check(
            font,
            &[(10, 0.6), (11, 0.6), (12, 0.1), (13, 0.75), (99_999, 0.75)],
        );
        check("<<>>", &[(7, 1.0)]);
    }

    #[test]
    fn what_is_malformed_ends_the_list() {
        check("<</W[1[500]/A 3 400 2[300]]>>", &[(1, 0.5), (2, 1.0)]);
        check("<</W[5 2 400 -1 3 100]>>", &[(2, 1.0), (5, 1.0)]);
        check("<</W[1[500 null 300]7]>>", &[(1, 0.5), (2, 1.0), (3, 0.3)]);
    }

    #[test]
    fn no_more_widths_are_written_than_four_for_each_glyph() {
        let range = "0 65535 500 ";
        let font = |times: usize| format!("<</W[{}0 0 100]>>", range.repeat(times));
        check(&font(3), &[(0, 0.1), (65_535, 0.5)]);
        check(&font(4), &[(0, 0.5), (65_535, 0.5)]);
        assert_eq!(widths_of(&font(4)).widths.len(), 65_536);
        assert_eq!(widths_of("<</W[0 99999999 5]>>").widths.len(), 65_536);
    }

    #[test]
    fn widths_of_a_simple_font_begin_at_its_first_code() {
        let objects = Objects::new(b"", &Limits::default());
        let read = |font: &str| {
            let font = Dictionary::of(font.as_bytes()).unwrap();
            simple(&objects, font, 0.1, THOUSANDTH).unwrap()
        };
        let widths = read("<</FirstChar 254/Widths[500 600 700]>>").unwrap();
        for (code, expected) in [(0, 0.1), (254, 0.5), (255, 0.6)] {
            assert!((widths[code] - expected).abs() < 1e-6);
        }
        assert!(read("<</FirstChar 0>>").is_none());
        let negative = read("<</FirstChar -5/Widths[500]>>").unwrap();
        assert!((negative[0] - 0.5).abs() < 1e-6);
    }
}
