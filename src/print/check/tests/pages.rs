//! Whole pages, as they are read from PDFs.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::{windows::person, *};
use crate::{
    domain::Letter,
    pdf::Limits,
    print::{address_page, tests::letter as any_letter},
};

fn checked(pdf: &[u8], letter: &LetterToCheck<'_>) -> Checked {
    let document = Document::open(pdf, &Limits::default()).unwrap();
    check(&document, letter, &Settings::default())
}

/// The address page of somebody, which has all that a first page needs.
fn page_of(address: &PostalAddress) -> Vec<u8> {
    let letter = Letter {
        address: address.clone(),
        subject: Some("Päätös".into()),
        ..any_letter(1, 1)
    };
    let sender = ["Example City".to_owned(), "00099 HELSINKI".to_owned()];
    address_page(&letter, &sender, &Settings::default().address_page)
}

/// A page with that content, resources and what more it has; one object more, number 5.
fn pdf(content: &str, in_page: &str, object_5: &str) -> Vec<u8> {
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        format!("<</Type/Page/Parent 2 0 R/Contents 4 0 R {in_page}>>"),
        format!("<</Length {}>>stream\n{content}\nendstream", content.len()),
        object_5.to_owned(),
    ];
    let mut pdf = "%PDF-1.7\n".to_owned();
    for (number, object) in (1..).zip(objects) {
        write!(pdf, "{number} 0 obj\n{object}\nendobj\n").unwrap();
    }
    (pdf + "trailer<</Root 1 0 R>>\n").into_bytes()
}

const A4: &str = "/MediaBox[0 0 595.276 841.89]";
const LANDSCAPE: &str = "/MediaBox[0 0 841.89 595.276]";

/// The codes of a page behind an address page of ours.
fn codes(pdf: &[u8], turns_landscape: bool) -> Vec<&'static str> {
    let address = recipient();
    let letter = LetterToCheck {
        has_address_page: true,
        turns_landscape,
        ..letter(&address)
    };
    let findings = checked(pdf, &letter).findings;
    // Without a table of references every file here is rebuilt.
    let told = findings
        .iter()
        .filter(|finding| finding.code != Code::PdfRebuilt);
    told.map(|finding| finding.code.as_str()).collect()
}

#[test]
fn an_address_page_is_a_printable_page() {
    let address = recipient();
    let Checked { findings, facts } = checked(&page_of(&address), &letter(&address));
    assert_eq!(told(&findings), Vec::<String>::new());
    assert_eq!(facts, PrintFacts::default());
}

#[test]
fn a_page_that_is_not_a4_is_refused_or_turned() {
    assert_eq!(codes(&pdf("", A4, "null"), false), Vec::<&str>::new());
    assert_eq!(codes(&pdf("", LANDSCAPE, "null"), false), ["page-size"]);
    assert_eq!(codes(&pdf("", LANDSCAPE, "null"), true), ["page-landscape"]);
    let letter = "/MediaBox[0 0 612 792]";
    assert_eq!(codes(&pdf("", letter, "null"), true), ["page-size"]);
    let turned = format!("{LANDSCAPE}/Rotate 90");
    assert_eq!(codes(&pdf("", &turned, "null"), false), Vec::<&str>::new());
}

