//! What is equal is written once, what is not is not, and the same input gives the same bytes.

use super::*;

/// A page with a font of its own number, whose program holds `program`.
fn with_font(first: u32, program: &str) -> Vec<u8> {
    let file = first + 1;
    let page = format!("{A4}/Resources<</Font<</F {first} 0 R>>>>");
    Pdf::with_page(&page)
        .object(first, &format!("<</Type/Font/FontFile {file} 0 R>>"))
        .stream(file, "", program.as_bytes())
        .finished()
}

#[test]
fn equal_graphs_are_written_once_whatever_their_numbers() {
    let (a, b) = (with_font(6, "SAME PROGRAM"), with_font(20, "SAME PROGRAM"));
    let out = spliced(&[&a, &b, &a]);
    assert_eq!(count(&out, "SAME PROGRAM"), 1);
    assert_eq!(count(&out, "/Type/Font"), 1);
    assert_eq!(count(&out, CONTENT), 1);
    assert_eq!(read_back(&out).get_pages().len(), 3);
}

#[test]
fn a_difference_far_below_keeps_graphs_apart() {
    let (a, b) = (with_font(6, "PROGRAM A"), with_font(6, "PROGRAM B"));
    let out = spliced(&[&a, &b]);
    assert_eq!(count(&out, "/Type/Font"), 2);
    assert_eq!(count(&out, CONTENT), 1);
}

#[test]
fn a_stream_is_not_taken_for_a_dictionary_that_looks_like_it() {
    let page = format!("{A4}/Resources<</A 6 0 R/B 7 0 R>>");
    let bytes = Pdf::with_page(&page)
        .object(6, "<</Length 0>>")
        .stream(7, "", b"")
        .finished();
    let out = spliced(&[&bytes]);
    assert_eq!(count(&out, "<</Length 0>>\nendobj"), 1);
    assert_eq!(count(&out, "<</Length 0>>\nstream"), 1);
}

#[test]
fn a_cycle_is_copied_right_and_never_shared_between_fragments() {
    let page = format!("{A4}/Resources<</XObject<</A 6 0 R/C 8 0 R>>>>");
    let bytes = Pdf::with_page(&page)
        .object(6, "<</Cycle 7 0 R/Self 6 0 R/Leaf 9 0 R>>")
        .object(7, "<</Back 6 0 R>>")
        .object(8, "<</To 7 0 R>>")
        .object(9, "(leaf)")
        .finished();
    let once = spliced(&[&bytes]);
    for key in ["/Cycle ", "/Back ", "/To ", "(leaf)"] {
        assert_eq!(count(&once, key), 1, "{key}");
    }
    let twice = spliced(&[&bytes, &bytes]);
    assert_eq!(count(&twice, "/Cycle "), 2);
    assert_eq!(count(&twice, "(leaf)"), 1);
    assert_eq!(read_back(&twice).get_pages().len(), 2);
}

#[test]
fn fragments_of_one_document_share_and_outlive_it() {
    let bytes = with_font(6, "SAME PROGRAM");
    let document = open(&bytes).unwrap();
    let key = DigestKey([9; 32]);
    let fragments: Vec<_> = (0..3)
        .map(|_| Fragment::of(&document, 1..=1, &key, &Treatment::default()).unwrap())
        .collect();
    drop(document);
    let mut writer = Writer::new(Vec::new(), &settings(false)).unwrap();
    for fragment in &fragments {
        writer.add_fragment(fragment, &mut |_| None).unwrap();
    }
    let (out, finished) = writer.finish().unwrap();
    assert_eq!(finished.pages, 3);
    assert_eq!(finished.bytes, out.len() as u64);
    assert_eq!(count(&out, "SAME PROGRAM"), 1);
}

#[test]
fn one_document_may_go_into_bundles_with_different_keys() {
    let bytes = with_font(6, "PROGRAM");
    let document = open(&bytes).unwrap();
    let written = |key: u8| {
        let fragment = Fragment::of(
            &document,
            1..=1,
            &DigestKey([key; 32]),
            &Treatment::default(),
        )
        .unwrap();
        let mut writer = Writer::new(Vec::new(), &settings(false)).unwrap();
        writer.add_fragment(&fragment, &mut |_| None).unwrap();
        writer.finish().unwrap().0
    };
    let first = written(0);
    assert!((1..10).all(|key| written(key) == first));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let files = [with_font(6, "A"), with_font(9, "B")];
    let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    assert_eq!(spliced(&files), spliced(&files));
}

#[test]
fn nodes_of_the_page_tree_stay_small() {
    let bytes = Pdf::with_page(A4).finished();
    let out = spliced(&vec![&bytes[..]; 10_001]);
    let read = read_back(&out);
    assert_eq!(read.get_pages().len(), 10_001);
    for object in read.objects.values() {
        let kids = object
            .as_dict()
            .and_then(|dictionary| dictionary.get(b"Kids"));
        assert!(kids.and_then(lopdf::Object::as_array).map_or(0, Vec::len) <= 100);
    }
}
