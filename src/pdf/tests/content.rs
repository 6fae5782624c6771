//! What pages draw, by content of a line or two.

use super::*;

mod bounds;
mod colours;
mod forms;
mod geometry;
mod seen_in_print;
mod text;

/// A page of 200 by 100 millimetres; a point is a millimetre, measured from the lower left.
const PLAIN: &str = "/MediaBox[0 0 200 100]/UserUnit 2.834645669291339/Contents 4 0 R";

/// Catalog 1, page tree 2, page 3 with those entries besides the plain ones, content 4.
fn page(entries: &str, content: &str) -> Pdf {
    sized_page(&format!("{PLAIN}{entries}"), content.as_bytes())
}

fn sized_page(entries: &str, content: &[u8]) -> Pdf {
    Pdf::new()
        .object(1, "<</Type/Catalog/Pages 2 0 R>>")
        .object(2, "<</Type/Pages/Kids[3 0 R]/Count 1>>")
        .object(3, &format!("<</Type/Page/Parent 2 0 R{entries}>>"))
        .stream(4, "", content)
}

/// Larger than any page.
fn everywhere() -> Area {
    Area::at(-1e6, -1e6, 2e6, 2e6)
}

fn wanted(pdf: Pdf, limits: &ContentLimits) -> Result<PageContent, Refusal> {
    let bytes = pdf.finished();
    let wants = ContentWants {
        areas: &[everywhere()],
        text_in: Some(everywhere()),
        limits,
    };
    open(&bytes)?.content(1, &wants)
}

fn found(pdf: Pdf) -> PageContent {
    wanted(pdf, &ContentLimits::default()).unwrap()
}

fn drawn(content: &str) -> PageContent {
    found(page("", content))
}

/// Left, top, right, bottom, to a tenth of a millimetre.
fn rounded(area: &Area) -> [f64; 4] {
    let Area {
        left_mm,
        top_mm,
        right_mm,
        bottom_mm,
    } = *area;
    // Adding 0 makes a zero of a negative one.
    [left_mm, top_mm, right_mm, bottom_mm].map(|side| (side * 10.0).round() / 10.0 + 0.0)
}

fn areas(found: &PageContent) -> Vec<[f64; 4]> {
    found
        .drawn
        .iter()
        .map(|drawn| rounded(&drawn.area))
        .collect()
}

fn paints(found: &PageContent) -> Vec<Paint> {
    found.drawn.iter().map(|drawn| drawn.paint).collect()
}
