//! Annotations and form fields that print are drawn by the page; what cannot be is counted.

use super::*;

const RECT: &str = "/Rect[100 200 140 220]";
/// Object 5, as wide as the place of the annotations and half as high.
const FORM: &str = "/Type/XObject/Subtype/Form/BBox[0 0 40 10]";
const PIXEL: &[u8] = b"0 0 40 10 re f";

fn with(page: &str, annotations: &str) -> Pdf {
    let page = format!("{A4}{page}/Annots[{annotations}]");
    Pdf::with_page(&page).stream(5, FORM, PIXEL)
}

fn stamp(more: &str) -> String {
    format!("<</Subtype/Stamp/F 4{RECT}/AP<</N 5 0 R>>{more}>>")
}

/// What the first page draws after the sender's content, line by line.
fn drawn(bytes: &[u8]) -> Vec<String> {
    drawn_of(&read_back(&spliced(&[bytes])), 1)
}

fn drawn_of(out: &lopdf::Document, page: u32) -> Vec<String> {
    let content = content_of(out, page);
    let (_, after) = content.split_once(CONTENT).unwrap();
    let lines = after.lines().map(str::trim);
    let drawn = lines.filter(|line| !line.is_empty() && *line != "Q");
    drawn.map(str::to_owned).collect()
}

/// Annotations dropped, and fields lost.
fn lost(bytes: &[u8]) -> (u32, u32) {
    let page = open(bytes).unwrap().page(1).unwrap();
    (page.dropped_annotations(), page.lost_fields())
}

fn xobjects(out: &lopdf::Document, page: usize) -> BTreeMap<String, u32> {
    let resources = pages_of(out)[page].get(b"Resources").unwrap();
    let resources = out.dereference(resources).unwrap().1.as_dict().unwrap();
    let named = out.dereference(resources.get(b"XObject").unwrap()).unwrap();
    let named = named.1.as_dict().unwrap().iter();
    named
        .map(|(name, form)| {
            (
                String::from_utf8(name.clone()).unwrap(),
                form.as_reference().unwrap().0,
            )
        })
        .collect()
}

const ONCE: &str = "q 1 0 0 2 100 200 cm /Annotation0 Do Q";

#[test]
fn an_appearance_is_drawn_in_its_place_after_the_content() {
    let bytes = with("", &stamp("")).finished();
    assert_eq!(drawn(&bytes), [ONCE]);
    assert_eq!(lost(&bytes), (0, 0));
    let out = read_back(&spliced(&[&bytes]));
    assert!(content_of(&out, 1).starts_with("q\n"));
    assert!(!pages_of(&out)[0].has(b"Annots"));
    let form = xobjects(&out, 0)["Annotation0"];
    let form = out.get_object((form, 0)).unwrap().as_stream().unwrap();
    assert_eq!(form.content, PIXEL);
}

#[test]
fn an_overlay_still_comes_last_and_finds_the_state_that_the_page_began_with() {
    let bytes = with("", &stamp("")).finished();
    let mut writer = Writer::new(Vec::new(), &settings(false)).unwrap();
    let overlay = |_| Some(Overlay(b"mark".to_vec()));
    writer
        .add_fragment(&fragment(&bytes).unwrap(), &mut { overlay })
        .unwrap();
    let out = read_back(&writer.finish().unwrap().0);
    let drawn = drawn_of(&out, 1);
    assert_eq!(drawn, [ONCE, "q", "q 1 0 0 1 0 0 cm", "mark"]);
}

