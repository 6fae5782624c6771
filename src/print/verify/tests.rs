use super::*;
use crate::{
    domain::{Letter, PageRange},
    print::{
        AddressPageSettings, AddressPages, LetterPdf, LetterSource, MarkSettings, OmrSettings,
        SourceError, compose, lay_out,
        tests::{identity, letter},
    },
};

/// A PDF of three pages for every letter.
struct ThreePages(Vec<u8>);

impl LetterSource for ThreePages {
    fn letter_pdf(&self, _: &PageRange) -> Result<LetterPdf<'_>, SourceError> {
        Ok(LetterPdf::Own(self.0.clone()))
    }
}

fn all_marks() -> Settings {
    Settings {
        verify_marks: u32::MAX,
        marks: MarkSettings {
            omr: Some(OmrSettings::default()),
            ..MarkSettings::default()
        },
        ..Settings::default()
    }
}

/// Twelve letters of three pages, every other with an address page.
fn composed(settings: &Settings) -> (BundlePlan, Vec<u8>) {
    let letters: Vec<_> = (1..=12)
        .map(|position| Letter {
            address_page: position % 2 == 0,
            ..letter(position, 3)
        })
        .collect();
    let pages: Vec<_> = (1..=3).map(|page| letter(page, 1)).collect();
    let pages = AddressPages::for_letters(&pages, &[], &AddressPageSettings::default()).pdf(&pages);
    let plan = lay_out(letters, settings).unwrap();
    let mut pdf = Vec::new();
    let source = ThreePages(pages);
    compose(&plan, &identity(), settings, &source, &mut pdf, &|_| ()).unwrap();
    (plan, pdf)
}

fn verified(pdf: &[u8], plan: &BundlePlan, settings: &Settings) -> Result<Verified, String> {
    verify(pdf, plan, &identity(), settings).map_err(|error| error.to_string())
}

/// The first place where that stands, filled with something else of the same length.
fn changed(pdf: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut changed = pdf.to_vec();
    let mut places = pdf.windows(from.len());
    let at = places.position(|place| place == from.as_bytes()).unwrap();
    changed[at..at + from.len()].copy_from_slice(to.as_bytes());
    changed
}

#[test]
fn a_bundle_is_what_was_planned_with_parts_and_without() {
    let with_parts = all_marks();
    let without = Settings {
        document_parts: false,
        ..all_marks()
    };
    for settings in [with_parts, without] {
        let (plan, pdf) = composed(&settings);
        let read = Verified {
            pages: plan.pages(),
            marks: plan.sheets(),
        };
        assert_eq!(verified(&pdf, &plan, &settings), Ok(read));
    }
}

#[test]
fn as_many_marks_are_read_as_the_settings_say() {
    for (verify_marks, read) in [(0, 0), (1, 1), (2, 2), (7, 7), (1_000, 30)] {
        let settings = Settings {
            verify_marks,
            ..all_marks()
        };
        let (plan, pdf) = composed(&settings);
        assert_eq!(plan.sheets(), 30);
        assert_eq!(verified(&pdf, &plan, &settings).unwrap().marks, read);
    }
}

#[test]
fn the_sample_is_spread_evenly_from_the_first_sheet_to_the_last() {
    let taken = |sheets, most| -> Vec<u32> {
        let mut sample = Sample::of(sheets, most);
        (0..sheets).filter(|number| sample.takes(*number)).collect()
    };
    assert_eq!(taken(10, 4), [0, 3, 6, 9]);
    assert_eq!(taken(10, 1), [0]);
    assert_eq!(taken(10, 0), [0; 0]);
    assert_eq!(taken(3, 20), [0, 1, 2]);
    assert_eq!(taken(4_000_000, 2), [0, 3_999_999]);
}

