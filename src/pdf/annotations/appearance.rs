//! What an annotation looks like (ISO 32000-1, 12.5.5).

use crate::pdf::Refusal;
use crate::pdf::dictionary::{Dictionary, elements, name, number, reference};
use crate::pdf::objects::Objects;
use crate::pdf::page::rectangle;

/// The normal appearance of an annotation.
pub(super) enum Look {
    /// A state without appearance, such as a box that is not ticked.
    Blank,
    Form(Form),
}

/// An appearance stream.
pub(super) struct Form {
    number: u32,
    /// Whether it says that it is a form, as it must to be drawn by content.
    says_so: bool,
    /// Its bounding box after its matrix: left, bottom, right, top. `None` if nothing is in it.
    bounds: Option<[f64; 4]>,
}

/// An appearance and its place on a page.
pub(in crate::pdf) struct Appearance {
    /// Object number of the stream.
    pub(in crate::pdf) number: u32,
    /// Whether it says that it is a form; it is made one otherwise.
    pub(in crate::pdf) says_so: bool,
    /// From its coordinates, after its own matrix, to the page's.
    pub(in crate::pdf) matrix: [f64; 6],
}

/// What it costs to draw one, in bytes gone through: some stand for operators, names and digests.
pub(super) const COST: usize = 256;

impl Look {
    /// `None` if there is no appearance, or none that a reader could draw.
    pub(super) fn of(
        objects: &Objects<'_>,
        annotation: Dictionary<'_>,
    ) -> Result<Option<Self>, Refusal> {
        let Some(appearances) = objects.dictionary(annotation, b"AP")? else {
            return Ok(None);
        };
        let Some(normal) = appearances.get(b"N") else {
            return Ok(None);
        };
        if let Some((number, form)) = stream(objects, normal)? {
            return Form::of(objects, number, form).map(|form| form.map(Self::Form));
        }
        let Some(states) = Dictionary::of(objects.resolved(normal)?) else {
            return Ok(None);
        };
        match Self::current(objects, annotation, states)? {
            Some(state) => match stream(objects, state)? {
                Some((number, form)) => Ok(Form::of(objects, number, form)?.map(Self::Form)),
                None => Ok(Some(Self::Blank)),
            },
            None => Ok(states.pairs().next().map(|_| Self::Blank)),
        }
    }

    /// The state that `/AS` names. Without it the only one is taken, else `Off`, as others do.
    fn current<'s>(
        objects: &Objects<'_>,
        annotation: Dictionary<'_>,
        states: Dictionary<'s>,
    ) -> Result<Option<&'s [u8]>, Refusal> {
        if let Some(state) = objects.get(annotation, b"AS")?.and_then(name) {
            return Ok(states.get(&state));
        }
        let mut all = states.pairs();
        Ok(match (all.next(), all.next()) {
            (Some(only), None) => Some(only.value),
            _ => states.get(b"Off"),
        })
    }

    /// `None` if nothing would be seen. `turned` is by how many degrees clockwise the page is
    /// turned when shown while the annotation stays upright.
    pub(super) fn fitted_to(&self, place: [f64; 4], turned: u16) -> Option<Appearance> {
        let Self::Form(form) = self else {
            return None;
        };
        let matrix = fitting(form.bounds?, place);
        let matrix = followed(matrix, upright(place, turned));
        let is_finite = matrix.iter().all(|coefficient| coefficient.is_finite());
        is_finite.then_some(Appearance {
            number: form.number,
            says_so: form.says_so,
            matrix,
        })
    }
}

impl Form {
    /// `None` without a bounding box: no reader draws it.
    fn of(objects: &Objects<'_>, number: u32, form: &[u8]) -> Result<Option<Self>, Refusal> {
        objects.count_reread(form.len() + COST)?;
        let form = Dictionary::of(form).unwrap_or(Dictionary::EMPTY);
        let Some(bounding_box) = form.get(b"BBox") else {
            return Ok(None);
        };
        let matrix = matrix(objects, form)?;
        let bounds = rectangle(objects, Some(bounding_box))?;
        Ok(Some(Self {
            number,
            says_so: form.get(b"Subtype").is_some(),
            bounds: bounds.map(|corners| bounds_after(corners, matrix)),
        }))
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }
}

/// The stream that a value refers to, its number first.
fn stream<'o>(objects: &'o Objects<'_>, value: &[u8]) -> Result<Option<(u32, &'o [u8])>, Refusal> {
    let Some(number) = reference(value) else {
        return Ok(None);
    };
    let object = objects.object(number)?;
    let object = object.filter(|object| object.data.is_some());
    Ok(object.map(|object| (number, object.value)))
}

const IDENTITY: [f64; 6] = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

