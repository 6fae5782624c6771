//! The size of a page as a reader sees it.

use super::annotations::Lost;

pub(super) const MM_PER_POINT: f64 = 25.4 / 72.0;
const A4_WIDTH_MM: f64 = 210.0;
const A4_HEIGHT_MM: f64 = 297.0;

/// What a page looks like from outside, and what on it would be lost in print.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PageGeometry {
    /// Left, bottom, right, top of the crop box within the media box, in user space units.
    pub(super) visible: [f64; 4],
    pub(super) rotate: u16,
    pub(super) user_unit: f64,
    pub(super) lost: Lost,
}

impl PageGeometry {
    /// Width as seen, after `/Rotate` and `/UserUnit`.
    pub fn width_mm(&self) -> f64 {
        let [width, height] = self.unturned_mm();
        if self.is_turned_sideways() {
            height
        } else {
            width
        }
    }

    /// Height as seen, after `/Rotate` and `/UserUnit`.
    pub fn height_mm(&self) -> f64 {
        let [width, height] = self.unturned_mm();
        if self.is_turned_sideways() {
            width
        } else {
            height
        }
    }

    /// Whether the page as seen is A4 portrait, give or take the tolerance on each side.
    pub fn is_upright_a4(&self, tolerance_mm: f64) -> bool {
        (self.width_mm() - A4_WIDTH_MM).abs() <= tolerance_mm
            && (self.height_mm() - A4_HEIGHT_MM).abs() <= tolerance_mm
    }

    /// Degrees clockwise that the page is turned when shown: 0, 90, 180 or 270.
    pub fn rotate(&self) -> u16 {
        self.rotate
    }

    /// Whether the page as seen is wider than high.
    pub fn lies_on_its_side(&self) -> bool {
        self.width_mm() > self.height_mm()
    }

    /// The page as [`super::Treatment::turn_landscape`] turns it: a quarter turn to the left, so that
    /// its upper edge is the left one, where sheets are bound.
    #[must_use]
    pub fn turned_upright(&self) -> Self {
        Self {
            rotate: (self.rotate + 270) % 360,
            ..*self
        }
    }

    /// Points in a unit of the page's user space: 1 nearly always. A [`super::Fragment`] scales
    /// pages with another unit, since some presses ignore it.
    pub fn user_unit(&self) -> f64 {
        self.user_unit
    }

    /// Annotations, and frames of empty form fields, that a reader would print as it sees fit: they
    /// do not say what they look like, and a [`super::Fragment`] drops them.
    pub fn dropped_annotations(&self) -> u32 {
        self.lost.annotations
    }

    /// Form fields that are filled and do not say what they look like, and annotations that cannot
    /// be read. A [`super::Fragment`] drops them: to print the page without them is damage.
    pub fn lost_fields(&self) -> u32 {
        self.lost.fields
    }

    #[expect(clippy::float_cmp, reason = "1 is what is meant when nothing is said")]
    pub(super) fn has_unit(&self) -> bool {
        self.user_unit != 1.0
    }

    /// A page that looks the same with neither turn nor unit nor offset; `None` where it is too large
    /// to be written.
    pub(super) fn unturned(&self) -> Option<Self> {
        let [left, bottom, right, top] = self.visible;
        let sides = [right - left, top - bottom].map(|side| rounded(side * self.user_unit));
        let [across, up] = sides;
        let [width, height] = if self.is_turned_sideways() {
            [up, across]
        } else {
            sides
        };
        let unturned = Self {
            visible: [0.0, 0.0, width, height],
            rotate: 0,
            user_unit: 1.0,
            ..*self
        };
        let written = self.matrix_to_seen();
        let is_finite = |number: &f64| number.is_finite();
        (sides.iter().chain(&written).all(is_finite)).then_some(unturned)
    }

    /// What is visible, and a point around it: what is clipped at the very edge of a page is drawn
    /// fainter there than what ends with the page.
    pub(super) fn with_margin(&self) -> [f64; 4] {
        let [left, bottom, right, top] = self.visible;
        let margin = 1.0 / self.user_unit;
        [left - margin, bottom - margin, right + margin, top + margin].map(rounded)
    }

    /// From the user space of the page to points on the page as seen (ISO 32000-1, 8.3.3).
    pub(super) fn matrix_to_seen(&self) -> [f64; 6] {
        let [left, bottom, right, top] = self.visible;
        let unit = self.user_unit;
        let [left, bottom, right, top] = [left, bottom, right, top].map(|at| rounded(at * unit));
        match self.rotate {
            90 => [0.0, -unit, unit, 0.0, 0.0 - bottom, right],
            180 => [-unit, 0.0, 0.0, -unit, right, top],
            270 => [0.0, unit, -unit, 0.0, top, 0.0 - left],
            _ => [unit, 0.0, 0.0, unit, 0.0 - left, 0.0 - bottom],
        }
    }

    fn unturned_mm(&self) -> [f64; 2] {
        let [left, bottom, right, top] = self.visible;
        [right - left, top - bottom].map(|side| side * self.user_unit * MM_PER_POINT)
    }

    fn is_turned_sideways(&self) -> bool {
        self.rotate % 180 == 90
    }
}

/// To a millionth of a point, without the noise of arithmetic; no zero has a sign.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6 + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a4_turned(rotate: u16) -> PageGeometry {
        PageGeometry {
            visible: [10.0, 10.0, 605.276, 851.89],
            rotate,
            user_unit: 1.0,
            lost: Lost::NONE,
        }
    }

    #[test]
    fn a4_is_a4_wherever_its_origin_is_and_only_upright() {
        assert!(a4_turned(0).is_upright_a4(0.01));
        assert!(a4_turned(180).is_upright_a4(0.01));
        assert!(!a4_turned(90).is_upright_a4(2.0));
    }

    #[test]
    fn the_unit_of_the_page_counts() {
        let mut half = a4_turned(270);
        half.visible = [0.0, 0.0, 420.945, 297.638];
        assert!(!half.is_upright_a4(2.0));
        half.user_unit = 2.0;
        assert!(half.is_upright_a4(0.01));
    }
}
