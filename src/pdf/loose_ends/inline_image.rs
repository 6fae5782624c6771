//! Images in the content itself (ISO 32000-1, 8.9.7): how far their data reaches.

use crate::pdf::dictionary::{Dictionary, name_is};
use crate::pdf::lexer::{Lexer, Token, is_regular, is_space};

/// Goes past an image, from behind its `BI`. Whether all readers find its end in the same place: they
/// do where the data is as long as the size of the image says, and is not filtered.
pub(super) fn skip_inline_image<'c>(lexer: &mut Lexer<'c>, content: &'c [u8]) -> bool {
    let entries = lexer.position();
    if !skip_entries(lexer) {
        return false;
    }
    // One byte of space stands between `ID` and the data.
    let start = lexer.position() + 1;
    let entries = content.get(entries..start - 1).unwrap_or_default();
    let stated = length(entries).and_then(|length| start.checked_add(length));
    let stated = stated.and_then(|end| end_at(content, end));
    let end = stated.or_else(|| searched_end(content, start));
    *lexer = Lexer::of_content(content, end.unwrap_or(content.len()));
    stated.is_some()
}

/// Whether `ID` is found behind nothing but keys and values.
fn skip_entries(lexer: &mut Lexer<'_>) -> bool {
    loop {
        let mut ahead = lexer.clone();
        match ahead.next() {
            Some(Token::Keyword(b"ID")) => {
                *lexer = ahead;
                return true;
            }
            Some(Token::Name(_)) if ahead.skip_value(MOST_NESTING, |_| {}).is_ok() => {
                *lexer = ahead;
            }
            _ => return false,
        }
    }
}

const MOST_NESTING: u16 = 8;

/// How many bytes of data an image has that is not filtered; `None` if that cannot be told.
fn length(entries: &[u8]) -> Option<usize> {
    let whole = [b"<<", entries, b">>"].concat();
    let image = Dictionary::of(&whole)?;
    let get = |short: &[u8], long: &[u8]| image.get(short).or_else(|| image.get(long));
    if get(b"F", b"Filter").is_some() {
        return None;
    }
    let number = |short, long| match Lexer::new(get(short, long)?, 0).next()? {
        Token::Integer(value) => usize::try_from(value).ok(),
        _ => None,
    };
    let is_mask = get(b"IM", b"ImageMask").is_some_and(|value| value == b"true");
    let bits = if is_mask {
        1
    } else {
        let colours = components(get(b"CS", b"ColorSpace")?)?;
        number(b"BPC", b"BitsPerComponent")?.checked_mul(colours)?
    };
    let row = number(b"W", b"Width")?.checked_mul(bits)?.div_ceil(8);
    row.checked_mul(number(b"H", b"Height")?)
}

/// Of the colour spaces that are named without the page's resources.
fn components(space: &[u8]) -> Option<usize> {
    let mut lexer = Lexer::new(space, 0);
    let indexed = |name| name_is(name, b"I") || name_is(name, b"Indexed");
    match (lexer.next()?, lexer.next()) {
        (Token::ArrayOpen, Some(Token::Name(name))) if indexed(name) => Some(1),
        (Token::Name(b"G" | b"DeviceGray"), None) => Some(1),
        (Token::Name(b"RGB" | b"DeviceRGB"), None) => Some(3),
        (Token::Name(b"CMYK" | b"DeviceCMYK"), None) => Some(4),
        _ => None,
    }
}

/// Behind the `EI` that follows data which ends there.
fn end_at(content: &[u8], data_end: usize) -> Option<usize> {
    let rest = content.get(data_end..)?;
    let space = rest.iter().take_while(|byte| is_space(**byte)).count();
    let behind = rest.get(space..)?.strip_prefix(b"EI")?;
    let ends = behind.first().is_none_or(|byte| !is_regular(*byte));
    ends.then_some(data_end + space + 2)
}

/// Behind the first `EI` that stands alone.
fn searched_end(content: &[u8], start: usize) -> Option<usize> {
    let data = content.get(start..)?;
    let mut places = data.windows(3).enumerate();
    let stands_alone = |(at, window): (usize, &[u8])| match window {
        [before, b'E', b'I'] if is_space(*before) => end_at(content, start + at + 1),
        _ => None,
    };
    places.find_map(stands_alone)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left behind the image, and whether its end is beyond doubt.
    fn behind(content: &str) -> (&str, bool) {
        let mut lexer = Lexer::new(content.as_bytes(), 2);
        let is_certain = skip_inline_image(&mut lexer, content.as_bytes());
        (&content[lexer.position()..], is_certain)
    }

    #[test]
    fn the_size_says_where_plain_data_ends() {
        let image = |entries: &str, data: &str| format!("BI{entries} ID {data}EI Q");
        for (entries, data) in [
            ("/W 4/H 1/BPC 8/CS/G", " EI "),
            ("/W 9/H 2/IM true", "1234 \n"),
            (
                "/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceRGB",
                "123",
            ),
            ("/W 1/H 1/BPC 8/CS/CMYK", "1234"),
            ("/W 3/H 1/BPC 4/CS[/I/RGB 1<000000FFFFFF>]", "12"),
        ] {
            assert_eq!(behind(&image(entries, data)), (" Q", true), "{entries}");
        }
    }

    #[test]
    fn where_readers_may_differ_there_is_doubt() {
        let image = |entries: &str, data: &str| format!("BI{entries} ID {data}\nEI Q");
        for (entries, data) in [
            ("/W 80/H 80/BPC 8/CS/G", "1234"),
            ("/W 4/H 1/BPC 8/CS/G", "123456"),
            ("/W 4/H 1/BPC 8/CS/Cs1", "1234"),
            ("/W 4/H 1/BPC 8/CS/G/F/Fl", "1234"),
            ("/H 1/BPC 8/CS/G", "1234"),
        ] {
            assert_eq!(behind(&image(entries, data)), (" Q", false), "{entries}");
        }
        assert_eq!(behind("BI/W 4/H 1/BPC 8/CS/G ID 12"), ("", false));
        assert!(!behind("BI/W 4/H 1 EMC").1);
    }
}
