//! The rules, over what pages are said to draw.

mod pages;
mod windows;
mod zones;

use super::*;
use crate::pdf::{Drawn, FontUse, Ink, Paint, ShownText};

const WINDOW: Area = Area {
    left_mm: 21.0,
    top_mm: 55.0,
    right_mm: 93.0,
    bottom_mm: 85.0,
};

fn recipient() -> PostalAddress {
    PostalAddress {
        name: Some("Maija Mallikas".into()),
        street: Some("Mallikatu 1 A 1".into()),
        postal_code: Some("00100".into()),
        city: Some("Helsinki".into()),
        ..PostalAddress::default()
    }
}

fn letter(address: &PostalAddress) -> LetterToCheck<'_> {
    LetterToCheck {
        pages: 1..=1,
        address,
        has_address_page: false,
        duplex: true,
        compares_address: true,
        turns_landscape: false,
    }
}

fn page(drawn: Vec<Drawn>) -> PageContent {
    PageContent {
        is_blank: drawn.is_empty(),
        drawn,
        fonts: Vec::new(),
        has_colour: false,
        has_transparency: false,
        is_balanced: true,
        unread: None,
    }
}

fn drawn(ink: Ink, area: Area) -> Drawn {
    Drawn {
        area,
        ink,
        paint: Paint::Grey,
    }
}

/// Text of 11 points that begins there on its baseline.
fn text(x_mm: f64, baseline_mm: f64, text: &str) -> Drawn {
    let width_mm = 2.0 * f64::from(u32::try_from(text.chars().count()).unwrap());
    let shown = ShownText {
        text: Some(text.to_owned()),
        was_read: true,
        baseline_mm,
        size_mm: 3.9,
        is_level: true,
    };
    drawn(
        Ink::Text(shown),
        Area::at(x_mm, baseline_mm - 3.5, width_mm, 4.3),
    )
}

/// Rows at the place where letters have them.
fn rows(rows: &[&str]) -> Vec<Drawn> {
    let baselines = (0..).map(|row| 60.0 + 5.0 * f64::from(row));
    let rows = rows.iter().zip(baselines);
    rows.map(|(row, baseline_mm)| text(22.0, baseline_mm, row))
        .collect()
}

fn seen(drawn: Vec<Drawn>, address: &PostalAddress) -> window::Seen {
    window::judge(&page(drawn), &WINDOW, &letter(address))
}

fn told(findings: &[PageFinding]) -> Vec<String> {
    let told = findings.iter();
    told.map(|finding| format!("{} {}: {}", finding.page, finding.code, finding.detail))
        .collect()
}

#[test]
fn fonts_that_are_nowhere_are_told_with_their_pages() {
    let font = |name: &str, is_embedded, is_standard| FontUse {
        name: name.to_owned(),
        is_embedded,
        is_type3: false,
        is_standard,
    };
    let content = |fonts| PageContent {
        fonts,
        ..page(Vec::new())
    };
    let mut missing = MissingFonts::default();
    let allowed = AllowedFonts {
        standard_14: true,
        names: vec!["Arial".to_owned()],
    };
    for page in [3, 4, 5, 9] {
        let fonts = vec![
            font("Arial", false, false),
            font("Helvetica", false, true),
            font("Garamond", false, false),
            font("Futura", true, false),
        ];
        missing.add(page, &content(fonts), &allowed);
    }
    missing.add(
        9,
        &content(vec![font("Arial\n`Bold", false, false)]),
        &allowed,
    );
    let missing: Vec<_> = missing.findings().collect();
    insta::assert_snapshot!(told(&missing).join("\n"), @r#"
    3 font-not-embedded: `Garamond` is used on pages 3, 4 and 2 more and is not embedded
    9 font-not-embedded: `ArialBold` is used on page 9 and is not embedded
    "#);
    let mut strict = MissingFonts::default();
    let helvetica = content(vec![font("Helvetica", false, true)]);
    strict.add(1, &helvetica, &AllowedFonts::default());
    assert_eq!(strict.findings().count(), 1);
}

#[test]
fn colour_is_counted_and_transparency_told_once() {
    let mut paints = Paints::default();
    for number in [1, 2, 3] {
        let content = PageContent {
            has_colour: number != 2,
            has_transparency: number > 1,
            ..page(Vec::new())
        };
        paints.add(number, &content);
    }
    assert_eq!(paints.colour_pages, 2);
    let told = told(&paints.finding().into_iter().collect::<Vec<_>>());
    assert_eq!(
        told,
        ["2 transparency: there are transparent parts on pages 2 and 3"]
    );
    assert_eq!(Paints::default().finding(), None);
}
