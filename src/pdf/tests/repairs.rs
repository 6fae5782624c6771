//! Damaged cross-references, encryption and layers.

use super::*;

fn check_repaired(bytes: &[u8]) {
    let document = open(bytes).unwrap();
    assert!(document.was_repaired());
    assert!(document.page(1).unwrap().is_upright_a4(0.01));
    assert!(content_of(&read_back(&spliced(&[bytes])), 1).contains(CONTENT));
}

fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    String::from_utf8(bytes.to_vec())
        .unwrap()
        .replace(from, to)
        .into_bytes()
}

fn cut_at(bytes: &[u8], word: &str) -> Vec<u8> {
    let text = std::str::from_utf8(bytes).unwrap();
    bytes[..text.find(word).unwrap()].to_vec()
}

#[test]
fn damaged_tables_are_rebuilt() {
    let good = Pdf::with_page(A4).finished();
    check_repaired(&replaced(&good, "startxref", "startxyz"));
    check_repaired(&replaced(&good, "xref\n0", "xxxx\n0"));
    check_repaired(&cut_at(&good, "xref\n0"));
    check_repaired(&cut_at(&good, "trailer"));
    let mut shifted = b"bytes that some transport put before the file\n".to_vec();
    shifted.extend_from_slice(&good);
    check_repaired(&shifted);
}

#[test]
fn an_entry_that_points_elsewhere_is_put_right() {
    let pdf = Pdf::with_page(A4);
    let wrong = format!("{:010} 00000 n", pdf.offsets[&4]);
    check_repaired(&replaced(&pdf.finished(), &wrong, "0000000003 00000 n"));
}

#[test]
fn a_table_counted_from_one_is_put_right() {
    let pdf = Pdf::new()
        .stream(1, "", CONTENT.as_bytes())
        .object(2, "<</Type/Pages/Kids[3 0 R]/Count 1>>")
        .object(
            3,
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595.276 841.89]/Contents 1 0 R>>",
        )
        .object(4, "<</Type/Catalog/Pages 2 0 R>>");
    let row = |number: u32| format!("{:010} 00000 n \n", pdf.offsets[&number]);
    // The second section stands for what a later change of the file put right.
    let text = format!(
        "xref\n1 3\n0000000000 65535 f \n{}{}4 1\n{}\
         trailer\n<</Size 5/Root 4 0 R>>\nstartxref\n{}\n%%EOF\n",
        row(1),
        row(2),
        row(4),
        pdf.bytes.len()
    );
    check_repaired(&pdf.append(&text).bytes);
}

#[test]
fn the_later_of_two_objects_counts_and_those_in_streams_do_not() {
    let old = "/MediaBox[0 0 1 1]/Contents 4 0 R";
    let inside = format!("\n3 0 obj\n<</Type/Page{old}>>\nendobj\n");
    let bytes = Pdf::with_page(old)
        .object(3, &format!("<</Type/Page{A4}>>"))
        .stream(9, "", inside.as_bytes())
        .bytes;
    check_repaired(&bytes);
}

#[test]
fn a_page_that_lost_an_object_is_not_printed_without_it() {
    let page = format!("{A4}/Resources<</XObject<</I 6 0 R>>>>");
    let image = |number| Pdf::with_page(&page).stream(number, "/Subtype/Image", b"IMAGE");
    let whole = image(6).finished();
    assert!(fragment(&whole).is_ok());
    let truncated = cut_at(&whole, "IMAGE");
    let overwritten = replaced(&whole, "6 0 obj", "6_0_obj");
    for damaged in [truncated, overwritten] {
        assert!(open(&damaged).is_ok());
        assert!(matches!(
            fragment(&damaged),
            Err(Refusal::Unreadable { .. })
        ));
    }
    let never_was = image(7).finished();
    assert!(fragment(&never_was).is_ok());
}

#[test]
fn an_object_stream_is_found_without_cross_references() {
    let header = "1 0 2 31 ";
    let catalog = format!("{:30}", "<</Type/Catalog/Pages 2 0 R>>");
    let body = format!("{header}{catalog} \n <</Type/Pages/Kids[3 0 R]/Count 1>>");
    let entries = format!("/Type/ObjStm/N 2/First {}/Filter/FlateDecode", header.len());
    let bytes = Pdf::new()
        .stream(5, &entries, &deflated(body.as_bytes()))
        .object(3, &format!("<</Type/Page{A4}>>"))
        .stream(4, "", CONTENT.as_bytes())
        .bytes;
    check_repaired(&bytes);
}

#[test]
fn what_is_no_pdf_is_unreadable() {
    for bytes in [
        &b""[..],
        b"%PDF-1.7",
        b"PK\x03\x04 1 0 obj 2 0 obj",
        b"startxref\n0\n%%EOF",
    ] {
        assert!(matches!(open(bytes), Err(Refusal::Unreadable { .. })));
    }
    let lost = Pdf::new()
        .object(1, "<</Type/Catalog/Pages 2 0 R>>")
        .finished();
    assert!(matches!(open(&lost), Err(Refusal::Unreadable { .. })));
}

#[test]
fn a_missing_kid_is_not_skipped() {
    let bytes = Pdf::with_page(A4)
        .object(2, "<</Type/Pages/Kids[3 0 R 8 0 R]/Count 2>>")
        .finished();
    assert!(matches!(open(&bytes), Err(Refusal::Unreadable { .. })));
}

#[test]
fn encryption_is_final_however_damaged_the_file_is() {
    let handler = "<</Filter/Standard/V 1/R 2/O(o)/U(u)/P -4>>";
    let good = Pdf::with_page(A4)
        .object(6, handler)
        .with_table("/Encrypt 6 0 R");
    let damaged = [
        good.clone(),
        replaced(&good, "startxref", "startxyz"),
        replaced(&good, "/Size", "/Size]"),
        cut_at(&good, "xref\n0"),
    ];
    for bytes in &damaged {
        assert!(matches!(open(bytes), Err(Refusal::Encrypted)));
    }
    let misplaced = replaced(&good, "/Encrypt 6 0 R", "");
    let misplaced = replaced(&misplaced, "0000000009 00000 n", "0000000003 00000 n");
    assert!(matches!(open(&misplaced), Err(Refusal::Encrypted)));
}
