//! What is laid over a sender's page.

use std::io::Write;

use super::PageGeometry;

/// PDF operators laid over a page, in points, origin at the lower left of the page *as seen*:
/// the writer turns and shifts them for `/Rotate`, `/CropBox` and `/UserUnit`. They are drawn
/// last, and have no resources to name: paths, and images inline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay(pub Vec<u8>);

/// Stands before the sender's content, which often starts by changing the coordinates for good.
///
/// One `q` is enough: content that is laid over as it stands is clean, and what is not is wrapped
/// ([`super::Treatment`]). More would count against the 28 that readers hold (ISO 32000-1, annex C).
///
/// Both have space about them: some readers join content streams without any.
pub(super) const SAVE_STATE: &[u8] = b"q\n";
const RESTORE_STATE: &[u8] = b"\nQ\n";

/// The content stream that stands after the sender's and draws the page's annotations, in the
/// state that the page began with. An overlay that follows finds that state too.
pub(super) fn annotations_placed(operators: &[u8], overlay_follows: bool) -> Vec<u8> {
    let end = if overlay_follows { SAVE_STATE } else { b"" };
    [RESTORE_STATE, operators, end].concat()
}

impl Overlay {
    /// The content stream that stands after the sender's.
    pub(super) fn placed(&self, geometry: &PageGeometry) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len() + 80);
        out.extend_from_slice(RESTORE_STATE);
        out.extend_from_slice(b"q");
        for coefficient in matrix(geometry) {
            // Writing to a vector does not fail.
            let _ = write!(out, " {coefficient}");
        }
        out.extend_from_slice(b" cm\n");
        out.extend_from_slice(&self.0);
        out.extend_from_slice(RESTORE_STATE);
        out
    }
}

/// From points on the page as seen to the user space of the page (ISO 32000-1, 8.3.3).
fn matrix(geometry: &PageGeometry) -> [f64; 6] {
    let [left, bottom, right, top] = geometry.visible;
    let point = 1.0 / geometry.user_unit;
    match geometry.rotate {
        90 => [0.0, point, -point, 0.0, right, bottom],
        180 => [-point, 0.0, 0.0, -point, right, top],
        270 => [0.0, -point, point, 0.0, left, top],
        _ => [point, 0.0, 0.0, point, left, bottom],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdf::annotations::Lost;

    /// Where a point of the page as seen lies in user space.
    fn user_space(rotate: u16, x: f64, y: f64) -> String {
        let matrix = matrix(&PageGeometry {
            visible: [10.0, 20.0, 110.0, 220.0],
            rotate,
            user_unit: 1.0,
            lost: Lost::NONE,
        });
        let [x, y] = [0, 1].map(|row| matrix[row] * x + matrix[row + 2] * y + matrix[row + 4]);
        format!("{x} {y}")
    }

    #[test]
    fn the_lower_left_corner_as_seen_is_the_corner_that_the_turn_puts_there() {
        assert_eq!(user_space(0, 0.0, 0.0), "10 20");
        assert_eq!(user_space(90, 0.0, 0.0), "110 20");
        assert_eq!(user_space(180, 0.0, 0.0), "110 220");
        assert_eq!(user_space(270, 0.0, 0.0), "10 220");
    }

    #[test]
    fn the_upper_right_corner_as_seen_is_the_opposite_one() {
        assert_eq!(user_space(0, 100.0, 200.0), "110 220");
        assert_eq!(user_space(90, 200.0, 100.0), "10 220");
        assert_eq!(user_space(180, 100.0, 200.0), "10 20");
        assert_eq!(user_space(270, 200.0, 100.0), "110 20");
    }
}
