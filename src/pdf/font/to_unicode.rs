//! `/ToUnicode`: what codes say (ISO 32000-1, 9.10.3).

use std::sync::OnceLock;

use super::cmap::is_identity;
use super::cmap_reader::{CmapReader, Hex, Item};
use super::code_ranges::CodeRanges;
use super::glyph_text::GlyphText;
use crate::pdf::dictionary::{Dictionary, reference};
use crate::pdf::filters;
use crate::pdf::objects::Objects;

/// The map of a font, read when it is first asked for.
pub(super) struct LazyToUnicode {
    source: Source,
    map: OnceLock<ToUnicode>,
}

enum Source {
    Stream(u32),
    /// No stream, but the name of one: what fonts with it show is UTF-16.
    Identity,
    Nothing,
}

impl LazyToUnicode {
    pub(super) fn of(font: Dictionary<'_>) -> Self {
        let source = match font.get(b"ToUnicode") {
            Some(value) if is_identity(value) => Source::Identity,
            Some(value) => reference(value).map_or(Source::Nothing, Source::Stream),
            None => Source::Nothing,
        };
        Self {
            source,
            map: OnceLock::new(),
        }
    }

    pub(super) fn text(&self, objects: &Objects<'_>, code: u32) -> Option<GlyphText<'_>> {
        let stream = match self.source {
            Source::Stream(stream) => stream,
            Source::Identity => return char::from_u32(code).map(GlyphText::Character),
            Source::Nothing => return None,
        };
        let read = || map_bytes(objects, stream).map(|bytes| ToUnicode::read(&bytes));
        let map = self.map.get_or_init(|| read().unwrap_or_default());
        map.text(code)
    }
}

/// The bytes of a `CMap`, as long as the file may have more of them read.
pub(super) fn map_bytes(objects: &Objects<'_>, stream: u32) -> Option<Vec<u8>> {
    let stream = objects.object(stream).ok()??;
    let bytes = filters::decoded(objects, stream, MOST_BYTES).ok()??;
    objects.font_maps.spend(bytes.len()).ok()?;
    Some(bytes)
}

/// A map of all characters there are, each on a line, is half as long.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

pub(super) struct ToUnicode {
    ranges: CodeRanges<Target>,
    /// All targets of several characters, one behind the other.
    several: String,
}

#[derive(Clone, Copy)]
enum Target {
    /// Further codes of the range say the characters behind it.
    From(char),
    /// In `several`.
    Several { start: usize, end: usize },
}

impl Default for ToUnicode {
    fn default() -> Self {
        Self {
            ranges: CodeRanges::new(),
            several: String::new(),
        }
    }
}

impl ToUnicode {
    /// Takes what it can: the map ends where it cannot be read on.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let mut map = Self::default();
        let mut reader = CmapReader::new(bytes);
        while let Some(item) = reader.next() {
            match item {
                Item::Keyword(b"beginbfchar") => map.read_characters(&mut reader),
                Item::Keyword(b"beginbfrange") => map.read_ranges(&mut reader),
                _ => {}
            }
            if map.ranges.is_full() {
                break;
            }
        }
        map.ranges.sort();
        map
    }

    pub(super) fn text(&self, code: u32) -> Option<GlyphText<'_>> {
        match self.ranges.find(code)? {
            (offset, Target::From(first)) => {
                let character = u32::from(first).checked_add(offset)?;
                char::from_u32(character).map(GlyphText::Character)
            }
            (_, Target::Several { start, end }) => {
                self.several.get(start..end).map(GlyphText::Several)
            }
        }
    }

    fn read_characters(&mut self, reader: &mut CmapReader<'_>) {
        while let Some(item) = reader.next_in_section() {
            let Item::Hex(code) = item else {
                continue;
            };
            let Some(target) = reader.next_in_section() else {
                return;
            };
            if let (Some((code, _)), Item::Hex(target)) = (code.code(), target) {
                self.put(code, code, target);
            }
        }
    }

    fn read_ranges(&mut self, reader: &mut CmapReader<'_>) {
        while let Some((first, last)) = reader.code_pair() {
            let codes = first.code().zip(last.code());
            let codes = codes.map(|((first, _), (last, _))| (first, last));
            match reader.next_in_section() {
                Some(Item::Hex(target)) => {
                    if let Some((first, last)) = codes {
                        self.put(first, last, target);
                    }
                }
                Some(Item::ArrayOpen) => self.read_array(codes, reader),
                _ => return,
            }
        }
    }

    fn read_array(&mut self, codes: Option<(u32, u32)>, reader: &mut CmapReader<'_>) {
        let mut next = codes.map(|(first, _)| first);
        while let Some(Item::Hex(target)) = reader.next_in_section() {
            if let (Some(code), Some((_, last))) = (next, codes)
                && code <= last
            {
                self.put(code, code, target);
                next = code.checked_add(1);
            }
        }
    }

    fn put(&mut self, first: u32, last: u32, target: Hex<'_>) {
        if self.ranges.is_full() {
            return;
        }
        let start = self.several.len();
        put_utf16(&mut self.several, target);
        let mut characters = self.several.get(start..).unwrap_or_default().chars();
        let (only, more) = (characters.next(), characters.next());
        if let (Some(character), None) = (only, more) {
            self.several.truncate(start);
            self.ranges.push(first, last, Target::From(character));
        } else if more.is_some() {
            self.put_several(first, last, start);
        }
    }

    /// Of a range to several characters, the last one goes on. It spans 256 codes at most, since
    /// they differ in their last byte.
    fn put_several(&mut self, first: u32, last: u32, start: usize) {
        let end = self.several.len();
        self.ranges
            .push(first, first, Target::Several { start, end });
        let whole = self.several.get(start..end).unwrap_or_default().to_owned();
        let Some((at, character)) = whole.char_indices().next_back() else {
            return;
        };
        let codes = first.saturating_add(1)..=last.min(first.saturating_add(255));
        for (code, following) in codes.zip(u32::from(character).saturating_add(1)..) {
            let Some(following) = char::from_u32(following).filter(|_| !self.ranges.is_full())
            else {
                return;
            };
            let start = self.several.len();
            self.several.push_str(whole.get(..at).unwrap_or_default());
            self.several.push(following);
            let end = self.several.len();
            self.ranges.push(code, code, Target::Several { start, end });
        }
    }
}

