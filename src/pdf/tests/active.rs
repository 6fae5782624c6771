//! What a PDF does besides being shown.

use super::*;

/// Of a document whose catalog, page and objects from 5 have that in them.
fn found(catalog: &str, page: &str, objects: &[&str]) -> Vec<&'static str> {
    let mut pdf = Pdf::with_page(&format!("{A4}{page}"))
        .object(1, &format!("<</Type/Catalog/Pages 2 0 R{catalog}>>"));
    for (number, object) in (5..).zip(objects) {
        pdf = pdf.object(number, object);
    }
    let bytes = pdf.finished();
    let document = open(&bytes).unwrap();
    let mut found = document.active_content().unwrap().to_vec();
    found.extend(document.active_content_of_page(1).unwrap());
    found
}

#[test]
fn an_ordinary_letter_does_nothing() {
    let link = "/Annots[<</Subtype/Link/A<</S/URI/URI(https://example.org)>>>>]";
    assert!(found("/OpenAction[3 0 R/Fit]", link, &[]).is_empty());
    assert!(found("/OpenAction<</S/GoTo/D[3 0 R/Fit]>>", "", &[]).is_empty());
    assert!(
        found(
            "/Names<</JavaScript<</Names[]>>>>/AcroForm<</Fields[]>>",
            "",
            &[]
        )
        .is_empty()
    );
}

#[test]
fn scripts_are_found_wherever_they_hang() {
    let script = "<</S/JavaScript/JS(app.alert\\(1\\))>>";
    for catalog in [
        "/OpenAction 5 0 R",
        "/AA<</WP 5 0 R>>",
        "/Names<</JavaScript<</Names[(a) 5 0 R]>>>>",
        "/OpenAction<</S/GoTo/Next[<</S/Named>> 5 0 R]>>",
    ] {
        assert_eq!(found(catalog, "", &[script]), ["JavaScript"], "{catalog}");
    }
    for page in [
        "/AA<</O 5 0 R>>",
        "/Annots[<</Subtype/Link/A 5 0 R>>]",
        "/Annots[<</Subtype/Widget/AA<</K 5 0 R>>>>]",
    ] {
        assert_eq!(found("", page, &[script]), ["JavaScript"], "{page}");
    }
}

#[test]
fn forms_media_and_links_out_of_the_file_are_told_in_words_and_once() {
    assert_eq!(
        found("/AcroForm<</XFA 5 0 R>>", "", &["()"]),
        ["an XFA form"]
    );
    let annotations = "/Annots[<</Subtype/Movie>><</Subtype/Screen/A<</S/Rendition>>>>\
                       <</A<</S/GoToR/F(b.pdf)>>>>]";
    assert_eq!(
        found("", annotations, &[]),
        ["media", "a link into another file"]
    );
}

#[test]
fn actions_that_follow_themselves_end() {
    let endless = "<</S/GoTo/Next[5 0 R 5 0 R 5 0 R]>>";
    assert!(found("/OpenAction 5 0 R", "", &[endless]).is_empty());
}
