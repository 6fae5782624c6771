use std::cmp::Ordering;

use crate::domain::PostalAddress;

/// What letters are sorted by, one key after the other in one allocation.
///
/// Domestic letters have one country, so that their postal codes decide.
#[derive(Default)]
pub(super) struct PostingOrder {
    /// A length, then so many bytes: country, postal code, name, additional name, street.
    keys: Vec<u8>,
}

impl PostingOrder {
    /// The key of an address, for [`PostingOrder::compare`]. A very long one is cut.
    pub(super) fn key(&mut self, address: &PostalAddress) -> usize {
        let start = self.keys.len();
        self.keys.push(0);
        let country = address.country_or_home();
        self.keys.extend_from_slice(country.as_str().as_bytes());
        for field in [
            &address.postal_code,
            &address.name,
            &address.additional_name,
            &address.street,
        ] {
            let text = field.as_ref().map_or("", |field| field.expose().as_str());
            self.keys.extend_from_slice(text.as_bytes());
            // Sorts before any character, so that a shorter field comes first.
            self.keys.push(0);
        }
        let length = u8::try_from(self.keys.len() - start - 1).unwrap_or(u8::MAX);
        self.keys.truncate(start + 1 + usize::from(length));
        if let Some(first) = self.keys.get_mut(start) {
            *first = length;
        }
        start
    }

    pub(super) fn compare(&self, a: usize, b: usize) -> Ordering {
        self.at(a).cmp(self.at(b))
    }

    fn at(&self, key: usize) -> &[u8] {
        let rest = self.keys.get(key..).unwrap_or_default();
        let (length, rest) = rest.split_first().unwrap_or((&0, &[]));
        rest.get(..usize::from(*length)).unwrap_or_default()
    }
}
