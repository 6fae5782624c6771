//! The one font of the letters made here: a few glyphs of Liberation Sans, embedded.

use std::{fmt::Write as _, io::Write as _};

use flate2::{Compression, write::ZlibEncoder};
use kuori::print::LIBERATION_SANS;
use subsetter::GlyphRemapper;

/// What letters may say; a character's glyph is its place, from 1.
const CHARACTERS: &str = " 0123456789.-AHIKLMPRSTWabcdeghijklmnoprstuvwy";

/// Objects besides the font's dictionary: descendant, descriptor, program, way back to text.
pub(super) fn dictionary(first: usize) -> Vec<u8> {
    format!(
        "<< /Type /Font /Subtype /Type0 /BaseFont /KUORIT+LiberationSans /Encoding /Identity-H\n\
         /DescendantFonts [{first} 0 R] /ToUnicode {} 0 R >>",
        first + 3
    )
    .into_bytes()
}

pub(super) fn objects(first: usize) -> [Vec<u8>; 4] {
    let widths: Vec<String> = CHARACTERS.chars().map(|c| width(c).to_string()).collect();
    let descendant = format!(
        "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /KUORIT+LiberationSans\n\
         /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>\n\
         /CIDToGIDMap /Identity /FontDescriptor {} 0 R /W [1 [{}]] >>",
        first + 1,
        widths.join(" ")
    );
    let descriptor = format!(
        "<< /Type /FontDescriptor /FontName /KUORIT+LiberationSans /Flags 4 /ItalicAngle 0\n\
         /FontBBox [-544 -303 1302 980] /Ascent 905 /Descent -212 /CapHeight 729 /StemV 80\n\
         /FontFile2 {} 0 R >>",
        first + 2
    );
    [
        descendant.into_bytes(),
        descriptor.into_bytes(),
        packed(&program()),
        packed(to_unicode().as_bytes()),
    ]
}

/// Text as a string of the font's glyphs.
pub(super) fn shown(text: &str) -> String {
    let glyphs = text.chars().map(|c| format!("{:04X}", glyph(c)));
    format!("<{}>", glyphs.collect::<String>())
}

fn glyph(wanted: char) -> usize {
    1 + CHARACTERS.chars().position(|c| c == wanted).unwrap()
}

/// In the whole font, whose glyphs of ASCII stand in its order.
fn original(c: char) -> u16 {
    u16::try_from(u32::from(c) - 29).unwrap()
}

fn program() -> Vec<u8> {
    let mut remapper = GlyphRemapper::new();
    for c in CHARACTERS.chars() {
        remapper.remap(original(c));
    }
    subsetter::subset(LIBERATION_SANS, 0, &remapper).unwrap()
}

/// In thousandths of the font's size, of which the font has 2,048 units.
fn width(c: char) -> u32 {
    let tables = LIBERATION_SANS[12..].chunks(16);
    let record = tables
        .into_iter()
        .find(|record| record.starts_with(b"hmtx"))
        .unwrap();
    let at = u32::from_be_bytes(record[8..12].try_into().unwrap()) as usize;
    let at = at + 4 * usize::from(original(c));
    let units = u16::from_be_bytes(LIBERATION_SANS[at..at + 2].try_into().unwrap());
    u32::from(units) * 1_000 / 2_048
}

fn to_unicode() -> String {
    let mut text = format!(
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Kuori def\n\
         /CMapType 2 def 1 begincodespacerange <0000> <FFFF> endcodespacerange\n\
         {} beginbfchar\n",
        CHARACTERS.len()
    );
    for c in CHARACTERS.chars() {
        writeln!(text, "<{:04X}> <{:04X}>", glyph(c), u32::from(c)).unwrap();
    }
    text + "endbfchar endcmap CMapName currentdict /CMap defineresource pop end end"
}

fn packed(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).unwrap();
    super::parts::stream("/Filter /FlateDecode ", &encoder.finish().unwrap())
}
