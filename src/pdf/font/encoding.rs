//! The encodings of simple fonts: what their 256 codes say (ISO 32000-1, 9.6.6 and annex D).

use super::glyph_names::{Named, named};
use super::glyph_text::GlyphText;
use super::program;
use super::to_unicode::map_bytes;
use crate::pdf::Refusal;
use crate::pdf::dictionary::{Dictionary, elements, name, number};
use crate::pdf::objects::Objects;

/// What each code says.
pub(super) struct Encoding {
    characters: [Option<char>; 256],
    /// Codes that say several characters, in no order.
    several: Vec<(u8, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    Standard,
    WinAnsi,
    MacRoman,
    /// What the three have in common.
    Ascii,
}

/// What codes mean where the font's dictionary does not say.
pub(super) struct Implied {
    /// The stream of a Type 1 program, whose own encoding comes first.
    pub(super) program: Option<u32>,
    pub(super) base: Option<Base>,
}

impl Implied {
    fn encoding(&self, objects: &Objects<'_>) -> Encoding {
        let program = self.program.and_then(|stream| map_bytes(objects, stream));
        let own = program.and_then(|program| program::encoding(&program));
        own.unwrap_or_else(|| Encoding::of(self.base))
    }
}

impl Encoding {
    /// The value of `/Encoding`, its `/Differences` over its base, or over what is implied where it
    /// names none.
    pub(super) fn read(
        objects: &Objects<'_>,
        value: Option<&[u8]>,
        implied: &Implied,
    ) -> Result<Self, Refusal> {
        let on = |base: Option<Base>| match base {
            Some(base) => Self::of(Some(base)),
            None => implied.encoding(objects),
        };
        let value = objects.resolved(value.unwrap_or(b"null"))?;
        let Some(dictionary) = Dictionary::of(value) else {
            return Ok(on(Base::of(value)));
        };
        let base = objects.get(dictionary, b"BaseEncoding")?;
        let mut encoding = on(base.and_then(Base::of));
        if let Some(differences) = objects.get(dictionary, b"Differences")? {
            encoding.differ(objects, differences)?;
        }
        Ok(encoding)
    }

    pub(super) fn of(base: Option<Base>) -> Self {
        Self {
            characters: base.map_or([None; 256], Base::characters),
            several: Vec::new(),
        }
    }

    pub(super) fn text(&self, code: u8) -> Option<GlyphText<'_>> {
        if let Some(character) = self.character(code) {
            return Some(GlyphText::Character(character));
        }
        let (_, text) = self.several.iter().find(|(known, _)| *known == code)?;
        Some(GlyphText::Several(text))
    }

    pub(super) fn character(&self, code: u8) -> Option<char> {
        self.characters.get(usize::from(code)).copied().flatten()
    }

    /// Numbers, each followed by the names of the glyphs from that code on.
    fn differ(&mut self, objects: &Objects<'_>, differences: &[u8]) -> Result<(), Refusal> {
        let mut next = None;
        for value in elements(differences) {
            let value = objects.resolved(value)?;
            if let Some(name) = name(value) {
                if let Some(code) = next {
                    self.put(code, &name);
                }
                next = next.and_then(|code: u8| code.checked_add(1));
            } else if let Some(code) = number(value) {
                next = code_of(code);
            }
        }
        Ok(())
    }

    /// A name that says nothing leaves the code without a text.
    pub(super) fn put(&mut self, code: u8, name: &[u8]) {
        self.several.retain(|(known, _)| *known != code);
        let (character, several) = match named(name) {
            Some(Named::Character(character)) => (Some(character), None),
            Some(Named::Several(text)) => (None, Some(text)),
            None => (None, None),
        };
        self.several.extend(several.map(|text| (code, text)));
        if let Some(place) = self.characters.get_mut(usize::from(code)) {
            *place = character;
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "what is too large saturates"
)]
fn code_of(number: f64) -> Option<u8> {
    u8::try_from(number as i64).ok()
}

impl Base {
    fn of(value: &[u8]) -> Option<Self> {
        match &*name(value)? {
            b"StandardEncoding" => Some(Self::Standard),
            b"WinAnsiEncoding" => Some(Self::WinAnsi),
            b"MacRomanEncoding" => Some(Self::MacRoman),
            _ => None,
        }
    }

