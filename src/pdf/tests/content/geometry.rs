//! Where paths and pictures stand.

use super::*;

fn check(content: &str, expected: &[[f64; 4]]) {
    assert_eq!(areas(&drawn(content)), expected, "{content}");
}

#[test]
fn a_filled_rectangle_is_measured_from_the_upper_left() {
    check("10 80 30 15 re f", &[[10.0, 5.0, 40.0, 20.0]]);
    check("40 95 -30 -15 re f", &[[10.0, 5.0, 40.0, 20.0]]);
}

#[test]
fn a_matrix_moves_scales_and_turns() {
    check(
        "q 2 0 0 2 10 0 cm 0 0 5 5 re f Q 0 0 1 1 re f",
        &[[10.0, 90.0, 20.0, 100.0], [0.0, 99.0, 1.0, 100.0]],
    );
    check(
        "0 1 -1 0 50 0 cm 0 0 10 20 re f",
        &[[30.0, 90.0, 50.0, 100.0]],
    );
}

#[test]
fn what_stands_askew_has_the_box_of_its_corners() {
    check(
        "0.7071 0.7071 -0.7071 0.7071 50 50 cm 0 0 10 10 re f",
        &[[42.9, 35.9, 57.1, 50.0]],
    );
}

#[test]
fn a_line_is_as_wide_as_its_pen() {
    check("4 w 10 50 m 60 50 l S", &[[8.0, 48.0, 62.0, 52.0]]);
    check(
        "2 0 0 2 0 0 cm 1 w 10 10 m 10 20 l S",
        &[[19.0, 59.0, 21.0, 81.0]],
    );
    check("0 w 10 50 m 60 50 l S", &[[10.0, 50.0, 60.0, 50.0]]);
}

#[test]
fn a_frame_is_four_lines_and_not_what_it_frames() {
    let found = drawn("2 w 10 10 180 80 re S");
    assert_eq!(found.drawn.len(), 4);
    let middle = Area::at(50.0, 30.0, 20.0, 20.0);
    assert!(found.drawn.iter().all(|line| !line.area.overlaps(&middle)));
}

#[test]
fn pieces_of_one_path_stand_where_they_stand() {
    check(
        "0 0 10 10 re 50 50 10 10 re f",
        &[[0.0, 90.0, 10.0, 100.0], [50.0, 40.0, 60.0, 50.0]],
    );
    check("10 10 m 10 30 40 30 40 10 c f", &[[10.0, 70.0, 40.0, 90.0]]);
    check(
        "10 10 m 10 30 40 10 v 0 0 5 5 y f",
        &[[0.0, 70.0, 40.0, 100.0]],
    );
}

#[test]
fn a_clip_cuts_until_the_state_is_restored() {
    check(
        "q 0 0 20 20 re W n 10 10 50 50 re f Q 10 10 50 50 re f",
        &[[10.0, 80.0, 20.0, 90.0], [10.0, 40.0, 60.0, 90.0]],
    );
    check("0 0 20 20 re W n 30 30 5 5 re W* n 0 0 200 100 re f", &[]);
    check("W n 0 0 20 20 re f", &[]);
}

#[test]
fn what_is_outside_the_page_is_not_drawn() {
    check(
        "190 90 50 50 re f 300 300 5 5 re f",
        &[[190.0, 0.0, 200.0, 10.0]],
    );
    assert!(drawn("300 300 5 5 re f").is_blank);
}

#[test]
fn a_picture_fills_the_unit_square() {
    let picture = "/Resources<</XObject<</P 5 0 R>>>>";
    let pdf = page(picture, "40 0 0 20 10 10 cm /P Do");
    let entries = "/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray";
    let found = found(pdf.stream(5, entries, b"x"));
    assert_eq!(areas(&found), [[10.0, 70.0, 50.0, 90.0]]);
    assert_eq!(found.drawn[0].ink, Ink::Picture);
}

#[test]
fn an_inline_picture_is_a_picture_and_its_data_is_no_content() {
    let data = "5 0 0 5 10 10 cm BI /W 2 /H 2 /BPC 8 /CS /G ID EI Q EI 1 g 0 0 1 1 re f";
    let found = drawn(data);
    assert_eq!(
        areas(&found),
        [[10.0, 85.0, 15.0, 90.0], [10.0, 85.0, 15.0, 90.0]]
    );
    assert_eq!(paints(&found), [Paint::Grey, Paint::White]);
    let found = drawn("BI /W 9 /F /Fl ID \x01\x02 EI\x03 x EI Q\n0 0 1 1 re f");
    assert_eq!(found.drawn.len(), 2);
}

#[test]
fn the_page_is_seen_as_it_is_turned() {
    let turned = |rotate: u16, x: f64, y: f64| {
        let entries = format!("/Rotate {rotate}");
        let found = found(page(&entries, "10 20 5 5 re f"));
        let square = [x, y, x + 5.0, y + 5.0];
        assert_eq!(areas(&found), [square], "{rotate}");
    };
    turned(0, 10.0, 75.0);
    turned(90, 20.0, 10.0);
    turned(180, 185.0, 20.0);
    turned(270, 75.0, 185.0);
}

#[test]
fn the_crop_box_is_the_page() {
    let found = found(page("/CropBox[50 20 150 80]", "60 70 200 5 re f"));
    assert_eq!(areas(&found), [[10.0, 5.0, 100.0, 10.0]]);
}

#[test]
fn points_are_points_where_the_page_has_no_unit_of_its_own() {
    let found = found(sized_page(A4, b"72 769.89 72 72 re f"));
    assert_eq!(areas(&found), [[25.4, 0.0, 50.8, 25.4]]);
}

#[test]
fn only_what_touches_an_area_is_kept_and_all_is_judged() {
    let bytes = page("", "1 0 0 rg 0 0 10 10 re f 0 g 100 50 10 10 re f").finished();
    let wants = ContentWants {
        areas: &[Area::at(105.0, 45.0, 50.0, 50.0)],
        text_in: None,
        limits: &ContentLimits::default(),
    };
    let found = open(&bytes).unwrap().content(1, &wants).unwrap();
    assert_eq!(areas(&found), [[100.0, 40.0, 110.0, 50.0]]);
    assert!(found.has_colour);
}
