//! The path under construction (ISO 32000-1, 8.5), as boxes on the page as seen.

use super::Area;
use super::matrix::{Matrix, at, extended, union};

/// Boxes of the path's pieces. A frame about a page is four lines, not a box that fills it.
#[derive(Default)]
pub(super) struct Path {
    /// Where the current subpath began, and where it stands.
    start: (f64, f64),
    point: (f64, f64),
    /// Whether the current subpath has a line yet: one that was only moved to draws nothing.
    is_begun: bool,
    /// Each line and each curve, by its control points.
    lines: Vec<Area>,
    /// Each subpath.
    shapes: Vec<Area>,
    whole: Option<Area>,
}

/// A path of more pieces than that is a drawing: its further pieces count as one.
const MOST_PIECES: usize = 256;

impl Path {
    /// The box of all of it.
    pub(super) fn whole(&self) -> Option<Area> {
        self.whole
    }

    pub(super) fn lines(&self) -> &[Area] {
        &self.lines
    }

    pub(super) fn shapes(&self) -> &[Area] {
        &self.shapes
    }

    pub(super) fn move_to(&mut self, matrix: &Matrix, x: f64, y: f64) {
        self.is_begun = false;
        self.point = matrix.point(x, y);
        self.start = self.point;
    }

    pub(super) fn line_to(&mut self, matrix: &Matrix, x: f64, y: f64) {
        let end = matrix.point(x, y);
        self.put_line(extended(&at(self.point), end), end);
    }

    /// `None` stands for the current point.
    pub(super) fn curve_to(
        &mut self,
        matrix: &Matrix,
        first: Option<(f64, f64)>,
        second: (f64, f64),
        end: (f64, f64),
    ) {
        let mut area = at(self.point);
        for (x, y) in first.into_iter().chain([second, end]) {
            area = extended(&area, matrix.point(x, y));
        }
        self.put_line(area, matrix.point(end.0, end.1));
    }

    pub(super) fn close(&mut self) {
        if self.is_begun {
            let line = extended(&at(self.point), self.start);
            self.put_line(line, self.start);
            self.is_begun = false;
        }
    }

    pub(super) fn rectangle(&mut self, matrix: &Matrix, [x, y, width, height]: [f64; 4]) {
        self.move_to(matrix, x, y);
        self.line_to(matrix, x + width, y);
        self.line_to(matrix, x + width, y + height);
        self.line_to(matrix, x, y + height);
        self.close();
    }

    pub(super) fn clear(&mut self) {
        self.lines.clear();
        self.shapes.clear();
        self.whole = None;
        self.is_begun = false;
    }

    fn put_line(&mut self, line: Area, end: (f64, f64)) {
        push(&mut self.lines, line);
        match self.shapes.last_mut() {
            Some(shape) if self.is_begun => *shape = union(shape, &line),
            _ => push(&mut self.shapes, line),
        }
        self.whole = Some(self.whole.map_or(line, |whole| union(&whole, &line)));
        self.is_begun = true;
        self.point = end;
    }
}

fn push(pieces: &mut Vec<Area>, piece: Area) {
    if pieces.len() < MOST_PIECES {
        pieces.push(piece);
    } else if let Some(last) = pieces.last_mut() {
        *last = union(last, &piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Matrix = Matrix::IDENTITY;

    #[test]
    fn a_rectangle_is_one_shape_and_four_lines() {
        let mut path = Path::default();
        path.rectangle(&PLAIN, [10.0, 20.0, 100.0, 50.0]);
        assert_eq!(path.shapes(), [Area::at(10.0, 20.0, 100.0, 50.0)]);
        let right = Area::at(110.0, 20.0, 0.0, 50.0);
        assert_eq!((path.lines().len(), path.lines()[1]), (4, right));
    }

    #[test]
    fn what_was_only_moved_to_draws_nothing() {
        let mut path = Path::default();
        path.move_to(&PLAIN, 500.0, 500.0);
        assert_eq!(path.whole(), None);
        path.move_to(&PLAIN, 0.0, 0.0);
        path.line_to(&PLAIN, 5.0, 0.0);
        assert_eq!(path.whole(), Some(Area::at(0.0, 0.0, 5.0, 0.0)));
        path.clear();
        assert_eq!(path.whole(), None);
    }

    #[test]
    fn a_curve_reaches_as_far_as_its_control_points() {
        let mut path = Path::default();
        path.move_to(&PLAIN, 0.0, 0.0);
        path.curve_to(&PLAIN, Some((0.0, 9.0)), (5.0, 9.0), (5.0, 0.0));
        assert_eq!(path.whole(), Some(Area::at(0.0, 0.0, 5.0, 9.0)));
    }

    #[test]
    fn a_drawing_of_many_pieces_keeps_few() {
        let mut path = Path::default();
        for x in 0..1_000_u16 {
            path.rectangle(&PLAIN, [f64::from(x), 0.0, 1.0, 1.0]);
        }
        assert_eq!(path.shapes().len(), MOST_PIECES);
        let last = path.shapes()[MOST_PIECES - 1];
        assert!((last.right_mm - 1000.0).abs() < 1e-9);
    }
}