/// Nothing where it is no UTF-16. One byte alone is a character below 256: some write it so.
fn put_utf16(out: &mut String, target: Hex<'_>) {
    let mut bytes = target.bytes().take(LONGEST_TARGET);
    let units = std::iter::from_fn(|| {
        let high = bytes.next()?;
        Some(match bytes.next() {
            Some(low) => u16::from_be_bytes([high, low]),
            None => u16::from(high),
        })
    });
    let start = out.len();
    for character in char::decode_utf16(units) {
        match character {
            Ok(character) => out.push(character),
            Err(_) => return out.truncate(start),
        }
    }
}

/// In bytes. No glyph says more; a range repeats it 256 times.
const LONGEST_TARGET: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(map: &str, code: u32, expected: Option<&str>) {
        let map = ToUnicode::read(map.as_bytes());
        let text = map.text(code).map(|text| {
            let mut out = String::new();
            text.put(&mut out);
            out
        });
        assert_eq!(text.as_deref(), expected);
    }

    const MAP: &str = "/CIDInit /ProcSet findresource begin 12 dict begin begincmap
        1 begincodespacerange <0000> <FFFF> endcodespacerange
        3 beginbfchar <0001> <0041> <0002> <D83D DE00> <0003> <006600660069> endbfchar
        3 beginbfrange <0010> <0012> <00E4> <0020> <0022> [<0061> <00620063> <0064>]
        <0030> <0031> <00660069> endbfrange endcmap";

    #[test]
    fn characters_ranges_and_lists_are_read() {
        check(MAP, 1, Some("A"));
        check(MAP, 0x10, Some("ä"));
        check(MAP, 0x12, Some("æ"));
        check(MAP, 0x21, Some("bc"));
        check(MAP, 0x22, Some("d"));
        check(MAP, 0x13, None);
    }

    #[test]
    fn surrogates_are_one_character_and_ligatures_are_several() {
        check(MAP, 2, Some("😀"));
        check(MAP, 3, Some("ffi"));
        check(MAP, 0x30, Some("fi"));
        check(MAP, 0x31, Some("fj"));
        check("beginbfchar <01> <D83D>", 1, None);
    }

    #[test]
    fn what_cannot_be_read_harms_nothing_before_it() {
        check("beginbfchar <01> <41> <02> <0042", 1, Some("A"));
        check("1 beginbfchar <01> <0041> endbfchar <zz>", 1, Some("A"));
        check("beginbfchar <01> /A <02> <0042> endbfchar", 2, Some("B"));
        check(
            "beginbfrange <05> <01> <0041> <06> <06> <0042>",
            6,
            Some("B"),
        );
        check(
            "beginbfrange <01> <02> [<0041>] <03> <03> <0043>",
            3,
            Some("C"),
        );
        check("beginbfrange <00> <FFFFFFFF> <D7FF>", 1, None);
        check("beginbfchar <0102030405> <0041> <06> <0042>", 6, Some("B"));
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_there_is_a_map(bytes: Vec<u8>, code: u32) {
            ToUnicode::read(&bytes).text(code);
        }

        #[test]
        fn whatever_the_order_of_its_parts_there_is_a_map(
            parts in prop::collection::vec(prop::sample::select(&[
                "beginbfchar", "endbfchar", "beginbfrange", "endbfrange", "[", "]", "<00>",
                "<FFFFFFFF>", "<0041>", "<D83DDE00>", "<0066DBFFDFFF>", "/a", "7", "(", ")", "<<",
            ][..]), 0..40),
            code: u32,
        ) {
            let map = ToUnicode::read(parts.join(" ").as_bytes());
            map.text(code);
            map.text(code & 0xff);
        }
    }
}
