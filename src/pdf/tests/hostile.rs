//! Files made to hurt: each is refused or taken in bounded time and memory.

use super::*;

fn is_limit<T>(result: &Result<T, Refusal>) -> bool {
    matches!(result, Err(Refusal::Limit { .. }))
}

fn is_unreadable<T>(result: &Result<T, Refusal>) -> bool {
    matches!(result, Err(Refusal::Unreadable { .. }))
}

#[test]
fn deep_nesting() {
    let deep = "[".repeat(100_000);
    let bytes = Pdf::with_page(&format!("{A4}/Resources<</A{deep}>>")).finished();
    assert!(is_limit(&open(&bytes)));
    let bytes = Pdf::with_page(A4)
        .object(1, &format!("<</A{deep}"))
        .finished();
    assert!(is_limit(&open(&bytes)));
}

#[test]
fn a_page_tree_that_is_no_tree() {
    let itself = Pdf::with_page(A4).object(2, "<</Type/Pages/Kids[2 0 R]/Count 1>>");
    assert!(is_unreadable(&open(&itself.finished())));
    let mut laughs = Pdf::new().object(1, "<</Type/Catalog/Pages 2 0 R>>");
    for node in 2..12 {
        let kids = format!("{} 0 R ", node + 1).repeat(10);
        laughs = laughs.object(node, &format!("<</Kids[{kids}]/Count 1000000000>>"));
    }
    let laughs = laughs.object(12, &format!("<</Type/Page{A4}>>"));
    assert!(is_unreadable(&open(&laughs.finished())));
}

/// A tree of that many levels above its page.
fn tall_tree(levels: u32) -> Vec<u8> {
    let mut pdf = Pdf::with_page(A4);
    for node in 0..levels {
        let number = if node == 0 { 2 } else { 100 + node };
        let kid = if node + 1 == levels { 3 } else { 101 + node };
        pdf = pdf.object(number, &format!("<</Type/Pages/Kids[{kid} 0 R]/Count 1>>"));
    }
    pdf.finished()
}

#[test]
fn a_page_tree_is_taken_up_to_its_depth_and_not_past_it() {
    assert_eq!(open(&tall_tree(64)).unwrap().page_count(), 1);
    assert!(is_limit(&open(&tall_tree(65))));
}

#[test]
fn pages_are_taken_up_to_their_limit_and_not_past_it() {
    let limits = Limits {
        max_pages: 3,
        ..Limits::default()
    };
    let pages = |count: usize| {
        let kids = "3 0 R ".repeat(count);
        Pdf::with_page(A4)
            .object(2, &format!("<</Type/Pages/Kids[{kids}]>>"))
            .finished()
    };
    assert_eq!(Document::open(&pages(3), &limits).unwrap().page_count(), 3);
    assert!(is_limit(&Document::open(&pages(4), &limits)));
}

/// Pages that share one value of that many bytes, each of which asks for it.
fn pages_that_share(bytes: usize, what: &str) -> Vec<u8> {
    let kids: Vec<_> = (100..400).map(|page| format!("{page} 0 R")).collect();
    let kids = kids.join(" ");
    let mut pdf = Pdf::with_page(A4).object(2, &format!("<</Type/Pages/Kids[{kids}]/Count 300>>"));
    for page in 100..400 {
        pdf = pdf.object(page, &format!("<</Type/Page{A4}{what}>>"));
    }
    pdf.object(5, &format!("[{}]", "0 ".repeat(bytes / 2)))
        .finished()
}

#[test]
fn pages_that_share_a_large_value_do_not_each_go_through_it() {
    let limits = Limits {
        max_inflated_object_stream_bytes: 0,
        ..Limits::default()
    };
    let refused = |bytes, what| {
        let bytes = pages_that_share(bytes, what);
        let told =
            |document: Document<'_>| (1..=300).try_for_each(|page| document.page(page).map(|_| ()));
        is_limit(&Document::open(&bytes, &limits).and_then(told))
    };
    for what in [
        "/Annots 5 0 R",
        "/Rotate 5 0 R",
        "/CropBox[5 0 R]",
        "/Kids 5 0 R",
    ] {
        assert!(!refused(1_000, what), "{what}");
        assert!(refused(50_000, what), "{what}");
    }
}

#[test]
fn pages_that_share_many_small_values_do_not_each_go_through_them() {
    let limits = Limits {
        max_inflated_object_stream_bytes: 0,
        ..Limits::default()
    };
    let refused = |annotations: usize| {
        let kids = "3 0 R ".repeat(300);
        let bytes = Pdf::with_page(&format!("{A4}/Annots 5 0 R"))
            .object(2, &format!("<</Type/Pages/Kids[{kids}]>>"))
            .object(5, &format!("[{}]", "6 0 R ".repeat(annotations)))
            .object(6, &format!("<</X({})>>", "x".repeat(900)))
            .finished();
        let document = Document::open(&bytes, &limits).unwrap();
        (1..=300).any(|page| is_limit(&document.page(page)))
    };
    assert!(!refused(0));
    assert!(refused(100));
}

