//! Pages whose content becomes a form.

use lopdf::{Dictionary, Object, Stream};

use super::*;

const LOOKED_AT: Treatment = Treatment {
    may_be_unbalanced: true,
    turn_landscape: false,
    content_limits: ContentLimits::DEFAULT,
};
const TURNED: Treatment = Treatment {
    may_be_unbalanced: false,
    turn_landscape: true,
    content_limits: ContentLimits::DEFAULT,
};

fn treated(bytes: &[u8], treatment: Treatment) -> Result<Fragment<'_>, Refusal> {
    let document = open(bytes)?;
    let pages = 1..=document.page_count();
    Fragment::of(&document, pages, &DigestKey([1; 32]), &treatment)
}

/// All pages with an overlay on each.
fn written(bytes: &[u8], treatment: Treatment) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &settings(false)).unwrap();
    let overlay = Overlay(b"0 0 9 9 re f".to_vec());
    let fragment = treated(bytes, treatment).unwrap();
    writer
        .add_fragment(&fragment, &mut |_| Some(overlay.clone()))
        .unwrap();
    writer.finish().unwrap().0
}

fn one_page(page: &str, content: &str) -> Vec<u8> {
    Pdf::with_page(page)
        .stream(4, "", content.as_bytes())
        .finished()
}

/// The form that the page is wrapped in, if it is.
fn form(out: &lopdf::Document, page: usize) -> Option<&Stream> {
    let resources = pages_of(out)[page].get(b"Resources").unwrap().as_dict();
    let forms = resources.ok()?.get(b"XObject").ok()?.as_dict().unwrap();
    let form = forms.get(b"Page").unwrap().as_reference().unwrap();
    Some(out.get_object(form).unwrap().as_stream().unwrap())
}

fn is_wrapped(bytes: &[u8], treatment: Treatment) -> bool {
    form(&read_back(&written(bytes, treatment)), 0).is_some()
}

fn dictionary<'d>(parent: &'d Dictionary, key: &[u8]) -> &'d Dictionary {
    parent.get(key).unwrap().as_dict().unwrap()
}

#[test]
fn a_page_with_a_unit_is_written_without_and_scaled() {
    let page = "/MediaBox[0 0 300 450]/CropBox[1 2 298.638 422.945]/UserUnit 2/Contents 4 0 R";
    let bytes = one_page(page, CONTENT);
    let fragment = treated(&bytes, Treatment::default()).unwrap();
    let geometry = fragment.page(0).unwrap();
    assert!(geometry.is_upright_a4(0.01));
    assert!((geometry.user_unit() - 1.0).abs() < f64::EPSILON);
    let out = read_back(&written(&bytes, Treatment::default()));
    let page = pages_of(&out)[0];
    for name in [&b"MediaBox"[..], b"TrimBox"] {
        assert_eq!(numbers(page, name), [0.0, 0.0, 595.276, 841.89]);
    }
    assert!(!page.has(b"UserUnit") && !page.has(b"CropBox"));
    let form = form(&out, 0).unwrap();
    assert_eq!(numbers(&form.dict, b"BBox"), [0.5, 1.5, 299.138, 423.445]);
    assert_eq!(
        numbers(&form.dict, b"Matrix"),
        [2.0, 0.0, 0.0, 2.0, -2.0, -4.0]
    );
    assert_eq!(form.content, CONTENT.as_bytes());
    assert_eq!(
        content_of(&out, 1)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
        "q q /Page Do Q Q q 1 0 0 1 0 0 cm 0 0 9 9 re f Q"
    );
}

