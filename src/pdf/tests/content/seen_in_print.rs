//! Layers that print leaves out, and annotations that it adds.

use super::*;

/// Layer 6 is hidden as `/H`, layer 7 is shown as `/S`.
fn layered(resources: &str, content: &str) -> Pdf {
    let resources = format!("/Resources<</Properties<</H 6 0 R/S 7 0 R>>{resources}>>");
    page(&resources, content)
        .object(
            1,
            "<</Type/Catalog/Pages 2 0 R/OCProperties<</OCGs[6 0 R 7 0 R]/D<</OFF[6 0 R]>>>>>>",
        )
        .object(6, "<</Type/OCG/Name(hidden)>>")
        .object(7, "<</Type/OCG/Name(shown)>>")
}

/// Which of three squares are drawn: one inside, one behind the marked content, in red, and one last.
fn squares(open: &str, close: &str) -> Vec<f64> {
    let content = format!("{open} 0 0 9 9 re f {close} 20 0 9 9 re f");
    let found = found(layered("", &content));
    areas(&found).iter().map(|area| area[0]).collect()
}

#[test]
fn what_is_marked_as_of_a_hidden_layer_is_not_drawn() {
    assert_eq!(squares("/OC /H BDC", "EMC"), [20.0]);
    assert_eq!(squares("/OC /S BDC", "EMC"), [0.0, 20.0]);
    assert_eq!(squares("/OC /Missing BDC", "EMC"), [0.0, 20.0]);
    assert_eq!(squares("/Span /H BDC", "EMC"), [0.0, 20.0]);
    assert_eq!(squares("/OC <</MCID 1>> BDC", "EMC"), [0.0, 20.0]);
    let within = |outer: &str, inner: &str| {
        let open = format!("/OC /{outer} BDC /P BMC EMC /OC /{inner} BDC");
        squares(&open, "EMC EMC")
    };
    assert_eq!(within("H", "S"), [20.0]);
    assert_eq!(within("S", "H"), [20.0]);
    assert_eq!(squares("/OC /H BDC /P BMC EMC EMC EMC", ""), [0.0, 20.0]);
}

#[test]
fn what_is_hidden_leaves_neither_colour_nor_fonts_and_still_sets_the_state() {
    let fonts = "/Font<</F<</Subtype/Type1/BaseFont/Helvetica>>>>";
    let hidden = "/OC /H BDC 1 0 0 rg BT /F 9 Tf (a) Tj ET 0 0 9 9 re f 2 0 0 2 0 0 cm EMC";
    let found = found(layered(fonts, &format!("{hidden} 0 g 0 0 9 9 re f")));
    assert_eq!(areas(&found), [[0.0, 82.0, 18.0, 100.0]]);
    assert!(found.fonts.is_empty() && !found.has_colour && !found.is_blank);
    assert!(found.is_balanced);
}

#[test]
fn forms_and_pictures_of_a_hidden_layer_are_not_drawn() {
    let drawn_with = |entries: &str, membership: &str| {
        let content = "/X Do 0 0 9 9 re f";
        let pdf = layered("/XObject<</X 8 0 R>>", content)
            .stream(8, &format!("{entries}/OC {membership}"), b"50 0 9 9 re f")
            .object(9, "<</Type/OCMD/OCGs[6 0 R]/P/AllOff>>")
            .object(10, "<</Type/OCMD/VE[/Not 7 0 R]>>");
        found(pdf).drawn.len()
    };
    for entries in ["/Subtype/Form", "/Subtype/Image/ColorSpace/DeviceGray"] {
        assert_eq!(drawn_with(entries, "6 0 R"), 1);
        assert_eq!(drawn_with(entries, "7 0 R"), 2);
        assert_eq!(drawn_with(entries, "9 0 R"), 2);
        assert_eq!(drawn_with(entries, "10 0 R"), 1);
    }
}

#[test]
fn what_a_form_leaves_hidden_ends_with_it() {
    let content = "/X Do 0 0 9 9 re f";
    let pdf = layered("/XObject<</X 8 0 R>>", content).stream(8, "/Subtype/Form", b"/OC /H BDC");
    assert_eq!(found(pdf).drawn.len(), 1);
}

/// An annotation of 40 by 20 whose appearance is a grey box over all of its place.
fn annotated(annotation: &str, form: &str, content: &str) -> Pdf {
    let annotation = format!("<<{annotation}/Rect[100 20 140 40]/AP<</N 5 0 R>>>>");
    page(&format!("/Annots[{annotation}]"), content).stream(
        5,
        &format!("{form}/BBox[0 0 40 10]"),
        b"0 0 50 10 re f",
    )
}

const PLACE: [f64; 4] = [100.0, 60.0, 140.0, 80.0];

#[test]
fn annotations_are_drawn_after_the_page_in_the_state_that_it_began_with() {
    for content in ["", "Q 3 0 0 3 0 0 cm q", "/OC /L BDC 0 0 m", "(open", "BT"] {
        for form in ["/Subtype/Form", ""] {
            let found = found(annotated("/Subtype/Stamp/F 4", form, content));
            assert_eq!(areas(&found), [PLACE], "{content}");
            assert!(!found.is_blank);
        }
    }
    let over = found(annotated(
        "/Subtype/Stamp/F 4",
        "/Subtype/Form",
        "0 0 9 9 re f",
    ));
    assert_eq!(areas(&over), [[0.0, 91.0, 9.0, 100.0], PLACE]);
}

#[test]
fn annotations_that_do_not_print_are_not_drawn() {
    let is_blank = |annotation: &str| found(annotated(annotation, "/Subtype/Form", "")).is_blank;
    assert!(is_blank("/Subtype/Stamp"));
    assert!(is_blank("/Subtype/Stamp/F 6"));
    assert!(is_blank("/Subtype/Popup/F 4"));
    assert!(!is_blank("/Subtype/Widget/F 4"));
}

#[test]
fn the_border_of_a_link_is_drawn() {
    let link = "<</Subtype/Link/F 4/Rect[100 20 140 40]/C[1 0 0]/Border[0 0 2]>>";
    let found = found(page(&format!("/Annots[{link}]"), ""));
    assert!(found.has_colour && !found.drawn.is_empty());
}

#[test]
fn an_appearance_that_cannot_be_read_is_told() {
    let form = "/Subtype/Form/Filter/Strange";
    let found = found(annotated("/Subtype/Stamp/F 4", form, ""));
    assert!(found.unread.is_some() && !found.is_blank && found.is_balanced);
}
