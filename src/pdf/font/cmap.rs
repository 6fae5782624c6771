//! How the bytes of a string are codes, and codes are CIDs (ISO 32000-1, 9.7.5 and 9.7.6.2).

use super::cmap_reader::{CmapReader, Hex, Item};
use super::code_ranges::CodeRanges;
use super::to_unicode::map_bytes;
use crate::pdf::Refusal;
use crate::pdf::dictionary::{Dictionary, is_name, name, reference};
use crate::pdf::objects::Objects;

/// The `/Encoding` of a composite font.
pub(super) struct Cmap {
    kind: Kind,
    is_vertical: bool,
}

enum Kind {
    /// Codes of two bytes are CIDs.
    Identity,
    /// Codes are UTF-16: what they say is known, their CIDs are not.
    Utf16,
    /// One of the predefined ones that are not kept here, or none. Taken as of two bytes.
    Unknown,
    Embedded(Box<Embedded>),
}

impl Cmap {
    /// The value of a composite font's `/Encoding`.
    pub(super) fn read(objects: &Objects<'_>, encoding: Option<&[u8]>) -> Result<Self, Refusal> {
        let Some(encoding) = encoding else {
            return Ok(Self::predefined(b""));
        };
        let value = objects.resolved(encoding)?;
        if let Some(name) = name(value) {
            return Ok(Self::predefined(&name));
        }
        let bytes = reference(encoding).and_then(|stream| map_bytes(objects, stream));
        let dictionary = Dictionary::of(value);
        let Some((dictionary, bytes)) = dictionary.zip(bytes) else {
            return Ok(Self::predefined(b""));
        };
        let mut embedded = Embedded::read(&bytes);
        let used = objects.get(dictionary, b"UseCMap")?;
        embedded.is_identity |= used.is_some_and(is_identity);
        let is_vertical = dictionary.integer(b"WMode") == Some(1) || embedded.is_vertical;
        Ok(Self {
            kind: Kind::Embedded(Box::new(embedded)),
            is_vertical,
        })
    }

    fn predefined(name: &[u8]) -> Self {
        let holds = |part: &[u8]| name.windows(part.len()).any(|window| window == part);
        let kind = match name {
            b"Identity-H" | b"Identity-V" => Kind::Identity,
            _ if holds(b"UCS2") || holds(b"UTF16") => Kind::Utf16,
            _ => Kind::Unknown,
        };
        Self {
            kind,
            is_vertical: name == b"V" || name.ends_with(b"-V"),
        }
    }

    pub(super) fn is_vertical(&self) -> bool {
        self.is_vertical
    }

    /// The first code of a string, and how many bytes it is, 1 to 4; `None` at the end.
    pub(super) fn first_code(&self, bytes: &[u8]) -> Option<(u32, usize)> {
        match &self.kind {
            Kind::Embedded(embedded) => embedded.first_code(bytes),
            Kind::Utf16 => match bytes {
                [0xd8..=0xdb, _, _, _, ..] => code(bytes, 4),
                _ => code(bytes, 2),
            },
            Kind::Identity | Kind::Unknown => code(bytes, 2),
        }
    }

    /// `None` where it is not known.
    pub(super) fn cid(&self, code: u32) -> Option<u32> {
        match &self.kind {
            Kind::Identity => Some(code),
            Kind::Utf16 | Kind::Unknown => None,
            Kind::Embedded(embedded) => embedded.cid(code),
        }
    }

    /// What a code says, where codes are characters.
    pub(super) fn character(&self, code: u32) -> Option<char> {
        let Kind::Utf16 = self.kind else {
            return None;
        };
        let [a, b, c, d] = code.to_be_bytes();
        let units = [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])];
        let units = units.into_iter().skip(usize::from(units[0] == 0));
        char::decode_utf16(units).next()?.ok()
    }
}

/// The first bytes as a number; fewer at the end of a string.
fn code(bytes: &[u8], length: usize) -> Option<(u32, usize)> {
    let bytes = bytes.get(..length).unwrap_or(bytes);
    let code = bytes
        .iter()
        .fold(0, |code, &byte| code << 8 | u32::from(byte));
    (!bytes.is_empty()).then_some((code, bytes.len()))
}

