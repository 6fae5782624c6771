//! Content that means no good.

use proptest::prelude::*;

use super::*;
use crate::pdf::fragment::Body;

fn check(pdf: &Pdf, at: &ContentLimits, past: &ContentLimits) {
    wanted(pdf.clone(), at).unwrap();
    let refused = wanted(pdf.clone(), past);
    assert!(matches!(refused, Err(Refusal::Limit { .. })), "{refused:?}");
}

#[test]
fn content_is_read_up_to_the_limit_and_not_past_it() {
    let at = |max_content_bytes| ContentLimits {
        max_content_bytes,
        ..ContentLimits::default()
    };
    // A stream counts for 64 bytes besides its own, and so do the objects read on the way.
    let pdf = page("", &" ".repeat(1_000));
    let object = "<</Length 1000>>".len() as u64;
    let exact = 2 * object + 1_000 + 64;
    check(&pdf, &at(exact), &at(exact - 1));
}

#[test]
fn all_pages_of_a_file_are_looked_at_up_to_the_limit_and_not_past_it() {
    let data = deflated(&vec![b' '; 200_000]);
    let entries = "/Filter/FlateDecode";
    let pdf = sized_page(PLAIN, b"").stream(4, entries, &data);
    let object = format!("<<{entries}/Length {}>>", data.len()).len() as u64;
    let a_look = 2 * object + 200_000 + 64;
    let bytes = pdf.finished();
    let looked = |document: &Document<'_>, max_document_bytes| {
        let limits = ContentLimits {
            max_document_bytes,
            ..ContentLimits::default()
        };
        let wants = ContentWants {
            areas: &[],
            text_in: None,
            limits: &limits,
        };
        document.content(1, &wants).map(drop)
    };
    let document = open(&bytes).unwrap();
    assert_eq!(looked(&document, 2 * a_look), Ok(()));
    assert_eq!(looked(&document, 2 * a_look), Ok(()));
    assert_eq!(document.exhausted(), None);
    let refused = looked(&document, 3 * a_look - 1).unwrap_err();
    assert!(refused.to_string().contains("all its pages"), "{refused}");
    assert_eq!(document.exhausted(), Some(refused));
}

#[test]
fn a_large_file_may_draw_256_times_its_length() {
    let limits = ContentLimits {
        max_document_bytes: 1,
        ..ContentLimits::default()
    };
    let drawn = |times| {
        let content = "/F Do ".repeat(times);
        let pdf = page("/Resources<</XObject<</F 5 0 R>>>>", &content);
        wanted(pdf.stream(5, "/Subtype/Form", &vec![b' '; 50_000]), &limits)
    };
    assert!(drawn(240).is_ok());
    assert!(matches!(drawn(270), Err(Refusal::Limit { .. })));
}

#[test]
fn operators_and_things_kept_are_counted() {
    let pdf = page("", &"0 0 1 1 re f ".repeat(100));
    let operators = |max_operators| ContentLimits {
        max_operators,
        ..ContentLimits::default()
    };
    check(&pdf, &operators(200), &operators(199));
    let kept = |max_kept| ContentLimits {
        max_kept,
        ..ContentLimits::default()
    };
    check(&pdf, &kept(100), &kept(99));
}

/// Forms 10 and up, each of which draws the next that many times.
fn tower(height: u32, times: usize) -> Pdf {
    let mut pdf = page("/Resources<</XObject<</F 10 0 R>>>>", "/F Do");
    for number in 10..10 + height {
        let entries = format!(
            "/Subtype/Form/Resources<</XObject<</F {} 0 R>>>>",
            number + 1
        );
        let content = if number + 1 < 10 + height {
            "/F Do ".repeat(times)
        } else {
            "0 0 1 1 re f".into()
        };
        pdf = pdf.stream(number, &entries, content.as_bytes());
    }
    pdf
}

#[test]
fn forms_are_drawn_within_one_another_up_to_the_limit() {
    let depth = |max_form_depth| ContentLimits {
        max_form_depth,
        ..ContentLimits::default()
    };
    check(&tower(12, 1), &depth(12), &depth(11));
    let refused = wanted(tower(80, 1), &depth(u32::MAX));
    assert!(matches!(refused, Err(Refusal::Limit { .. })));
}

#[test]
fn a_form_counts_each_time_that_it_is_drawn() {
    let refused = wanted(tower(20, 10), &ContentLimits::default());
    assert!(matches!(refused, Err(Refusal::Limit { .. })));
}

#[test]
fn a_stream_that_inflates_without_end_is_refused() {
    let bomb = deflated(&vec![b' '; 21 << 20]);
    let refused = wanted(
        sized_page(PLAIN, b"").stream(4, "/Filter/FlateDecode", &bomb),
        &ContentLimits::default(),
    );
    assert!(matches!(refused, Err(Refusal::Limit { .. })));
}

#[test]
fn states_are_not_saved_without_end() {
    assert!(!drawn(&"q ".repeat(10_000)).is_balanced);
    let refused = wanted(page("", &"q ".repeat(10_001)), &ContentLimits::default());
    assert!(matches!(refused, Err(Refusal::Limit { .. })));
}

