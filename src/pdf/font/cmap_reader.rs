//! The tokens of a `CMap`, which is a program that is never run (ISO 32000-1, 9.7.5.4).

use crate::pdf::lexer::{Lexer, Token};

/// Reads a `CMap` from its front.
pub(super) struct CmapReader<'b> {
    bytes: &'b [u8],
    lexer: Lexer<'b>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item<'b> {
    Hex(Hex<'b>),
    Integer(i64),
    Name(&'b [u8]),
    ArrayOpen,
    ArrayClose,
    Keyword(&'b [u8]),
    Other,
}

/// A string of hexadecimal digits as it stands, with its angle brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hex<'b>(&'b [u8]);

impl<'b> CmapReader<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self {
            bytes,
            lexer: Lexer::new(bytes, 0),
        }
    }

    /// `None` at the end, or where a string does not end.
    pub(super) fn next(&mut self) -> Option<Item<'b>> {
        self.lexer.skip_space();
        let start = self.lexer.position();
        Some(match self.lexer.next()? {
            Token::Text => {
                let text = self.bytes.get(start..self.lexer.position())?;
                match text.first() {
                    Some(b'<') => Item::Hex(Hex(text)),
                    _ => Item::Other,
                }
            }
            Token::Integer(value) => Item::Integer(value),
            Token::Name(name) => Item::Name(name),
            Token::ArrayOpen => Item::ArrayOpen,
            Token::ArrayClose => Item::ArrayClose,
            Token::Keyword(word) => Item::Keyword(word),
            _ => Item::Other,
        })
    }

    /// The next item of a section; `None` at its `end…`, and at the end of all.
    pub(super) fn next_in_section(&mut self) -> Option<Item<'b>> {
        self.next()
            .filter(|item| !matches!(item, Item::Keyword(word) if word.starts_with(b"end")))
    }

    /// The next items of a section, if both are codes.
    pub(super) fn code_pair(&mut self) -> Option<(Hex<'b>, Hex<'b>)> {
        match (self.next_in_section()?, self.next_in_section()?) {
            (Item::Hex(first), Item::Hex(last)) => Some((first, last)),
            _ => None,
        }
    }
}

impl<'b> Hex<'b> {
    /// An odd digit at the end counts as if 0 followed.
    pub(super) fn bytes(self) -> impl Iterator<Item = u8> + 'b {
        let digits = self.0.iter();
        let mut digits = digits.filter_map(|&byte| char::from(byte).to_digit(16));
        std::iter::from_fn(move || {
            let high = digits.next()?;
            u8::try_from(high << 4 | digits.next().unwrap_or(0)).ok()
        })
    }

    /// The code and its length in bytes; `None` if that is not 1 to 4.
    pub(super) fn code(self) -> Option<(u32, usize)> {
        let mut code = 0_u32;
        let mut length = 0;
        for byte in self.bytes().take(5) {
            code = code.wrapping_shl(8) | u32::from(byte);
            length += 1;
        }
        (1..=4).contains(&length).then_some((code, length))
    }
}
