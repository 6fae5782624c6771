use crate::pdf::Area;

/// Lines on the front of each sheet for inserters that read no DataMatrix (optical mark recognition):
/// each stands for one thing that is so where it is printed, and is not where it is left out.
///
/// Distances are in millimetres from the upper left corner of the page.
#[derive(Debug, Clone, PartialEq)]
pub struct OmrSettings {
    /// Left end of the lines.
    pub x_mm: f64,
    /// Upper edge of the first line.
    pub y_mm: f64,
    pub length_mm: f64,
    pub thickness_mm: f64,
    /// From the upper edge of a line to that of the next.
    pub pitch_mm: f64,
    /// White on all sides.
    pub quiet_mm: f64,
    pub sequence: OmrSequence,
    pub parity: OmrParity,
    /// From the top. What a machine does not use is left out, and the lines below close up.
    pub lines: Vec<OmrLine>,
}

/// What a line says where it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OmrLine {
    /// Always printed: where a reader begins. Some call it the benchmark.
    Start,
    /// Always printed.
    Safety,
    /// Always printed, between groups of others.
    Retiming,
    /// This is the last sheet of its piece.
    EndOfSet,
    /// It is not.
    NotEndOfSet,
    /// This is the first sheet of its piece.
    BeginOfSet,
    /// It is not.
    NotBeginOfSet,
    /// The highest bit of the sequence.
    Sequence4,
    Sequence2,
    Sequence1,
    /// Makes the number of lines even.
    Parity,
    /// On the first sheet of each piece: feed a fixed insert.
    InsertOnFirst,
    /// On the last sheet of each piece: feed a fixed insert.
    InsertOnLast,
    /// Never printed: a place that a machine looks at and that must be white.
    #[default]
    Blank,
}

/// How the sheets of a bundle are counted, all pieces through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OmrSequence {
    /// 0 to 7, and again.
    #[default]
    From0,
    /// 1 to 7, and again, so that a sheet without any line of the sequence is noticed.
    From1,
}

/// Which lines parity makes even, itself among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OmrParity {
    /// Those that are not always printed.
    #[default]
    Data,
    All,
}

/// A sheet, as the lines on it tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OmrSheet {
    pub(super) is_first: bool,
    pub(super) is_last: bool,
    /// From 0, all sheets of the bundle through.
    pub(super) number: u32,
}

impl Default for OmrSettings {
    /// The lines of a folder-inserter that counts from 0 to 7, in a strip that most letters leave white.
    fn default() -> Self {
        Self {
            x_mm: 4.0,
            y_mm: 98.0,
            length_mm: 8.0,
            thickness_mm: 0.5,
            pitch_mm: 4.233,
            quiet_mm: 2.0,
            sequence: OmrSequence::default(),
            parity: OmrParity::default(),
            lines: vec![
                OmrLine::Start,
                OmrLine::EndOfSet,
                OmrLine::Sequence4,
                OmrLine::Sequence2,
                OmrLine::Sequence1,
                OmrLine::Parity,
                OmrLine::Safety,
            ],
        }
    }
}

impl OmrSettings {
    /// Whether each line is printed on that sheet, from the top.
    pub(super) fn printed(&self, sheet: OmrSheet) -> Vec<bool> {
        let plain = |line: &OmrLine| line.is_printed(sheet, self.sequence);
        let counts = |line: &&OmrLine| self.parity == OmrParity::All || !line.is_always_printed();
        let counted = self.lines.iter().filter(counts);
        let is_odd = !counted.filter(|line| plain(line)).count().is_multiple_of(2);
        let lines = self.lines.iter();
        lines
            .map(|line| plain(line) || (*line == OmrLine::Parity && is_odd))
            .collect()
    }

    /// Each line that is printed on that sheet.
    pub(super) fn places(&self, sheet: OmrSheet) -> impl Iterator<Item = Area> {
        let lines = self.tops().zip(self.printed(sheet));
        lines
            .filter(|(_, is_printed)| *is_printed)
            .map(|(top_mm, _)| Area::at(self.x_mm, top_mm, self.length_mm, self.thickness_mm))
    }

