use super::Found;
use crate::{
    batch::{PostalCodes, Settings},
    domain::{Code, PostalAddress, Private},
};

/// Takes spaces and the country out of a Finnish postal code, so that `00 100` and `FI-00100` can be
/// posted to. Source: Posti writes the code without spaces; `FI-` is for letters from abroad.
pub(super) fn rewrite(address: &mut PostalAddress) -> Option<Found> {
    if address.is_foreign() {
        return None;
    }
    let stated = address.postal_code.as_ref()?.expose();
    if is_code(stated) {
        return None;
    }
    let code: String = stated.split_whitespace().collect();
    let code = without_country(&code);
    if !is_code(code) {
        return None;
    }
    address.postal_code = Some(Private::new(code.to_owned()));
    let detail = "the postal code is not written as five digits alone";
    Some((Code::PostalCodeForm, detail.to_owned()))
}

/// What is wrong with a Finnish postal code of five digits.
///
/// Which codes there are is for the table to say. Without one every code is taken for real, and only
/// the rule of post-office boxes is left.
pub(super) fn faults(address: &PostalAddress, settings: &Settings) -> Option<Found> {
    if address.is_foreign() {
        return None;
    }
    let code = address.postal_code.as_ref()?.expose();
    if !is_code(code) {
        return None;
    }
    match &settings.postal_codes {
        Some(table) => in_table(code, address, table),
        None => of_box(code, address),
    }
}

fn in_table(code: &str, address: &PostalAddress, table: &PostalCodes) -> Option<Found> {
    let locality = address.city.as_ref()?.expose();
    match table.is_of(code, locality) {
        Some(true) => None,
        Some(false) => {
            let detail = "the table has another locality for the postal code";
            Some((Code::PostalCodeLocality, detail.to_owned()))
        }
        None => {
            let detail = "the table does not have the postal code";
            Some((Code::PostalCodeUnknown, detail.to_owned()))
        }
    }
}

/// The code of a post-office box ends in 1. Source: Posti; large receivers have codes of their own.
fn of_box(code: &str, address: &PostalAddress) -> Option<Found> {
    let street = address.street.as_ref()?.expose();
    (is_box(street) && !code.ends_with('1')).then(|| {
        let detail = "the postal code of a post-office box ends in 1";
        (Code::PostalCodePoBox, detail.to_owned())
    })
}

/// `PL 55`, in Swedish `PB 55`.
fn is_box(street: &str) -> bool {
    let (word, rest) = street.split_at_checked(2).unwrap_or_default();
    let is_word = ["PL", "PB"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(word));
    let number = rest.trim();
    is_word && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
}

fn without_country(code: &str) -> &str {
    let prefixes = ["FI-", "FIN-", "FI"];
    let found = prefixes.iter().find_map(|prefix| {
        let (start, rest) = code.split_at_checked(prefix.len())?;
        start.eq_ignore_ascii_case(prefix).then_some(rest)
    });
    found.unwrap_or(code)
}

fn is_code(text: &str) -> bool {
    text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::batch::rules::tests::draft;

    fn address(street: &str, code: &str, city: &str) -> PostalAddress {
        PostalAddress {
            street: Some(street.into()),
            postal_code: Some(code.into()),
            city: Some(city.into()),
            ..draft().address
        }
    }

    fn code_of(found: Option<Found>) -> Option<Code> {
        found.map(|(code, _)| code)
    }

    #[test]
    fn a_code_with_spaces_or_its_country_is_read_without_them() {
        for stated in [
            "00 100",
            "0 0 1 0 0",
            "00\u{a0}100",
            "FI-00100",
            "fi 00100",
            "FIN-00100",
        ] {
            let mut address = address("Mallikatu 1", stated, "Helsinki");
            assert_eq!(code_of(rewrite(&mut address)), Some(Code::PostalCodeForm));
            assert_eq!(address.postal_code, Some("00100".into()), "{stated}");
        }
        for stated in ["00100", "0010", "001000", "SE-00100", "0010O"] {
            let mut address = address("Mallikatu 1", stated, "Helsinki");
            assert_eq!(rewrite(&mut address), None);
            assert_eq!(address.postal_code, Some(stated.into()));
        }
    }

    #[test]
    fn a_foreign_code_is_left_as_it_is() {
        let mut abroad = address("Storgatan 1", "111 22", "Stockholm");
        abroad.country = "SE".parse().ok();
        assert_eq!(rewrite(&mut abroad), None);
        assert_eq!(abroad.postal_code, Some("111 22".into()));
    }

    #[test]
    fn the_code_of_a_box_ends_in_one() {
        let told = |street: &str, code: &str| {
            code_of(faults(
                &address(street, code, "Nivala"),
                &Settings::default(),
            ))
        };
        assert_eq!(told("PL 55", "85501"), None);
        assert_eq!(told("PL 55", "85500"), Some(Code::PostalCodePoBox));
        assert_eq!(told("pb 55", "85500"), Some(Code::PostalCodePoBox));
        for street in ["Plassi 5", "PL", "PL A", "Mallikatu 55", "P"] {
            assert_eq!(told(street, "85500"), None, "{street}");
        }
    }

    #[test]
    fn the_table_says_which_codes_there_are_and_whose_they_are() {
        let csv =
            b"postal_code,locality_fi,locality_sv\n00100,Helsinki,Helsingfors\n00102,Eduskunta,\n";
        let settings = Settings {
            postal_codes: Some(Arc::new(PostalCodes::parse(csv).unwrap())),
            ..Settings::default()
        };
        let told = |code: &str, city: &str| {
            code_of(faults(&address("Mallikatu 1", code, city), &settings))
        };
        assert_eq!(told("00100", "helsinki"), None);
        assert_eq!(told("00100", "Helsingfors"), None);
        assert_eq!(told("00100", "Espoo"), Some(Code::PostalCodeLocality));
        assert_eq!(told("00110", "Helsinki"), Some(Code::PostalCodeUnknown));
        assert_eq!(told("0010", "Helsinki"), None, "that is a gap");
        let box_of_parliament = address("PL 1", "00102", "EDUSKUNTA");
        assert_eq!(code_of(faults(&box_of_parliament, &settings)), None);
    }
}
