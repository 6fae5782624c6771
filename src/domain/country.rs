use std::{collections::HashMap, fmt, str::FromStr, sync::LazyLock};

/// A country as ISO 3166-1 alpha-2, in upper case. `XX` (unknown) and `XK` are in use too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountryCode([u8; 2]);

/// The text is not two letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a country code is two letters (ISO 3166-1 alpha-2), such as `FI`")]
pub struct InvalidCountryCode;

/// The codes that are assigned, and `XK`, with the English name in capitals. Source: ISO 3166-1.
static NAMES: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    let rows = include_str!("countries.csv").lines();
    rows.filter_map(|row| row.split_once(',')).collect()
});

impl CountryCode {
    pub const FINLAND: Self = Self(*b"FI");
    /// What senders write for a country that they do not know.
    pub const UNKNOWN: Self = Self(*b"XX");

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Whether ISO 3166-1 has given the code to a country, or senders use it all the same: `XK`
    /// (Kosovo) and `XX`.
    pub fn is_in_use(self) -> bool {
        self == Self::FINLAND || self == Self::UNKNOWN || NAMES.contains_key(self.as_str())
    }

    /// `SWEDEN`: the last row of a foreign address, in a language that the home post can read. A
    /// code that nobody uses stands for itself, so that the row is never empty.
    pub fn name_in_capitals(self) -> String {
        let name = NAMES.get(self.as_str()).copied();
        name.unwrap_or(self.as_str()).to_owned()
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CountryCode {
    type Err = InvalidCountryCode;

    fn from_str(text: &str) -> Result<Self, InvalidCountryCode> {
        match text.as_bytes() {
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Ok(Self([a.to_ascii_uppercase(), b.to_ascii_uppercase()]))
            }
            _ => Err(InvalidCountryCode),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn country(code: &str) -> CountryCode {
        code.parse().unwrap()
    }

    #[test]
    fn a_country_is_named_in_capitals_and_an_unknown_one_by_its_code() {
        assert_eq!(country("se").name_in_capitals(), "SWEDEN");
        assert_eq!(country("ZW").name_in_capitals(), "ZIMBABWE");
        assert_eq!(country("XX").name_in_capitals(), "XX");
    }

    #[test]
    fn every_row_of_the_table_is_a_code_and_a_name_in_capitals() {
        for (code, name) in NAMES.iter() {
            assert_eq!(country(code).as_str(), *code);
            assert_eq!(*name, name.to_uppercase());
        }
    }

    #[test]
    fn all_of_the_standard_and_two_more_are_in_use() {
        let letters = || 'A'..='Z';
        let all = letters().flat_map(|a| letters().map(move |b| format!("{a}{b}")));
        // ISO 3166-1 has 249 codes; `XK` and `XX` are of those left to users.
        assert_eq!(all.filter(|code| country(code).is_in_use()).count(), 251);
        for code in ["FI", "fi", "AX", "SE", "XK", "XX"] {
            assert!(country(code).is_in_use(), "{code}");
        }
        for code in ["QQ", "ZZ", "UK", "EU", "AA", "XY"] {
            assert!(!country(code).is_in_use(), "{code}");
        }
    }
}
