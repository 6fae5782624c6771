//! What stands in the envelope's window besides the address, and what the window cuts.

use crate::{
    domain::Code,
    pdf::{Area, Drawn, Ink, PageContent},
};

use super::{
    LetterToCheck, Lies, PageFinding,
    shift::Shift,
    trespass::{is_seen, words},
    window::Row,
    zone::{page_area, shrunk},
};

/// Things of the window that one finding names.
const MOST_NAMED: usize = 3;

/// Of the address itself, which may reach a little over the edge: boxes of text are higher than its
/// ink.
const OVER_EDGE_MM: f64 = 1.0;

/// What crowds an address that ends in the row of that index.
pub(super) fn finding(
    content: &PageContent,
    window: &Area,
    rows: &[Row],
    last_row: usize,
    letter: &LetterToCheck<'_>,
) -> Option<PageFinding> {
    let mut told: Vec<(String, Area)> = Vec::new();
    told.extend(below(rows, last_row, window, letter));
    let others = content.drawn.iter().filter(|drawn| is_seen(drawn));
    told.extend(others.filter_map(|drawn| beside(drawn, window)));
    told.dedup_by(|a, b| a.0 == b.0);
    if told.is_empty() {
        return None;
    }
    let areas = told.iter().map(|(_, area)| *area).collect();
    let named = told.iter().take(MOST_NAMED).map(|(what, _)| what.as_str());
    let mut detail = named.collect::<Vec<_>>().join("; ");
    if told.len() > MOST_NAMED {
        detail = format!("{detail}; and {} more", told.len() - MOST_NAMED);
    }
    let page = *letter.pages.start();
    Some(PageFinding::new(Code::AddressZoneCrowded, page, detail).around(areas))
}

/// Rows under the address. One may name the country.
fn below(
    rows: &[Row],
    last_row: usize,
    window: &Area,
    letter: &LetterToCheck<'_>,
) -> Option<(String, Area)> {
    let mut under = rows.iter().skip(last_row + 1).peekable();
    if under
        .peek()
        .is_some_and(|row| row.may_be_country(letter.address.is_foreign()))
    {
        under.next();
    }
    let row = under.next()?;
    let way = way_out(&row.area, window);
    Some((format!("text stands under the address: {way}"), row.area))
}

/// Text that the window cuts, and whatever is no text.
fn beside(drawn: &Drawn, window: &Area) -> Option<(String, Area)> {
    if !drawn.area.overlaps(&shrunk(window)) {
        return None;
    }
    let covers = drawn.area.contains(&shrunk(window));
    let detail = match &drawn.ink {
        Ink::Text(_) => {
            let sticks_out_mm = sticks_out_mm(&drawn.area, window);
            if sticks_out_mm <= OVER_EDGE_MM {
                return None;
            }
            let into = Shift::into(window, &drawn.area);
            let into = into.map_or_else(
                || "make it smaller, or move it".to_owned(),
                |way| format!("move it {way}"),
            );
            format!(
                "the window cuts text, {:.0} mm beyond its edge: {into}",
                sticks_out_mm.ceil()
            )
        }
        // Its pixels are not looked at: a letterhead drawn as one picture is white here.
        Ink::Picture if covers => return None,
        Ink::Path | Ink::Shading if covers => "the window's ground is not white".to_owned(),
        ink => format!(
            "{} beside the address: {}",
            words(ink),
            way_out(&drawn.area, window)
        ),
    };
    Some((detail, drawn.area))
}

fn way_out(ink: &Area, window: &Area) -> String {
    let page = page_area(Lies::Upright);
    let shift = Shift::out_of(window, ink, |place| page.contains(place));
    shift.map_or_else(|| "leave it out".to_owned(), |way| format!("move it {way}"))
}

fn sticks_out_mm(ink: &Area, window: &Area) -> f64 {
    let edges = [
        window.left_mm - ink.left_mm,
        window.top_mm - ink.top_mm,
        ink.right_mm - window.right_mm,
        ink.bottom_mm - window.bottom_mm,
    ];
    edges.into_iter().fold(0.0, f64::max)
}
