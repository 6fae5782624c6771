//! An object as it stands in a file (ISO 32000-1, 7.3.8 and 7.3.10).

use std::ops::Range;

use super::layers::LayerState;
use super::lexer::{Lexer, Token};

/// An object as it stands: its value, and its data if it is a stream.
#[derive(Clone, Copy)]
pub(super) struct Object<'s> {
    pub(super) value: &'s [u8],
    pub(super) data: Option<&'s [u8]>,
}

/// A place in the value of an object that another file must fill anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) place: Range<usize>,
    pub(super) holds: Holds,
}

impl Slot {
    /// In a dictionary, behind its `<<`.
    pub(super) const BEHIND_OPENING: Range<usize> = 2..2;

    /// Keeps the slots in order; one for the same place is replaced.
    pub(super) fn insert(slots: &mut Vec<Self>, place: Range<usize>, holds: Holds) {
        let index = slots.partition_point(|slot| slot.place.start < place.start);
        let slot = Self { place, holds };
        match slots.get_mut(index) {
            Some(known) if known.place == slot.place && !slot.place.is_empty() => *known = slot,
            _ => slots.insert(index, slot),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Reference(u32),
    /// The value of the stream's `/Length`, which may have been wrong.
    Length,
    /// Nothing, where `/Length` should have been.
    NoLength,
    /// What is left out: `null` in its place.
    Null,
    /// What tells a layer in that state from others.
    Layer(LayerState),
    /// Nothing, where a form should have said that it is one.
    NoSubtype,
    /// Nothing, where the names of further forms go.
    Forms,
}

/// Of an `n g obj` with all space and comments; keeps comments that hold objects cheap.
const LONGEST_HEADER: usize = 1024;

/// The number in the `n g obj` at that offset, and where the value begins.
pub(super) fn header_at(bytes: &[u8], offset: usize) -> Option<(u32, usize)> {
    let end = offset.checked_add(LONGEST_HEADER)?.min(bytes.len());
    let bytes = bytes.get(..end)?;
    let mut lexer = Lexer::new(bytes, offset);
    let Token::Integer(number) = lexer.next()? else {
        return None;
    };
    let Token::Integer(_) = lexer.next()? else {
        return None;
    };
    let Token::Keyword(b"obj") = lexer.next()? else {
        return None;
    };
    lexer.skip_space();
    Some((u32::try_from(number).ok()?, lexer.position()))
}

/// Where the data begins if `stream` follows the value (7.3.8.1).
pub(super) fn data_start(body: &[u8], value_end: usize) -> Option<usize> {
    let mut lexer = Lexer::new(body, value_end);
    if !body.starts_with(b"<<") || lexer.next()? != Token::Keyword(b"stream") {
        return None;
    }
    let start = lexer.position();
    match body.get(start..)? {
        [b'\r', b'\n', ..] => Some(start + 2),
        [b'\r' | b'\n', ..] => Some(start + 1),
        _ => Some(start),
    }
}

/// Makes the value of `/Length` a slot, be it a reference, a number or missing.
pub(super) fn put_length_slot(place: Option<Range<usize>>, slots: &mut Vec<Slot>) {
    let (place, holds) = match place {
        Some(place) => (place, Holds::Length),
        None => (Slot::BEHIND_OPENING, Holds::NoLength),
    };
    Slot::insert(slots, place, holds);
}

/// Whether the data of a stream may end there: `endstream` follows.
pub(super) fn ends_stream(bytes: &[u8], end: usize) -> bool {
    let rest = bytes.get(end..).unwrap_or_default();
    let rest = rest.get(..32).unwrap_or(rest);
    rest.trim_ascii_start().starts_with(b"endstream")
}
