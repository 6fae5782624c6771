//! Content within content.

use super::*;

fn with_form(content: &str, entries: &str, form: &str) -> PageContent {
    let resources = "/Resources<</XObject<</F 5 0 R/Self 6 0 R>>/ExtGState<</Half<</ca .5>>>>>>";
    let form =
        page(resources, content).stream(5, &format!("/Subtype/Form{entries}"), form.as_bytes());
    found(form.stream(6, "/Subtype/Form", b"0 0 1 1 re f /Self Do"))
}

#[test]
fn a_form_is_drawn_in_its_matrix_and_within_its_box() {
    let entries = "/BBox[0 0 10 10]/Matrix[2 0 0 2 5 5]";
    let found = with_form(
        "1 0 0 1 10 0 cm /F Do 0 0 1 1 re f",
        entries,
        "5 5 90 90 re f",
    );
    assert_eq!(
        areas(&found),
        [[25.0, 75.0, 35.0, 85.0], [10.0, 99.0, 11.0, 100.0]]
    );
}

#[test]
fn a_form_takes_the_state_and_gives_it_back() {
    let found = with_form(
        "1 0 0 rg /F Do 5 5 1 1 re f",
        "/BBox[0 0 9 9]",
        "0 0 1 1 re f 1 g q Q Q q q 8 w",
    );
    assert_eq!(paints(&found), [Paint::Colour, Paint::Colour]);
    assert!(
        found.is_balanced,
        "what a form leaves open is its own matter"
    );
}

#[test]
fn a_form_without_resources_has_those_of_the_page() {
    assert!(with_form("/F Do", "", "/Half gs 0 0 1 1 re f").has_transparency);
    assert!(!with_form("/F Do", "/Resources<<>>", "/Half gs 0 0 1 1 re f").has_transparency);
}

#[test]
fn a_form_that_draws_itself_ends() {
    assert_eq!(with_form("/Self Do", "", "").drawn.len(), 1);
}

#[test]
fn a_form_whose_filter_is_not_read_is_told() {
    let found = with_form("/F Do 0 0 1 1 re f", "/Filter/Crypt", "x");
    assert_eq!(found.drawn.len(), 1);
    assert!(found.unread.is_some());
}

#[test]
fn the_streams_of_a_page_are_joined() {
    let pdf = page("/Contents[4 0 R 5 0 R 6 0 R]", "q 2 0 0 2 0 0");
    // The last of two keys is the one that counts.
    let found = found(
        pdf.stream(5, "/Filter/FlateDecode", &deflated(b"cm 0 0 5 5"))
            .stream(6, "", b"re f Q"),
    );
    assert_eq!(areas(&found), [[0.0, 90.0, 10.0, 100.0]]);
    assert!(found.is_balanced);
}

#[test]
fn content_is_balanced_if_what_follows_is_as_it_would_be_without_it_to_any_reader() {
    for content in [
        "",
        "q Q",
        "q q Q Q",
        "BT ET",
        "/P BMC EMC",
        "/OC /L BDC EMC",
        "0 0 1 1 re W n",
        "/OC /L BDC /P BMC EMC EMC",
        "% Q",
    ] {
        assert!(drawn(content).is_balanced, "{content}");
    }
    for content in [
        "Q",
        "q",
        "q Q Q q",
        "BT",
        "BT ET BT",
        "/P BMC",
        "EMC",
        "BX",
        "1 0 rg",
        "unknown",
        "0 0 1 1 re",
        "0 0 m",
        "(abc",
        "[1 2",
        "<41",
        "BI /W 1 ID x",
    ] {
        assert!(!drawn(content).is_balanced, "{content}");
    }
}

/// Poppler draws nothing after the first of these, and `MuPDF` nothing after many of the last.
#[test]
fn content_at_which_a_reader_stops_is_not_balanced() {
    for content in ["0 0 rg", "/x cm", "1 Tf", "[1] re", "Tj", "foo", "] >>"] {
        assert!(!drawn(content).is_balanced, "{content}");
    }
}

#[test]
fn content_that_cannot_be_read_is_told_and_vouched_for_in_nothing() {
    let found = found(sized_page(PLAIN, b"").stream(4, "/Filter/JBIG2Decode", b"x"));
    assert!(found.unread.is_some() && !found.is_balanced && !found.is_blank);
}

#[test]
fn a_page_without_content_is_blank_and_balanced() {
    let found = found(sized_page("/MediaBox[0 0 9 9]", b""));
    assert!(found.is_blank && found.is_balanced && found.unread.is_none());
}
