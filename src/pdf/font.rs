//! Fonts, as far as widths, embedding and Unicode go (ISO 32000-1, 9.6 to 9.10). No glyph is looked at.

mod cmap;
mod cmap_reader;
mod code_ranges;
mod composite;
mod descriptor;
mod encoding;
mod glyph_names;
mod glyph_text;
mod metrics;
mod program;
mod simple;
mod standard;
mod to_unicode;
mod widths;

use composite::CompositeFont;
use descriptor::Descriptor;
use simple::SimpleFont;
use to_unicode::LazyToUnicode;

pub(super) use glyph_text::GlyphText;

use super::Refusal;
use super::content::FontUse;
use super::dictionary::{Dictionary, elements, name};
use super::objects::Objects;

/// A font that a page shows text with. It refers to nothing in the file, and may be kept.
pub(super) struct Font {
    usage: FontUse,
    kind: Kind,
    ascent: f64,
    descent: f64,
    to_unicode: LazyToUnicode,
}

enum Kind {
    Simple(Box<SimpleFont>),
    Composite(Box<CompositeFont>),
}

/// A character code as it was shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ShownCode {
    pub(super) code: u32,
    /// How far the next one stands, as a share of the font's size: to the right, or of vertical
    /// fonts upwards (less than 0).
    pub(super) advance: f64,
    /// Word spacing applies: the code is one byte, and a space (9.3.3).
    pub(super) is_single_space: bool,
}

impl Font {
    /// Reads widths, and where the text of codes is found; that is read when it is first asked for.
    pub(super) fn read(objects: &Objects<'_>, dictionary: Dictionary<'_>) -> Result<Self, Refusal> {
        match objects.get(dictionary, b"Subtype")?.and_then(name) {
            Some(subtype) if *subtype == *b"Type0" => Self::composite(objects, dictionary),
            Some(subtype) if *subtype == *b"Type3" => Self::type3(objects, dictionary),
            _ => Self::simple(objects, dictionary),
        }
    }

    pub(super) fn usage(&self) -> &FontUse {
        &self.usage
    }

    /// The codes in a string's bytes, escapes undone.
    pub(super) fn codes<'t>(&'t self, shown: &'t [u8]) -> impl Iterator<Item = ShownCode> + 't {
        let mut rest = shown;
        std::iter::from_fn(move || match &self.kind {
            Kind::Simple(font) => {
                let (&code, after) = rest.split_first()?;
                rest = after;
                Some(font.shown(code))
            }
            Kind::Composite(font) => {
                let (shown, after) = font.shown(rest)?;
                rest = after;
                Some(shown)
            }
        })
    }