#[test]
fn references_in_a_circle_end() {
    let pdf = page("/Resources 5 0 R", "/F Do /C cs /F 1 Tf (a) Tj").object(5, "5 0 R");
    assert!(found(pdf).is_balanced);
    let loops = "/Resources<</ColorSpace<</C 5 0 R>>/Pattern<</P 6 0 R>>>>";
    let pdf = page(loops, "/C cs 1 sc /Pattern cs /P scn 0 0 1 1 re f")
        .object(5, "[/Indexed 5 0 R 1 5 0 R]")
        .stream(
            6,
            "/PatternType 1/Resources<</Pattern<</P 6 0 R>>>>",
            b"/P scn 0 0 1 1 re f",
        );
    assert_eq!(found(pdf).drawn.len(), 1);
}

#[test]
fn errors_in_content_are_passed_over() {
    for wrong in [
        "1 2 re",
        "(a) re",
        "nonsense",
        "1 2 3 4 5 6 7 8 nonsense",
        ") ] > }",
        "<< /A",
        "/ Do",
        "1 cm",
        "[ (a) 1 /B [ 2 ] ] TJ",
        "0 0 0 0 0 0 cm 1 1 m 2 2 l S q Q 1e9 0 0 1 0 0 cm",
        "/X gs /X sh /X Do /X scn /X Tf",
        "--5 w +-.3.4-5 w",
        "999999999999999999999999999999 99999999999999999999999999 m",
    ] {
        let content = format!("q {wrong} n Q 0 0 10 10 re f");
        let found = drawn(&content);
        let last = found.drawn.last().map(|last| rounded(&last.area));
        assert_eq!(last, Some([0.0, 90.0, 10.0, 100.0]), "{wrong}");
    }
}

#[test]
fn numbers_that_are_too_large_draw_nothing_and_harm_nothing() {
    let huge = "9".repeat(400);
    let found = drawn(&format!(
        "{huge} 0 0 {huge} 0 0 cm {huge} 0 0 {huge} 0 0 cm 0 0 1 1 re f"
    ));
    assert!(
        found
            .drawn
            .iter()
            .all(|drawn| drawn.area.width_mm().is_finite())
    );
}

/// Operators with operands that are sometimes theirs.
fn operators() -> impl Strategy<Value = String> {
    const WORDS: &str = concat!(
        "q Q cm w gs Do sh BT ET Tf Td TD Tm T* Tj TJ ' \" Tc Tw Tz TL Ts Tr m l c v y re h f S B b* n W ",
        "g rg k cs sc scn SCN BI ID EI BDC EMC (a\\(b) <414 <41> [(a)-900<62>] /F /OC <</A[1]>> ",
        "1 -2.5 0 100 1000000 .001 % \n [ ] ( ) << >>",
    );
    let words: Vec<_> = WORDS.split(' ').collect();
    let words = prop::collection::vec(prop::sample::select(words), 0..200);
    words.prop_map(|words| words.join(" "))
}

/// All that can be asked for, with all that can be named.
fn is_bounded(content: &[u8]) {
    let names = "/F 4 0 R/OC 5 0 R";
    let resources = format!(
        "/Resources<</Font<<{names}>>/XObject<<{names}>>/ExtGState<<{names}>>/Pattern<<{names}>>/ColorSpace<<{names}>>\
         /Shading<<{names}>>>>"
    );
    let pdf =
        sized_page(&format!("{PLAIN}{resources}"), content).stream(5, "/Subtype/Form", content);
    let limits = ContentLimits {
        max_content_bytes: 100_000,
        max_kept: 1_000,
        ..ContentLimits::default()
    };
    let page = Area::at(0.0, 0.0, 200.0, 100.0);
    match wanted(pdf, &limits) {
        Ok(found) => {
            assert!(found.drawn.len() <= limits.max_kept);
            for drawn in &found.drawn {
                assert!(page.contains(&drawn.area), "{drawn:?}");
            }
        }
        Err(refusal) => assert!(matches!(refusal, Refusal::Limit { .. }), "{refusal}"),
    }
}

/// Whether a page that is looked at before it is written is written as it stands.
fn stands(pdf: Pdf) -> bool {
    let bytes = pdf.finished();
    let treatment = Treatment {
        may_be_unbalanced: true,
        ..Treatment::default()
    };
    let document = open(&bytes).unwrap();
    let fragment = Fragment::of(&document, 1..=1, &DigestKey([1; 32]), &treatment).unwrap();
    matches!(fragment.pages[0].body, Body::AsItStands { .. })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn whatever_operators_there_are_what_is_drawn_is_on_the_page(content in operators()) {
        is_bounded(content.as_bytes());
    }

    #[test]
    fn a_page_is_said_to_be_balanced_just_if_it_is_not_wrapped(first in operators(), second in operators()) {
        let a4 = "/MediaBox[0 0 595.276 841.89]/Contents[4 0 R 5 0 R]";
        let pdf = sized_page(a4, first.as_bytes()).stream(5, "", second.as_bytes());
        assert_eq!(found(pdf.clone()).is_balanced, stands(pdf));
    }

    #[test]
    fn whatever_bytes_there_are_what_is_drawn_is_on_the_page(content in prop::collection::vec(any::<u8>(), 0..2_000)) {
        is_bounded(&content);
    }
}
