//! Each shape that a file may have is read, and comes out with its page as it was.

use super::*;

fn check(bytes: &[u8]) -> lopdf::Document {
    let document = open(bytes).unwrap();
    assert_eq!(document.page_count(), 1);
    assert!(!document.was_repaired());
    assert!(document.page(1).unwrap().is_upright_a4(0.01));
    let out = read_back(&spliced(&[bytes]));
    assert_eq!(out.get_pages().len(), 1);
    assert!(content_of(&out, 1).contains(CONTENT));
    out
}

/// Objects 1 to 3 in object stream 5.
fn in_object_stream() -> Pdf {
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        format!("<</Type/Page/Parent 2 0 R{A4}>>"),
    ];
    let mut header = String::new();
    let mut body = String::new();
    for (number, object) in (1..).zip(&objects) {
        write!(header, "{number} {} ", body.len()).unwrap();
        body += object;
        body += " ";
    }
    let entries = format!("/Type/ObjStm/N 3/First {}/Filter/FlateDecode", header.len());
    let content = Pdf::new().stream(4, "", CONTENT.as_bytes());
    content.stream(5, &entries, &deflated((header + &body).as_bytes()))
}

fn offset(pdf: &Pdf, number: u32) -> u32 {
    u32::try_from(pdf.offsets[&number]).unwrap()
}

fn rows(pdf: &Pdf) -> [(u32, u8, u32, u16); 5] {
    let (content, objects) = (offset(pdf, 4), offset(pdf, 5));
    [
        (1, 2, 5, 0),
        (2, 2, 5, 1),
        (3, 2, 5, 2),
        (4, 1, content, 0),
        (5, 1, objects, 0),
    ]
}

#[test]
fn a_classic_table() {
    check(&Pdf::with_page(A4).finished());
}

#[test]
fn cross_reference_stream_and_object_stream() {
    let pdf = in_object_stream();
    let rows = rows(&pdf);
    check(&pdf.with_stream(6, &rows, "/Root 1 0 R"));
}

#[test]
fn a_hybrid_file_hides_objects_from_its_table() {
    let pdf = in_object_stream();
    let rows = rows(&pdf);
    let at = pdf.bytes.len();
    let mut bytes = pdf.with_stream(6, &rows, "/Root 1 0 R");
    let table = bytes.len();
    let text = format!(
        "xref\n0 4\n{free}{free}{free}{free}trailer\n<</Size 99/Root 1 0 R/XRefStm {at}>>\n\
         startxref\n{table}\n%%EOF\n",
        free = "0000000000 65535 f \n",
    );
    bytes.extend_from_slice(text.as_bytes());
    check(&bytes);
}

#[test]
fn the_last_of_several_updates_counts() {
    let mut pdf = Pdf::with_page("/MediaBox[0 0 10 10]/Contents 4 0 R");
    let first = pdf.clone().finished();
    let table = first.len() - "startxref\n\n%%EOF\n".len() - 3;
    let table = String::from_utf8_lossy(&first[table..])
        .trim_matches(|c: char| !c.is_numeric())
        .to_owned();
    pdf.bytes = first;
    pdf.offsets.clear();
    let page = format!("<</Type/Page/Parent 2 0 R{A4}>>");
    check(&pdf.object(3, &page).with_table(&format!("/Prev {table}")));
}

