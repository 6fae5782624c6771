//! The graphics state (ISO 32000-1, 8.4), as far as it says where things stand and in what paint.

use super::Area;
use super::colour::Colour;
use super::matrix::Matrix;

#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    /// To millimetres on the page as seen.
    pub(super) matrix: Matrix,
    /// The box of the clip path on the page as seen; `None`: it lets nothing through.
    pub(super) clip: Option<Area>,
    pub(super) fill: Colour,
    pub(super) stroke: Colour,
    pub(super) fill_alpha: f64,
    pub(super) stroke_alpha: f64,
    /// In units of the content.
    pub(super) line_width: f64,
    pub(super) blends: bool,
    pub(super) has_soft_mask: bool,
    pub(super) text: TextState,
}

/// What is set for text (9.3), in units of text space.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextState {
    /// Which of the page's fonts.
    pub(super) font: Option<usize>,
    pub(super) size: f64,
    pub(super) character_spacing: f64,
    pub(super) word_spacing: f64,
    /// 1 is 100 per cent.
    pub(super) scale: f64,
    pub(super) leading: f64,
    pub(super) rise: f64,
    pub(super) mode: TextMode,
}

/// How text is drawn (table 106).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TextMode(u8);

impl TextMode {
    pub(super) const FILL: Self = Self(0);

    pub(super) fn of(number: f64) -> Self {
        let modes = 0..=7;
        let mode = modes.rev().find(|mode| f64::from(*mode) <= number);
        Self(mode.unwrap_or(0))
    }

    pub(super) fn fills(self) -> bool {
        matches!(self.0, 0 | 2 | 4 | 6)
    }

    pub(super) fn strokes(self) -> bool {
        matches!(self.0, 1 | 2 | 5 | 6)
    }

    pub(super) fn clips(self) -> bool {
        self.0 >= 4
    }
}

impl State {
    pub(super) fn new(matrix: Matrix, page: Area) -> Self {
        Self {
            matrix,
            clip: Some(page),
            fill: Colour::BLACK,
            stroke: Colour::BLACK,
            fill_alpha: 1.0,
            stroke_alpha: 1.0,
            line_width: 1.0,
            blends: false,
            has_soft_mask: false,
            text: TextState {
                font: None,
                size: 0.0,
                character_spacing: 0.0,
                word_spacing: 0.0,
                scale: 1.0,
                leading: 0.0,
                rise: 0.0,
                mode: TextMode::FILL,
            },
        }
    }

    /// Lets nothing through outside that box any more.
    pub(super) fn clip_to(&mut self, area: Option<Area>) {
        let common = |clip: Area| clip.common(&area?);
        let clip = self.clip.and_then(common);
        self.clip = clip.filter(|clip| clip.width_mm() > 0.0 && clip.height_mm() > 0.0);
    }

    /// What of that box shows.
    pub(super) fn shown(&self, area: &Area) -> Option<Area> {
        self.clip?.common(area)
    }
}
