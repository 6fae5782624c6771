//! How far text reaches that one operator shows (ISO 32000-1, 9.4.4).

use super::matrix::Matrix;
use super::operands::Operand;
use super::shown_bytes::bytes_of;
use super::state::TextState;
use crate::pdf::font::Font;

/// Along the line, in units of text space.
pub(super) struct Run {
    /// How far the next text stands.
    advance: f64,
    /// From where to where there is ink: spaces at both ends are left out.
    ink: Option<(f64, f64)>,
    /// All that was shown may be nothing but spaces.
    pub(super) may_be_spaces: bool,
    pub(super) is_vertical: bool,
}

/// What is taken for the width of a letter whose font is missing, as a share of its size; and for
/// how far it reaches up and down.
const GUESSED_WIDTH: f64 = 0.5;
const GUESSED_ASCENT: f64 = 0.75;
const GUESSED_DESCENT: f64 = -0.25;

impl Run {
    pub(super) fn measured(
        font: &Font,
        text: &TextState,
        pieces: &mut dyn Iterator<Item = Operand<'_>>,
        scratch: &mut Vec<u8>,
    ) -> Self {
        let mut run = Self::new(font.is_vertical());
        for piece in pieces {
            match piece {
                Operand::Number(gap) => run.put_gap(gap, text),
                Operand::Text(string) => {
                    for code in font.codes(bytes_of(string, scratch)) {
                        run.put(code.advance, code.is_single_space, text);
                    }
                }
                _ => {}
            }
        }
        run.finished()
    }

    pub(super) fn guessed(
        text: &TextState,
        pieces: &mut dyn Iterator<Item = Operand<'_>>,
        scratch: &mut Vec<u8>,
    ) -> Self {
        let mut run = Self::new(false);
        for piece in pieces {
            match piece {
                Operand::Number(gap) => run.put_gap(gap, text),
                Operand::Text(string) => {
                    for byte in bytes_of(string, scratch) {
                        run.put(GUESSED_WIDTH, *byte == b' ', text);
                    }
                }
                _ => {}
            }
        }
        run.finished()
    }

    fn new(is_vertical: bool) -> Self {
        Self {
            advance: 0.0,
            ink: None,
            may_be_spaces: false,
            is_vertical,
        }
    }

    fn put_gap(&mut self, gap: f64, text: &TextState) {
        let scale = if self.is_vertical { 1.0 } else { text.scale };
        self.advance -= gap / 1000.0 * text.size * scale;
    }

    #[inline]
    fn put(&mut self, width: f64, is_space: bool, text: &TextState) {
        let scale = if self.is_vertical { 1.0 } else { text.scale };
        let width = width * text.size;
        let end = self.advance + width * scale;
        if is_space {
            self.may_be_spaces = true;
        } else {
            let (from, to) = (self.advance.min(end), self.advance.max(end));
            let ink = self.ink.unwrap_or((from, to));
            self.ink = Some((ink.0.min(from), ink.1.max(to)));
        }
        let words = if is_space { text.word_spacing } else { 0.0 };
        self.advance += (width + text.character_spacing + words) * scale;
    }

    /// Codes of spaces alone may be letters of a font with codes of its own.
    fn finished(mut self) -> Self {
        self.may_be_spaces &= self.ink.is_none();
        if self.may_be_spaces {
            self.ink = Some((self.advance.min(0.0), self.advance.max(0.0)));
        }
        self
    }

    /// The text matrix behind it.
    pub(super) fn moved(&self, matrix: &Matrix) -> Matrix {
        if self.is_vertical {
            matrix.moved(0.0, self.advance)
        } else {
            matrix.moved(self.advance, 0.0)
        }
    }

    /// Left, bottom, right, top in text space. `None` if nothing was shown.
    pub(super) fn bounds(&self, font: &Font, text: &TextState) -> Option<[f64; 4]> {
        self.bounds_within(font.descent(), font.ascent(), text)
    }

    pub(super) fn guessed_bounds(&self, text: &TextState) -> Option<[f64; 4]> {
        let seen = self.ink.filter(|_| !self.may_be_spaces);
        seen.and_then(|_| self.bounds_within(GUESSED_DESCENT, GUESSED_ASCENT, text))
    }

    /// Letters that run down have their origin above their middle (9.7.4.3).
    fn bounds_within(&self, descent: f64, ascent: f64, text: &TextState) -> Option<[f64; 4]> {
        let (from, to) = self.ink?;
        Some(if self.is_vertical {
            let half = text.size / 2.0;
            [-half, from + text.rise, half, to + text.rise]
        } else {
            let (below, above) = (descent * text.size, ascent * text.size);
            [from, below + text.rise, to, above + text.rise]
        })
    }

    /// Where the first letter stands on the baseline, in text space.
    pub(super) fn origin(&self, text: &TextState) -> (f64, f64) {
        let from = self.ink.map_or(0.0, |(from, _)| from);
        if self.is_vertical {
            (0.0, from + text.rise)
        } else {
            (from, text.rise)
        }
    }
}