#[test]
fn each_property_that_is_not_as_planned_is_told_with_its_page() {
    let settings = all_marks();
    let (plan, pdf) = composed(&settings);
    let told = |from: &str, to: &str| verified(&changed(&pdf, from, to), &plan, &settings);
    let told = [
        told("/MediaBox[0 0 595", "/MediaBox[0 0 495"),
        told("/TrimBox[0 0 595", "/TrimBox[0 0 594"),
        told("/TrimBox", "/TrimFox"),
        told("/Sequence 2", "/Sequence 3"),
        told("/Start ", "/Strat "),
        told("/DPartRoot ", "/DPurtRoot "),
        told("BI/W 16/H 16", "BI/W 16/H 17"),
        told("ID aaaa", "ID 5555"),
        told(" re f Q\n\nQ", " xx f Q\n\nQ"),
    ];
    let told = told.map(|told| told.expect_err("nothing was noticed"));
    insta::assert_snapshot!(told.join("\n"), @r#"
    the bundle's PDF was read back, and its page 1 is not upright A4
    the bundle's PDF was read back, and its page 1 has no TrimBox that is all of the page
    the bundle's PDF was read back, and its page 1 has no TrimBox that is all of the page
    the bundle's PDF was read back, and its page 5 does not begin the document part of its piece
    the bundle's PDF cannot be read back
    the bundle's PDF was read back, and its page 1 does not begin the document part of its piece
    the bundle's PDF was read back, and its page 1 has no mark that can be read
    the bundle's PDF was read back, and its page 1 has no mark that can be read
    the bundle's PDF was read back, and its page 1 lacks the OMR lines of its sheet
    "#);
}

#[test]
fn a_page_that_names_another_part_is_noticed() {
    let settings = all_marks();
    let (plan, pdf) = composed(&settings);
    let text = String::from_utf8_lossy(&pdf);
    let (_, after) = text.split_once("/DPart ").unwrap();
    let (own, _) = after.split_once(' ').unwrap();
    let other: String = own.chars().map(|_| '1').collect();
    let from = format!("/DPart {own} ");
    let to = format!("/DPart {other} ");
    let told = verified(&changed(&pdf, &from, &to), &plan, &settings).unwrap_err();
    insta::assert_snapshot!(told, @"the bundle's PDF was read back, and its page 1 does not say that it belongs to the document part of its piece");
}

#[test]
fn another_plan_is_noticed() {
    let settings = all_marks();
    let (plan, pdf) = composed(&settings);
    let mut fewer = plan.clone();
    fewer.pieces.pop();
    let mut other_cut = plan.clone();
    other_cut.pieces[0].pages -= 2;
    other_cut.pieces[1].pages += 2;
    other_cut.pieces[1].first_page -= 2;
    let mut other_sheets = plan.clone();
    other_sheets.pieces[4].sheets += 1;
    let told = [fewer, other_cut, other_sheets].map(|plan| {
        let told = verified(&pdf, &plan, &settings);
        told.expect_err("nothing was noticed")
    });
    insta::assert_snapshot!(told.join("\n"), @r#"
    the bundle's PDF was read back, and has 60 pages instead of 54
    the bundle's PDF was read back, and its page 1 does not begin the document part of its piece
    the bundle's PDF was read back, and its page 21 has the mark of another sheet
    "#);
}

#[test]
fn a_bundle_under_another_number_bears_other_marks() {
    let settings = all_marks();
    let (plan, pdf) = composed(&settings);
    let other = BundleIdentity {
        bundle: crate::domain::BundleId(32),
        ..identity()
    };
    let told = verify(&pdf, &plan, &other, &settings).unwrap_err();
    assert!(matches!(
        told,
        Error::NotAsPlanned {
            page: 1,
            discrepancy: Discrepancy::OtherMark
        }
    ));
}

#[test]
fn a_file_that_is_cut_short_is_noticed() {
    let settings = all_marks();
    let (plan, pdf) = composed(&settings);
    let cut = &pdf[..pdf.len() / 2];
    assert!(verified(cut, &plan, &settings).is_err());
    assert!(verified(&[], &plan, &settings).is_err());
}

#[test]
fn a_file_that_can_only_be_read_once_it_is_repaired_is_none_to_hand_over() {
    let settings = all_marks();
    let (plan, pdf) = composed(&settings);
    let broken = changed(&pdf, "startxref", "startxrxf");
    let told = verified(&broken, &plan, &settings).unwrap_err();
    assert_eq!(told, "the bundle's PDF cannot be read back");
}
