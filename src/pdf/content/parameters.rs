//! Graphics state parameter dictionaries (ISO 32000-1, 8.4.5).

use super::source::Source;
use super::state::State;
use crate::pdf::Refusal;
use crate::pdf::dictionary::{Dictionary, elements, is_array, is_name, number};

/// What `gs` changes, as far as it matters here.
#[derive(Clone, Copy, Default)]
pub(super) struct Parameters {
    line_width: Option<f64>,
    fill_alpha: Option<f64>,
    stroke_alpha: Option<f64>,
    blends: Option<bool>,
    has_soft_mask: Option<bool>,
    /// Which of the page's fonts, and its size.
    pub(super) font: Option<(usize, f64)>,
}

impl Parameters {
    /// Without the font, which is the page's to number.
    pub(super) fn read<'s>(
        source: &Source<'s>,
        dictionary: Dictionary<'s>,
    ) -> Result<Self, Refusal> {
        let blend = source.get(dictionary, b"BM")?;
        let soft_mask = source.get(dictionary, b"SMask")?;
        Ok(Self {
            line_width: source.number(dictionary, b"LW")?,
            fill_alpha: source.number(dictionary, b"ca")?,
            stroke_alpha: source.number(dictionary, b"CA")?,
            blends: blend.map(blends),
            has_soft_mask: soft_mask.map(|mask| !is_name(mask, b"None")),
            font: None,
        })
    }

    pub(super) fn apply(&self, state: &mut State) {
        let set = |place: &mut f64, value: Option<f64>| *place = value.unwrap_or(*place);
        set(&mut state.line_width, self.line_width);
        set(&mut state.fill_alpha, self.fill_alpha);
        set(&mut state.stroke_alpha, self.stroke_alpha);
        state.blends = self.blends.unwrap_or(state.blends);
        state.has_soft_mask = self.has_soft_mask.unwrap_or(state.has_soft_mask);
        if let Some((font, size)) = self.font {
            state.text.font = Some(font);
            state.text.size = size;
        }
    }
}

/// Of several modes readers take the first that they know (11.6.3).
fn blends(mode: &[u8]) -> bool {
    let first = if is_array(mode) {
        elements(mode).next().unwrap_or_default()
    } else {
        mode
    };
    !is_name(first, b"Normal") && !is_name(first, b"Compatible")
}

/// The font and its size that `/Font` gives, as they stand.
pub(super) fn font_of<'s>(
    source: &Source<'s>,
    dictionary: Dictionary<'s>,
) -> Result<Option<(&'s [u8], f64)>, Refusal> {
    let Some(array) = source.get(dictionary, b"Font")? else {
        return Ok(None);
    };
    let mut values = elements(array);
    let (font, size) = (values.next(), values.next().and_then(number));
    Ok(font.zip(size))
}
