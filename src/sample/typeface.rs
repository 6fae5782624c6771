use std::io::{self, Write};

use flate2::{Compression, write::ZlibEncoder};
use pdf_writer::{
    Chunk, Filter, Finish, Name, Rect, Ref, Str,
    types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap},
};
use subsetter::GlyphRemapper;

use super::Error;

/// Liberation Sans, under the SIL Open Font License (`src/print/fonts/LICENSE-LiberationSans.txt`).
const FONT: &[u8] = include_bytes!("../print/fonts/LiberationSans-Regular.ttf");

/// The name of the subset: six letters that stand for its glyphs (ISO 32000-1, 9.6.4).
const NAME: Name = Name(b"KUORIS+LiberationSans");

/// What a letter may say beyond printable ASCII. Anything else is shown as a question mark.
const BEYOND_ASCII: &str = "ÅÄÖÉÜÕåäöàéüõß§°³–—’”•€";

const IDENTITY: SystemInfo = SystemInfo {
    registry: Str(b"Adobe"),
    ordering: Str(b"Identity"),
    supplement: 0,
};

/// The one font of all letters: a fixed subset, its measures, and the PDF objects that embed it.
pub(super) struct Typeface {
    /// The TrueType program of the subset, deflated.
    program: Vec<u8>,
    program_length: i32,
    glyphs: Vec<(char, Glyph)>,
    /// The glyphs once more by code point, for those under U+0100: almost all of a letter.
    latin: Vec<Option<Glyph>>,
}

/// A glyph of the subset and its width in thousandths of the font size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Glyph {
    id: u16,
    width: u16,
}

/// Where the objects of the font stand in a file.
pub(super) struct FontRefs {
    pub(super) font: Ref,
    pub(super) descendant: Ref,
    pub(super) descriptor: Ref,
    pub(super) program: Ref,
    pub(super) to_unicode: Ref,
}

impl Typeface {
    pub(super) fn subset() -> Result<Self, Error> {
        let tables = Tables::of(FONT).ok_or(subsetter::Error::MalformedFont)?;
        let mut remapper = GlyphRemapper::new();
        let characters = (' '..='~').chain(BEYOND_ASCII.chars());
        let glyphs: Vec<(char, Glyph)> = characters
            .filter_map(|character| {
                let original = tables.glyph(character)?;
                let id = remapper.remap(original);
                let width = tables.width(original)?;
                Some((character, Glyph { id, width }))
            })
            .collect();
        let program = subsetter::subset(FONT, 0, &remapper)?;
        let find = |code: u32| {
            glyphs
                .iter()
                .find(|(character, _)| *character as u32 == code)
        };
        Ok(Self {
            latin: (0..0x100)
                .map(|code| find(code).map(|(_, glyph)| *glyph))
                .collect(),
            program_length: i32::try_from(program.len()).unwrap_or(i32::MAX),
            program: deflated(&program, Compression::best()),
            glyphs,
        })
    }

    /// The text as two-byte glyph ids, as `Identity-H` wants it.
    pub(super) fn encode(&self, text: &str) -> Vec<u8> {
        text.chars()
            .flat_map(|character| self.glyph(character).id.to_be_bytes())
            .collect()
    }

    /// The width of the text in points at a font size in points.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        let thousandths: u32 = text
            .chars()
            .map(|character| u32::from(self.glyph(character).width))
            .sum();
        f32::from(u16::try_from(thousandths).unwrap_or(u16::MAX)) * size / 1000.0
    }

    /// The font's objects, each in a chunk of its own.
    pub(super) fn objects(&self, refs: &FontRefs) -> Vec<Chunk> {
        vec![
            composite_font(refs),
            self.descendant(refs),
            descriptor(refs),
            self.program(refs),
            self.to_unicode(refs),
        ]
    }

    fn glyph(&self, character: char) -> Glyph {
        let latin = self.latin.get(character as usize).copied().flatten();
        let other = || {
            let found = self.glyphs.iter().find(|(known, _)| *known == character);
            found.map(|(_, glyph)| *glyph)
        };
        let question_mark = || self.latin.get('?' as usize).copied().flatten();
        latin
            .or_else(other)
            .or_else(question_mark)
            .unwrap_or(Glyph { id: 0, width: 0 })
    }

    fn descendant(&self, refs: &FontRefs) -> Chunk {
        let mut chunk = Chunk::new();
        let mut font = chunk.cid_font(refs.descendant);
        font.subtype(CidFontType::Type2)
            .base_font(NAME)
            .system_info(IDENTITY)
            .font_descriptor(refs.descriptor)
            .cid_to_gid_map_predefined(Name(b"Identity"));
        let widths = self.glyphs.iter().map(|(_, glyph)| f32::from(glyph.width));
        // The remapper numbers glyphs from 1 in the order in which they were asked for.
        font.widths().consecutive(1, widths);
        font.finish();
        chunk
    }

    fn program(&self, refs: &FontRefs) -> Chunk {
        let mut chunk = Chunk::new();
        chunk
            .stream(refs.program, &self.program)
            .filter(Filter::FlateDecode)
            .pair(Name(b"Length1"), self.program_length);
        chunk
    }

    /// The way back from glyphs to text, without which nobody could search or read out a letter.
    fn to_unicode(&self, refs: &FontRefs) -> Chunk {
        let mut cmap = UnicodeCmap::new(Name(b"Adobe-Identity-UCS"), IDENTITY);
        for (character, glyph) in &self.glyphs {
            cmap.pair(glyph.id, *character);
        }
        let mut chunk = Chunk::new();
        let data = deflated(&cmap.finish(), Compression::best());
        chunk
            .stream(refs.to_unicode, &data)
            .filter(Filter::FlateDecode);
        chunk
    }
}

