//! Coordinates: from the units of a page's content to millimetres on the page as seen (ISO 32000-1, 8.3).

use super::Area;
use crate::pdf::geometry::MM_PER_POINT;

/// `x' = a x + c y + e`, `y' = b x + d y + f` (8.3.3).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Matrix {
    pub(super) a: f64,
    pub(super) b: f64,
    pub(super) c: f64,
    pub(super) d: f64,
    pub(super) e: f64,
    pub(super) f: f64,
}

impl Matrix {
    pub(super) const IDENTITY: Self = Self::of([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);

    #[expect(clippy::many_single_char_names, reason = "those of the standard")]
    pub(super) const fn of([a, b, c, d, e, f]: [f64; 6]) -> Self {
        Self { a, b, c, d, e, f }
    }

    /// From the page's user space to millimetres from the upper left corner of the page as seen.
    /// `visible` is left, bottom, right, top, in units of that many points; `rotate` in degrees.
    pub(super) fn onto(visible: [f64; 4], rotate: u16, user_unit: f64) -> Self {
        let [left, bottom, right, top] = visible;
        let mm = user_unit * MM_PER_POINT;
        let of_points = match rotate {
            90 => [0.0, 1.0, 1.0, 0.0, -bottom, -left],
            180 => [-1.0, 0.0, 0.0, 1.0, right, -bottom],
            270 => [0.0, -1.0, -1.0, 0.0, top, right],
            _ => [1.0, 0.0, 0.0, -1.0, -left, top],
        };
        Self::of(of_points.map(|value| value * mm))
    }

    /// First this, then the other.
    pub(super) fn then(&self, other: &Self) -> Self {
        Self {
            a: self.a * other.a + self.b * other.c,
            b: self.a * other.b + self.b * other.d,
            c: self.c * other.a + self.d * other.c,
            d: self.c * other.b + self.d * other.d,
            e: self.e * other.a + self.f * other.c + other.e,
            f: self.e * other.b + self.f * other.d + other.f,
        }
    }

    /// Moved within the coordinates that it starts from.
    pub(super) fn moved(&self, x: f64, y: f64) -> Self {
        let (e, f) = self.point(x, y);
        Self { e, f, ..*self }
    }

    pub(super) fn point(&self, x: f64, y: f64) -> (f64, f64) {
        (
            self.a * x + self.c * y + self.e,
            self.b * x + self.d * y + self.f,
        )
    }

    /// The box of the corners of left, bottom, right, top.
    pub(super) fn area(&self, [left, bottom, right, top]: [f64; 4]) -> Area {
        let mut area = at(self.point(left, bottom));
        for (x, y) in [(right, bottom), (right, top), (left, top)] {
            area = extended(&area, self.point(x, y));
        }
        area
    }

    /// How far a circle of that radius reaches, across and down.
    pub(super) fn reach(&self, radius: f64) -> (f64, f64) {
        (
            radius.abs() * self.a.hypot(self.c),
            radius.abs() * self.b.hypot(self.d),
        )
    }
}

/// The box of one point, in millimetres.
pub(super) fn at((x, y): (f64, f64)) -> Area {
    Area {
        left_mm: x,
        top_mm: y,
        right_mm: x,
        bottom_mm: y,
    }
}

/// The box, and that point with it.
pub(super) fn extended(area: &Area, (x, y): (f64, f64)) -> Area {
    Area {
        left_mm: area.left_mm.min(x),
        top_mm: area.top_mm.min(y),
        right_mm: area.right_mm.max(x),
        bottom_mm: area.bottom_mm.max(y),
    }
}

/// The box of both.
pub(super) fn union(a: &Area, b: &Area) -> Area {
    let corner = extended(a, (b.left_mm, b.top_mm));
    extended(&corner, (b.right_mm, b.bottom_mm))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page of 100 by 200 points whose corner is at (10, 20), and the point 30 right of and 40
    /// above that corner.
    fn seen(rotate: u16, user_unit: f64) -> (f64, f64) {
        let visible = [10.0, 20.0, 110.0, 220.0];
        let (x, y) = Matrix::onto(visible, rotate, user_unit).point(40.0, 60.0);
        let points = |mm: f64| (mm / MM_PER_POINT).round();
        (points(x), points(y))
    }

    #[test]
    fn a_point_is_measured_from_the_corner_that_is_the_upper_left_as_seen() {
        assert_eq!(seen(0, 1.0), (30.0, 160.0));
        assert_eq!(seen(90, 1.0), (40.0, 30.0));
        assert_eq!(seen(180, 1.0), (70.0, 40.0));
        assert_eq!(seen(270, 1.0), (160.0, 70.0));
        assert_eq!(seen(0, 2.0), (60.0, 320.0));
    }

    #[test]
    fn the_first_matrix_is_applied_first() {
        let twice = Matrix::of([2.0, 0.0, 0.0, 2.0, 0.0, 0.0]);
        let right = Matrix::IDENTITY.moved(5.0, 0.0);
        assert_eq!(twice.then(&right).point(1.0, 1.0), (7.0, 2.0));
        assert_eq!(right.then(&twice).point(1.0, 1.0), (12.0, 2.0));
        assert_eq!(twice.moved(5.0, 0.0), right.then(&twice));
    }

    #[test]
    fn a_turned_box_is_the_box_of_its_corners() {
        let quarter = Matrix::of([0.0, 1.0, -1.0, 0.0, 0.0, 0.0]);
        let area = quarter.area([0.0, 0.0, 3.0, 1.0]);
        assert_eq!(area, Area::at(-1.0, 0.0, 1.0, 3.0));
    }
}
