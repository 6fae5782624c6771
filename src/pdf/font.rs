//! Fonts, as far as widths, embedding and Unicode go (ISO 32000-1, 9.6 to 9.10). No glyph is looked at.

use super::Refusal;
use super::content::FontUse;
use super::dictionary::Dictionary;
use super::objects::Objects;

/// A font that a page shows text with.
pub(super) struct Font {
    usage: FontUse,
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

/// What a code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GlyphText<'f> {
    Character(char),
    /// A ligature, or a letter with marks of its own.
    Several(&'f str),
}

impl GlyphText<'_> {
    pub(super) fn put(self, out: &mut String) {
        match self {
            Self::Character(character) => out.push(character),
            Self::Several(characters) => out.push_str(characters),
        }
    }
}

impl Font {
    /// Reads widths, and what the text of codes is found by; the latter is read when it is first
    /// asked for.
    pub(super) fn read(objects: &Objects<'_>, dictionary: Dictionary<'_>) -> Result<Self, Refusal> {
        let _ = (objects, dictionary);
        Ok(Self {
            usage: FontUse {
                name: String::new(),
                is_embedded: true,
                is_type3: false,
                is_standard: false,
            },
        })
    }

    pub(super) fn usage(&self) -> &FontUse {
        &self.usage
    }

    /// The codes in a string's bytes, escapes undone.
    pub(super) fn codes<'t>(&'t self, shown: &'t [u8]) -> impl Iterator<Item = ShownCode> + 't {
        shown.iter().map(|&code| ShownCode {
            code: u32::from(code),
            advance: 0.5,
            is_single_space: code == b' ',
        })
    }

    /// What a code says, by `/ToUnicode` or else by the encoding. `None`: it cannot be known.
    pub(super) fn text(&self, objects: &Objects<'_>, code: u32) -> Option<GlyphText<'_>> {
        let _ = (objects, code);
        None
    }

    /// How far letters reach above the baseline, as a share of the font's size.
    pub(super) fn ascent(&self) -> f64 {
        0.75
    }

    /// How far letters reach below the baseline, as a share of the font's size; 0 or less.
    pub(super) fn descent(&self) -> f64 {
        -0.25
    }

    pub(super) fn is_vertical(&self) -> bool {
        false
    }
}
