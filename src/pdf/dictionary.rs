//! Dictionaries and arrays, looked into in place (ISO 32000-1, 7.3.6 and 7.3.7).

use std::borrow::Cow;
use std::ops::Range;

use super::lexer::{Lexer, MOST_NESTING, Token};

/// A dictionary as it stands in a file, from `<<`.
#[derive(Clone, Copy)]
pub(super) struct Dictionary<'b>(&'b [u8]);

/// A key with its value, as they stand.
pub(super) struct Pair<'b> {
    pub(super) key: &'b [u8],
    pub(super) value: &'b [u8],
    /// Where the value stands in the bytes of the dictionary.
    pub(super) place: Range<usize>,
}

impl<'b> Dictionary<'b> {
    pub(super) const EMPTY: Self = Self(b"<<>>");

    /// `None` if the value is something else.
    pub(super) fn of(value: &'b [u8]) -> Option<Self> {
        let mut lexer = Lexer::new(value, 0);
        (lexer.next()? == Token::DictionaryOpen).then_some(Self(value))
    }

    /// Ends at the first thing that is no pair.
    pub(super) fn pairs(self) -> impl Iterator<Item = Pair<'b>> {
        let mut lexer = Lexer::new(self.0, 0);
        lexer.next();
        std::iter::from_fn(move || {
            let Token::Name(key) = lexer.next()? else {
                return None;
            };
            let place = lexer.skip_value(MOST_NESTING, |_| {}).ok()?;
            let value = self.0.get(place.clone())?;
            Some(Pair { key, value, place })
        })
    }

    pub(super) fn get(self, key: &[u8]) -> Option<&'b [u8]> {
        self.pairs()
            .find(|pair| name_is(pair.key, key))
            .map(|pair| pair.value)
    }

    pub(super) fn integer(self, key: &[u8]) -> Option<i64> {
        match first_token(self.get(key)?)? {
            Token::Integer(value) => Some(value),
            _ => None,
        }
    }

    pub(super) fn reference(self, key: &[u8]) -> Option<u32> {
        reference(self.get(key)?)
    }

    pub(super) fn has_name(self, key: &[u8], name: &[u8]) -> bool {
        self.get(key).is_some_and(|value| is_name(value, name))
    }
}

/// The values of an array as they stand; empty if it is no array.
pub(super) fn elements(array: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut lexer = Lexer::new(array, 0);
    let mut open = lexer.next() == Some(Token::ArrayOpen);
    std::iter::from_fn(move || {
        let place = lexer.skip_value(MOST_NESTING, |_| {}).ok().filter(|_| open);
        open = place.is_some();
        array.get(place?)
    })
}

pub(super) fn is_array(value: &[u8]) -> bool {
    first_token(value) == Some(Token::ArrayOpen)
}

pub(super) fn reference(value: &[u8]) -> Option<u32> {
    match first_token(value)? {
        Token::Reference(number) => Some(number),
        _ => None,
    }
}

pub(super) fn number(value: &[u8]) -> Option<f64> {
    match first_token(value)? {
        #[expect(clippy::cast_precision_loss, reason = "a page is not that large")]
        Token::Integer(value) => Some(value as f64),
        Token::Real(text) => std::str::from_utf8(text).ok()?.parse().ok(),
        _ => None,
    }
    .filter(|value: &f64| value.is_finite())
}

/// A name without its slash, `#xx` undone.
pub(super) fn name(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    match first_token(value)? {
        Token::Name(raw) if raw.contains(&b'#') => Some(unescaped(raw).collect()),
        Token::Name(raw) => Some(Cow::Borrowed(raw)),
        _ => None,
    }
}

pub(super) fn is_name(value: &[u8], name: &[u8]) -> bool {
    matches!(first_token(value), Some(Token::Name(raw)) if name_is(raw, name))
}

/// Whether both are names, and the same one.
pub(super) fn same_name(value: &[u8], other: &[u8]) -> bool {
    name(value).is_some_and(|value| name(other) == Some(value))
}

/// Compares a name as it stands, perhaps with `#xx` in it, with a plain one.
pub(super) fn name_is(raw: &[u8], name: &[u8]) -> bool {
    raw == name || (raw.contains(&b'#') && unescaped(raw).eq(name.iter().copied()))
}

pub(super) fn unescaped(raw: &[u8]) -> impl Iterator<Item = u8> {
    let mut rest = raw;
    std::iter::from_fn(move || {
        if let [b'#', high, low, after @ ..] = rest
            && let (Some(high), Some(low)) = (hexadecimal(*high), hexadecimal(*low))
        {
            rest = after;
            return Some(high << 4 | low);
        }
        let (&first, after) = rest.split_first()?;
        rest = after;
        Some(first)
    })
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16)?.try_into().ok()
}

fn first_token(value: &[u8]) -> Option<Token<'_>> {
    Lexer::new(value, 0).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_at_the_top_level_only() {
        let text = b"<</A<</B 1>>/B 2/C#44 /N#61me>>";
        let dictionary = Dictionary::of(text).unwrap();
        assert_eq!(dictionary.integer(b"B"), Some(2));
        assert!(dictionary.has_name(b"CD", b"Name"));
        assert_eq!(dictionary.get(b"D"), None);
    }

    #[test]
    fn an_array_gives_its_elements_and_nothing_else_does() {
        let values: Vec<_> = elements(b"[1 2 0 R [3] /N]").collect();
        assert_eq!(values, [&b"1"[..], b"2 0 R", b"[3]", b"/N"]);
        assert_eq!(elements(b"1 2 3").count(), 0);
    }

    #[test]
    fn numbers_are_finite_or_nothing() {
        assert_eq!(number(b"595.276"), Some(595.276));
        assert_eq!(number(b"-.5"), Some(-0.5));
        assert_eq!(number("9".repeat(400).as_bytes()), None);
        assert_eq!(number(b"1.2.3"), None);
    }
}
