//! Glyph names to characters, by the Adobe Glyph List (AGL specification, 2).

use std::sync::LazyLock;

/// What a glyph's name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    Character(char),
    Several(String),
}

/// `None` if the name says nothing: `.notdef`, `g12`, and what fonts make up.
pub(super) fn named(name: &[u8]) -> Option<Named> {
    if let Some(character) = listed(name) {
        return Some(Named::Character(character));
    }
    let name = name.get(..LONGEST_NAME).unwrap_or(name);
    let name = std::str::from_utf8(name).ok()?;
    let (name, _) = name.split_once('.').unwrap_or((name, ""));
    let mut text = String::new();
    for part in name.split('_') {
        put_part(&mut text, part)?;
    }
    let mut characters = text.chars();
    match (characters.next()?, characters.next()) {
        (character, None) => Some(Named::Character(character)),
        _ => Some(Named::Several(text)),
    }
}

const LONGEST_NAME: usize = 127;

fn put_part(text: &mut String, part: &str) -> Option<()> {
    if let Some(character) = listed(part.as_bytes()) {
        text.push(character);
        return Some(());
    }
    if let Some(digits) = part.strip_prefix("uni")
        && digits.len() >= 4
        && digits.len().is_multiple_of(4)
    {
        for digits in digits.as_bytes().chunks(4) {
            text.push(hexadecimal(std::str::from_utf8(digits).ok()?)?);
        }
        return Some(());
    }
    let digits = part.strip_prefix('u')?;
    (4..=6).contains(&digits.len()).then_some(())?;
    text.push(hexadecimal(digits)?);
    Some(())
}

fn hexadecimal(digits: &str) -> Option<char> {
    let are_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let code = u32::from_str_radix(digits, 16).ok().filter(|_| are_digits);
    char::from_u32(code?)
}

fn listed(name: &[u8]) -> Option<char> {
    let at = LIST.binary_search_by_key(&name, |(known, _)| known.as_bytes());
    LIST.get(at.ok()?).map(|(_, character)| *character)
}

/// In the order of the names' bytes.
static LIST: LazyLock<Vec<(&str, char)>> = LazyLock::new(|| {
    let lines = include_str!("glyph_names.txt").lines();
    let lines = lines.filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once(' '));
    let pairs = pairs.filter_map(|(name, code)| Some((name, hexadecimal(code)?)));
    pairs.collect()
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Option<&str>) {
        let found = named(name.as_bytes()).map(|named| match named {
            Named::Character(character) => character.to_string(),
            Named::Several(characters) => characters,
        });
        assert_eq!(found.as_deref(), expected, "{name}");
    }

    #[test]
    fn the_list_is_whole_and_in_order() {
        assert_eq!(LIST.len(), 1978);
        assert!(LIST.is_sorted_by(|(a, _), (b, _)| a < b));
    }

    #[test]
    fn names_of_the_list_are_characters() {
        check("A", Some("A"));
        check("Aring", Some("Å"));
        check("adieresis", Some("ä"));
        check("Euro", Some("€"));
        check("alpha", Some("α"));
        check("afii10017", Some("А"));
        check("fi", Some("ﬁ"));
        check("nbspace", Some("\u{a0}"));
    }

    #[test]
    fn names_may_be_made_of_codes_and_parts_and_have_suffixes() {
        check("uni00E4", Some("ä"));
        check("uni00660069", Some("fi"));
        check("u1F600", Some("😀"));
        check("f_f_i", Some("ffi"));
        check("A.sc", Some("A"));
        check("T_h.liga", Some("Th"));
        check("uni0041_uni0042.alt", Some("AB"));
    }

    #[test]
    fn what_says_nothing_is_not_guessed() {
        for name in [
            ".notdef", "", "g12", "cid123", "G41", "a65", "uni004", "uniD83D", "u+041", "u110000",
            "A_g12", "uni00+1", "C0061",
        ] {
            check(name, None);
        }
    }

    proptest! {
        #[test]
        fn whatever_the_name_it_is_looked_up(name: Vec<u8>, text in "[a-zA-Z_.u0-9ni]{0,20}") {
            named(&name);
            named(text.as_bytes());
        }
    }
}
