//! What a print house wants of pages.

use super::*;
use crate::{
    pdf::Area,
    print::{AllowedFonts, ReservedZone, Sides},
};

const HEAD: &str =
    "[senders.a]\ndirectory = \"/srv/a\"\n[print_houses.p]\ndirectory = \"/srv/p\"\n";

#[test]
fn a_print_house_says_what_it_keeps_and_which_fonts_it_has() {
    let text = format!(
        r#"{HEAD}
page_tolerance_mm = 5.0
allowed_fonts = ["standard-14", "Arial"]
recipient_window = {{ x_mm = 20.0, y_mm = 45.0, width_mm = 90.0, height_mm = 45.0 }}
page_limits.max_form_depth = 3
zones = [{{ name = "feeder", x_mm = 0.0, y_mm = 95.0, width_mm = 15.0, height_mm = 80.0, on = "all" }},
         {{ name = "code", x_mm = 195.0, y_mm = 5.0, width_mm = 10.0, height_mm = 10.0 }}]
"#
    );
    let config = parse(&text).unwrap();
    let check = &config.print_houses[0].settings.print.check;
    assert!((check.page_tolerance_mm - 5.0).abs() < f64::EPSILON);
    assert_eq!(check.recipient_window, Area::at(20.0, 45.0, 90.0, 45.0));
    assert_eq!(check.sender_window, Area::at(21.0, 20.0, 59.0, 25.0));
    assert_eq!(check.content_limits.max_form_depth, 3);
    let fonts = AllowedFonts {
        standard_14: true,
        names: vec!["Arial".to_owned()],
    };
    assert_eq!(check.allowed_fonts, fonts);
    let zone = |name: &str, area, on| ReservedZone {
        name: name.to_owned(),
        area,
        on,
    };
    assert_eq!(
        check.zones,
        [
            zone("feeder", Area::at(0.0, 95.0, 15.0, 80.0), Sides::All),
            zone("code", Area::at(195.0, 5.0, 10.0, 10.0), Sides::Fronts),
        ]
    );
}

#[test]
fn zones_that_are_not_whole_or_not_told_apart_are_refused() {
    let text = format!(
        r#"{HEAD}
zones = [{{ name = "a", x_mm = 0.0, y_mm = 95.0, width_mm = 0.5, height_mm = 80.0 }},
         {{ name = "b", x_mm = 0.0, y_mm = 95.0, width_mm = 15.0 }},
         {{ name = "b", x_mm = 0.0, y_mm = 95.0, width_mm = 15.0, height_mm = 1.0, on = "backs" }}]
"#
    );
    insta::assert_snapshot!(wrong(&text), @r#"
    line 6: `print_houses.p.zones[1].width_mm` must be at least 1, not 0.5
    line 7: `print_houses.p.zones[2].height_mm` is missing
    line 8: `print_houses.p.zones[3].on` must be `all` or `fronts` or `first`, not "backs"
    "#);
    let twice = r#"
[[print_houses.p.zones]]
name = "a"
x_mm = 0.0
y_mm = 0.0
width_mm = 1.0
height_mm = 1.0
"#;
    let text = format!("{HEAD}{twice}{twice}");
    let told = wrong(&text);
    assert_eq!(
        told,
        "line 14: `print_houses.p.zones[2].name` repeats the name \"a\""
    );
}
