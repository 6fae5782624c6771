use super::{CountryCode, PostalAddress, Private, is_printable};

/// The post reads at most this many characters a row.
pub const MAX_ROW_CHARS: usize = 30;

/// A field that is longer gets a second row; what is past that is left out.
const MAX_ROWS_A_FIELD: usize = 2;

/// Where the postal code stands after the locality.
const CODE_AFTER_LOCALITY: [&str; 8] = ["AU", "CA", "GB", "IE", "IN", "NZ", "SG", "US"];

/// The address block of an address page: name, additional name, street, postal code and locality in
/// capitals, and abroad the country in capitals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressBlock {
    pub parts: Vec<BlockPart>,
}

/// One field of the address, broken into rows. Each has 1 to 30 characters, none is empty.
#[derive(Clone, PartialEq, Eq)]
pub struct BlockPart {
    /// What control data calls it: `name`, `city`.
    pub field: &'static str,
    pub rows: Vec<String>,
    /// In one row.
    pub chars: usize,
    /// The field is longer than its two rows hold, and its end is left out.
    pub is_cut: bool,
}

impl AddressBlock {
    pub fn of(address: &PostalAddress) -> Self {
        let fields = [
            ("name", &address.name),
            ("additional_name", &address.additional_name),
            ("address", &address.street),
        ];
        let fields = fields
            .into_iter()
            .filter_map(|(field, text)| Some((field, text.as_ref()?)));
        let mut parts: Vec<_> = fields
            .map(|(field, text)| BlockPart::of(field, text.expose()))
            .collect();
        parts.push(BlockPart::of("city", &locality_row(address)));
        if address.is_foreign() {
            let country = address.country_or_home().name_in_capitals();
            parts.push(BlockPart::of("country", &country));
        }
        parts.retain(|part| !part.rows.is_empty());
        Self { parts }
    }

    pub fn rows(&self) -> impl Iterator<Item = &str> {
        self.parts
            .iter()
            .flat_map(|part| part.rows.iter().map(String::as_str))
    }

    /// The first field whose end is left out.
    pub fn cut(&self) -> Option<&BlockPart> {
        self.parts.iter().find(|part| part.is_cut)
    }

    /// Whether the address page's font has every character.
    pub fn is_printable(&self) -> bool {
        self.rows().all(is_printable)
    }
}

impl BlockPart {
    fn of(field: &'static str, text: &str) -> Self {
        let text = one_line(text);
        let mut rows = wrapped(&text);
        let is_cut = rows.len() > MAX_ROWS_A_FIELD;
        rows.truncate(MAX_ROWS_A_FIELD);
        Self {
            field,
            rows,
            chars: chars(&text),
            is_cut,
        }
    }
}

/// The rows belong to a person.
impl std::fmt::Debug for BlockPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlockPart")
            .field("field", &self.field)
            .field("rows", &self.rows.len())
            .finish_non_exhaustive()
    }
}

/// Runs of white space and control characters become one space.
pub fn one_line(text: &str) -> String {
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

/// Breaks one line at spaces where it can, inside a word where it must.
fn wrapped(text: &str) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
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

    fn rows(address: &PostalAddress) -> Vec<String> {
        let block = AddressBlock::of(address);
        block.rows().map(str::to_owned).collect()
    }

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

    #[test]
    fn a_field_may_have_two_rows_and_what_is_past_them_is_told() {
        let named = |chars: usize| {
            AddressBlock::of(&PostalAddress {
                name: Some(Private::new("n".repeat(chars))),
                ..PostalAddress::default()
            })
        };
        assert_eq!(named(60).cut(), None);
        let block = named(61);
        let cut = block.cut().unwrap();
        assert_eq!((cut.field, cut.rows.len(), cut.chars), ("name", 2, 61));
        assert!(!format!("{block:?}").contains("nnn"));
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