/// Resources from which that many references lead on, one behind the other.
fn chain(links: u32) -> Vec<u8> {
    let mut pdf = Pdf::with_page(&format!("{A4}/Resources 100 0 R"));
    for link in 0..links - 1 {
        pdf = pdf.object(100 + link, &format!("<</Next {} 0 R>>", 101 + link));
    }
    pdf.object(99 + links, "(end)").finished()
}

#[test]
fn references_are_followed_up_to_the_limit_and_not_past_it() {
    assert!(fragment(&chain(500)).is_ok());
    assert!(is_limit(&fragment(&chain(501)).map(|_| ())));
    assert!(is_limit(&fragment(&chain(100_000)).map(|_| ())));
}

#[test]
fn objects_are_taken_up_to_their_limit_and_not_past_it() {
    let limits = Limits {
        max_objects: 50,
        ..Limits::default()
    };
    let numbered = |number| Pdf::with_page(A4).object(number, "0").finished();
    assert!(Document::open(&numbered(50), &limits).is_ok());
    assert!(is_limit(&Document::open(&numbered(51), &limits)));
}

#[test]
fn an_object_number_costs_no_more_than_the_bytes_that_claim_it() {
    let held = |number| {
        let bytes = Pdf::with_page(A4).object(number, "0").finished();
        let document = open(&bytes).unwrap();
        assert_eq!(
            document.file().objects.slots(),
            if number < 64 { 8 } else { 6 }
        );
        document.held_bytes()
    };
    assert!(held(1_000_000) <= 2 * held(7));
    assert!(held(8_000_000) <= 2 * held(7));
}

/// A cross-reference stream whose rows for the numbers from 100 on are all the same.
fn equal_rows(row: &[u8], count: usize, entries: &str) -> Vec<u8> {
    let pdf = Pdf::with_page(A4);
    let mut rows = Vec::new();
    for number in 0..5 {
        let offset = pdf.offsets.get(&number).copied();
        rows.push(u8::from(offset.is_some()));
        rows.extend(u16::try_from(offset.unwrap_or(0)).unwrap().to_be_bytes());
    }
    rows.extend(row.repeat(count));
    let at = pdf.bytes.len();
    let entries = format!(
        "/Type/XRef/W[1 2 0]/Index[0 5 100 {count}]/Size 9999999/Root 1 0 R/Filter/FlateDecode{entries}"
    );
    let pdf = pdf.stream(9, &entries, &deflated(&rows));
    pdf.append(&format!("startxref\n{at}\n%%EOF")).bytes
}

#[test]
fn rows_that_deflate_to_nothing_cost_nothing() {
    let free = equal_rows(&[0, 0, 0], 1_000_000, "");
    let document = open(&free).unwrap();
    assert!(!document.was_repaired());
    assert!(document.file().objects.slots() <= 64 + 2 * 5);
    let used = |count| {
        let bytes = equal_rows(&[2, 0, 1], count, "");
        let document = open(&bytes).unwrap();
        (document.was_repaired(), document.page_count())
    };
    assert_eq!(used(65_536 - 4), (false, 1));
    assert_eq!(used(65_536 - 3), (true, 1));
    assert_eq!(used(1_000_000), (true, 1));
}

#[test]
fn an_object_stream_that_inflates_without_end() {
    let bomb = deflated(&vec![b' '; 1 << 20]);
    let pdf = Pdf::with_page(&format!("{A4}/Resources 7 0 R"));
    let content = u32::try_from(pdf.offsets[&4]).unwrap();
    let at = u32::try_from(pdf.bytes.len()).unwrap();
    let mut rows: Vec<_> = pdf
        .offsets
        .iter()
        .map(|(number, offset)| (*number, 1, u32::try_from(*offset).unwrap(), 0))
        .collect();
    rows.extend([(4, 1, content, 0), (7, 2, 6, 0), (6, 1, at, 0)]);
    let pdf = pdf.stream(6, "/Type/ObjStm/N 1/First 4/Filter/FlateDecode", &bomb);
    let bytes = pdf.with_stream(8, &rows, "/Root 1 0 R");
    let limits = Limits {
        max_inflated_object_stream_bytes: 64 * 1024,
        ..Limits::default()
    };
    let document = Document::open(&bytes, &limits).unwrap();
    let result = Fragment::of(&document, 1..=1, &DigestKey([0; 32]), &Treatment::default());
    assert!(is_limit(&result.map(|_| ())));
}

#[test]
fn cross_references_that_lead_in_a_circle() {
    let pdf = Pdf::with_page(A4);
    let table = pdf.bytes.len();
    let bytes = pdf.with_table(&format!("/Prev {table}"));
    assert_eq!(open(&bytes).unwrap().page_count(), 1);
}

#[test]
fn cross_references_without_width_or_end() {
    for widths in ["0 0 0", "1 9 2", "1 2"] {
        let pdf = Pdf::with_page(A4);
        let at = pdf.bytes.len();
        let entries = format!("/Type/XRef/W[{widths}]/Index[0 999999999]/Root 1 0 R");
        let bytes = pdf
            .stream(9, &entries, b"")
            .append(&format!("startxref\n{at}\n%%EOF"))
            .bytes;
        assert!(open(&bytes).unwrap().was_repaired());
    }
}