#[test]
fn a_page_on_its_side_is_turned_where_that_is_asked_for() {
    let sideways = one_page("/MediaBox[0 0 841.89 595.276]/Contents 4 0 R", CONTENT);
    let as_sent = treated(&sideways, Treatment::default()).unwrap();
    assert!(as_sent.page(0).unwrap().lies_on_its_side());
    let turned = treated(&sideways, TURNED).unwrap().page(0).unwrap();
    assert!(turned.is_upright_a4(0.01));
    let out = read_back(&written(&sideways, TURNED));
    let page = pages_of(&out)[0];
    assert_eq!(numbers(page, b"MediaBox"), [0.0, 0.0, 595.276, 841.89]);
    assert!(!page.has(b"Rotate"));
    // The upper left corner comes to lie at the lower left.
    let matrix = [0.0, 1.0, -1.0, 0.0, 595.276, 0.0];
    assert_eq!(numbers(&form(&out, 0).unwrap().dict, b"Matrix"), matrix);
    assert!(!is_wrapped(&sideways, Treatment::default()));
    assert!(!is_wrapped(&one_page(A4, CONTENT), TURNED));
}

#[test]
fn a_page_that_its_turn_makes_upright_is_turned_no_further() {
    let page = "/MediaBox[0 0 841.89 595.276]/Rotate 90/Contents 4 0 R";
    let bytes = one_page(page, CONTENT);
    assert!(!is_wrapped(&bytes, TURNED));
    assert_eq!(count(&written(&bytes, TURNED), "/Rotate 90"), 1);
}

#[test]
fn content_is_looked_at_where_that_is_asked_for() {
    let clean = one_page(A4, "q .5 0 0 .5 0 0 cm Q");
    let open = one_page(A4, "Q (open");
    assert!(!is_wrapped(&clean, LOOKED_AT));
    assert!(is_wrapped(&open, LOOKED_AT));
    assert!(!is_wrapped(&open, Treatment::default()));
}

#[test]
fn what_reaches_past_the_form_is_closed_behind_it() {
    let out = written(&one_page(A4, "/A BMC /B BMC 0 0 m 1 1 l"), LOOKED_AT);
    assert!(content_of(&read_back(&out), 1).contains("q /Page Do n EMC EMC Q"));
}

#[test]
fn one_stream_is_the_forms_data_as_it_stands() {
    let data = deflated(b"Q q");
    let filter = "/Filter[/FlateDecode]/DecodeParms[null]";
    let bytes = Pdf::with_page(A4).stream(4, filter, &data).finished();
    let out = read_back(&written(&bytes, LOOKED_AT));
    let form = form(&out, 0).unwrap();
    assert_eq!(form.content, data);
    assert!(form.dict.has(b"DecodeParms"));
}

#[test]
fn a_filter_by_its_short_name_goes_with_the_data() {
    let bytes = Pdf::with_page(A4)
        .stream(4, "/F/AHx/DP null", b"51>")
        .finished();
    let out = read_back(&written(&bytes, LOOKED_AT));
    let form = form(&out, 0).unwrap();
    assert_eq!(form.dict.get(b"F").unwrap().as_name().unwrap(), b"AHx");
    assert!(form.dict.has(b"DP"));
}

#[test]
fn several_streams_are_joined_and_deflated() {
    let page = "/MediaBox[0 0 595.276 841.89]/Contents[4 0 R 5 0 R]";
    let bytes = Pdf::with_page(page)
        .stream(4, "/Filter/FlateDecode", &deflated(b"Q 1 0 0 r"))
        .stream(5, "/Filter/ASCIIHexDecode", b"67>")
        .finished();
    let out = read_back(&written(&bytes, LOOKED_AT));
    let joined = form(&out, 0).unwrap().decompressed_content().unwrap();
    assert_eq!(joined, b"Q 1 0 0 r\ng\n");
}

#[test]
fn a_filter_that_is_not_read_is_no_matter_unless_streams_must_be_joined() {
    let file = |contents: &str| {
        Pdf::with_page(&format!(
            "/MediaBox[0 0 595.276 841.89]/Contents[{contents}]"
        ))
        .stream(4, "/Filter/Strange", b"?")
        .stream(5, "", b"")
        .finished()
    };
    let alone = file("4 0 R");
    let out = read_back(&written(&alone, LOOKED_AT));
    assert_eq!(form(&out, 0).unwrap().content, b"?");
    let refused = treated(&file("4 0 R 5 0 R"), LOOKED_AT).err().unwrap();
    assert!(refused.to_string().contains("must be joined"), "{refused}");
}