pub(super) fn is_identity(value: &[u8]) -> bool {
    is_name(value, b"Identity-H") || is_name(value, b"Identity-V")
}

/// A `CMap` that the file brings.
struct Embedded {
    spaces: Vec<CodeSpace>,
    cids: CodeRanges<u32>,
    /// What it does not say itself is as in Identity.
    is_identity: bool,
    is_vertical: bool,
}

/// Codes of one length. Each of their bytes is in the range of the bytes at its place.
struct CodeSpace {
    length: usize,
    first: [u8; 4],
    last: [u8; 4],
}

/// All are looked at for each code. Those of Adobe have six at most.
const MOST_SPACES: usize = 32;

impl Embedded {
    fn read(bytes: &[u8]) -> Self {
        let mut map = Self {
            spaces: Vec::new(),
            cids: CodeRanges::new(),
            is_identity: false,
            is_vertical: false,
        };
        let mut reader = CmapReader::new(bytes);
        let mut before = [Item::Other; 2];
        while let Some(item) = reader.next() {
            if let Item::Keyword(word) = item {
                map.obey(word, before, &mut reader);
            }
            before = [before[1], item];
        }
        map.cids.sort();
        map
    }

    fn obey<'b>(&mut self, word: &[u8], before: [Item<'b>; 2], reader: &mut CmapReader<'b>) {
        match (word, before) {
            (b"begincodespacerange", _) => self.read_spaces(reader),
            (b"begincidchar", _) => self.read_characters(reader),
            (b"begincidrange", _) => self.read_ranges(reader),
            (b"usecmap", [_, Item::Name(b"Identity-H" | b"Identity-V")]) => self.is_identity = true,
            (b"def", [Item::Name(b"WMode"), Item::Integer(mode)]) => self.is_vertical = mode == 1,
            _ => {}
        }
    }

    fn read_spaces(&mut self, reader: &mut CmapReader<'_>) {
        while let Some((first, last)) = reader.code_pair() {
            let space = CodeSpace::of(first, last);
            if self.spaces.len() < MOST_SPACES {
                self.spaces.extend(space);
            }
        }
    }

    fn read_characters(&mut self, reader: &mut CmapReader<'_>) {
        while let Some(Item::Hex(code)) = reader.next_in_section() {
            let Some(Item::Integer(cid)) = reader.next_in_section() else {
                return;
            };
            if let (Some((code, _)), Ok(cid)) = (code.code(), u32::try_from(cid)) {
                self.cids.push(code, code, cid);
            }
        }
    }

    fn read_ranges(&mut self, reader: &mut CmapReader<'_>) {
        while let Some((first, last)) = reader.code_pair() {
            let Some(Item::Integer(cid)) = reader.next_in_section() else {
                return;
            };
            let codes = first.code().zip(last.code());
            if let (Some(((first, _), (last, _))), Ok(cid)) = (codes, u32::try_from(cid)) {
                self.cids.push(first, last, cid);
            }
        }
    }

    fn first_code(&self, bytes: &[u8]) -> Option<(u32, usize)> {
        let fits = |space: &&CodeSpace| space.holds(bytes);
        let shortest = self.spaces.iter().map(|space| space.length).min();
        let found = self.spaces.iter().filter(fits).map(|space| space.length);
        // What is in no space is passed over by as many bytes as the shortest code has.
        let length = found.min().or(shortest).unwrap_or(2);
        code(bytes, length)
    }

    fn cid(&self, code: u32) -> Option<u32> {
        match self.cids.find(code) {
            Some((offset, first)) => first.checked_add(offset),
            None => self.is_identity.then_some(code),
        }
    }
}

