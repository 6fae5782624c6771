//! Fonts as they stand in files.

use proptest::prelude::*;

use super::*;
use crate::pdf::{Document, Limits};

/// A file whose object 5 is the font; the cross-references are found by scanning.
fn file(font: &str, others: &str) -> Vec<u8> {
    let text = format!(
        "%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
        2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R>>endobj\n\
        5 0 obj{font}endobj\n{others}\ntrailer<</Root 1 0 R>>\n"
    );
    text.into_bytes()
}

fn stream(number: u32, data: &str) -> String {
    let length = data.len();
    format!("{number} 0 obj<</Length {length}>>stream\n{data}\nendstream endobj\n")
}

/// Hands the font over with the objects that it was read from.
fn with_font<R>(font: &str, others: &str, look: impl FnOnce(&Font, &Objects<'_>) -> R) -> R {
    let bytes = file(font, others);
    let document = Document::open(&bytes, &Limits::default()).unwrap();
    let objects = &document.file().objects;
    let dictionary = Dictionary::of(objects.object(5).unwrap().unwrap().value).unwrap();
    look(&Font::read(objects, dictionary).unwrap(), objects)
}

/// Codes that cannot be read are question marks.
fn said(font: &Font, objects: &Objects<'_>, shown: &[u8]) -> String {
    let mut text = String::new();
    for shown in font.codes(shown) {
        match font.text(objects, shown.code) {
            Some(found) => found.put(&mut text),
            None => text.push('?'),
        }
    }
    text
}

#[track_caller]
fn check_text(font: &str, others: &str, shown: &[u8], expected: &str) {
    let text = with_font(font, others, |font, objects| said(font, objects, shown));
    assert_eq!(text, expected);
}

#[track_caller]
fn check_advances(font: &str, others: &str, shown: &[u8], expected: &[f64]) {
    let advances: Vec<f64> = with_font(font, others, |font, _| {
        font.codes(shown).map(|shown| shown.advance).collect()
    });
    assert_eq!(advances.len(), expected.len());
    for (advance, expected) in advances.iter().zip(expected) {
        assert!((advance - expected).abs() < 1e-6, "{advances:?}");
    }
}

#[track_caller]
fn check_usage(font: &str, others: &str, expected: (&str, bool, bool, bool)) {
    let usage = with_font(font, others, |font, _| font.usage().clone());
    let found = (
        usage.name.as_str(),
        usage.is_embedded,
        usage.is_type3,
        usage.is_standard,
    );
    assert_eq!(found, expected);
}

const COMPOSITE: &str = "<</Type/Font/Subtype/Type0/BaseFont/ABCDEF+Liberation/Encoding/Identity-H\
    /DescendantFonts[6 0 R]/ToUnicode 8 0 R>>";
const DESCENDANT: &str = "6 0 obj<</Type/Font/Subtype/CIDFontType2/BaseFont/ABCDEF+Liberation\
    /CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor 7 0 R\
    /DW 0/W[1[277 500 354]]>>endobj\n";
const DESCRIPTOR: &str = "7 0 obj<</Type/FontDescriptor/FontFile2 9 0 R/Flags 4/Ascent 905\
    /Descent -212/FontBBox[-500 -300 2000 1000]>>endobj 9 0 obj<<>>endobj\n";

fn composite_parts() -> String {
    let map = "2 beginbfchar <0001> <0041> <0002> <00660066> endbfchar\n\
        1 beginbfrange <0003> <0004> <E000> endbfrange";
    format!("{DESCENDANT}{DESCRIPTOR}{}", stream(8, map))
}

#[test]
fn a_composite_font_tells_its_text_and_widths() {
    let parts = composite_parts();
    check_text(COMPOSITE, &parts, b"\0\x01\0\x02\0\x07", "Aff?");
    check_advances(
        COMPOSITE,
        &parts,
        b"\0\x01\0\x03\0\x20",
        &[0.277, 0.354, 0.0],
    );
    check_usage(COMPOSITE, &parts, ("Liberation", true, false, false));
    with_font(COMPOSITE, &parts, |font, _| {
        assert_eq!((font.ascent(), font.descent()), (0.905, -0.212));
        assert!(!font.is_vertical());
        assert!(!font.codes(b"\0\x20").any(|shown| shown.is_single_space));
    });
}

#[test]
fn characters_of_private_use_are_not_read() {
    check_text(COMPOSITE, &composite_parts(), b"\0\x03\0\x04", "??");
}

#[test]
fn a_map_may_be_the_identity_by_its_name() {
    let font = COMPOSITE.replace("8 0 R", "/Identity-H");
    check_text(
        &font,
        &composite_parts(),
        b"\0A\0\xe4\xd8\x00\0\x01",
        "Aä??",
    );
}

#[test]
fn vertical_fonts_advance_downwards() {
    let font = COMPOSITE.replace("Identity-H", "Identity-V");
    let parts = composite_parts();
    check_advances(&font, &parts, b"\0\x01", &[-1.0]);
    let parts = parts.replace("/DW 0", "/DW2[800 -500]");
    check_advances(&font, &parts, b"\0\x01", &[-0.5]);
    assert!(with_font(&font, &parts, |font, _| font.is_vertical()));
}

#[test]
fn a_map_of_the_file_tells_codes_and_cids() {
    let font = COMPOSITE.replace("/Identity-H", " 10 0 R");
    let map = "1 begincodespacerange <00> <7f> endcodespacerange\n\
        1 begincidrange <20> <22> 1 endcidrange";
    let parts = format!("{}{}", composite_parts(), stream(10, map));
    check_advances(&font, &parts, b"\x20\x22\x30", &[0.277, 0.354, 0.0]);
    with_font(&font, &parts, |font, _| {
        assert!(font.codes(b" ").all(|shown| shown.is_single_space));
    });
}

#[test]
fn a_simple_font_is_read_by_its_encoding_where_no_map_says_more() {
    let font = "<</Subtype/Type1/BaseFont/Letters/Encoding<</BaseEncoding/WinAnsiEncoding\
        /Differences[1/f_i]>>/ToUnicode 8 0 R/FirstChar 65/Widths[600 700]\
        /FontDescriptor<</Flags 32/MissingWidth 250/FontFile3 9 0 R>>>>";
    let map = stream(8, "beginbfchar <41> <00C4> endbfchar");
    let parts = format!("{map}9 0 obj<<>>endobj");
    check_text(font, &parts, b"AB\x01\xe4\x02", "ÄBfiä?");
    check_advances(font, &parts, b"AB ", &[0.6, 0.7, 0.25]);
    check_usage(font, &parts, ("Letters", true, false, false));
}

#[test]
fn a_type_1_program_brings_its_own_encoding() {
    let font = "<</Subtype/Type1/BaseFont/CMR10/FirstChar 49/Widths[500]/FontDescriptor\
        <</Flags 4/FontFile 9 0 R>>>>";
    let program = "%!\n/Encoding 256 array\ndup 49 /adieresis put\nreadonly def eexec";
    check_text(font, &stream(9, program), b"12", "ä?");
    let differs = font.replace("/FirstChar", "/Encoding<</Differences[50/B]>>/FirstChar");
    check_text(&differs, &stream(9, program), b"12", "äB");
    let named = font.replace("/FirstChar", "/Encoding/WinAnsiEncoding/FirstChar");
    check_text(&named, &stream(9, program), b"12", "12");
}

#[test]
fn a_standard_font_needs_no_widths_and_no_encoding() {
    let font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>";
    check_text(font, "", b"A'\xe1", "A’Æ");
    check_advances(font, "", b"Ai ", &[0.667, 0.222, 0.278]);
    check_usage(font, "", ("Helvetica", false, false, true));
    let bold = "<</Subtype/TrueType/BaseFont/Arial,Bold/Encoding/WinAnsiEncoding>>";
    check_advances(bold, "", b"i\xe4", &[0.278, 0.556]);
    check_usage(bold, "", ("Arial,Bold", false, false, true));
}

#[test]
fn a_type_3_font_is_measured_by_its_matrix() {
    let font = "<</Subtype/Type3/FontMatrix[.01 0 0 .01 0 0]/FontBBox[0 -20 90 80]/FirstChar 97\
        /Widths[50]/CharProcs<<>>/Encoding<</Differences[97/adieresis/g1]>>>>";
    check_advances(font, "", b"ab", &[0.5, 0.0]);
    check_text(font, "", b"ab", "ä?");
    check_usage(font, "", ("Type3", true, true, false));
    with_font(font, "", |font, _| {
        assert_eq!((font.ascent(), font.descent()), (0.8, -0.2));
    });
}

#[test]
fn heights_that_cannot_be_are_the_ordinary_ones() {
    for (stated, expected) in [
        ("/Ascent 905/Descent -212", (0.905, -0.212)),
        ("/Ascent 800/Descent 200", (0.8, -0.2)),
        ("/Ascent 0/FontBBox[-10 -300 900 1000]", (1.0, -0.3)),
        ("/Ascent 9.464/Descent -2.73", (0.75, -0.25)),
        ("/Ascent 75000/Descent 0", (0.75, -0.25)),
        ("", (0.75, -0.25)),
    ] {
        let font = format!("<</Subtype/TrueType/BaseFont/Letters/FontDescriptor<<{stated}>>>>");
        let heights = with_font(&font, "", |font, _| (font.ascent(), font.descent()));
        assert_eq!(heights, expected, "{stated}");
    }
}

#[test]
fn a_symbolic_font_says_nothing_that_it_does_not_know() {
    let descriptor = "/FontDescriptor<</Flags 4/FontFile2 9 0 R>>";
    for font in [
        format!("<</Subtype/TrueType/BaseFont/Signs{descriptor}>>"),
        format!("<</Subtype/Type1/BaseFont/Signs/Encoding<</Differences[66/g1]>>{descriptor}>>"),
        String::from("<</Subtype/Type1/BaseFont/Symbol>>"),
        String::from("<</Subtype/Type0/BaseFont/Signs/Encoding/Identity-H>>"),
        String::from("<</Subtype/Type0/BaseFont/Signs/Encoding/90ms-RKSJ-H>>"),
    ] {
        let parts = "9 0 obj<<>>endobj";
        let text = with_font(&font, parts, |font, objects| said(font, objects, b"A"));
        assert_eq!(text, "?", "{font}");
    }
}

#[test]
fn a_font_file_that_is_not_there_embeds_nothing() {
    let font = "<</Subtype/TrueType/BaseFont/ABCDEF+Foo#20Bar/FontDescriptor<</FontFile2 null>>>>";
    check_usage(font, "", ("Foo Bar", false, false, false));
    let no_subset = "<</Subtype/TrueType/BaseFont/ABCdEF+Foo>>";
    check_usage(no_subset, "", ("ABCdEF+Foo", false, false, false));
}

#[test]
fn maps_of_many_fonts_are_read_within_the_bounds_of_a_file() {
    let map = stream(
        8,
        &format!("beginbfchar <0001> <0041> endbfchar {}", " ".repeat(1000)),
    );
    let parts = format!("{DESCENDANT}{DESCRIPTOR}{map}");
    let bytes = file(COMPOSITE, &parts);
    let document = Document::open(&bytes, &Limits::default()).unwrap();
    let objects = &document.file().objects;
    let dictionary = Dictionary::of(objects.object(5).unwrap().unwrap().value).unwrap();
    let font = || Font::read(objects, dictionary).unwrap();
    assert_eq!(said(&font(), objects, b"\0\x01"), "A");
    let most = usize::try_from(Limits::default().max_inflated_object_stream_bytes).unwrap();
    objects.font_maps.spend(most - 2000).unwrap();
    assert_eq!(said(&font(), objects, b"\0\x01"), "?");
}

proptest! {
    #[test]
    fn whatever_a_font_holds_it_is_read_or_refused(
        parts in prop::collection::vec(prop::sample::select(&[
            "/Subtype/Type0", "/Subtype/Type3", "/Subtype/Type1", "/BaseFont/Helvetica", "/Encoding",
            "/Identity-H", "/Differences", "<<", ">>", "[", "]", "5 0 R", "8 0 R", "/W", "/Widths",
            "/DescendantFonts", "/FontDescriptor", "/FontMatrix", "/FontBBox", "/ToUnicode", "1", "65",
            "-3", "1e9", "99999999999999999", "/A", "null", "(a)", "/DW2", "/FirstChar",
        ][..]), 0..30),
        shown: Vec<u8>,
    ) {
        let dictionary = format!("<<{}>>", parts.join(" "));
        let bytes = file("<</BaseFont/A>>", &stream(8, "beginbfchar <41> <0042>"));
        let document = Document::open(&bytes, &Limits::default()).unwrap();
        let objects = &document.file().objects;
        if let Ok(font) = Font::read(objects, Dictionary::of(dictionary.as_bytes()).unwrap()) {
            said(&font, objects, &shown);
        }
    }
}