#[test]
fn resources_go_with_the_content_and_the_group_stays_about_it() {
    let page = format!("{A4}/UserUnit 1.01/Group 5 0 R/Resources<</Font<</F 6 0 R>>>>");
    let bytes = Pdf::with_page(&page)
        .object(5, "<</S/Transparency/I false/CS/DeviceRGB>>")
        .object(6, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
        .finished();
    let out = read_back(&written(&bytes, Treatment::default()));
    let group = pages_of(&out)[0].get(b"Group").unwrap();
    let group = out.get_dictionary(group.as_reference().unwrap()).unwrap();
    assert_eq!(group.get(b"CS").unwrap().as_name().unwrap(), b"DeviceRGB");
    let form = form(&out, 0).unwrap();
    assert!(!form.dict.has(b"Group"));
    let fonts = dictionary(dictionary(&form.dict, b"Resources"), b"Font");
    assert!(matches!(fonts.get(b"F").unwrap(), Object::Reference(_)));
}

#[test]
fn pages_that_are_wrapped_alike_share_a_form() {
    let file = |second: &str| {
        Pdf::with_page(&format!("{A4}/UserUnit 1.01"))
            .object(2, "<</Type/Pages/Kids[3 0 R 7 0 R]/Count 2>>")
            .object(7, &format!("<</Type/Page/Parent 2 0 R{A4}{second}>>"))
            .finished()
    };
    let forms = |second| count(&written(&file(second), Treatment::default()), "/Form");
    assert_eq!(forms("/UserUnit 1.01"), 1);
    assert_eq!(forms("/UserUnit 1.02"), 2);
    let once = file("/UserUnit 1.01");
    let twice = |_| written(&once, Treatment::default());
    assert_eq!(twice(1), twice(2));
}

#[test]
fn a_form_of_ours_and_an_array_of_the_senders_are_never_taken_for_each_other() {
    let wrapped = one_page(&format!("{A4}/UserUnit 1.01"), CONTENT);
    let out = written(&wrapped, Treatment::default());
    let text = String::from_utf8_lossy(&out).into_owned();
    let start = text.find("/Type/XObject").unwrap();
    let end = text[start..].find("\nstream").unwrap();
    let value = format!("<<{}", &text[start..start + end]);
    let page = format!("{A4}/UserUnit 1.01/Resources<</X 5 0 R>>");
    let forged = Pdf::with_page(&page)
        .object(5, &format!("[{value} 4 0 R]"))
        .finished();
    let mut writer = Writer::new(Vec::new(), &settings(false)).unwrap();
    for file in [&wrapped, &forged, &wrapped] {
        let fragment = treated(file, Treatment::default()).unwrap();
        writer.add_fragment(&fragment, &mut |_| None).unwrap();
    }
    let out = read_back(&writer.finish().unwrap().0);
    for page in 0..3 {
        assert_eq!(form(&out, page).unwrap().content, CONTENT.as_bytes());
    }
}

#[test]
fn an_empty_page_with_a_unit_is_only_as_large() {
    let bytes = one_page("/MediaBox[0 0 297.638 420.945]/UserUnit 2", "");
    let out = read_back(&written(&bytes, LOOKED_AT));
    assert!(form(&out, 0).is_none());
    let page = pages_of(&out)[0];
    assert_eq!(numbers(page, b"MediaBox"), [0.0, 0.0, 595.276, 841.89]);
}

#[test]
fn content_is_looked_through_up_to_the_limit_and_not_past_it() {
    let bytes = one_page(A4, CONTENT);
    let limited = |max_content_bytes| {
        let content_limits = ContentLimits {
            max_content_bytes,
            ..ContentLimits::DEFAULT
        };
        let treatment = Treatment {
            content_limits,
            ..LOOKED_AT
        };
        treated(&bytes, treatment)
    };
    let length = CONTENT.len() as u64;
    assert!(limited(length).is_ok());
    assert!(matches!(limited(length - 1), Err(Refusal::Limit { .. })));
}

#[test]
fn marked_content_may_be_left_open_a_thousand_times() {
    let open = |times: usize| one_page(A4, &"/A BMC ".repeat(times));
    assert!(treated(&open(1_000), LOOKED_AT).is_ok());
    assert!(matches!(
        treated(&open(1_001), LOOKED_AT),
        Err(Refusal::Limit { .. })
    ));
}

#[test]
fn pages_that_share_much_content_are_not_each_as_large() {
    let kids: Vec<_> = (10..40).map(|page| format!("{page} 0 R")).collect();
    let kids = kids.join(" ");
    let mut pdf = Pdf::with_page(A4)
        .object(2, &format!("<</Type/Pages/Kids[{kids}]/Count 30>>"))
        .stream(4, "", " ".repeat(100_000).as_bytes());
    for page in 10..40 {
        let unit = format!("<</Type/Page/Parent 2 0 R{A4}/UserUnit {page}>>");
        pdf = pdf.object(page, &unit);
    }
    let bytes = pdf.finished();
    let limits = Limits {
        max_inflated_object_stream_bytes: 0,
        ..Limits::default()
    };
    let document = Document::open(&bytes, &limits).unwrap();
    let key = DigestKey([1; 32]);
    let pages = |last| Fragment::of(&document, 1..=last, &key, &Treatment::default());
    assert!(pages(5).is_ok());
    assert!(matches!(pages(30), Err(Refusal::Limit { .. })));
}

/// Thirty pages of 100,000 bytes in a file of a few thousand.
fn pages_of_one_stream(contents: &str, more: &str) -> Vec<u8> {
    let kids: Vec<_> = (10..40).map(|page| format!("{page} 0 R")).collect();
    let mut pdf = Pdf::with_page(A4)
        .object(
            2,
            &format!("<</Type/Pages/Kids[{}]/Count 30>>", kids.join(" ")),
        )
        .stream(4, "/Filter/FlateDecode", &deflated(&vec![b' '; 400_000]))
        .stream(5, "", b"");
    let page = format!(
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595.276 841.89]/Contents {contents}{more}>>"
    );
    for number in 10..40 {
        pdf = pdf.object(number, &page);
    }
    pdf.finished()
}

