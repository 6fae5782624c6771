//! Text: where it stands and what it says.

use super::*;

/// Letters of half an em, from `A` on; ascent 0.8 and descent -0.2.
const FONT: &str = "<</Type/Font/Subtype/TrueType/BaseFont/ABCDEF+Plain/FirstChar 32/LastChar 126/Encoding/WinAnsiEncoding\
    /FontDescriptor<</Ascent 800/Descent -200/FontFile2 6 0 R>>/Widths[";

fn with_font(content: &str) -> PageContent {
    let widths = "500 ".repeat(95);
    let font = format!("{FONT}{widths}]>>");
    let resources = "/Resources<</Font<</F 5 0 R/Lost 99 0 R/Same 5 0 R>>>>";
    let content = format!("BT /F 10 Tf {content} ET");
    found(
        page(resources, &content)
            .object(5, &font)
            .stream(6, "", b"x"),
    )
}

fn shown(drawn: &Drawn) -> &ShownText {
    match &drawn.ink {
        Ink::Text(text) => text,
        other => panic!("{other:?} is no text"),
    }
}

fn texts(found: &PageContent) -> Vec<&str> {
    let texts = found.drawn.iter().map(|drawn| shown(drawn).text.as_deref());
    texts.map(Option::unwrap_or_default).collect()
}

fn check(content: &str, expected: &[[f64; 4]]) {
    assert_eq!(areas(&with_font(content)), expected, "{content}");
}

#[test]
fn text_has_the_box_of_its_widths_and_its_font() {
    check("20 50 Td (ABCD) Tj", &[[20.0, 42.0, 40.0, 52.0]]);
    check("2 0 0 2 20 50 Tm (AB) Tj", &[[20.0, 34.0, 40.0, 54.0]]);
    check("20 50 Td 50 Tz (ABCD) Tj", &[[20.0, 42.0, 30.0, 52.0]]);
    check("20 50 Td 3 Ts (AB) Tj", &[[20.0, 39.0, 30.0, 49.0]]);
    check("0 1 -1 0 50 20 Tm (ABCD) Tj", &[[42.0, 60.0, 52.0, 80.0]]);
}

#[test]
fn text_goes_on_where_it_ended() {
    check(
        "20 50 Td (AB) Tj (CD) Tj",
        &[[20.0, 42.0, 30.0, 52.0], [30.0, 42.0, 40.0, 52.0]],
    );
    check(
        "20 50 Td 1 Tc 2 Tw (A B) Tj (C) Tj",
        &[[20.0, 42.0, 39.0, 52.0], [40.0, 42.0, 45.0, 52.0]],
    );
    check(
        "20 50 Td [(A) -1000 (B) 500 (C)] TJ",
        &[[20.0, 42.0, 40.0, 52.0]],
    );
}

#[test]
fn lines_follow_one_another() {
    let rows = [
        [20.0, 42.0, 25.0, 52.0],
        [20.0, 54.0, 25.0, 64.0],
        [20.0, 66.0, 25.0, 76.0],
    ];
    check("20 50 Td (A) Tj 0 -12 TD (B) Tj T* (C) Tj", &rows);
    check("12 TL 20 50 Td (A) Tj (B) ' 0 0 (C) \"", &rows);
}

#[test]
fn spaces_at_both_ends_are_no_ink_and_nothing_is_drawn_of_spaces_alone() {
    check("20 50 Td ( AB  ) Tj", &[[25.0, 42.0, 35.0, 52.0]]);
    let spaces = with_font("20 50 Td (   ) Tj [( )-500( )] TJ () Tj");
    assert!(spaces.drawn.is_empty() && spaces.fonts.is_empty() && spaces.is_blank);
}

#[test]
fn text_is_read_and_wide_gaps_are_spaces() {
    let found =
        with_font("[(Te) 20 (ksti) -250 (ja) 900 (muu )-250(t)] TJ (\\344\\(x\\)) Tj <4142> Tj");
    assert_eq!(texts(&found), ["Teksti ja muu t", "ä(x)", "AB"]);
    assert!(found.drawn.iter().all(|drawn| shown(drawn).was_read));
}

