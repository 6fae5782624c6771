//! Object streams (ISO 32000-1, 7.5.7): many small objects, deflated together.

use std::sync::OnceLock;

use super::Refusal;
use super::allowance::Allowance;
use super::dictionary::Dictionary;
use super::inflate::decoded;
use super::lexer::{Lexer, Token};
use super::object::Object;

/// An object stream, inflated.
pub(super) struct ObjectStream {
    bytes: Vec<u8>,
    /// Object number and offset into `bytes`, by index.
    objects: Vec<(u32, usize)>,
    /// Their indices in order of the numbers: made when the cross-references first give a wrong index.
    by_number: OnceLock<Vec<u32>>,
}

impl ObjectStream {
    pub(super) fn of(object: Object<'_>, inflation: &Allowance) -> Result<Self, Refusal> {
        let dictionary = Dictionary::of(object.value).ok_or(NO_OBJECT_STREAM)?;
        let data = object.data.ok_or(NO_OBJECT_STREAM)?;
        let first = dictionary.integer(b"First").ok_or(NO_OBJECT_STREAM)?;
        let first = usize::try_from(first).map_err(|_| NO_OBJECT_STREAM)?;
        let count = dictionary.integer(b"N").unwrap_or(0);
        let bytes = decoded(dictionary, data, inflation)?;
        let objects = header(&bytes, first, usize::try_from(count).unwrap_or(0));
        Ok(Self {
            bytes,
            objects,
            by_number: OnceLock::new(),
        })
    }

    pub(super) fn held_bytes(&self) -> usize {
        size_of_val(self.objects.as_slice()).saturating_add(self.bytes.len())
    }

    /// The bytes from the object on. The index is believed only if the number is there.
    pub(super) fn place_of(&self, number: u32, index: u32) -> Option<&[u8]> {
        let stated = self.objects.get(index as usize);
        let found = match stated.filter(|(found, _)| *found == number) {
            Some(found) => found,
            None => self.first_of(number)?,
        };
        self.bytes.get(found.1..)
    }

    /// The first object of that number. A file may give a wrong index for each of a million objects.
    fn first_of(&self, number: u32) -> Option<&(u32, usize)> {
        let object = |index: &u32| self.objects.get(*index as usize);
        let number_at = |index: &u32| object(index).map(|(number, _)| *number);
        let by_number = self.by_number.get_or_init(|| {
            let mut indices: Vec<u32> = (0..).take(self.objects.len()).collect();
            indices.sort_by_key(number_at);
            indices
        });
        let at = by_number.partition_point(|index| number_at(index) < Some(number));
        let found = object(by_number.get(at)?)?;
        (found.0 == number).then_some(found)
    }

    /// The numbers of its objects, in order of their index.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.objects.iter().map(|(number, _)| *number)
    }
}

const NO_OBJECT_STREAM: Refusal = Refusal::Unreadable {
    what: "an object stream is none",
};

/// Pairs of object number and offset from `first`; no more than there are.
fn header(bytes: &[u8], first: usize, count: usize) -> Vec<(u32, usize)> {
    let mut lexer = Lexer::new(bytes, 0);
    let mut integer = || match lexer.next()? {
        Token::Integer(value) => Some(value),
        _ => None,
    };
    let mut pair = || {
        let number = u32::try_from(integer()?).ok()?;
        let offset = usize::try_from(integer()?).ok()?;
        Some((number, first.checked_add(offset)?))
    };
    std::iter::from_fn(&mut pair).take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(numbers: &[u32]) -> ObjectStream {
        ObjectStream {
            bytes: (0..=u8::MAX).cycle().take(numbers.len()).collect(),
            objects: numbers.iter().copied().zip(0..).collect(),
            by_number: OnceLock::new(),
        }
    }

    fn found(stream: &ObjectStream, number: u32, index: u32) -> Option<u8> {
        stream.place_of(number, index)?.first().copied()
    }

    #[test]
    fn an_object_is_found_by_its_number_where_the_index_is_wrong() {
        let stream = stream(&[9, 3, 7, 3]);
        assert_eq!(found(&stream, 3, 3), Some(3));
        assert_eq!(found(&stream, 3, 0), Some(1), "the first of two");
        assert_eq!(found(&stream, 9, 2), Some(0));
        assert_eq!(found(&stream, 7, 99), Some(2));
        for absent in [0, 4, 10] {
            assert_eq!(found(&stream, absent, 0), None);
        }
    }

    #[test]
    fn wrong_indices_of_many_objects_cost_no_search_through_all_for_each() {
        let numbers: Vec<u32> = (0..100_000).collect();
        let stream = stream(&numbers);
        for &number in &numbers {
            assert!(stream.place_of(number, 0).is_some());
        }
    }
}