#[test]
fn pages_that_share_a_stream_are_not_looked_through_without_end() {
    let looked_through = |bytes: &[u8], pages: u32, treatment: Treatment| {
        let content_limits = ContentLimits {
            max_document_bytes: 4_000_030,
            ..ContentLimits::DEFAULT
        };
        let treatment = Treatment {
            content_limits,
            ..treatment
        };
        let document = open(bytes).unwrap();
        Fragment::of(&document, 1..=pages, &DigestKey([1; 32]), &treatment).map(drop)
    };
    let plain = pages_of_one_stream("4 0 R", "");
    let joined = pages_of_one_stream("[4 0 R 5 0 R]", "/UserUnit 1.01");
    for (bytes, treatment) in [(plain, LOOKED_AT), (joined, TURNED)] {
        assert!(bytes.len() < 4_000_000 / 256);
        assert_eq!(looked_through(&bytes, 10, treatment), Ok(()));
        let refused = looked_through(&bytes, 11, treatment).unwrap_err();
        assert!(refused.to_string().contains("all its pages"), "{refused}");
    }
}

#[test]
fn a_page_too_large_to_be_written_is_refused() {
    let page = format!("/MediaBox[0 0 {0} {0}]/UserUnit {0}", "9".repeat(200));
    let bytes = one_page(&page, "");
    let result = treated(&bytes, Treatment::default());
    assert!(matches!(result, Err(Refusal::Unreadable { .. })));
}