fn composite_font(refs: &FontRefs) -> Chunk {
    let mut chunk = Chunk::new();
    chunk
        .type0_font(refs.font)
        .base_font(NAME)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(refs.descendant)
        .to_unicode(refs.to_unicode);
    chunk
}

/// The measures are those of Liberation Sans 2, in thousandths of the font size.
fn descriptor(refs: &FontRefs) -> Chunk {
    let mut chunk = Chunk::new();
    chunk
        .font_descriptor(refs.descriptor)
        .name(NAME)
        .flags(FontFlags::SYMBOLIC)
        .bbox(Rect::new(-544.0, -303.0, 1302.0, 980.0))
        .italic_angle(0.0)
        .ascent(905.0)
        .descent(-212.0)
        .cap_height(729.0)
        .stem_v(80.0)
        .font_file2(refs.program);
    chunk
}

/// Bytes as a zlib stream, as `FlateDecode` wants them.
pub(super) fn deflated(bytes: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::with_capacity(bytes.len() / 2), level);
    let written: io::Result<()> = encoder.write_all(bytes);
    // A Vec takes whatever it is given.
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}

/// The two tables of the font that say which glyph a character has, and how wide it is.
struct Tables<'a> {
    units_per_em: u16,
    /// The `cmap` subtable for Windows and Unicode, format 4.
    cmap: &'a [u8],
    hmtx: &'a [u8],
    advances: u16,
}

impl<'a> Tables<'a> {
    fn of(font: &'a [u8]) -> Option<Self> {
        let cmap = table(font, *b"cmap")?;
        let records = cmap.get(4..)?.chunks(8).take(usize::from(u16_at(cmap, 2)?));
        let is_windows_unicode = |record: &&[u8]| record.starts_with(&[0, 3, 0, 1]);
        let record = records.into_iter().find(is_windows_unicode)?;
        Some(Self {
            units_per_em: u16_at(table(font, *b"head")?, 18)?,
            cmap: cmap.get(u32_at(record, 4)? as usize..)?,
            hmtx: table(font, *b"hmtx")?,
            advances: u16_at(table(font, *b"hhea")?, 34)?,
        })
    }

    /// The glyph of a character (OpenType 1.9, `cmap` format 4), or none where the font lacks it.
    fn glyph(&self, character: char) -> Option<u16> {
        let code = u16::try_from(character as u32).ok()?;
        let bytes = usize::from(u16_at(self.cmap, 6)?);
        let ends = |segment: usize| u16_at(self.cmap, 14 + segment);
        let segment = (0..bytes)
            .step_by(2)
            .find(|&segment| ends(segment).is_some_and(|end| end >= code))?;
        let field = |row: usize| 16 + row * bytes + segment;
        let start = u16_at(self.cmap, field(1))?;
        let delta = u16_at(self.cmap, field(2))?;
        let range_offset = u16_at(self.cmap, field(3))?;
        let within = code.checked_sub(start)?;
        let glyph = if range_offset == 0 {
            code.wrapping_add(delta)
        } else {
            let place = field(3) + usize::from(range_offset) + 2 * usize::from(within);
            u16_at(self.cmap, place)?.wrapping_add(delta)
        };
        (glyph != 0).then_some(glyph)
    }

    /// The advance width in thousandths of the font size.
    fn width(&self, glyph: u16) -> Option<u16> {
        let row = usize::from(glyph.min(self.advances.saturating_sub(1)));
        let units = u32::from(u16_at(self.hmtx, row * 4)?);
        u16::try_from((units * 1000).checked_div(u32::from(self.units_per_em))?).ok()
    }
}

fn table(font: &[u8], tag: [u8; 4]) -> Option<&[u8]> {
    let records = font
        .get(12..)?
        .chunks(16)
        .take(usize::from(u16_at(font, 4)?));
    let record = records
        .into_iter()
        .find(|record| record.starts_with(&tag))?;
    let start = u32_at(record, 8)? as usize;
    font.get(start..start + u32_at(record, 12)? as usize)
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    let field = bytes.get(offset..offset + 2)?;
    Some(u16::from_be_bytes(field.try_into().ok()?))
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    let field = bytes.get(offset..offset + 4)?;
    Some(u32::from_be_bytes(field.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_the_subset_has_a_glyph_and_a_width() {
        let typeface = Typeface::subset().unwrap();
        let asked = ('~' as usize - ' ' as usize + 1) + BEYOND_ASCII.chars().count();
        assert_eq!(typeface.glyphs.len(), asked);
        assert!(typeface.glyphs.iter().all(|(_, glyph)| glyph.width > 0));
    }

    #[test]
    fn glyphs_are_numbered_from_one_without_a_gap() {
        let typeface = Typeface::subset().unwrap();
        let ids: Vec<u16> = typeface.glyphs.iter().map(|(_, glyph)| glyph.id).collect();
        let expected: Vec<u16> = (1..=u16::try_from(ids.len()).unwrap()).collect();
        assert_eq!(ids, expected);
    }

    #[test]
    fn text_is_as_wide_as_in_helvetica() {
        // Liberation Sans has the widths of Helvetica: H 722, e 556, i 222 thousandths.
        let typeface = Typeface::subset().unwrap();
        assert!((typeface.width("Hei", 10.0) - 15.0).abs() < 0.02);
        assert_eq!(typeface.encode("\u{4e00}"), typeface.encode("?"));
    }
}
