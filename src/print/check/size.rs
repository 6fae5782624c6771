use crate::{domain::Code, pdf::PageGeometry, print::Settings};

use super::{LetterToCheck, PageFinding};

const A4_MM: [f64; 2] = [210.0, 297.0];

/// What is wrong with the size of a page, or worth saying.
pub(super) fn finding(
    geometry: &PageGeometry,
    page: u32,
    letter: &LetterToCheck<'_>,
    settings: &Settings,
) -> Option<PageFinding> {
    let tolerance_mm = settings.check.page_tolerance_mm;
    if geometry.is_upright_a4(tolerance_mm) {
        return None;
    }
    let measures = format!(
        "the page measures {:.0} × {:.0} mm",
        geometry.width_mm(),
        geometry.height_mm()
    );
    Some(
        if lies_on_its_side(geometry, tolerance_mm) && letter.turns_landscape {
            let detail = format!("{measures} and is turned upright");
            PageFinding::new(Code::PageLandscape, page, detail)
        } else {
            PageFinding::new(Code::PageSize, page, measures)
        },
    )
}

/// Whether the page as seen is A4 landscape.
pub(super) fn lies_on_its_side(geometry: &PageGeometry, tolerance_mm: f64) -> bool {
    let [short_mm, long_mm] = A4_MM;
    (geometry.width_mm() - long_mm).abs() <= tolerance_mm
        && (geometry.height_mm() - short_mm).abs() <= tolerance_mm
}
