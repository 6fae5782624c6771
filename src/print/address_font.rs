use std::{collections::BTreeMap, sync::LazyLock};

use printpdf::{FontMetrics, ParsedFont};
use subsetter::GlyphRemapper;

/// Liberation Sans (SIL Open Font License): Latin, Greek and Cyrillic, with the widths of Arial.
pub const LIBERATION_SANS: &[u8] = include_bytes!("fonts/LiberationSans-Regular.ttf");

/// Where the font cannot be read it has no character, and every address page is refused.
static WHOLE_FONT: LazyLock<ParsedFont> = LazyLock::new(|| {
    ParsedFont::from_bytes(LIBERATION_SANS, 0, &mut Vec::new()).unwrap_or_else(no_font)
});

/// The font of all address pages of one bundle, with the characters that they use.
///
/// One subset a bundle, not one a page, so that its pages share one font program.
#[derive(Debug, Clone)]
pub(super) struct AddressFont(ParsedFont);

impl AddressFont {
    /// Keeps what the texts need. Characters that the font lacks are left out.
    pub(super) fn for_texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut glyphs: BTreeMap<u32, u16> = BTreeMap::new();
        for c in texts.into_iter().flat_map(str::chars) {
            let glyph = WHOLE_FONT.lookup_glyph_index(c.into());
            glyphs.extend(glyph.map(|glyph| (c.into(), glyph)));
        }
        Self(subset(&glyphs))
    }

    /// Millimetres that a text takes at a size of one point.
    pub(super) fn width_mm(&self, text: &str) -> f64 {
        let units = text.chars().filter_map(|c| {
            let glyph = self.0.lookup_glyph_index(c.into())?;
            self.0.get_glyph_width(glyph)
        });
        let units: f64 = units.map(f64::from).sum();
        units / f64::from(self.0.units_per_em.max(1)) * 25.4 / 72.0
    }

    pub(super) fn into_inner(self) -> ParsedFont {
        self.0
    }
}

/// Renumbers the glyphs from 1 in the order of their characters, so that the same set of
/// characters gives the same bytes.
fn subset(glyphs: &BTreeMap<u32, u16>) -> ParsedFont {
    let mut remapper = GlyphRemapper::new();
    let renumbered: BTreeMap<u32, u16> = glyphs
        .iter()
        .map(|(&c, &glyph)| (c, remapper.remap(glyph)))
        .collect();
    let widths = glyphs
        .values()
        .filter_map(|&glyph| Some((remapper.get(glyph)?, WHOLE_FONT.get_glyph_width(glyph)?)));
    match subsetter::subset(LIBERATION_SANS, 0, &remapper) {
        Ok(program) => ParsedFont {
            original_bytes: program,
            codepoint_to_glyph: renumbered,
            glyph_widths: widths.collect(),
            ..metrics_of(&WHOLE_FONT)
        },
        Err(_) => WHOLE_FONT.clone(),
    }
}

/// The same font without its program, its characters and its widths.
fn metrics_of(font: &ParsedFont) -> ParsedFont {
    ParsedFont {
        // The tag of a subset (ISO 32000-1, 9.6.4); a bundle has only one.
        font_name: Some("KUORIA+LiberationSans".to_owned()),
        font_type: font.font_type,
        font_metrics: font.font_metrics.clone(),
        pdf_font_metrics: font.pdf_font_metrics.clone(),
        units_per_em: font.units_per_em,
        ..no_font()
    }
}

fn no_font() -> ParsedFont {
    let metrics = FontMetrics {
        ascent: 0,
        descent: 0,
    };
    ParsedFont::with_glyph_data(
        Vec::new(),
        0,
        None,
        BTreeMap::new(),
        BTreeMap::new(),
        1000,
        metrics,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::is_printable;

    #[test]
    fn the_domain_knows_which_characters_the_font_has() {
        for c in ' '..=char::MAX {
            let glyph = WHOLE_FONT.lookup_glyph_index(c.into());
            let has = glyph.is_some_and(|glyph| glyph != 0);
            assert_eq!(is_printable(c.encode_utf8(&mut [0; 4])), has, "{c:?}");
        }
    }

    #[test]
    fn a_subset_is_small_and_keeps_the_widths() {
        let font = AddressFont::for_texts(["Äiti", "Isä"]);
        let whole = AddressFont(WHOLE_FONT.clone());
        assert!((font.width_mm("Äitisä") - whole.width_mm("Äitisä")).abs() < 1e-9);
        let program = font.into_inner().original_bytes;
        assert!(program.len() < 20_000, "{} bytes", program.len());
    }
}
