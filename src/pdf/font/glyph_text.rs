//! What a code or a glyph says.

/// What a code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pdf) enum GlyphText<'f> {
    Character(char),
    /// A ligature, or a letter with marks of its own.
    Several(&'f str),
}

impl GlyphText<'_> {
    pub(in crate::pdf) fn put(self, out: &mut String) {
        match self {
            Self::Character(character) => out.push(character),
            Self::Several(characters) => out.push_str(characters),
        }
    }

    /// Maps to Unicode give characters without meaning to glyphs that they do not know.
    pub(super) fn is_readable(&self) -> bool {
        match self {
            Self::Character(character) => is_readable(*character),
            Self::Several(characters) => characters.chars().all(is_readable),
        }
    }
}

/// Neither a control, nor the replacement character, nor of private use.
fn is_readable(character: char) -> bool {
    let is_private = matches!(character, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..);
    let is_control = character.is_control() && !character.is_whitespace();
    !is_private && !is_control && character != char::REPLACEMENT_CHARACTER
}
