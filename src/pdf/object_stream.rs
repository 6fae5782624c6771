//! Object streams (ISO 32000-1, 7.5.7): many small objects, deflated together.

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
        Ok(Self { bytes, objects })
    }

    /// The bytes from the object on. The index is believed only if the number is there.
    pub(super) fn place_of(&self, number: u32, index: u32) -> Option<&[u8]> {
        let stated = self.objects.get(index as usize);
        let found = match stated.filter(|(found, _)| *found == number) {
            Some(found) => found,
            None => self.objects.iter().find(|(found, _)| *found == number)?,
        };
        self.bytes.get(found.1..)
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
