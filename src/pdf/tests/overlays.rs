//! Overlays, blank pages, and what the file says about itself.

use super::*;

const MARK: &str = "0 0 10 10 re f";

fn laid_over(bytes: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &settings(false)).unwrap();
    let overlay = Overlay(MARK.as_bytes().to_vec());
    let fragment = fragment(bytes).unwrap();
    writer
        .add_fragment(&fragment, &mut |_| Some(overlay.clone()))
        .unwrap();
    writer.add_blank_page(Some(overlay)).unwrap();
    writer.add_blank_page(None).unwrap();
    assert_eq!(writer.pages(), fragment.page_count() + 2);
    writer.finish().unwrap().0
}

#[test]
fn the_overlay_is_drawn_last_and_outside_what_the_content_changed() {
    let bytes = Pdf::with_page(&format!("{A4}/Rotate 90")).finished();
    let out = read_back(&laid_over(&bytes));
    let content = content_of(&out, 1);
    let parts: Vec<_> = content
        .split('\n')
        .filter(|line| !line.is_empty())
        .collect();
    assert_eq!(
        parts,
        ["q", CONTENT, "Q", "q 0 1 -1 0 595.276 0 cm", MARK, "Q"]
    );
    let page = pages_of(&out)[0];
    assert_eq!(page.get(b"Rotate").unwrap().as_i64().unwrap(), 90);
}

#[test]
fn only_pages_with_an_overlay_get_one() {
    let page = Pdf::with_page(A4).finished();
    let fragment = fragment(&page).unwrap();
    let mut writer = Writer::new(Vec::new(), &settings(false)).unwrap();
    writer.add_fragment(&fragment, &mut |_| None).unwrap();
    let out = writer.finish().unwrap().0;
    assert_eq!(content_of(&read_back(&out), 1).trim(), CONTENT);
}

#[test]
fn a_blank_page_is_a4_and_holds_its_overlay() {
    let out = read_back(&laid_over(&Pdf::with_page(A4).finished()));
    let pages = pages_of(&out);
    assert_eq!(numbers(pages[2], b"MediaBox"), [0.0, 0.0, 595.276, 841.89]);
    assert!(content_of(&out, 2).contains(MARK));
    assert_eq!(content_of(&out, 3).trim(), "");
}

#[test]
fn content_laid_over_shares_one_stream_that_saves_the_state() {
    let out = laid_over(&Pdf::with_page(A4).finished());
    assert_eq!(count(&out, "\nstream\nq\n\nendstream"), 1);
}

#[test]
fn the_file_tells_its_title_date_and_identifier() {
    let out = laid_over(&Pdf::with_page(A4).finished());
    assert!(out.starts_with(b"%PDF-1.7\n"));
    assert_eq!(count(&out, "/Title(Bundle <1>)"), 1);
    assert_eq!(count(&out, "/CreationDate(D:19700101000000Z)"), 1);
    assert_eq!(count(&out, "x-default\">Bundle &lt;1&gt;<"), 1);
    assert_eq!(count(&out, "<xmp:CreateDate>1970-01-01T00:00:00Z<"), 1);
    let id = "07".repeat(16);
    assert_eq!(count(&out, &format!("/ID[<{id}><{id}>]")), 1);
}

#[test]
fn a_file_of_version_2_says_so_and_has_what_it_deprecates_in_its_metadata_only() {
    let settings = WriterSettings {
        version: PdfVersion::Pdf20,
        ..settings(false)
    };
    let mut writer = Writer::new(Vec::new(), &settings).unwrap();
    writer.add_blank_page(None).unwrap();
    let out = writer.finish().unwrap().0;
    assert!(out.starts_with(b"%PDF-2.0\n"));
    assert_eq!(count(&out, "/Info"), 0);
    assert_eq!(count(&out, "/CreationDate"), 0);
    assert_eq!(count(&out, "<xmp:CreateDate>"), 1);
    assert_eq!(count(&out, "/ID["), 1);
    assert_eq!(read_back(&out).version, "2.0");
}

#[test]
fn a_file_without_pages_is_still_a_file() {
    let writer = Writer::new(Vec::new(), &settings(false)).unwrap();
    let (out, finished) = writer.finish().unwrap();
    assert_eq!(finished.pages, 0);
    assert_eq!(read_back(&out).get_pages().len(), 0);
}