#[test]
fn a_page_that_is_wrapped_has_its_annotations_over_the_form() {
    let drawn_over = |page: &str, content: &str| {
        let bytes = with(page, &stamp("")).stream(4, "", content.as_bytes());
        let out = read_back(&spliced(&[&bytes.finished()]));
        let names: Vec<_> = xobjects(&out, 0).into_keys().collect();
        assert_eq!(names, ["Annotation0", "Page"]);
        let content = content_of(&out, 1);
        let (_, after) = content.split_once("Do Q").unwrap();
        after.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let once = ONCE.to_owned();
    assert_eq!(
        drawn_over("/UserUnit 2", CONTENT),
        format!("Q q 2 0 0 2 0 0 cm {once} Q")
    );
    // Content is looked through where something is drawn over it.
    assert_eq!(
        drawn_over("", "Q Q 3 0 0 3 0 0 cm q"),
        format!("Q q 1 0 0 1 0 0 cm {once} Q")
    );
}

#[test]
fn flags_decide_what_prints() {
    let prints = |subtype: &str, flags: u32| {
        let annotation = format!("<</Subtype/{subtype}/F {flags}{RECT}/AP<</N 5 0 R>>>>");
        drawn(&with("", &annotation).finished()) == [ONCE]
    };
    let (invisible, hidden, print, no_view) = (1, 2, 4, 32);
    assert!(prints("Stamp", print));
    assert!(!prints("Stamp", 0));
    assert!(!prints("Stamp", print | hidden));
    assert!(prints("Stamp", print | no_view));
    assert!(prints("Stamp", print | invisible));
    assert!(prints("OfSomebody", print));
    assert!(!prints("OfSomebody", print | invisible));
    assert!(prints("Link", print));
    assert!(!prints("Popup", print));
}

#[test]
fn the_state_of_an_appearance_is_the_one_that_is_named() {
    let drawn = |more: &str, states: &str| {
        let widget = format!("<</Subtype/Widget/FT/Btn/V/Yes/F 4{RECT}/AP<</N{states}>>{more}>>");
        let bytes = with("", &widget).stream(6, FORM, b"other").finished();
        assert_eq!(lost(&bytes), (0, 0));
        let out = spliced(&[&bytes]);
        (
            count(&out, "0 0 40 10 re f") == 1,
            count(&out, "other") == 1,
        )
    };
    let both = "<</Yes 5 0 R/Off 6 0 R>>";
    assert_eq!(drawn("/AS/Yes", both), (true, false));
    assert_eq!(drawn("/AS/Off", both), (false, true));
    assert_eq!(drawn("/AS/Y#65s", both), (true, false));
    assert_eq!(drawn("", both), (false, true));
    assert_eq!(drawn("", "<</Yes 5 0 R>>"), (true, false));
    assert_eq!(drawn("/AS/Off", "<</Yes 5 0 R>>"), (false, false));
}

#[test]
fn an_annotation_that_stays_upright_is_turned_against_the_page() {
    let turned = |subtype: &str, flags: u32| {
        let annotation = format!("<</Subtype/{subtype}/F {flags}{RECT}/AP<</N 5 0 R>>>>");
        drawn(&with("/Rotate 90", &annotation).finished())
    };
    assert_eq!(turned("Stamp", 4), [ONCE]);
    // Hangs from its upper left corner, (100, 220).
    assert_eq!(
        turned("Stamp", 4 | 16),
        ["q 0 1 -2 0 120 220 cm /Annotation0 Do Q"]
    );
    assert_eq!(turned("Text", 4), turned("Stamp", 4 | 16));
}

#[test]
fn names_do_not_clash_and_the_resources_of_others_stay_as_they_are() {
    let annotations = format!("{}{}", stamp(""), stamp(""));
    let resources = "/Resources<</Font<</F 7 0 R>>/XObject 8 0 R>>";
    let bytes = Pdf::new()
        .object(1, "<</Type/Catalog/Pages 2 0 R>>")
        .object(
            2,
            &format!("<</Type/Pages/Kids[3 0 R 6 0 R]/Count 2{resources}>>"),
        )
        .object(3, &format!("<</Type/Page{A4}/Annots[{annotations}]>>"))
        .object(6, &format!("<</Type/Page{A4}>>"))
        .object(7, "<</Type/Font>>")
        .object(8, "<</Annotation3 5 0 R/Im 5 0 R>>")
        .stream(4, "", CONTENT.as_bytes())
        .stream(5, FORM, PIXEL)
        .finished();
    let out = read_back(&spliced(&[&bytes]));
    let names: Vec<_> = xobjects(&out, 0).into_keys().collect();
    assert_eq!(names, ["Annotation3", "Annotation4", "Annotation5", "Im"]);
    let names: Vec<_> = xobjects(&out, 1).into_keys().collect();
    assert_eq!(names, ["Annotation3", "Im"]);
    let drawn = drawn_of(&out, 1);
    assert_eq!(drawn.len(), 2);
    assert!(drawn[1].ends_with("/Annotation5 Do Q"));
    assert_eq!(content_of(&out, 2).trim(), CONTENT);
    assert_eq!(count(&spliced(&[&bytes]), "/Type/Font"), 1);
}

#[test]
fn resources_of_any_shape_get_the_names() {
    for resources in [
        "",
        "/Resources<<>>",
        "/Resources 7 0 R",
        "/Resources null",
        "/Resources<</XObject<<>>>>",
        "/Resources<</XObject null/Font<<>>>>",
        "/Resources<</XObject 99 0 R>>",
    ] {
        let bytes = with(resources, &stamp("")).object(7, "<</Font<<>>>>");
        let out = read_back(&spliced(&[&bytes.finished()]));
        assert_eq!(xobjects(&out, 0).len(), 1, "{resources}");
    }
}

#[test]
fn pages_with_the_same_stamp_share_it_and_their_resources() {
    let bytes = with("/Resources<</Font<</F 7 0 R>>>>", &stamp(""))
        .object(7, "<</Type/Font>>")
        .finished();
    let other = with("/Resources<</Font<</F 9 0 R>>>>", &stamp(""))
        .object(9, "<</Type/Font>>")
        .finished();
    let out = spliced(&[&bytes, &other]);
    assert_eq!(count(&out, "/Subtype/Form"), 1);
    assert_eq!(count(&out, "/Type/Font"), 1);
    assert_eq!(count(&out, "/Annotation0 "), 3);
    assert_eq!(spliced(&[&bytes, &other]), out);
    let changed = with("/Resources<</Font<</F 7 0 R>>>>", &stamp(""))
        .object(7, "<</Type/Font>>")
        .stream(5, FORM, b"1 0 0 rg 0 0 40 10 re f")
        .finished();
    let out = read_back(&spliced(&[&bytes, &changed]));
    assert_ne!(xobjects(&out, 0), xobjects(&out, 1));
}

#[test]
fn an_appearance_that_does_not_say_that_it_is_a_form_is_made_one() {
    let bytes = with("", &stamp("")).stream(5, "/BBox[0 0 40 10]", PIXEL);
    let out = spliced(&[&bytes.finished()]);
    assert_eq!(
        count(&out, "<</Type/XObject/Subtype/Form/BBox[0 0 40 10]"),
        1
    );
    let read = read_back(&out);
    let form = xobjects(&read, 0)["Annotation0"];
    let form = read.get_object((form, 0)).unwrap().as_stream().unwrap();
    assert_eq!(form.content, PIXEL);
}

#[test]
fn what_would_have_to_be_made_up_is_counted() {
    let lost = |annotation: &str| lost(&with("", annotation).finished());
    assert_eq!(lost("<</Subtype/Stamp/F 4>>"), (1, 0));
    assert_eq!(
        lost("<</Subtype/Stamp/F 4/AP<<>>>><</Subtype/Ink/F 4>>"),
        (2, 0)
    );
    assert_eq!(lost("<</Subtype/Stamp/F 6>><</Subtype/Stamp>>"), (0, 0));
    assert_eq!(
        lost("<</Subtype/Popup/F 4>><</Subtype/Link/F 4>>null"),
        (0, 0)
    );
    assert_eq!(lost("<</Subtype/Stamp/F 4/AP<</N 4 0 R>>>>"), (1, 0));
    // Nothing is seen of a form without size, and nobody misses it.
    let unseen = "<</Subtype/Widget/FT/Tx/V(yes)/F 4/Rect[0 0 0 0]/AP<</N 5 0 R>>>>";
    assert_eq!(lost(unseen), (0, 0));
}

#[test]
fn an_annotation_that_cannot_be_read_counts_as_lost() {
    let bytes = with("", "6 0 R").object(6, "<</Subtype/Link/F 4/Unended[");
    assert_eq!(lost(&bytes.finished()), (0, 1));
    assert_eq!(lost(&with("", "17").finished()), (0, 1));
}

#[test]
fn a_filled_field_without_appearance_is_lost_and_an_empty_one_is_not() {
    let lost = |field: &str| {
        let widget = format!("<</Subtype/Widget/F 4{RECT}{field}>>");
        let parent = "<</FT/Tx/Parent 7 0 R>>";
        let bytes = with("", &widget).object(6, parent);
        lost(&bytes.object(7, "<</V(above)/Parent 6 0 R>>").finished()) == (0, 1)
    };
    assert!(lost("/V(yes)"));
    assert!(lost("/FT/Tx/V<FEFF0041>"));
    assert!(lost("/Parent 6 0 R"));
    assert!(lost("/FT/Btn/V/Yes"));
    assert!(lost("/FT/Ch/V[(one)]"));
    assert!(!lost("/FT/Btn/V/Off"));
    assert!(!lost("/FT/Ch/V[]"));
    assert!(!lost("/FT/Tx/V()"));
    assert!(!lost("/FT/Tx/V<FEFF>"));
    assert!(!lost("/FT/Tx"));
    assert!(!lost("/FT/Sig/V<</Contents<00>>>"));
}

#[test]
fn the_frame_of_an_empty_field_without_appearance_is_dropped() {
    let lost = |field: &str| {
        let widget = format!("<</Subtype/Widget/FT/Tx/F 4{RECT}{field}>>");
        lost(&with("", &widget).finished())
    };
    assert_eq!(lost("/MK<</BC[1 0 0]>>"), (1, 0));
    assert_eq!(lost("/MK<</CA(Send)>>"), (1, 0));
    assert_eq!(lost("/MK<</BC[]/R 90/CA()>>"), (0, 0));
    assert_eq!(lost("/MK<</BG[1]>>/V(yes)"), (0, 1));
}

#[test]
fn an_appearance_that_a_reader_is_to_draw_anew_is_lost_unless_it_shows_a_text() {
    let lost = |needs: &str, field: &str, appearance: &[u8]| {
        let widget = format!("<</Subtype/Widget/F 4{RECT}{field}/AP<</N 5 0 R>>>>");
        let catalog = format!("<</Type/Catalog/Pages 2 0 R/AcroForm<<{needs}>>>>");
        let bytes = with("", &widget).object(1, &catalog);
        let entries = format!("{FORM}/Filter/FlateDecode");
        lost(&bytes.stream(5, &entries, &deflated(appearance)).finished()) == (0, 1)
    };
    let (needs, blank, shown) = ("/NeedAppearances true", b"/Tx BMC EMC", b"BT (yes) Tj ET");
    assert!(lost(needs, "/FT/Tx/V(yes)", blank));
    assert!(!lost(needs, "/FT/Tx/V(yes)", shown));
    assert!(!lost(needs, "/FT/Tx/V()", blank));
    assert!(!lost(needs, "/FT/Btn/V/Yes", blank));
    assert!(!lost("", "/FT/Tx/V(yes)", blank));
}

#[test]
fn a_link_without_appearance_has_the_border_that_it_asks_for() {
    let border = |more: &str| {
        let link = format!("<</Subtype/Link/F 4{RECT}{more}>>");
        drawn(&with("", &link).finished())
    };
    assert_eq!(border(""), ["q 0 G 1 w [] 0 d 100 200 40 20 re S Q"]);
    assert_eq!(
        border("/Border[0 0 2[3 1]]/C[1 0 0]"),
        ["q 1 0 0 RG 2 w [ 3 1] 0 d 100 200 40 20 re S Q"]
    );
    assert_eq!(
        border("/BS<</W 3/S/U>>/Border[0 0 0]/C[0 0 0 1]"),
        ["q 0 0 0 1 K 3 w [] 0 d 100 200 m 140 200 l S Q"]
    );
    assert_eq!(
        border("/BS<</S/D>>"),
        ["q 0 G 1 w [ 3] 0 d 100 200 40 20 re S Q"]
    );
    for unseen in ["/Border[0 0 0]", "/BS<</W 0>>", "/C[]"] {
        assert!(border(unseen).is_empty(), "{unseen}");
    }
}
