//! Files as other libraries write them, and what they make of ours.

use pdf_writer::{Content, Finish, Name, Rect, Ref};

use super::*;

fn by_pdf_writer() -> Vec<u8> {
    let [catalog, tree, page, font, content] = [1, 2, 3, 4, 5].map(Ref::new);
    let mut pdf = pdf_writer::Pdf::new();
    pdf.catalog(catalog).pages(tree);
    pdf.pages(tree).kids([page]).count(1);
    let mut writer = pdf.page(page);
    writer
        .media_box(Rect::new(0.0, 0.0, 595.276, 841.89))
        .parent(tree)
        .contents(content);
    writer.resources().fonts().pair(Name(b"F1"), font);
    writer.finish();
    pdf.type1_font(font).base_font(Name(b"Helvetica"));
    let mut text = Content::new();
    text.begin_text()
        .set_font(Name(b"F1"), 14.0)
        .show(pdf_writer::Str(b"Hello"))
        .end_text();
    pdf.stream(content, &text.finish());
    pdf.finish()
}

#[test]
fn a_file_by_pdf_writer_comes_through() {
    let out = read_back(&spliced(&[&by_pdf_writer()]));
    assert!(content_of(&out, 1).contains("(Hello) Tj"));
    assert!(out.extract_text(&[1]).unwrap().contains("Hello"));
}

#[test]
fn a_file_by_lopdf_with_object_streams_comes_through() {
    let mut modern = Vec::new();
    read_back(&by_pdf_writer())
        .save_modern(&mut modern)
        .unwrap();
    assert!(count(&modern, "/ObjStm") > 0);
    assert!(!open(&modern).unwrap().was_repaired());
    let out = read_back(&spliced(&[&modern]));
    assert!(out.extract_text(&[1]).unwrap().contains("Hello"));
}

#[test]
fn what_we_write_we_read_and_neither_lose_nor_add_anything() {
    let page = format!("{A4}/Resources<</ProcSet[/PDF]>>");
    let once = spliced(&[&by_pdf_writer(), &Pdf::with_page(&page).finished()]);
    assert!(!open(&once).unwrap().was_repaired());
    let again = spliced(&[&once]);
    assert_eq!(again.len(), once.len());
    let [once, again] = [read_back(&once), read_back(&again)];
    for page in [1, 2] {
        assert_eq!(content_of(&once, page), content_of(&again, page));
    }
}