    /// What a code says, by `/ToUnicode` or else by the encoding. `None`: it cannot be known.
    pub(super) fn text(&self, objects: &Objects<'_>, code: u32) -> Option<GlyphText<'_>> {
        let mapped = self.to_unicode.text(objects, code);
        mapped
            .filter(GlyphText::is_readable)
            .or_else(|| match &self.kind {
                Kind::Simple(font) => font.text(objects, u8::try_from(code).ok()?),
                Kind::Composite(font) => font.text(code),
            })
    }

    /// How far letters reach above the baseline, as a share of the font's size.
    pub(super) fn ascent(&self) -> f64 {
        self.ascent
    }

    /// How far letters reach below the baseline, as a share of the font's size; 0 or less.
    pub(super) fn descent(&self) -> f64 {
        self.descent
    }

    /// Whether codes advance downwards; their `advance` is then less than 0.
    pub(super) fn is_vertical(&self) -> bool {
        match &self.kind {
            Kind::Simple(_) => false,
            Kind::Composite(font) => font.is_vertical(),
        }
    }

    fn simple(objects: &Objects<'_>, dictionary: Dictionary<'_>) -> Result<Self, Refusal> {
        let descriptor = Descriptor::of(objects, dictionary)?;
        let name = base_font(objects, dictionary)?.unwrap_or_default();
        let standard = standard::named(&name);
        let font = SimpleFont::read(objects, dictionary, &name, &descriptor)?;
        let (ascent, descent) = match standard {
            Some(standard) if !descriptor.has_heights() => standard.heights(),
            _ => descriptor.heights(),
        };
        Ok(Self {
            usage: FontUse {
                name,
                is_embedded: descriptor.is_embedded,
                is_type3: false,
                is_standard: standard.is_some(),
            },
            kind: Kind::Simple(Box::new(font)),
            ascent,
            descent,
            to_unicode: LazyToUnicode::of(dictionary),
        })
    }

    /// Its glyphs are content streams of the file itself (9.6.5).
    fn type3(objects: &Objects<'_>, dictionary: Dictionary<'_>) -> Result<Self, Refusal> {
        let name = base_font(objects, dictionary)?;
        let matrix = numbers::<6>(objects, dictionary, b"FontMatrix")?;
        let [x_scale, _, _, y_scale, ..] = matrix.unwrap_or(THOUSANDTHS);
        let bounds = numbers::<4>(objects, dictionary, b"FontBBox")?;
        let [_, bottom, _, top] = bounds.unwrap_or_default().map(|value| value * y_scale);
        let heights = (top.max(bottom), top.min(bottom).min(0.0));
        let (ascent, descent) = if heights.0 > 0.0 {
            heights
        } else {
            descriptor::ORDINARY_HEIGHTS
        };
        let font = SimpleFont::of_type3(objects, dictionary, x_scale)?;
        Ok(Self {
            usage: FontUse {
                name: name.unwrap_or_else(|| String::from("Type3")),
                is_embedded: true,
                is_type3: true,
                is_standard: false,
            },
            kind: Kind::Simple(Box::new(font)),
            ascent,
            descent,
            to_unicode: LazyToUnicode::of(dictionary),
        })
    }

    fn composite(objects: &Objects<'_>, dictionary: Dictionary<'_>) -> Result<Self, Refusal> {
        let descendants = objects.get(dictionary, b"DescendantFonts")?;
        // Some files give the one descendant without its array.
        let descendant = descendants.and_then(|value| elements(value).next().or(Some(value)));
        let descendant = objects.resolved(descendant.unwrap_or(b"<<>>"))?;
        let descendant = Dictionary::of(descendant).unwrap_or(dictionary);
        let descriptor = Descriptor::of(objects, descendant)?;
        let font = CompositeFont::read(objects, dictionary, descendant)?;
        let own_name = base_font(objects, descendant)?;
        let name = match own_name {
            Some(name) => name,
            None => base_font(objects, dictionary)?.unwrap_or_default(),
        };
        let (ascent, descent) = descriptor.heights();
        Ok(Self {
            usage: FontUse {
                name,
                is_embedded: descriptor.is_embedded,
                is_type3: false,
                is_standard: false,
            },
            kind: Kind::Composite(Box::new(font)),
            ascent,
            descent,
            to_unicode: LazyToUnicode::of(dictionary),
        })
    }
}

/// Of most Type 3 fonts, and what readers take where there is none.
const THOUSANDTHS: [f64; 6] = [0.001, 0.0, 0.0, 0.001, 0.0, 0.0];

/// The font's name without the `ABCDEF+` of a subset (9.6.4).
fn base_font(objects: &Objects<'_>, dictionary: Dictionary<'_>) -> Result<Option<String>, Refusal> {
    let Some(name) = objects.get(dictionary, b"BaseFont")?.and_then(name) else {
        return Ok(None);
    };
    let name = match name.split_at_checked(7) {
        Some(([tag @ .., b'+'], rest)) if tag.iter().all(u8::is_ascii_uppercase) => rest,
        _ => &name,
    };
    let name = name.get(..LONGEST_NAME).unwrap_or(name);
    Ok(Some(String::from_utf8_lossy(name).into_owned()))
}

/// Of any name (annex C).
const LONGEST_NAME: usize = 127;

/// An array of so many numbers; `None` if it is none.
fn numbers<const N: usize>(
    objects: &Objects<'_>,
    dictionary: Dictionary<'_>,
    key: &[u8],
) -> Result<Option<[f64; N]>, Refusal> {
    let mut numbers = [0.0; N];
    let Some(array) = objects.get(dictionary, key)? else {
        return Ok(None);
    };
    let mut values = elements(array);
    for number in &mut numbers {
        let value = values.next().map(|value| objects.resolved(value));
        match value.transpose()?.and_then(super::dictionary::number) {
            Some(value) => *number = value,
            None => return Ok(None),
        }
    }
    Ok(Some(numbers))
}

#[cfg(test)]
mod tests;