#[test]
fn attributes_are_inherited_from_the_nearest_node() {
    let bytes = Pdf::new()
        .object(1, "<</Type/Catalog/Pages 2 0 R>>")
        .object(2, "<</Type/Pages/Kids[6 0 R]/Count 1/MediaBox[0 0 1 1]/Resources<</Font<</F1 7 0 R>>>>>>")
        .object(6, "<</Type/Pages/Parent 2 0 R/Kids[3 0 R]/Count 1/MediaBox[0 0 841.89 595.276]/Rotate 90>>")
        .object(3, "<</Type/Page/Parent 6 0 R/Contents 4 0 R>>")
        .object(7, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
        .stream(4, "", CONTENT.as_bytes())
        .finished();
    let out = check(&bytes);
    let page = pages_of(&out)[0];
    assert_eq!(numbers(page, b"MediaBox"), [0.0, 0.0, 841.89, 595.276]);
    assert_eq!(page.get(b"Rotate").unwrap().as_i64().unwrap(), 90);
    let resources = page.get(b"Resources").unwrap().as_reference().unwrap();
    let fonts = out.get_dictionary(resources).unwrap().get(b"Font").unwrap();
    let font = fonts
        .as_dict()
        .unwrap()
        .get(b"F1")
        .unwrap()
        .as_reference()
        .unwrap();
    let font = out.get_dictionary(font).unwrap();
    assert_eq!(
        font.get(b"BaseFont").unwrap().as_name().unwrap(),
        b"Helvetica"
    );
}

#[test]
fn the_crop_box_within_the_media_box_is_what_remains() {
    let page = "/MediaBox[-10 -10 700 900]/CropBox[0 0 595.276 841.89]/Contents 4 0 R";
    let out = check(&Pdf::with_page(page).finished());
    let page = pages_of(&out)[0];
    assert_eq!(numbers(page, b"MediaBox"), [0.0, 0.0, 595.276, 841.89]);
    assert_eq!(numbers(page, b"TrimBox"), [0.0, 0.0, 595.276, 841.89]);
    assert!(!page.has(b"CropBox"));
}

#[test]
fn boxes_may_be_upside_down_and_by_reference() {
    let page = "/MediaBox 6 0 R/Rotate 8 0 R/Contents[4 0 R null 99 0 R]";
    let pdf = Pdf::with_page(page).object(6, "[595.276 7 0 R 0 0]");
    check(&pdf.object(7, "841.89").object(8, "-180").finished());
}

#[test]
fn contents_may_be_an_array_elsewhere() {
    let page = "/MediaBox[0 0 595.276 841.89]/Contents 6 0 R";
    check(&Pdf::with_page(page).object(6, "[4 0 R]").finished());
}

#[test]
fn a_page_keeps_its_group_and_loses_what_is_not_print() {
    let page = format!(
        "{A4}/Group<</S/Transparency/CS/DeviceRGB>>/AA<</O 5 0 R>>/Annots[]/StructParents 0/Tabs/S"
    );
    let out = check(
        &Pdf::with_page(&page)
            .object(5, "<</S/JavaScript>>")
            .finished(),
    );
    let page = pages_of(&out)[0];
    let keys: Vec<_> = page
        .iter()
        .map(|(key, _)| String::from_utf8_lossy(key).into_owned())
        .collect();
    assert_eq!(
        keys,
        [
            "Type",
            "Parent",
            "MediaBox",
            "TrimBox",
            "Group",
            "Resources",
            "Contents"
        ]
    );
}

#[test]
fn a_reference_back_to_a_page_does_not_take_the_file_along() {
    let page = format!("{A4}/Resources<</Properties<</A 6 0 R>>>>");
    let bytes = Pdf::with_page(&page)
        .object(6, "<</Page 3 0 R/Root 1 0 R>>")
        .finished();
    let out = spliced(&[&bytes]);
    assert_eq!(count(&out, "<</Page null/Root null>>"), 1);
    assert_eq!(count(&out, "/Type/Catalog"), 1);
}

#[test]
fn a_wrong_length_is_put_right() {
    let pdf = Pdf::new()
        .object(1, "<</Type/Catalog/Pages 2 0 R>>")
        .object(2, "<</Type/Pages/Kids[3 0 R]/Count 1>>")
        .object(3, &format!("<</Type/Page{A4}>>"));
    for length in [
        "/Length 5",
        "/Length 4 0 R",
        "/Length 77 0 R",
        "/Length -1",
        "",
    ] {
        let body = format!("<<{length}>>stream\r\n{CONTENT}\r\nendstream");
        check(&pdf.clone().object(4, &body).finished());
    }
}
