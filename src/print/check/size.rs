use crate::{domain::Code, pdf::PageGeometry};

use super::{Lies, PageFinding};

const SHORT_MM: f64 = 210.0;
const LONG_MM: f64 = 297.0;

/// What is wrong with the size of a page, or worth saying.
pub(super) fn finding(geometry: &PageGeometry, page: u32, lies: Lies) -> Option<PageFinding> {
    let (width_mm, height_mm) = (geometry.width_mm(), geometry.height_mm());
    let measures = format!("the page measures {width_mm:.0} × {height_mm:.0} mm");
    match lies {
        Lies::Upright => None,
        Lies::Turned => {
            let detail = format!("{measures} and is turned upright");
            Some(PageFinding::new(Code::PageLandscape, page, detail))
        }
        Lies::Unfit => Some(PageFinding::new(Code::PageSize, page, measures)),
    }
}

/// Whether the page as seen is A4 landscape.
pub(super) fn lies_on_its_side(geometry: &PageGeometry, tolerance_mm: f64) -> bool {
    (geometry.width_mm() - LONG_MM).abs() <= tolerance_mm
        && (geometry.height_mm() - SHORT_MM).abs() <= tolerance_mm
}