#[test]
fn a_line_says_where_its_baseline_is_how_large_it_is_and_whether_it_is_level() {
    let found = with_font(
        "2 0 0 2 20 50 Tm (AB) Tj 0 1 -1 0 50 20 Tm (A) Tj -1 0 0 1 50 20 Tm (A) Tj 1 0 0 -1 50 20 Tm (A) Tj",
    );
    let first = shown(&found.drawn[0]);
    assert!((first.baseline_mm - 50.0).abs() < 0.01 && (first.size_mm - 20.0).abs() < 0.01);
    let level: Vec<_> = found
        .drawn
        .iter()
        .map(|drawn| shown(drawn).is_level)
        .collect();
    assert_eq!(level, [true, false, false, false]);
}

#[test]
fn text_is_turned_into_characters_only_where_it_is_asked_for() {
    let pdf = with_font("20 50 Td (A) Tj");
    assert_eq!(texts(&pdf), ["A"]);
    let font = format!("{FONT}500 500]>>");
    let bytes = page(
        "/Resources<</Font<</F 5 0 R>>>>",
        "BT /F 10 Tf 20 50 Td (A) Tj ET",
    );
    let bytes = bytes.object(5, &font).stream(6, "", b"x").finished();
    let wants = ContentWants {
        areas: &[everywhere()],
        text_in: Some(Area::at(100.0, 0.0, 10.0, 10.0)),
        limits: &ContentLimits::default(),
    };
    let found = open(&bytes).unwrap().content(1, &wants).unwrap();
    assert_eq!(
        (
            shown(&found.drawn[0]).text.as_ref(),
            shown(&found.drawn[0]).was_read
        ),
        (None, false)
    );
}

#[test]
fn text_is_not_told_by_debug() {
    let found = with_font("20 50 Td (Mallikas) Tj");
    let told = format!("{found:?}");
    assert!(
        !told.contains("Mallikas") && told.contains("[hidden]"),
        "{told}"
    );
}

#[test]
fn modes_say_what_is_filled_stroked_or_only_there() {
    let paint = |mode: u8| {
        paints(&with_font(&format!(
            "1 0 0 RG 1 g {mode} Tr 20 50 Td (A) Tj"
        )))[0]
    };
    assert_eq!(paint(0), Paint::White);
    assert_eq!(paint(1), Paint::Colour);
    assert_eq!(paint(2), Paint::Colour);
    assert_eq!(paint(3), Paint::Invisible);
    assert_eq!(paint(7), Paint::Invisible);
    let unseen = with_font("3 Tr 20 50 Td (A) Tj");
    assert!(unseen.fonts.is_empty() && unseen.is_blank);
    assert_eq!(texts(&unseen), ["A"]);
}

#[test]
fn text_that_clips_does_so_when_it_ends() {
    let found = with_font("7 Tr 20 50 Td (ABCD) Tj ET 0 0 200 100 re f BT");
    assert_eq!(areas(&found), [[20.0, 42.0, 40.0, 52.0]; 2]);
}

#[test]
fn a_font_is_told_once_and_only_if_something_is_shown_with_it() {
    let found = with_font("(A) Tj /Same 9 Tf (A) Tj /Lost 9 Tf");
    let names: Vec<_> = found
        .fonts
        .iter()
        .map(|font| (font.name.as_str(), font.is_embedded))
        .collect();
    assert_eq!(names, [("Plain", true)]);
}

#[test]
fn a_font_that_is_missing_has_the_name_it_is_called_by_and_is_not_embedded() {
    let found = with_font("/Lost 10 Tf 20 50 Td (AB) Tj /None 10 Tf (C) Tj");
    let names: Vec<_> = found
        .fonts
        .iter()
        .map(|font| (font.name.as_str(), font.is_embedded))
        .collect();
    assert_eq!(names, [("Lost", false), ("None", false)]);
    assert!(!shown(&found.drawn[0]).was_read);
}