    /// All lines with the white about them, whichever are printed.
    pub(super) fn area(&self) -> Area {
        let bottom_mm = self.tops().last().unwrap_or(self.y_mm) + self.thickness_mm;
        let (quiet, height_mm) = (self.quiet_mm, bottom_mm - self.y_mm);
        Area::at(
            self.x_mm - quiet,
            self.y_mm - quiet,
            self.length_mm + 2.0 * quiet,
            height_mm + 2.0 * quiet,
        )
    }

    fn tops(&self) -> impl Iterator<Item = f64> {
        let lines = (0_u32..).zip(&self.lines);
        lines.map(|(line, _)| self.y_mm + f64::from(line) * self.pitch_mm)
    }
}

impl OmrLine {
    pub const ALL: [Self; 14] = [
        Self::Start,
        Self::Safety,
        Self::Retiming,
        Self::EndOfSet,
        Self::NotEndOfSet,
        Self::BeginOfSet,
        Self::NotBeginOfSet,
        Self::Sequence4,
        Self::Sequence2,
        Self::Sequence1,
        Self::Parity,
        Self::InsertOnFirst,
        Self::InsertOnLast,
        Self::Blank,
    ];

    /// As the job ticket and the settings name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Safety => "safety",
            Self::Retiming => "retiming",
            Self::EndOfSet => "end-of-set",
            Self::NotEndOfSet => "not-end-of-set",
            Self::BeginOfSet => "begin-of-set",
            Self::NotBeginOfSet => "not-begin-of-set",
            Self::Sequence4 => "sequence-4",
            Self::Sequence2 => "sequence-2",
            Self::Sequence1 => "sequence-1",
            Self::Parity => "parity",
            Self::InsertOnFirst => "insert-on-first",
            Self::InsertOnLast => "insert-on-last",
            Self::Blank => "blank",
        }
    }

    fn is_always_printed(self) -> bool {
        matches!(self, Self::Start | Self::Safety | Self::Retiming)
    }

    /// Parity apart, which hangs on the others.
    fn is_printed(self, sheet: OmrSheet, sequence: OmrSequence) -> bool {
        match self {
            Self::Start | Self::Safety | Self::Retiming => true,
            Self::EndOfSet | Self::InsertOnLast => sheet.is_last,
            Self::NotEndOfSet => !sheet.is_last,
            Self::BeginOfSet | Self::InsertOnFirst => sheet.is_first,
            Self::NotBeginOfSet => !sheet.is_first,
            Self::Sequence4 => sequence.of(sheet.number) & 4 != 0,
            Self::Sequence2 => sequence.of(sheet.number) & 2 != 0,
            Self::Sequence1 => sequence.of(sheet.number) & 1 != 0,
            Self::Parity | Self::Blank => false,
        }
    }
}

impl OmrSequence {
    /// The first sheet of a bundle has 0 or 1.
    fn of(self, number: u32) -> u32 {
        match self {
            Self::From0 => number % 8,
            Self::From1 => number % 7 + 1,
        }
    }

    pub(super) fn first(self) -> u32 {
        self.of(0)
    }
}

impl OmrParity {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::All => "all",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sheets of three pieces of 3, 1 and 7 sheets.
    fn sheets() -> Vec<OmrSheet> {
        let pieces = [3, 1, 7].into_iter();
        let sheets = pieces.flat_map(|sheets| (1..=sheets).map(move |sheet| (sheet, sheets)));
        let sheets = sheets.zip(0..).map(|((sheet, sheets), number)| OmrSheet {
            is_first: sheet == 1,
            is_last: sheet == sheets,
            number,
        });
        sheets.collect()
    }

    fn drawn(settings: &OmrSettings) -> String {
        let line = |printed| if printed { '|' } else { '.' };
        let drawn = sheets()
            .into_iter()
            .map(|sheet| -> String { settings.printed(sheet).into_iter().map(line).collect() });
        drawn.collect::<Vec<_>>().join("\n")
    }