#[test]
fn what_a_page_uses_does_and_paints_is_told_once() {
    let in_page = format!(
        "{A4}/Resources<</Font<</F 5 0 R>>/ExtGState<</G<</ca .5>>>>>>/AA<</O<</S/JavaScript>>>>"
    );
    let content = "/G gs BT /F 12 Tf 20 790 Td (LEIMA) Tj ET q 1 0 0 rg 300 300 9 9 re f";
    let font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>";
    let address = recipient();
    let Checked { findings, facts } = checked(&pdf(content, &in_page, font), &letter(&address));
    insta::assert_snapshot!(told(&findings).join("\n"), @r#"
    1 pdf-rebuilt: the cross-references were rebuilt
    1 pdf-active-content: the page has JavaScript
    1 address-missing: nothing stands in the window
    1 transparency: there are transparent parts on page 1
    1 font-not-embedded: `Helvetica` is used on page 1 and is not embedded
    1 zone-not-empty: text stands in the zone `mark` on page 1: move it 6 mm to the right
    "#);
    assert_eq!(facts.colour_pages, 1);
    assert!(facts.lacks_address && facts.is_unbalanced && !facts.has_landscape);
}

#[test]
fn a_stamp_in_the_place_of_the_mark_is_told() {
    let stamp = |flags: u32| {
        let annotation = format!("<</Subtype/Stamp/F {flags}/Rect[15 790 35 800]/AP<</N 5 0 R>>>>");
        let form = "<</Subtype/Form/BBox[0 0 9 9]/Length 12>>stream\n0 0 9 9 re f\nendstream";
        codes(&pdf("", &format!("{A4}/Annots[{annotation}]"), form), false)
    };
    assert_eq!(stamp(4), ["zone-not-empty"]);
    assert_eq!(stamp(0), [""; 0]);
}

#[test]
fn an_address_on_a_hidden_layer_is_none() {
    let address = recipient();
    let rows = "(Maija Mallikas) Tj T* (Mallikatu 1 A 1) Tj T* (00100 HELSINKI) Tj";
    let content = format!("/OC /L BDC BT /F 11 Tf 14 TL 66 660 Td {rows} ET EMC");
    let font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>";
    let resources = format!("/Resources<</Font<</F {font}>>/Properties<</L 5 0 R>>>>");
    let lacks_address = |state: &str| {
        let layer = format!(
            "<</Type/OCG/Name(a)>>endobj 1 0 obj<</Type/Catalog/Pages 2 0 R\
             /OCProperties<</OCGs[5 0 R]/D<</{state}[5 0 R]>>>>>>"
        );
        let pdf = pdf(&content, &format!("{A4}{resources}"), &layer);
        checked(&pdf, &letter(&address)).facts.lacks_address
    };
    assert!(!lacks_address("ON"));
    assert!(lacks_address("OFF"));
}

#[test]
fn a_page_over_a_limit_is_refused_and_one_at_it_is_not() {
    let address = recipient();
    let letter = LetterToCheck {
        has_address_page: true,
        ..letter(&address)
    };
    let bytes = pdf("0 0 1 1 re f 0 0 1 1 re f", A4, "null");
    let document = Document::open(&bytes, &Limits::default()).unwrap();
    let codes_with = |max_operators| {
        let mut settings = Settings::default();
        settings.check.content_limits.max_operators = max_operators;
        let findings = check(&document, &letter, &settings).findings;
        findings
            .iter()
            .any(|finding| finding.code == Code::PdfLimits)
    };
    assert!(!codes_with(4));
    assert!(codes_with(3));
}

#[test]
fn a_letter_for_a_mailbox_is_only_held_against_its_recipient() {
    let address = recipient();
    let look = |pdf: &[u8]| {
        let document = Document::open(pdf, &Limits::default()).unwrap();
        let found = check_for_mailbox(&document, &letter(&address), &Settings::default());
        assert_eq!(found.facts, PrintFacts::default());
        told(&found.findings)
    };
    assert_eq!(look(&pdf("", LANDSCAPE, "null")), Vec::<String>::new());
    assert_eq!(look(&page_of(&address)), Vec::<String>::new());
    let other = PostalAddress {
        postal_code: Some("33100".into()),
        ..recipient()
    };
    assert_eq!(look(&page_of(&other)).len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn an_address_page_is_its_own_recipients_and_nobody_elses(one in person(), other in person()) {
        let pdf = page_of(&one);
        prop_assert_eq!(told(&checked(&pdf, &letter(&one)).findings), Vec::<String>::new());
        prop_assume!(one.postal_code != other.postal_code);
        let codes: Vec<_> = checked(&pdf, &letter(&other)).findings;
        let codes: Vec<_> = codes.iter().map(|finding| finding.code).collect();
        prop_assert_eq!(codes, [Code::AddressMismatch]);
    }
}

#[test]
fn a_first_page_that_is_turned_gets_an_address_page_in_front() {
    let address = recipient();
    let turned = LetterToCheck {
        turns_landscape: true,
        ..letter(&address)
    };
    let checked = checked(&pdf("", LANDSCAPE, "null"), &turned);
    assert!(checked.facts.lacks_address);
    let missing = |found: &PageFinding| found.code == Code::AddressMissing;
    assert_eq!(
        checked
            .findings
            .iter()
            .filter(|found| missing(found))
            .count(),
        1
    );
}
