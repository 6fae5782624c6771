//! The objects of a file, by number (ISO 32000-1, 7.3.10), read where they stand.

use std::sync::OnceLock;

use super::allowance::Allowance;
use super::dictionary::{Dictionary, reference};
use super::entries::{Entries, Entry};
use super::lexer::{Lexer, Token};
use super::object::{Holds, Object, Slot, data_start, ends_stream, header_at, put_length_slot};
use super::object_stream::ObjectStream;
use super::{Limits, Refusal};

type LoadedStream = OnceLock<Result<ObjectStream, Refusal>>;

/// All objects of a file.
pub(super) struct Objects<'a> {
    bytes: &'a [u8],
    limits: Limits,
    entries: Entries,
    /// What a number without an entry is: absent, or lost if the cross-references were.
    unknown: Entry,
    /// Object streams by object number, ascending; each inflated when first asked for.
    streams: Vec<(u32, LoadedStream)>,
    /// How far ends of streams may be searched for, and rebuilding may go back, in bytes.
    pub(super) rescans: Allowance,
    pub(super) inflation: Allowance,
    /// Of maps that say what the codes of fonts are: many fonts may name the same one.
    pub(super) font_maps: Allowance,
    /// How many bytes of values may be gone through because something refers to them.
    rereads: Allowance,
}

const RESCANS: u64 = 16;

/// To go through a value of so many bytes costs little more than to read the reference to it. An array
/// of it holds ten references at most.
const SMALL: usize = 1 << 6;

impl<'a> Objects<'a> {
    /// No object is known yet.
    pub(super) fn new(bytes: &'a [u8], limits: &Limits) -> Self {
        let length = bytes.len() as u64;
        let inflation = limits
            .max_inflated_object_stream_bytes
            .max(length.saturating_mul(4));
        Self {
            bytes,
            limits: limits.clone(),
            entries: Entries::default(),
            unknown: Entry::Absent,
            streams: Vec::new(),
            rescans: Allowance::new(
                length.saturating_mul(RESCANS),
                "streams and values whose end must be searched for",
            ),
            inflation: Allowance::new(inflation, "inflated object streams"),
            font_maps: Allowance::new(inflation, "maps of fonts"),
            rereads: Allowance::new(
                length.saturating_mul(RESCANS).saturating_add(inflation),
                "values that are referred to",
            ),
        }
    }

