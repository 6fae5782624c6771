use crate::domain::CountryCode;

/// ISO 3166-1 code and English name in capitals, sorted by code: the last row of a foreign
/// address is the country in capitals, in a language that the home post can read.
const COUNTRIES: &str = include_str!("countries.csv");

/// `SWEDEN`. A code that is not in the table stands for itself, so that the row is never empty.
pub(super) fn name_in_capitals(country: CountryCode) -> String {
    let named = COUNTRIES
        .lines()
        .filter_map(|line| line.split_once(','))
        .find(|(code, _)| *code == country.as_str());
    named.map_or_else(|| country.to_string(), |(_, name)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_named_in_capitals_and_an_unknown_one_by_its_code() {
        let name = |code: &str| name_in_capitals(code.parse().unwrap());
        assert_eq!(name("se"), "SWEDEN");
        assert_eq!(name("ZW"), "ZIMBABWE");
        assert_eq!(name("XX"), "XX");
    }

    #[test]
    fn every_row_of_the_table_is_a_code_and_a_name_in_capitals() {
        for line in COUNTRIES.lines() {
            let (code, name) = line.split_once(',').unwrap();
            assert!(code.parse::<CountryCode>().is_ok(), "{line}");
            assert_eq!(name, name.to_uppercase());
        }
    }
}
