use super::Found;
use crate::{
    batch::{Settings, control::Draft},
    domain::{
        AddressBlock, AddressGap, BlockPart, Code, MAX_ROW_CHARS, PostalAddress, Private,
        is_printable, one_line,
    },
};

/// What the address lacks before a letter can be posted to it.
pub(super) fn gap(address: &PostalAddress) -> Option<Found> {
    let lacks = match address.gap()? {
        AddressGap::Name => "a name",
        AddressGap::Street => "a street address",
        AddressGap::PostalCode => "a postal code of five digits",
        AddressGap::City => "a city",
    };
    Some((
        Code::AddressIncomplete,
        format!("the address lacks {lacks}"),
    ))
}

/// Two letters that are no country's.
pub(super) fn country(address: &PostalAddress) -> Option<Found> {
    let country = address.country.filter(|country| !country.is_in_use())?;
    let detail = format!("`{country}` is no country's code");
    Some((Code::CountryInvalid, detail))
}

/// What is wrong with the rows of the address: their length, and on an address page of our own what
/// it would break, leave out or not show.
pub(super) fn block(draft: &Draft, settings: &Settings) -> Vec<Found> {
    let has_page = settings.paper.address_page;
    let limit = settings.limits.max_address_row_chars;
    if !has_page && fits(&draft.address, limit) {
        return Vec::new();
    }
    let block = AddressBlock::of(&draft.address);
    // The country's name is ours.
    let stated = block.parts.iter().filter(|part| part.field != "country");
    let mut found: Vec<_> = stated
        .filter_map(|part| row(part, limit, has_page))
        .collect();
    if has_page {
        found.extend(characters(&block, draft.subject.as_ref()));
    }
    found
}

/// Whether every row has so few bytes that its characters need no counting.
fn fits(address: &PostalAddress, limit: usize) -> bool {
    let bytes =
        |field: &Option<Private<String>>| field.as_ref().map_or(0, |text| text.expose().len());
    let fields = [&address.name, &address.additional_name, &address.street];
    let locality = bytes(&address.postal_code) + 1 + bytes(&address.city);
    locality <= limit && fields.into_iter().all(|field| bytes(field) <= limit)
}

fn row(part: &BlockPart, limit: usize, has_page: bool) -> Option<Found> {
    let has = format!("`{}` makes a row of {} characters", part.field, part.chars);
    if has_page && part.is_cut {
        let detail = format!("{has}, and the address page has two of {MAX_ROW_CHARS} for it");
        return Some((Code::AddressRowCut, detail));
    }
    if has_page && part.rows.len() > 1 {
        let detail = format!("{has}, which the address page breaks into two");
        return Some((Code::AddressRowLong, detail));
    }
    (part.chars > limit).then(|| {
        let detail = format!("{has}, and the post reads {limit}");
        (Code::AddressRowLong, detail)
    })
}

fn characters(block: &AddressBlock, subject: Option<&Private<String>>) -> Vec<Found> {
    let is_shown = |part: &&BlockPart| part.rows.iter().all(|row| is_printable(row));
    let fields = block.parts.iter().filter(|part| !is_shown(part));
    let subject = subject.filter(|text| !is_printable(&one_line(text.expose())));
    let fields = fields
        .map(|part| part.field)
        .chain(subject.map(|_| "subject"));
    let told = |field| {
        let detail = format!("`{field}` has a character that the address page's font lacks");
        (Code::AddressCharacter, detail)
    };
    fields.map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::rules::tests::{draft, settings_with_page};

    fn told(draft: &Draft, settings: &Settings) -> Vec<String> {
        let found = block(draft, settings).into_iter();
        found
            .map(|(code, detail)| format!("{code}: {detail}"))
            .collect()
    }

    fn named(name: &str) -> Draft {
        let mut draft = draft();
        draft.address.name = Some(name.into());
        draft
    }

    #[test]
    fn a_row_may_have_as_many_characters_as_the_limit_and_no_more() {
        let settings = Settings::default();
        assert_eq!(settings.limits.max_address_row_chars, 30);
        assert_eq!(told(&named(&"ä".repeat(30)), &settings), [""; 0]);
        assert_eq!(
            told(&named(&"ä".repeat(31)), &settings),
            ["address-row-long: `name` makes a row of 31 characters, and the post reads 30"]
        );
    }

    #[test]
    fn the_postal_code_counts_in_the_row_of_the_locality() {
        let mut draft = draft();
        draft.address.city = Some("a".repeat(24).as_str().into());
        assert_eq!(told(&draft, &Settings::default()), [""; 0]);
        draft.address.city = Some("a".repeat(25).as_str().into());
        assert_eq!(
            told(&draft, &Settings::default()),
            ["address-row-long: `city` makes a row of 31 characters, and the post reads 30"]
        );
    }

    #[test]
    fn an_address_page_tells_what_it_would_break_and_what_it_would_leave_out() {
        let mut settings = settings_with_page();
        settings.limits.max_address_row_chars = 100;
        assert_eq!(told(&named(&"n".repeat(30)), &settings), [""; 0]);
        assert_eq!(
            told(&named(&"n".repeat(60)), &settings),
            [
                "address-row-long: `name` makes a row of 60 characters, which the address page breaks into two"
            ]
        );
        assert_eq!(
            told(&named(&"n".repeat(61)), &settings),
            [
                "address-row-cut: `name` makes a row of 61 characters, and the address page has two of 30 for it"
            ]
        );
        let without_page = Settings::default();
        let of_page = |found: Vec<String>| found.iter().any(|text| text.contains("page"));
        assert!(!of_page(told(&named(&"n".repeat(61)), &without_page)));
    }

    #[test]
    fn characters_are_of_interest_to_an_address_page_alone() {
        let mut draft = named("東京");
        draft.subject = Some("🙂".into());
        assert_eq!(told(&draft, &Settings::default()), [""; 0]);
        assert_eq!(
            told(&draft, &settings_with_page()),
            [
                "address-character: `name` has a character that the address page's font lacks",
                "address-character: `subject` has a character that the address page's font lacks",
            ]
        );
    }

    #[test]
    fn two_letters_must_be_a_countrys() {
        let told = |code: &str| {
            let mut draft = draft();
            draft.address.country = code.parse().ok();
            country(&draft.address).map(|(_, detail)| detail)
        };
        for code in ["FI", "SE", "AX", "XK", "XX", ""] {
            assert_eq!(told(code), None, "{code}");
        }
        assert_eq!(told("UK").unwrap(), "`UK` is no country's code");
    }
}
