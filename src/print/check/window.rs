//! What the envelope's window shows of a letter's first page.

mod row;

use crate::{
    domain::Code,
    pdf::{Area, Drawn, Ink, PageContent, Paint, ShownText},
};

use super::{
    LetterToCheck, PageFinding,
    address::{self, Likeness},
    crowd,
    trespass::is_seen,
    zone::shrunk,
};

pub(super) use row::Row;

/// What a look at the window found.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) findings: Vec<PageFinding>,
    pub(super) lacks_address: bool,
}

/// Judges the window of a page that goes into its envelope as it is.
pub(super) fn judge(content: &PageContent, window: &Area, letter: &LetterToCheck<'_>) -> Seen {
    let view = View::of(content, window);
    let page = *letter.pages.start();
    let finding = |code, detail: &str| PageFinding::new(code, page, detail);
    match view.verdict(letter) {
        Verdict::Empty => Seen {
            findings: vec![finding(
                Code::AddressMissing,
                "nothing stands in the window",
            )],
            lacks_address: true,
        },
        Verdict::NoAddress => Seen {
            findings: vec![finding(
                Code::AddressMissing,
                "what stands in the window is not the recipient's address",
            )],
            lacks_address: true,
        },
        Verdict::Unread(why) => Seen {
            findings: vec![finding(Code::AddressUnread, why)],
            lacks_address: false,
        },
        Verdict::Mismatch(how) => Seen {
            findings: vec![finding(Code::AddressMismatch, how)],
            lacks_address: false,
        },
        Verdict::Address { last_row } => Seen {
            findings: crowd::finding(content, window, &view.rows, last_row, letter)
                .into_iter()
                .collect(),
            lacks_address: false,
        },
    }
}

/// Only whether the window shows somebody else's address, for a page that goes behind an address
/// page of ours, or to a mailbox.
pub(super) fn mismatch(
    content: &PageContent,
    window: &Area,
    letter: &LetterToCheck<'_>,
) -> Option<PageFinding> {
    match View::of(content, window).verdict(letter) {
        Verdict::Mismatch(how) => {
            let page = *letter.pages.start();
            Some(PageFinding::new(Code::AddressMismatch, page, how))
        }
        _ => None,
    }
}

enum Verdict {
    /// Nothing leaves a trace there.
    Empty,
    /// There is text, and it is no address.
    NoAddress,
    Unread(&'static str),
    Mismatch(&'static str),
    /// The recipient's address, down to that row.
    Address {
        last_row: usize,
    },
}

const OTHER_CODE: &str = "the postal code in the window is another than the control data's";
const OTHER_NAME: &str = "no word of the name in the window is in the control data's name";

/// What can be seen through the window.
struct View {
    /// From top to bottom.
    rows: Vec<Row>,
    /// Some of the rows' text leaves ink.
    has_visible_text: bool,
    /// Why there may be text that is not in the rows.
    unread: Option<&'static str>,
}

/// Shapes within the window that may be letters drawn as curves: an address has dozens.
const FEWEST_OUTLINES: usize = 8;

/// Texts of the window that are put into rows, which takes time by their square: an address that is
/// drawn letter by letter has some hundreds.
const MOST_TEXTS: usize = 2_000;

impl View {
    fn of(content: &PageContent, window: &Area) -> Self {
        let inner = shrunk(window);
        let inside: Vec<&Drawn> = content
            .drawn
            .iter()
            .filter(|drawn| drawn.area.overlaps(&inner))
            .collect();
        let texts = inside
            .iter()
            .copied()
            .filter(|drawn| matches!(drawn.ink, Ink::Text(_)));
        let is_too_much = texts.clone().count() > MOST_TEXTS;
        let too_much = is_too_much.then_some("there is more text in the window than is read");
        let unread = content.unread.or_else(|| unread(&inside, window));
        let read = texts.clone().take(MOST_TEXTS);
        Self {
            has_visible_text: texts.clone().any(is_seen),
            unread: too_much.or(unread),
            rows: row::rows(read.filter(|drawn| drawn.paint != Paint::White), window),
        }
    }

    fn verdict(&self, letter: &LetterToCheck<'_>) -> Verdict {
        let rows: Vec<&str> = self.rows.iter().map(|row| row.text.as_str()).collect();
        if rows.is_empty() {
            return self.unread.map_or(Verdict::Empty, Verdict::Unread);
        }
        let is_scan = !self.has_visible_text;
        let likeness = address::compare(&rows, letter.address);
        match (likeness, self.unread) {
            (Likeness::Same { last_row }, _) => Verdict::Address { last_row },
            (Likeness::NoAddress, None) if is_scan => Verdict::Empty,
            (Likeness::NoAddress, None) => Verdict::NoAddress,
            (Likeness::NoAddress, Some(why)) => Verdict::Unread(why),
            (
                Likeness::OtherCode {
                    is_name_known: true,
                },
                _,
            ) if is_scan => {
                Verdict::Unread("the scan's text has another postal code, and the same name")
            }
            // What could not be read could be the recipient's row.
            (Likeness::OtherName, Some(why)) if !is_scan => Verdict::Unread(why),
            _ if !letter.compares_address => Verdict::Address {
                last_row: rows.len().saturating_sub(1),
            },
            (Likeness::OtherName, _) => Verdict::Mismatch(OTHER_NAME),
            (Likeness::OtherCode { .. }, _) => Verdict::Mismatch(OTHER_CODE),
        }
    }
}

/// Why what stands there may be text that nobody could read.
fn unread(inside: &[&Drawn], window: &Area) -> Option<&'static str> {
    let seen = || inside.iter().filter(|drawn| is_seen(drawn));
    let is_unread = |text: &ShownText| !text.was_read || !text.is_level;
    let is_letter_sized = |drawn: &&&Drawn| {
        drawn.ink == Ink::Path && window.contains(&drawn.area) && drawn.area.height_mm() < 10.0
    };
    if seen().any(|drawn| matches!(&drawn.ink, Ink::Text(text) if is_unread(text))) {
        Some("there is text in the window that cannot be read")
    } else if seen().any(|drawn| drawn.ink == Ink::Picture) {
        Some("a picture stands in the window")
    } else if seen().filter(is_letter_sized).count() >= FEWEST_OUTLINES {
        Some("lines stand in the window that may be drawn letters")
    } else {
        None
    }
}