fn matrix(objects: &Objects<'_>, form: Dictionary<'_>) -> Result<[f64; 6], Refusal> {
    let Some(values) = objects.get(form, b"Matrix")? else {
        return Ok(IDENTITY);
    };
    let mut matrix = IDENTITY;
    let mut values = elements(values);
    for coefficient in &mut matrix {
        let value = values.next().map(|value| objects.resolved(value));
        match value.transpose()?.and_then(number) {
            Some(value) => *coefficient = value,
            None => return Ok(IDENTITY),
        }
    }
    Ok(matrix)
}

fn bounds_after([left, bottom, right, top]: [f64; 4], matrix: [f64; 6]) -> [f64; 4] {
    let corners = [(left, bottom), (right, bottom), (left, top), (right, top)];
    let moved = corners.map(|(x, y)| {
        let [x, y] = [0, 1].map(|at| row(matrix, at, x, y, 1.0));
        (x, y)
    });
    moved.iter().fold(
        [
            f64::INFINITY,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NEG_INFINITY,
        ],
        |[left, bottom, right, top], &(x, y)| {
            [left.min(x), bottom.min(y), right.max(x), top.max(y)]
        },
    )
}

/// Scales and shifts the one box onto the other; a side without length is not scaled.
fn fitting(from: [f64; 4], to: [f64; 4]) -> [f64; 6] {
    let [left, bottom, right, top] = from;
    let scale = |from: f64, to: f64| if from > 0.0 { to / from } else { 1.0 };
    let across = scale(right - left, to[2] - to[0]);
    let up = scale(top - bottom, to[3] - to[1]);
    let shift = [to[0] - left * across, to[1] - bottom * up];
    [across, 0.0, 0.0, up, shift[0], shift[1]]
}

/// Turns about the upper left corner of the place, which stays where it is (12.5.3, `NoRotate`).
fn upright([left, _, _, top]: [f64; 4], turned: u16) -> [f64; 6] {
    let (cosine, sine) = match turned {
        90 => (0.0, 1.0),
        180 => (-1.0, 0.0),
        270 => (0.0, -1.0),
        _ => return IDENTITY,
    };
    let x = left - cosine * left + sine * top;
    let y = top - sine * left - cosine * top;
    [cosine, sine, -sine, cosine, x, y]
}

/// The one matrix, then the other.
fn followed(first: [f64; 6], then: [f64; 6]) -> [f64; 6] {
    if then == IDENTITY {
        return first;
    }
    let [ax, ay, bx, by, cx, cy] = first;
    let to = |at, x, y, one| row(then, at, x, y, one);
    [
        to(0, ax, ay, 0.0),
        to(1, ax, ay, 0.0),
        to(0, bx, by, 0.0),
        to(1, bx, by, 0.0),
        to(0, cx, cy, 1.0),
        to(1, cx, cy, 1.0),
    ]
}

/// One coordinate, 0 or 1, of a point (`one` is 1) or a direction (0) after a matrix.
fn row(matrix: [f64; 6], at: usize, x: f64, y: f64, one: f64) -> f64 {
    let [across, up, shift] = [0, 2, 4].map(|column| matrix.get(at + column).copied());
    let [across, up, shift] = [across, up, shift].map(Option::unwrap_or_default);
    across * x + up * y + shift * one
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::cast_possible_truncation, reason = "they are small")]
    fn whole(number: f64) -> i64 {
        number.round() as i64
    }

    fn moved(matrix: [f64; 6], x: f64, y: f64) -> (f64, f64) {
        let coordinate = |at: usize| matrix[at] * x + matrix[at + 2] * y + matrix[at + 4];
        (coordinate(0), coordinate(1))
    }

    #[test]
    fn the_box_is_turned_by_its_matrix_before_it_is_fitted() {
        let bounds = bounds_after([0.0, 0.0, 40.0, 20.0], [0.0, 1.0, -1.0, 0.0, 0.0, 0.0]);
        assert_eq!(bounds.map(whole), [-20, 0, 0, 40]);
        let matrix = fitting(bounds, [100.0, 100.0, 110.0, 120.0]);
        assert_eq!(moved(matrix, -20.0, 0.0), (100.0, 100.0));
        assert_eq!(moved(matrix, 0.0, 40.0), (110.0, 120.0));
    }

    #[test]
    fn a_box_without_width_is_moved_and_not_scaled() {
        let matrix = fitting([5.0, 0.0, 5.0, 10.0], [50.0, 50.0, 60.0, 70.0]);
        assert_eq!(matrix.map(whole), [1, 0, 0, 2, 45, 50]);
    }

    #[test]
    fn an_annotation_that_stays_upright_hangs_from_its_upper_left_corner() {
        let place = [50.0, 100.0, 90.0, 120.0];
        assert_eq!(moved(upright(place, 90), 50.0, 120.0), (50.0, 120.0));
        // Seen from a page turned clockwise by 90 degrees, upwards on paper is to the right.
        assert_eq!(moved(upright(place, 90), 90.0, 120.0), (50.0, 160.0));
        assert_eq!(moved(upright(place, 180), 90.0, 120.0), (10.0, 120.0));
        assert_eq!(moved(upright(place, 270), 90.0, 120.0), (50.0, 80.0));
    }
}
