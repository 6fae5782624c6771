//! Addresses to which letters of a matter go, as one text.

use crate::domain::{PostalAddress, Private};

/// What of the register stands in a message's row from its decision on: `:batch` and `:position` name it.
pub(super) const OF_MESSAGE: &str = "(SELECT p.address FROM print_only_matters p
     WHERE p.recipient_id = messages.recipient_id AND p.matter = messages.matter)";

/// A line a field, in the order of an envelope; no field has lines of its own.
pub(super) fn text(address: &PostalAddress) -> String {
    let fields = [
        &address.name,
        &address.additional_name,
        &address.street,
        &address.postal_code,
        &address.city,
    ];
    let mut text = String::new();
    for field in fields {
        text.push_str(field.as_ref().map_or("", |field| field.expose()));
        text.push('\n');
    }
    text.push_str(
        address
            .country
            .as_ref()
            .map_or("", |country| country.as_str()),
    );
    text
}

pub(super) fn address(text: &str) -> PostalAddress {
    let mut lines = text
        .lines()
        .map(|line| (!line.is_empty()).then(|| line.to_owned()));
    let mut next = || lines.next().flatten();
    let mut private = || next().map(Private::new);
    PostalAddress {
        name: private(),
        additional_name: private(),
        street: private(),
        postal_code: private(),
        city: private(),
        country: next().and_then(|code| code.parse().ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_back_as_it_went_in() {
        let whole = PostalAddress {
            name: Some("Maija Mallikas".into()),
            additional_name: None,
            street: Some("Storgatan 1".into()),
            postal_code: Some("111 22".into()),
            city: Some("Stockholm".into()),
            country: Some("SE".parse().unwrap()),
        };
        for it in [whole, PostalAddress::default()] {
            assert_eq!(address(&text(&it)), it);
        }
    }
}
