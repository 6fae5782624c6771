//! Fonts whose codes are of several bytes (ISO 32000-1, 9.7).

use super::ShownCode;
use super::cmap::Cmap;
use super::glyph_text::GlyphText;
use super::numbers;
use super::widths::CidWidths;
use crate::pdf::Refusal;
use crate::pdf::dictionary::Dictionary;
use crate::pdf::objects::Objects;

pub(super) struct CompositeFont {
    cmap: Cmap,
    widths: CidWidths,
    /// Of all glyphs, where they are set downwards. `/W2` is not looked at.
    downward_advance: f64,
}

impl CompositeFont {
    pub(super) fn read(
        objects: &Objects<'_>,
        font: Dictionary<'_>,
        descendant: Dictionary<'_>,
    ) -> Result<Self, Refusal> {
        let downwards = numbers::<2>(objects, descendant, b"DW2")?;
        let [_, downward_advance] = downwards.unwrap_or([880.0, -1000.0]);
        Ok(Self {
            cmap: Cmap::read(objects, font.get(b"Encoding"))?,
            widths: CidWidths::read(objects, descendant)?,
            downward_advance: downward_advance / 1000.0,
        })
    }

    /// The first code of a string, and the rest of the string.
    pub(super) fn shown<'t>(&self, bytes: &'t [u8]) -> Option<(ShownCode, &'t [u8])> {
        let (code, length) = self.cmap.first_code(bytes)?;
        let advance = if self.cmap.is_vertical() {
            self.downward_advance
        } else {
            self.widths.get(self.cmap.cid(code))
        };
        let shown = ShownCode {
            code,
            advance,
            is_single_space: length == 1 && code == u32::from(b' '),
        };
        Some((shown, bytes.get(length..).unwrap_or_default()))
    }

    pub(super) fn text(&self, code: u32) -> Option<GlyphText<'_>> {
        self.cmap.character(code).map(GlyphText::Character)
    }

    pub(super) fn is_vertical(&self) -> bool {
        self.cmap.is_vertical()
    }
}
