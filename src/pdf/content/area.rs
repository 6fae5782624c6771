//! Boxes on a page as it is seen.

/// A box on the page as seen, in millimetres from its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    pub left_mm: f64,
    pub top_mm: f64,
    pub right_mm: f64,
    pub bottom_mm: f64,
}

impl Area {
    pub fn at(x_mm: f64, y_mm: f64, width_mm: f64, height_mm: f64) -> Self {
        Self {
            left_mm: x_mm,
            top_mm: y_mm,
            right_mm: x_mm + width_mm,
            bottom_mm: y_mm + height_mm,
        }
    }

    pub fn width_mm(&self) -> f64 {
        self.right_mm - self.left_mm
    }

    pub fn height_mm(&self) -> f64 {
        self.bottom_mm - self.top_mm
    }

    /// Whether they share more than an edge. A line without width overlaps what it runs through.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.common(other).is_some()
    }

    /// What both hold; `None` if they share an edge at most.
    pub fn common(&self, other: &Self) -> Option<Self> {
        let across = shared(
            (self.left_mm, self.right_mm),
            (other.left_mm, other.right_mm),
        )?;
        let down = shared(
            (self.top_mm, self.bottom_mm),
            (other.top_mm, other.bottom_mm),
        )?;
        Some(Self {
            left_mm: across.0,
            top_mm: down.0,
            right_mm: across.1,
            bottom_mm: down.1,
        })
    }

    /// Whether nothing of the other is outside.
    pub fn contains(&self, other: &Self) -> bool {
        self.left_mm <= other.left_mm
            && self.top_mm <= other.top_mm
            && self.right_mm >= other.right_mm
            && self.bottom_mm >= other.bottom_mm
    }
}

type Span = (f64, f64);

/// A span without length is shared where it lies strictly inside the other, or is the other. What
/// is no number shares nothing.
fn shared(a: Span, b: Span) -> Option<Span> {
    if !(a.0 <= a.1 && b.0 <= b.1) {
        return None;
    }
    let both = (a.0.max(b.0), a.1.min(b.1));
    let is_point_inside = a == b || is_strictly_inside(both.0, a, b);
    if both.0 > both.1 {
        return None;
    }
    (both.0 < both.1 || is_point_inside).then_some(both)
}

fn is_strictly_inside(at: f64, a: Span, b: Span) -> bool {
    let inside = |span: Span| span.0 < at && at < span.1;
    let is_point = |span: Span| span.0 >= span.1;
    (is_point(a) && inside(b)) || (is_point(b) && inside(a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_hold_is_common_and_an_edge_is_not() {
        let window = Area::at(21.0, 55.0, 72.0, 30.0);
        let below = Area::at(21.0, 85.0, 72.0, 10.0);
        assert!(!window.overlaps(&below));
        let text = Area::at(90.0, 80.0, 10.0, 4.0);
        assert_eq!(window.common(&text), Some(Area::at(90.0, 80.0, 3.0, 4.0)));
        assert!(!window.contains(&text));
        assert!(window.contains(&window));
    }

    #[test]
    fn a_line_without_width_overlaps_what_it_runs_through_and_not_what_it_touches() {
        let window = Area::at(0.0, 0.0, 10.0, 10.0);
        assert!(Area::at(5.0, -5.0, 0.0, 20.0).overlaps(&window));
        assert!(!Area::at(10.0, -5.0, 0.0, 20.0).overlaps(&window));
        assert!(Area::at(5.0, 5.0, 0.0, 0.0).overlaps(&window));
    }

    #[test]
    fn what_is_no_number_overlaps_nothing() {
        let window = Area::at(0.0, 0.0, 10.0, 10.0);
        assert!(!Area::at(f64::NAN, 1.0, 1.0, 1.0).overlaps(&window));
    }
}