    pub(super) fn set_entries(&mut self, entries: Entries) {
        let mut streams: Vec<u32> = entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::InStream { stream, .. } => Some(stream),
                _ => None,
            })
            .collect();
        streams.sort_unstable();
        streams.dedup();
        self.streams = streams
            .into_iter()
            .map(|number| (number, OnceLock::new()))
            .collect();
        self.entries = entries;
    }

    /// From here on, what has no entry is lost.
    pub(super) fn expect_all(&mut self) {
        self.unknown = Entry::Lost;
    }

    /// Why a part of the file was refused for what all of its parts ask for together.
    pub(super) fn exhausted(&self) -> Option<Refusal> {
        let allowances = [&self.rescans, &self.inflation, &self.rereads];
        allowances
            .iter()
            .find_map(|allowance| allowance.exhausted())
    }

    /// Bytes of memory: where objects stand, and object streams that were inflated.
    pub(super) fn held_bytes(&self) -> usize {
        let inflated = self.streams.iter().filter_map(|(_, stream)| stream.get());
        let inflated = inflated.filter_map(|stream| stream.as_ref().ok());
        let inflated: usize = inflated.map(ObjectStream::held_bytes).sum();
        inflated.saturating_add(self.entries.held_bytes())
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How many entries may be held: no honest file has more objects than bytes.
    pub(super) fn most_entries(&self) -> usize {
        self.bytes.len().max(ANYHOW)
    }

    /// A place for the object in a table of [`Self::slots`]; `None` where there is none of that number.
    pub(super) fn slot(&self, number: u32) -> Option<usize> {
        self.entries.slot(number)
    }

    pub(super) fn slots(&self) -> usize {
        self.entries.slots()
    }

    pub(super) fn entry(&self, number: u32) -> Entry {
        match self.entries.get(number) {
            Entry::Absent => self.unknown,
            entry => entry,
        }
    }

    /// The object of that number, and what in it must be filled anew (in order; `slots` is
    /// emptied first). `None` stands for `null`, as a reference to nothing does.
    pub(super) fn object_with_slots(
        &self,
        number: u32,
        slots: &mut Vec<Slot>,
    ) -> Result<Option<Object<'_>>, Refusal> {
        match self.entry(number) {
            Entry::Absent => Ok(None),
            Entry::Lost => Err(LOST),
            Entry::InFile(offset) => {
                let (found, object) = self.object_at(offset, Lengths::Anywhere, slots)?;
                if found == number {
                    Ok(Some(object))
                } else {
                    Err(MISPLACED)
                }
            }
            Entry::InStream { stream, index } => {
                let place = self.object_stream(stream)?.place_of(number, index);
                let value = self.value_of(place.ok_or(MISPLACED)?, slots)?;
                Ok(Some(Object { value, data: None }))
            }
        }
    }

    pub(super) fn is_absent(&self, number: u32) -> bool {
        self.entry(number) == Entry::Absent
    }

    /// Whether values of that many bytes may be gone through in one walk. In honest files objects
    /// do not overlap, so that a walk never needs more than there is.
    pub(super) fn check_lexed(&self, bytes: usize) -> Result<(), Refusal> {
        let inflated = self.limits.max_inflated_object_stream_bytes;
        let most = (self.bytes.len() as u64)
            .saturating_mul(RESCANS)
            .saturating_add(inflated);
        if bytes as u64 > most {
            return Err(Refusal::Limit {
                what: "objects that overlap",
            });
        }
        Ok(())
    }

    /// Counts what is gone through again however small it is, or made something of: pages that share their
    /// content must not each be as large.
    pub(super) fn count_work(&self, bytes: usize) -> Result<(), Refusal> {
        self.rereads.spend(bytes)
    }

    pub(super) fn object(&self, number: u32) -> Result<Option<Object<'_>>, Refusal> {
        self.object_with_slots(number, &mut Vec::new())
    }

    /// Follows references until there is a value. All but small ones are counted each time: a million
    /// pages that share one, or what it refers to, must not cost a million times its length.
    pub(super) fn resolved<'s>(&'s self, value: &'s [u8]) -> Result<&'s [u8], Refusal> {
        let mut value = value;
        for _ in 0..MOST_ALIASES {
            let Some(number) = reference(value) else {
                return Ok(value);
            };
            value = self.object(number)?.map_or(b"null", |object| object.value);
            self.count_reread(value.len())?;
        }
        Err(Refusal::Limit {
            what: "references to references",
        })
    }

    /// Counts a value that is gone through, or made something of, because something refers to it.
    pub(super) fn count_reread(&self, bytes: usize) -> Result<(), Refusal> {
        if bytes <= SMALL {
            return Ok(());
        }
        self.rereads.spend(bytes)
    }

    /// The value of a key, references followed; `None` if it is absent or `null`.
    pub(super) fn get<'s>(
        &'s self,
        dictionary: Dictionary<'s>,
        key: &[u8],
    ) -> Result<Option<&'s [u8]>, Refusal> {
        let Some(value) = dictionary.get(key) else {
            return Ok(None);
        };
        let value = self.resolved(value)?;
        Ok(Some(value).filter(|value| *value != b"null"))
    }

    pub(super) fn dictionary<'s>(
        &'s self,
        dictionary: Dictionary<'s>,
        key: &[u8],
    ) -> Result<Option<Dictionary<'s>>, Refusal> {
        Ok(self.get(dictionary, key)?.and_then(Dictionary::of))
    }

    /// The object whose `n g obj` stands at that offset, with its number.
    pub(super) fn object_at(
        &self,
        offset: usize,
        lengths: Lengths,
        slots: &mut Vec<Slot>,
    ) -> Result<(u32, Object<'a>), Refusal> {
        let (number, start) = header_at(self.bytes, offset).ok_or(MISPLACED)?;
        let body = self.bytes.get(start..).unwrap_or_default();
        let value = self.value_of(body, slots)?;
        let data = match data_start(body, value.len()) {
            Some(data) => Some(self.data(value, start + data, lengths, slots)?),
            None => None,
        };
        Ok((number, Object { value, data }))
    }

    /// The value at the front of `body`, and the references in it.
    pub(super) fn value_of<'s>(
        &self,
        body: &'s [u8],
        slots: &mut Vec<Slot>,
    ) -> Result<&'s [u8], Refusal> {
        slots.clear();
        if body.starts_with(b"endobj") {
            return Ok(b"null");
        }
        let mut lexer = Lexer::new(body, 0);
        lexer.skip_space();
        let start = lexer.position();
        let place = lexer.skip_value(self.limits.max_nesting, |found| {
            slots.push(Slot {
                place: found.place.start - start..found.place.end - start,
                holds: Holds::Reference(found.number),
            });
        })?;
        Ok(body.get(place).unwrap_or_default())
    }

    /// The data of a stream, which `/Length` gives if it tells the truth. Makes its place a slot.
    fn data(
        &self,
        value: &[u8],
        start: usize,
        lengths: Lengths,
        slots: &mut Vec<Slot>,
    ) -> Result<&'a [u8], Refusal> {
        let mut pairs = Dictionary::of(value)
            .into_iter()
            .flat_map(Dictionary::pairs);
        let length = pairs.find(|pair| pair.key == b"Length");
        let stated = length
            .as_ref()
            .and_then(|pair| self.length(pair.value, lengths));
        put_length_slot(length.map(|pair| pair.place), slots);
        let stated = stated.and_then(|length| start.checked_add(length));
        let end = match stated.filter(|&end| ends_stream(self.bytes, end)) {
            Some(end) => end,
            None => self.searched_end(start)?,
        };
        Ok(self.bytes.get(start..end).unwrap_or_default())
    }

    fn length(&self, value: &[u8], lengths: Lengths) -> Option<usize> {
        let token = match Lexer::new(value, 0).next()? {
            Token::Reference(number) => match (self.entry(number), lengths) {
                (Entry::InFile(offset), _) => self.integer_at(offset)?,
                (Entry::InStream { .. }, Lengths::Anywhere) => {
                    Lexer::new(self.object(number).ok()??.value, 0).next()?
                }
                _ => return None,
            },
            token => token,
        };
        match token {
            Token::Integer(length) => usize::try_from(length).ok(),
            _ => None,
        }
    }

    fn integer_at(&self, offset: usize) -> Option<Token<'a>> {
        let (_, start) = header_at(self.bytes, offset)?;
        Lexer::new(self.bytes, start).next()
    }

    fn searched_end(&self, start: usize) -> Result<usize, Refusal> {
        let rest = self.bytes.get(start..).unwrap_or_default();
        let length = rest
            .windows(b"endobj".len())
            .position(|window| window == b"endstr" || window == b"endobj");
        self.rescans.spend(length.unwrap_or(rest.len()))?;
        let data = rest.get(..length.ok_or(ENDLESS)?).unwrap_or_default();
        let data = data.strip_suffix(b"\n").unwrap_or(data);
        let data = data.strip_suffix(b"\r").unwrap_or(data);
        Ok(start + data.len())
    }

    fn object_stream(&self, number: u32) -> Result<&ObjectStream, Refusal> {
        let index = self
            .streams
            .binary_search_by_key(&number, |(number, _)| *number);
        let stream = index.ok().and_then(|index| self.streams.get(index));
        let (_, stream) = stream.ok_or(MISPLACED)?;
        let loaded = stream.get_or_init(|| self.load_object_stream(number));
        loaded.as_ref().map_err(Clone::clone)
    }

    fn load_object_stream(&self, number: u32) -> Result<ObjectStream, Refusal> {
        let Entry::InFile(offset) = self.entry(number) else {
            return Err(MISPLACED);
        };
        let (_, object) = self.object_at(offset, Lengths::InFile, &mut Vec::new())?;
        ObjectStream::of(object, &self.inflation)
    }
}

/// Rows of a cross-reference stream deflate to next to nothing: a file of a few hundred bytes must
/// not cost the memory of a million.
const ANYHOW: usize = 1 << 16;

/// Where the length of a stream may stand when it is a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lengths {
    Anywhere,
    /// For object streams: theirs in an object stream could never be read.
    InFile,
}

/// References to references, followed.
const MOST_ALIASES: usize = 32;

const MISPLACED: Refusal = Refusal::Unreadable {
    what: "an object is not where the cross-references say",
};
const LOST: Refusal = Refusal::Unreadable {
    what: "an object is lost",
};
const ENDLESS: Refusal = Refusal::Unreadable {
    what: "a stream does not end",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_some_objects_anyhow_and_more_if_it_is_large() {
        let most = |bytes: &[u8]| Objects::new(bytes, &Limits::default()).most_entries();
        assert_eq!(most(b""), 65_536);
        assert_eq!(most(&vec![0; 65_536]), 65_536);
        assert_eq!(most(&vec![0; 65_537]), 65_537);
    }
}
