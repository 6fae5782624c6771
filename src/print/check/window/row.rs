use crate::{
    pdf::{Area, Drawn, Ink, ShownText},
    print::check::folded,
};

/// A row of text as a reader sees it.
#[derive(Clone, PartialEq)]
pub(in crate::print::check) struct Row {
    /// Personal data.
    pub(super) text: String,
    /// Of all its text, also where the window does not show it.
    pub(in crate::print::check) area: Area,
    baseline_mm: f64,
    size_mm: f64,
    /// The text that it goes on behind, and where that begins.
    last: (String, f64),
}

/// Of the font's size: texts whose baselines are nearer belong to one row.
const SAME_BASELINE: f64 = 0.35;
/// A wider gap is a space between words.
const WORD_GAP: f64 = 0.12;
/// The same text again, nearer than this, is its shadow, or makes it bold.
const SHADOW: f64 = 0.15;
/// Parts two columns that one operator shows, as programs for line printers do.
const COLUMN_SPACES: &str = "     ";
/// A wider gap parts two columns.
const COLUMN_GAP: f64 = 4.0;

const HOME: [&str; 3] = ["suomi", "finland", "aland"];

/// The rows of what the window shows for the most part, from top to bottom. Text that cannot be
/// read or that does not run level is left out.
pub(super) fn rows<'d>(drawn: impl Iterator<Item = &'d Drawn>, window: &Area) -> Vec<Row> {
    let mut pieces: Vec<Row> = drawn.filter_map(|drawn| piece(drawn, window)).collect();
    pieces.sort_by(|a, b| a.area.left_mm.total_cmp(&b.area.left_mm));
    let mut rows: Vec<Row> = Vec::new();
    for piece in pieces {
        let own = rows.iter_mut().rev().find(|row| row.goes_on_with(&piece));
        match own {
            Some(row) => row.join(&piece),
            None => rows.push(piece),
        }
    }
    rows.sort_by(|a, b| a.baseline_mm.total_cmp(&b.baseline_mm));
    rows
}

fn piece(drawn: &Drawn, window: &Area) -> Option<Row> {
    let Ink::Text(ShownText {
        text: Some(text),
        is_level: true,
        baseline_mm,
        size_mm,
        ..
    }) = &drawn.ink
    else {
        return None;
    };
    let is_in = (window.left_mm - size_mm..window.right_mm).contains(&drawn.area.left_mm)
        && (window.top_mm..window.bottom_mm).contains(&middle_mm(&drawn.area));
    let text = first_column(text);
    (is_in && !text.is_empty()).then(|| Row {
        text: text.to_owned(),
        area: drawn.area,
        baseline_mm: *baseline_mm,
        size_mm: *size_mm,
        last: (text.to_owned(), drawn.area.left_mm),
    })
}

fn first_column(text: &str) -> &str {
    let text = text.trim();
    text.split_once(COLUMN_SPACES)
        .map_or(text, |(first, _)| first)
}

fn middle_mm(area: &Area) -> f64 {
    f64::midpoint(area.top_mm, area.bottom_mm)
}

impl Row {
    /// The last row of an address abroad names the country; at home some senders name it too.
    pub(in crate::print::check) fn may_be_country(&self, is_foreign: bool) -> bool {
        let words = folded::words(&self.text);
        let has_letters_only = words
            .iter()
            .all(|word| word.chars().all(char::is_alphabetic));
        has_letters_only
            && (is_foreign || matches!(words.as_slice(), [one] if HOME.contains(&one.as_str())))
    }

    fn goes_on_with(&self, piece: &Row) -> bool {
        let size_mm = self.size_mm.max(piece.size_mm);
        (self.baseline_mm - piece.baseline_mm).abs() < SAME_BASELINE * size_mm
            && piece.area.left_mm - self.area.right_mm < COLUMN_GAP * size_mm
    }

    fn join(&mut self, piece: &Self) {
        let (last, last_left_mm) = &self.last;
        let is_shadow = piece.text == *last
            && (piece.area.left_mm - last_left_mm).abs() < SHADOW * self.size_mm;
        let gap_mm = piece.area.left_mm - self.area.right_mm;
        self.area = Area {
            left_mm: self.area.left_mm.min(piece.area.left_mm),
            top_mm: self.area.top_mm.min(piece.area.top_mm),
            right_mm: self.area.right_mm.max(piece.area.right_mm),
            bottom_mm: self.area.bottom_mm.max(piece.area.bottom_mm),
        };
        if is_shadow {
            return;
        }
        self.last = piece.last.clone();
        if gap_mm > WORD_GAP * self.size_mm {
            self.text.push(' ');
        }
        self.text.push_str(&piece.text);
    }
}

/// The text belongs to a person.
impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Row")
            .field("area", &self.area)
            .finish_non_exhaustive()
    }
}
