use super::{CountryCode, Private};

/// Where a letter goes, as the control data says it. Fields are trimmed; an empty one is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PostalAddress {
    /// The addressee: a person or an organisation.
    pub name: Option<Private<String>>,
    /// Unit, care-of or department: the row under the name.
    pub additional_name: Option<Private<String>>,
    /// Street address or post-office box.
    pub street: Option<Private<String>>,
    pub postal_code: Option<Private<String>>,
    pub city: Option<Private<String>>,
    /// Absent means Finland.
    pub country: Option<CountryCode>,
}

/// What an address lacks before a letter can be posted to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressGap {
    Name,
    Street,
    PostalCode,
    City,
}

impl PostalAddress {
    pub fn country_or_home(&self) -> CountryCode {
        self.country.unwrap_or(CountryCode::FINLAND)
    }

    pub fn is_foreign(&self) -> bool {
        self.country_or_home() != CountryCode::FINLAND
    }

    /// The first thing missing, or `None` where a letter can be posted.
    ///
    /// A domestic address needs five digits of postal code. A foreign one needs none: many
    /// countries have none.
    pub fn gap(&self) -> Option<AddressGap> {
        if self.name.is_none() {
            return Some(AddressGap::Name);
        }
        if self.street.is_none() {
            return Some(AddressGap::Street);
        }
        if !self.is_foreign() && !self.has_finnish_postal_code() {
            return Some(AddressGap::PostalCode);
        }
        self.city.is_none().then_some(AddressGap::City)
    }

    fn has_finnish_postal_code(&self) -> bool {
        let is_five_digits =
            |code: &str| code.len() == 5 && code.bytes().all(|b| b.is_ascii_digit());
        self.postal_code
            .as_ref()
            .is_some_and(|code| is_five_digits(code.expose()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> PostalAddress {
        PostalAddress {
            name: Some("Maija Mallikas".into()),
            street: Some("Mallikatu 1 A 1".into()),
            postal_code: Some("00100".into()),
            city: Some("Helsinki".into()),
            ..PostalAddress::default()
        }
    }

    #[test]
    fn a_full_address_has_no_gap() {
        assert_eq!(address().gap(), None);
    }

    #[test]
    fn a_finnish_address_needs_five_digits_and_a_foreign_one_does_not() {
        let mut odd = PostalAddress {
            postal_code: Some("SW1A 2AA".into()),
            ..address()
        };
        assert_eq!(odd.gap(), Some(AddressGap::PostalCode));
        odd.country = "gb".parse().ok();
        assert_eq!(odd.gap(), None);
        assert!(odd.is_foreign());
    }

    #[test]
    fn an_address_hides_itself_when_printed() {
        assert!(!format!("{:?}", address()).contains("Malli"));
    }
}
