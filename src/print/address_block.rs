use crate::domain::{CountryCode, Letter, PostalAddress, Private};

use super::{address_font::AddressFont, countries};

/// The post reads at most this many characters a row.
pub(super) const MAX_ROW_CHARS: usize = 30;

/// A field that is longer gets a second row; what is past that is left out.
const MAX_ROWS_A_FIELD: usize = 2;

/// Where the postal code stands after the locality.
const CODE_AFTER_LOCALITY: [&str; 8] = ["AU", "CA", "GB", "IE", "IN", "NZ", "SG", "US"];

/// The rows of an address block: name, additional name, street, postal code and locality in
/// capitals, and abroad the country in capitals. Each has 1 to 30 characters, none is empty.
pub(super) fn rows(address: &PostalAddress) -> Vec<String> {
    let mut rows = Vec::new();
    for field in [&address.name, &address.additional_name, &address.street] {
        rows.extend(
            field
                .as_ref()
                .map(|text| wrapped(text.expose()))
                .into_iter()
                .flatten(),
        );
    }
    rows.extend(wrapped(&locality_row(address)));
    if address.is_foreign() {
        rows.extend(wrapped(&countries::name_in_capitals(
            address.country_or_home(),
        )));
    }
    rows
}

/// Whether the font of the address page has every character that the page would show.
pub(super) fn is_printable(letter: &Letter) -> bool {
    let subject = letter.subject.as_ref().map(|text| one_line(text.expose()));
    rows(&letter.address)
        .iter()
        .chain(&subject)
        .all(|text| AddressFont::covers(text))
}

/// Runs of white space and control characters become one space.
pub(super) fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn locality_row(address: &PostalAddress) -> String {
    let text = |field: &Option<Private<String>>| {
        field
            .as_ref()
            .map_or_else(String::new, |text| text.expose().to_uppercase())
    };
    let (code, city) = (text(&address.postal_code), text(&address.city));
    if follows_locality(address.country_or_home()) {
        format!("{city} {code}")
    } else {
        format!("{code} {city}")
    }
}

fn follows_locality(country: CountryCode) -> bool {
    CODE_AFTER_LOCALITY.contains(&country.as_str())
}

/// Breaks at spaces where it can, inside a word where it must.
fn wrapped(text: &str) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for word in one_line(text).split(' ').filter(|word| !word.is_empty()) {
        for part in parts_of(word) {
            match rows.last_mut() {
                Some(row) if chars(row) + 1 + chars(&part) <= MAX_ROW_CHARS => {
                    row.push(' ');
                    row.push_str(&part);
                }
                _ => rows.push(part),
            }
        }
    }
    rows.truncate(MAX_ROWS_A_FIELD);
    rows
}

fn parts_of(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    letters
        .chunks(MAX_ROW_CHARS)
        .map(|part| part.iter().collect())
        .collect()
}

fn chars(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address() -> PostalAddress {
        PostalAddress {
            name: Some("Maija Mallikas".into()),
            additional_name: Some("c/o Ville Mallikas".into()),
            street: Some("Mallikatu 1 A 1".into()),
            postal_code: Some("00100".into()),
            city: Some("Äänekoski".into()),
            country: None,
        }
    }

    #[test]
    fn at_home_the_locality_is_in_capitals_and_there_is_no_country() {
        insta::assert_snapshot!(rows(&address()).join("\n"), @r#"
        Maija Mallikas
        c/o Ville Mallikas
        Mallikatu 1 A 1
        00100 ÄÄNEKOSKI
        "#);
    }

    #[test]
    fn abroad_the_country_is_the_last_row() {
        let abroad = PostalAddress {
            additional_name: None,
            postal_code: Some("SW1A 2AA".into()),
            city: Some("London".into()),
            country: "GB".parse().ok(),
            ..address()
        };
        insta::assert_snapshot!(rows(&abroad).join("\n"), @r#"
        Maija Mallikas
        Mallikatu 1 A 1
        LONDON SW1A 2AA
        UNITED KINGDOM
        "#);
    }

    #[test]
    fn a_row_may_have_thirty_characters_and_the_next_one_goes_on_a_new_row() {
        let named = |name: &str| PostalAddress {
            name: Some(name.into()),
            ..PostalAddress::default()
        };
        let thirty = "Aapo Bertta Cecilia Daavid Eel";
        assert_eq!(rows(&named(thirty)), [thirty]);
        assert_eq!(
            rows(&named(&format!("{thirty}i"))),
            ["Aapo Bertta Cecilia Daavid", "Eeli"]
        );
    }

    proptest! {
        #[test]
        fn no_field_makes_a_row_that_is_empty_or_too_long(name in "\\PC{0,200}|[a-z \t\n]{0,200}") {
            let address = PostalAddress {
                name: Some(Private::new(name)),
                ..address()
            };
            for row in rows(&address) {
                prop_assert!((1..=MAX_ROW_CHARS).contains(&chars(&row)));
            }
        }
    }
}
