//! Images that stand in the content (ISO 32000-1, 8.9.7).

use super::reader::Reader;
use crate::pdf::lexer::{Lexer, MOST_NESTING, Token, is_regular, is_space};

/// An image that stands in the content (8.9.7).
pub(super) struct InlineImage<'c> {
    /// Keys and values as they stand, abbreviated or not.
    pairs: Vec<(&'c [u8], &'c [u8])>,
}

impl<'c> InlineImage<'c> {
    pub(super) fn get(&self, keys: [&[u8]; 2]) -> Option<&'c [u8]> {
        let pair = self.pairs.iter().find(|(key, _)| keys.contains(key));
        pair.map(|(_, value)| *value)
    }

    fn number(&self, keys: [&[u8]; 2]) -> Option<usize> {
        match Lexer::new(self.get(keys)?, 0).next()? {
            Token::Integer(number) => usize::try_from(number).ok(),
            _ => None,
        }
    }

    /// Bytes of the data, where these can be told beforehand.
    fn data_length(&self) -> Option<usize> {
        if self.get([b"F", b"Filter"]).is_some() {
            return None;
        }
        let is_mask = self.get([b"IM", b"ImageMask"]) == Some(b"true");
        let components: usize = match self.get([b"CS", b"ColorSpace"]) {
            _ if is_mask => 1,
            Some(b"/G" | b"/DeviceGray") => 1,
            Some(b"/RGB" | b"/DeviceRGB") => 3,
            Some(b"/CMYK" | b"/DeviceCMYK") => 4,
            Some(space) if space.starts_with(b"[") => 1,
            _ => return None,
        };
        let bits = self.number([b"BPC", b"BitsPerComponent"]);
        let bits = if is_mask { 1 } else { bits? };
        let row = self.number([b"W", b"Width"])?.checked_mul(components)?;
        let row = row.checked_mul(bits)?.div_ceil(8);
        row.checked_mul(self.number([b"H", b"Height"])?)
    }
}

/// An honest one has a dozen.
const MOST_PAIRS: usize = 32;

impl<'c> Reader<'c> {
    /// Goes past an image whose `BI` has just been read. `None` if it does not end: nothing is left
    /// to read then.
    pub(super) fn inline_image(&mut self) -> Option<InlineImage<'c>> {
        let image = self.image_dictionary();
        let length = image.as_ref().map(InlineImage::data_length);
        let ends = length.is_some_and(|length| self.skip_image(length));
        image.filter(|_| ends)
    }

    fn image_dictionary(&mut self) -> Option<InlineImage<'c>> {
        let mut lexer = Lexer::new(self.bytes, self.at);
        self.at = self.bytes.len();
        let mut pairs = Vec::new();
        loop {
            match lexer.next()? {
                Token::Name(key) => {
                    let value = lexer.skip_value(MOST_NESTING, |_| {}).ok()?;
                    if pairs.len() < MOST_PAIRS {
                        pairs.push((key, self.bytes.get(value)?));
                    }
                }
                Token::Keyword(b"ID") => break,
                _ => {}
            }
        }
        self.at = lexer.position() + 1;
        Some(InlineImage { pairs })
    }

    fn skip_image(&mut self, length: Option<usize>) -> bool {
        let stated = length.and_then(|length| self.at.checked_add(length));
        if let Some(end) = stated
            && let Some(rest) = self.bytes.get(end..)
            && let Some(after) = rest.trim_ascii_start().strip_prefix(b"EI")
            && !after.first().copied().is_some_and(is_regular)
        {
            self.at = self.bytes.len() - after.len();
            return true;
        }
        self.skip_to_plausible_end()
    }

    /// Past an `EI` between white space that text follows, which data seldom has.
    fn skip_to_plausible_end(&mut self) -> bool {
        let rest = self.rest();
        let found = rest.windows(2).enumerate().find(|(at, two)| {
            let before = at.checked_sub(1).and_then(|at| rest.get(at));
            *two == b"EI"
                && before.is_none_or(|&byte| is_space(byte))
                && is_content(rest.get(at + 2..).unwrap_or_default())
        });
        match found {
            Some((at, _)) => self.at += at + 2,
            None => self.at = self.bytes.len(),
        }
        found.is_some()
    }
}

/// Whether it begins as content does behind an operator.
fn is_content(bytes: &[u8]) -> bool {
    let front = bytes.get(..16).unwrap_or(bytes);
    let is_text = |byte: &u8| is_space(*byte) && *byte != 0 || byte.is_ascii_graphic();
    !front.first().copied().is_some_and(is_regular) && front.iter().all(is_text)
}
