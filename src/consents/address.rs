use crate::domain::{AddressBlock, AddressGap, CountryCode, PostalAddress, Private};

/// An address as it was given, field by field: name, additional name, street, postal code, city and
/// country. It stands on a page of ours, so all of it has to be shown there. `None` where nothing is given.
///
/// # Errors
///
/// What is wrong, without repeating it.
pub fn postal_address(fields: [&str; 6]) -> Result<Option<PostalAddress>, String> {
    if fields.iter().all(|field| field.is_empty()) {
        return Ok(None);
    }
    if fields
        .iter()
        .any(|field| field.chars().any(char::is_control))
    {
        return Err("the address has control characters".to_owned());
    }
    let [name, additional_name, street, postal_code, city, country] = fields;
    let private = |text: &str| (!text.is_empty()).then(|| Private::from(text));
    let address = PostalAddress {
        name: private(name),
        additional_name: private(additional_name),
        street: private(street),
        postal_code: private(postal_code),
        city: private(city),
        country: known_country(country)?,
    };
    if let Some(gap) = address.gap() {
        return Err(format!("the address lacks {}", lacking(gap)));
    }
    let block = AddressBlock::of(&address);
    if block.cut().is_some() {
        return Err("the address does not fit on an envelope: 30 characters a row".to_owned());
    }
    if !block.is_printable() {
        return Err("the address has characters that cannot be printed".to_owned());
    }
    Ok(Some(address))
}

fn known_country(code: &str) -> Result<Option<CountryCode>, String> {
    if code.is_empty() {
        return Ok(None);
    }
    let country: Option<CountryCode> = code.parse().ok();
    let known = country.filter(|country| country.is_in_use() && *country != CountryCode::UNKNOWN);
    known
        .map(Some)
        .ok_or_else(|| "the country of the address is no code such as `SE`".to_owned())
}

fn lacking(gap: AddressGap) -> &'static str {
    match gap {
        AddressGap::Name => "a name",
        AddressGap::Street => "a street address",
        AddressGap::PostalCode => "a postal code of five digits",
        AddressGap::City => "a city",
    }
}

/// Reads the rows of an envelope: name, anything more, street, postal code and city and, abroad, a
/// country's code.
pub fn address_of_rows(rows: &[&str]) -> Result<PostalAddress, String> {
    let (country, rows) = match rows {
        [rows @ .., code] if code.len() == 2 && !rows.is_empty() => (*code, rows),
        rows => ("", rows),
    };
    let (name, more, street, locality) = match rows {
        [name, street, locality] => (name, "", street, locality),
        [name, more, street, locality] => (name, *more, street, locality),
        _ => {
            let rows = "name, street, postal code and city; or one more row under the name";
            return Err(format!("an address has these rows: {rows}"));
        }
    };
    let digits = locality.find(|c: char| !(c.is_ascii_digit() || c == ' '));
    let (code, city) = locality.split_at(digits.unwrap_or(locality.len()));
    let fields = [name, more, street, code.trim(), city.trim(), country];
    let address = postal_address(fields)?;
    address.ok_or_else(|| "there is no address".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_of_an_envelope_are_an_address() {
        let home = address_of_rows(&["Edunvalvonta Oy", "Testitie 1", "00100 Helsinki"]).unwrap();
        let block = |address: &PostalAddress| {
            let block = AddressBlock::of(address);
            block.rows().collect::<Vec<_>>().join(" / ")
        };
        assert_eq!(
            block(&home),
            "Edunvalvonta Oy / Testitie 1 / 00100 HELSINKI"
        );
        let rows = [
            "Anna Exempel",
            "c/o Exempel",
            "Storgatan 1",
            "111 22 Stockholm",
            "SE",
        ];
        let abroad = address_of_rows(&rows).unwrap();
        assert!(abroad.is_foreign());
        assert_eq!(
            block(&abroad),
            "Anna Exempel / c/o Exempel / Storgatan 1 / 111 22 STOCKHOLM / SWEDEN"
        );
    }

    #[test]
    fn an_address_that_cannot_be_posted_to_is_refused_without_repeating_it() {
        let wrong = |rows: &[&str]| address_of_rows(rows).unwrap_err();
        insta::assert_snapshot!(wrong(&["Maija", "Tie 1"]), @"an address has these rows: name, street, postal code and city; or one more row under the name");
        insta::assert_snapshot!(wrong(&["Maija", "Tie 1", "0010 Helsinki"]), @"the address lacks a postal code of five digits");
        insta::assert_snapshot!(wrong(&["Maija", "Tie 1", "00100"]), @"the address lacks a city");
        insta::assert_snapshot!(wrong(&["Maija", "Tie 1", "00100 Helsinki", "QQ"]), @"the country of the address is no code such as `SE`");
        insta::assert_snapshot!(wrong(&["Maija\u{7}", "Tie 1", "00100 Helsinki"]), @"the address has control characters");
        insta::assert_snapshot!(wrong(&["麻衣", "Tie 1", "00100 Helsinki"]), @"the address has characters that cannot be printed");
        insta::assert_snapshot!(wrong(&["Maija", &"x".repeat(99), "00100 Helsinki"]), @"the address does not fit on an envelope: 30 characters a row");
        assert_eq!(postal_address([""; 6]), Ok(None));
    }
}