impl CodeSpace {
    fn of(first: Hex<'_>, last: Hex<'_>) -> Option<Self> {
        let (_, length) = first.code()?;
        let (_, other) = last.code()?;
        let padded = |code: Hex<'_>| {
            let mut bytes = code.bytes();
            std::array::from_fn(|_| bytes.next().unwrap_or(0))
        };
        (length == other).then(|| Self {
            length,
            first: padded(first),
            last: padded(last),
        })
    }

    fn holds(&self, bytes: &[u8]) -> bool {
        let Some(bytes) = bytes.get(..self.length) else {
            return false;
        };
        let bounds = self.first.iter().zip(&self.last);
        let mut pairs = bytes.iter().zip(bounds);
        pairs.all(|(byte, (first, last))| first <= byte && byte <= last)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn embedded(text: &str) -> Cmap {
        Cmap {
            kind: Kind::Embedded(Box::new(Embedded::read(text.as_bytes()))),
            is_vertical: false,
        }
    }

    fn codes(map: &Cmap, mut bytes: &[u8]) -> Vec<(u32, usize)> {
        let mut codes = Vec::new();
        while let Some((code, length)) = map.first_code(bytes) {
            codes.push((code, length));
            bytes = &bytes[length..];
        }
        codes
    }

    #[test]
    fn identity_takes_two_bytes_and_what_is_left() {
        let map = Cmap::predefined(b"Identity-H");
        assert_eq!(codes(&map, b"\x01\x02\x03"), [(0x102, 2), (3, 1)]);
        assert_eq!(map.cid(0x102), Some(0x102));
        assert!(!map.is_vertical());
        assert!(Cmap::predefined(b"Identity-V").is_vertical());
    }

    #[test]
    fn code_spaces_tell_how_long_codes_are() {
        let map = embedded(
            "2 begincodespacerange <00> <80> <8140> <9FFC> endcodespacerange
             1 begincidrange <20> <7e> 231 endcidrange
             1 begincidchar <8140> 633 endcidchar",
        );
        let found = codes(&map, b"A\x81\x40\xff\x81\x20");
        assert_eq!(
            found,
            [(0x41, 1), (0x8140, 2), (0xff, 1), (0x81, 1), (0x20, 1)]
        );
        assert_eq!(map.cid(0x41), Some(231 + 0x21));
        assert_eq!(map.cid(0x8140), Some(633));
        assert_eq!(map.cid(0x90), None);
    }

    #[test]
    fn an_embedded_map_may_stand_on_identity() {
        let map = embedded("/Identity-H usecmap begincidchar <0003> 7 endcidchar");
        assert_eq!((map.cid(3), map.cid(4)), (Some(7), Some(4)));
    }

    #[test]
    fn codes_that_are_utf_16_are_characters() {
        let map = Cmap::predefined(b"UniJIS-UTF16-H");
        let found = codes(&map, b"\0A\xd8\x3d\xde\0");
        assert_eq!(found, [(0x41, 2), (0xd83d_de00, 4)]);
        assert_eq!(map.character(0x41), Some('A'));
        assert_eq!(map.character(0xd83d_de00), Some('😀'));
        assert_eq!(map.character(0xd83d), None);
        assert_eq!(Cmap::predefined(b"90ms-RKSJ-H").character(0x41), None);
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_all_of_a_string_is_codes(bytes: Vec<u8>, shown: Vec<u8>) {
            let map = embedded(&String::from_utf8_lossy(&bytes));
            let lengths = codes(&map, &shown).into_iter().map(|(_, length)| length);
            prop_assert_eq!(lengths.sum::<usize>(), shown.len());
        }

        #[test]
        fn whatever_the_code_spaces_all_of_a_string_is_codes(
            parts in prop::collection::vec(prop::sample::select(&[
                "begincodespacerange", "endcodespacerange", "begincidrange", "begincidchar",
                "<00>", "<80>", "<8140>", "<FFFF>", "<00000000>", "<FFFFFFFF>", "7", "99999999999",
            ][..]), 0..40),
            shown: Vec<u8>,
        ) {
            let map = embedded(&parts.join(" "));
            let found = codes(&map, &shown);
            for (code, _) in &found {
                map.cid(*code);
            }
            let lengths = found.into_iter().map(|(_, length)| length);
            prop_assert_eq!(lengths.sum::<usize>(), shown.len());
        }
    }
}