#[test]
fn a_form_that_draws_itself() {
    let page = format!("{A4}/Resources<</XObject<</F 6 0 R>>>>");
    let entries = "/Type/XObject/Subtype/Form/BBox[0 0 1 1]/Resources<</XObject<</F 6 0 R>>>>";
    let bytes = Pdf::with_page(&page)
        .stream(6, entries, b"/F Do")
        .finished();
    assert_eq!(count(&spliced(&[&bytes]), "/F Do"), 1);
}

#[test]
fn strings_that_overlap_without_end() {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    for number in 1..60_000 {
        bytes.extend_from_slice(format!("{number} 0 obj(").as_bytes());
    }
    assert!(is_limit(&open(&bytes)));
}

#[test]
fn objects_that_overlap() {
    let mut text = String::new();
    let mut pdf = Pdf::with_page(&format!("{A4}/Resources 100 0 R"));
    let start = pdf.bytes.len();
    for number in 100..20_000 {
        pdf.offsets.insert(number, start + text.len());
        write!(text, "{number} 0 obj [{} 0 R (", number + 1).unwrap();
    }
    text += &")]".repeat(19_900);
    let result = fragment(&pdf.append(&text).finished()).map(|_| ());
    assert!(result.is_err());
}

#[test]
fn pages_that_are_not_there() {
    let bytes = Pdf::with_page(A4).finished();
    let document = open(&bytes).unwrap();
    for number in [0, 2, u32::MAX] {
        let missing = Refusal::NoSuchPage { number, count: 1 };
        assert_eq!(document.page(number), Err(missing));
        assert!(
            Fragment::of(
                &document,
                number..=number,
                &DigestKey([0; 32]),
                &Treatment::default()
            )
            .is_err()
        );
    }
    assert!(Fragment::of(&document, 0..=1, &DigestKey([0; 32]), &Treatment::default()).is_err());
    assert!(
        Fragment::of(
            &document,
            1..=u32::MAX,
            &DigestKey([0; 32]),
            &Treatment::default()
        )
        .is_err()
    );
    #[expect(clippy::reversed_empty_ranges, reason = "what is tested")]
    let reversed = 2..=1;
    assert!(
        Fragment::of(
            &document,
            reversed,
            &DigestKey([0; 32]),
            &Treatment::default()
        )
        .is_err()
    );
}

#[test]
fn no_byte_that_is_changed_or_missing_brings_it_down() {
    let good = Pdf::with_page(&format!("{A4}/Resources<</Font<</F 6 0 R>>>>"))
        .object(6, "<</Type/Font/Widths[1 2 3]/Name(x)>>")
        .finished();
    for at in 0..good.len() {
        let _ = fragment(&good[..at]).map(|fragment| fragment.page_count());
        for byte in [b'(', b'<', b'9', 0] {
            let mut changed = good.clone();
            changed[at] = byte;
            if let Ok(fragment) = fragment(&changed) {
                let mut writer = Writer::new(Vec::new(), &settings(false)).unwrap();
                writer.add_fragment(&fragment, &mut |_| None).unwrap();
                writer.finish().unwrap();
            }
        }
    }
}

/// Nothing may be spent but what the length of the file stands for.
fn without_ground() -> Limits {
    Limits {
        max_inflated_object_stream_bytes: 0,
        ..Limits::default()
    }
}

fn first_pages<'a>(bytes: &'a [u8], last: u32, limits: &Limits) -> Result<Fragment<'a>, Refusal> {
    let document = Document::open(bytes, limits)?;
    let (key, as_it_is) = (DigestKey([1; 32]), Treatment::default());
    Fragment::of(&document, 1..=last, &key, &as_it_is)
}

#[test]
fn resources_that_every_page_inherits() {
    let file = |unit: &str| {
        let kids = "3 0 R ".repeat(1_000);
        let much = "/A".repeat(20_000);
        let node =
            format!("<</Type/Pages/Count 1000/Kids[{kids}]/Resources<</Properties[{much}]>>>>");
        let page = Pdf::with_page(&format!("{A4}{unit}"));
        page.object(2, &node).finished()
    };
    let (plain, wrapped) = (file(""), file("/UserUnit 1.01"));
    let pages = |file, last| first_pages(file, last, &without_ground()).map(|_| ());
    assert!(pages(&plain, 1_000).is_ok());
    // Each form has a copy.
    assert!(pages(&wrapped, 10).is_ok());
    assert!(is_limit(&pages(&wrapped, 1_000)));
}

#[test]
fn one_link_whose_border_is_drawn_over_and_over() {
    let page = |times: usize| {
        let links = "5 0 R ".repeat(times);
        Pdf::with_page(&format!("{A4}/Annots[{links}]"))
            .object(5, "<</Subtype/Link/F 4/Rect[9 9 99 99]>>")
            .finished()
    };
    assert!(first_pages(&page(5), 1, &without_ground()).is_ok());
    assert!(is_limit(&first_pages(&page(10_000), 1, &without_ground())));
}