    fn characters(self) -> [Option<char>; 256] {
        let mut characters = [None; 256];
        for (place, code) in characters.iter_mut().zip(0_u8..).take(0x7f).skip(0x20) {
            *place = Some(char::from(code));
        }
        let (from, others) = match self {
            Self::Standard => (0xa1, STANDARD),
            Self::WinAnsi => (0x7f, WIN_ANSI),
            Self::MacRoman => (0x80, MAC_ROMAN),
            Self::Ascii => (0, ""),
        };
        for (place, character) in characters.iter_mut().skip(from).zip(others.chars()) {
            *place = Some(character).filter(|character| *character != NONE);
        }
        // Quotes are where these differ below 127.
        let quotes = match self {
            Self::Standard => [(0x27, Some('’')), (0x60, Some('‘'))],
            Self::Ascii => [(0x27, None), (0x60, None)],
            Self::WinAnsi | Self::MacRoman => return characters,
        };
        for (code, quote) in quotes {
            if let Some(place) = characters.get_mut(code) {
                *place = quote;
            }
        }
        characters
    }
}

/// Where no character is.
const NONE: char = '_';

/// From 161.
const STANDARD: &str = "\
    ¡¢£⁄¥ƒ§¤'“«‹›ﬁﬂ_–†‡·_¶•‚„”»…‰_¿_`´ˆ˜¯˘˙¨_˚¸_˝˛ˇ—________________Æ_ª____ŁØŒº_____æ___ı__łøœß";

/// From 127. Space and hyphen are there twice.
const WIN_ANSI: &str = "\
    •€•‚ƒ„…†‡ˆ‰Š‹Œ•Ž••‘’“”•–—˜™š›œ•žŸ ¡¢£¤¥¦§¨©ª«¬-®¯°±²³´µ¶·¸¹º»¼½¾¿\
    ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ";

/// From 128, with the signs that fonts of the Macintosh have besides (table 115).
const MAC_ROMAN: &str = "\
    ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»… ÀÃÕŒœ–—“”‘’÷◊\
    ÿŸ⁄¤‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ_ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pdf::Limits;

    fn encoding(value: &str, base: Option<Base>) -> Encoding {
        let objects = Objects::new(b"", &Limits::default());
        let program = None;
        Encoding::read(&objects, Some(value.as_bytes()), &Implied { program, base }).unwrap()
    }

    #[track_caller]
    fn check(value: &str, bytes: &[u8], expected: &str) {
        let encoding = encoding(value, None);
        let mut text = String::new();
        for &byte in bytes {
            match encoding.text(byte) {
                Some(found) => found.put(&mut text),
                None => text.push('?'),
            }
        }
        assert_eq!(text, expected, "{value}");
    }

    #[test]
    fn the_three_encodings_are_those_of_annex_d() {
        check(
            "/WinAnsiEncoding",
            b"A'`\x80\x8c\xa0\xad\xc4\xe5\xff\x1f",
            "A'`€Œ -Äåÿ?",
        );
        check(
            "/MacRomanEncoding",
            b"A'`\x80\x8a\x8c\xca\xdb\xde\xff\xf0",
            "A'`Ääå ¤ﬁˇ?",
        );
        check(
            "/StandardEncoding",
            b"A'`\xa1\xa9\xaf\xe1\xf5\xfb\xc4\x80\xfc",
            "A’‘¡'ﬂÆıß˜??",
        );
        check("/MacExpertEncoding", b"A", "?");
    }

    #[test]
    fn the_tables_are_as_long_as_they_must_be() {
        for (table, from) in [(STANDARD, 0xa1), (WIN_ANSI, 0x7f), (MAC_ROMAN, 0x80)] {
            let end = from + table.chars().count();
            assert_eq!(end, if table == STANDARD { 0xfc } else { 0x100 });
        }
    }

    #[test]
    fn differences_stand_over_the_base() {
        let value = "<</BaseEncoding/WinAnsiEncoding/Differences[65/B/f_i/g12 97/a#64ieresis]>>";
        check(value, b"ABCDa", "Bfi?Dä");
        check(
            "<</Differences[1/A 300/B -1/C 255/D/E]>>",
            b"\x01\xff\x00A",
            "AD??",
        );
        check("<</Differences[/A 65/f_i 65/x 66/x 66/f_l]>>", b"AB", "xfl");
    }

    #[test]
    fn what_is_implied_holds_where_nothing_is_named() {
        let implied = encoding("<</Differences[1/A]>>", Some(Base::Standard));
        assert_eq!(implied.character(b'\''), Some('’'));
        let ascii = encoding("null", Some(Base::Ascii));
        assert_eq!(ascii.character(b'A'), Some('A'));
        assert_eq!(ascii.character(b'\''), None);
        assert_eq!(ascii.character(0xe4), None);
        let named = encoding("/WinAnsiEncoding", Some(Base::Standard));
        assert_eq!(named.character(b'\''), Some('\''));
    }

    proptest! {
        #[test]
        fn whatever_the_differences_there_is_an_encoding(bytes: Vec<u8>, code: u8) {
            let mut value = b"<</BaseEncoding/MacRomanEncoding/Differences[1/A ".to_vec();
            value.extend_from_slice(&bytes);
            value.extend_from_slice(b"]>>");
            let objects = Objects::new(b"", &Limits::default());
            let implied = Implied { program: None, base: None };
            if let Ok(encoding) = Encoding::read(&objects, Some(&value), &implied) {
                encoding.text(code);
            }
        }
    }
}