    /// Quadient DS-95i: start on every sheet; insert mark and selective feed on the last sheet of the
    /// set; a counter from 0 to 7; parity over all; safety at the end, always.
    #[test]
    fn a_quadient_gets_its_insert_mark_on_the_last_sheet_and_an_even_sum() {
        let settings = OmrSettings {
            parity: OmrParity::All,
            lines: vec![
                OmrLine::Start,
                OmrLine::EndOfSet,
                OmrLine::InsertOnLast,
                OmrLine::Sequence4,
                OmrLine::Sequence2,
                OmrLine::Sequence1,
                OmrLine::Parity,
                OmrLine::Safety,
            ],
            ..OmrSettings::default()
        };
        insta::assert_snapshot!(drawn(&settings), @r#"
        |......|
        |....|||
        |||.|.||
        |||.||.|
        |..|..||
        |..|.|.|
        |..||..|
        |..|||||
        |......|
        |....|||
        |||.|.||
        "#);
        for sheet in sheets() {
            let printed = settings.printed(sheet).into_iter();
            assert_eq!(printed.filter(|printed| *printed).count() % 2, 0);
        }
    }

    /// Pitney Bowes DI425: benchmark and safety, then groups of three with a fixed retiming mark:
    /// not end and not beginning of the collation, parity; feeds; a sequence that wraps around.
    #[test]
    fn a_pitney_bowes_gets_its_marks_where_sets_neither_begin_nor_end() {
        let settings = OmrSettings {
            sequence: OmrSequence::From1,
            lines: vec![
                OmrLine::Start,
                OmrLine::Safety,
                OmrLine::NotEndOfSet,
                OmrLine::NotBeginOfSet,
                OmrLine::Parity,
                OmrLine::Retiming,
                OmrLine::InsertOnLast,
                OmrLine::Blank,
                OmrLine::Blank,
                OmrLine::Retiming,
                OmrLine::Sequence4,
                OmrLine::Sequence2,
                OmrLine::Sequence1,
            ],
            ..OmrSettings::default()
        };
        insta::assert_snapshot!(drawn(&settings), @r#"
        |||..|...|..|
        ||||||...|.|.
        ||.|.||..|.||
        ||...||..||..
        |||.||...||.|
        ||||.|...|||.
        ||||||...||||
        ||||||...|..|
        ||||||...|.|.
        ||||.|...|.||
        ||.||||..||..
        "#);
        for sheet in sheets() {
            let lines = settings.lines.iter().zip(settings.printed(sheet));
            let data = lines.filter(|(line, printed)| *printed && !line.is_always_printed());
            assert_eq!(data.count() % 2, 0);
        }
    }

    #[test]
    fn parity_over_all_lines_counts_those_that_are_always_printed_too() {
        let parity_of = |parity| {
            let lines = vec![OmrLine::Start, OmrLine::BeginOfSet, OmrLine::Parity];
            let settings = OmrSettings {
                parity,
                lines,
                ..OmrSettings::default()
            };
            settings.printed(sheets()[0])[2]
        };
        assert!(parity_of(OmrParity::Data));
        assert!(!parity_of(OmrParity::All));
    }

    #[test]
    fn two_neighbouring_sheets_never_have_the_same_sequence() {
        for sequence in [OmrSequence::From0, OmrSequence::From1] {
            for number in 0..50 {
                assert_ne!(sequence.of(number), sequence.of(number + 1));
            }
        }
        assert_eq!((0..9).map(|n| OmrSequence::From1.of(n)).max(), Some(7));
        assert_eq!((0..9).map(|n| OmrSequence::From1.of(n)).min(), Some(1));
    }

    #[test]
    fn lines_stand_one_pitch_below_another_and_white_reaches_beyond_them() {
        let settings = OmrSettings {
            lines: vec![OmrLine::Start, OmrLine::Blank, OmrLine::Safety],
            pitch_mm: 4.0,
            ..OmrSettings::default()
        };
        let places: Vec<_> = settings.places(sheets()[0]).collect();
        let expected = [98.0, 106.0].map(|top_mm| Area::at(4.0, top_mm, 8.0, 0.5));
        assert_eq!(places, expected);
        assert_eq!(settings.area(), Area::at(2.0, 96.0, 12.0, 12.5));
    }
}
