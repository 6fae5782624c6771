//! Zones that must stay white.

use super::*;

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.check.zones.push(ReservedZone {
        name: "feeder".to_owned(),
        area: Area::at(0.0, 95.0, 15.0, 80.0),
        on: Sides::All,
    });
    settings
}

/// What the pages of a letter draw, in duplex.
fn found(pages: &[Vec<Drawn>], lies: Lies) -> Vec<String> {
    let mut trespasses = Trespasses::of(zones(&settings()));
    for (index, drawn) in (0..).zip(pages) {
        trespasses.prepare(index, true, lies);
        trespasses.add(index + 1, &page(drawn.clone()));
    }
    told(&trespasses.findings().collect::<Vec<_>>())
}

#[test]
fn the_zones_of_a_page_have_names_and_places() {
    let told: Vec<_> = zones(&settings())
        .into_iter()
        .map(
            |Zone {
                 name,
                 area,
                 kind,
                 on,
             }| {
                let Area {
                    left_mm,
                    top_mm,
                    right_mm,
                    bottom_mm,
                } = area;
                format!(
                    "{name} {left_mm:.1} {top_mm:.1} {right_mm:.1} {bottom_mm:.1} {kind:?} {on:?}"
                )
            },
        )
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    recipient window 21.0 55.0 93.0 85.0 RecipientWindow First
    sender window 21.0 20.0 80.0 45.0 SenderWindow First
    mark 3.5 11.5 12.5 20.5 Mark Fronts
    line under the mark 3.8 20.8 17.7 24.1 Mark Fronts
    feeder 0.0 95.0 15.0 175.0 Reserved All
    "#);
}

#[test]
fn text_in_the_place_of_the_mark_is_told_with_the_way_out() {
    let stamp = text(10.0, 16.0, "LEIMA");
    assert_eq!(
        found(&[vec![stamp]], Lies::Upright),
        ["1 zone-not-empty: text stands in the zone `mark` on page 1: move it 3 mm to the right"]
    );
}

#[test]
fn marks_stand_on_fronts_and_zones_where_the_print_house_says() {
    let both = vec![text(10.0, 16.0, "A"), text(10.0, 120.0, "B")];
    let told = found(
        &[Vec::new(), both.clone(), both.clone(), both],
        Lies::Upright,
    );
    insta::assert_snapshot!(told.join("\n"), @r#"
    3 zone-not-empty: text stands in the zone `mark` on page 3: move it 3 mm to the right
    2 zone-not-empty: text stands in the zone `feeder` on pages 2, 3 and 4: move it 5 mm to the right
    "#);
}

#[test]
fn white_and_invisible_things_and_neighbours_are_left_alone() {
    let area = Area::at(0.0, 0.0, 210.0, 297.0);
    let white = Drawn {
        paint: Paint::White,
        ..drawn(Ink::Path, area)
    };
    let invisible = Drawn {
        paint: Paint::Invisible,
        ..text(5.0, 15.0, "scan")
    };
    let beside = drawn(Ink::Path, Area::at(12.5, 11.0, 0.0, 10.0));
    assert!(found(&[vec![white, invisible, beside]], Lies::Upright).is_empty());
}

#[test]
fn a_picture_is_told_apart_since_it_may_be_white_there() {
    let scan = drawn(Ink::Picture, Area::at(0.0, 0.0, 210.0, 297.0));
    let told = found(&[vec![scan]], Lies::Upright);
    assert_eq!(told.len(), 3);
    assert_eq!(
        told[0],
        "1 zone-picture: a picture covers the zone `mark` on page 1"
    );
}

#[test]
fn a_ground_over_all_of_the_page_has_no_way_out() {
    let ground = drawn(Ink::Shading, Area::at(0.0, 0.0, 210.0, 297.0));
    let told = found(&[vec![ground]], Lies::Upright);
    assert_eq!(
        told[0],
        "1 zone-not-empty: a shading stands in the zone `mark` on page 1: leave the zone white"
    );
}

#[test]
fn what_cannot_be_looked_through_may_cover_a_zone() {
    let mut trespasses = Trespasses::of(zones(&Settings::default()));
    trespasses.prepare(0, true, Lies::Upright);
    let unread = PageContent {
        unread: Some("a filter is not read"),
        ..page(Vec::new())
    };
    trespasses.add(4, &unread);
    let told = told(&trespasses.findings().collect::<Vec<_>>());
    assert_eq!(
        told,
        ["4 zone-picture: what page 4 draws cannot be looked through: a filter is not read"]
    );
}

#[test]
fn a_page_on_its_side_has_its_zones_where_they_are_once_it_is_turned() {
    // The upper left corner of the paper is the upper right one of the page as it is read.
    let corner = drawn(Ink::Path, Area::at(280.0, 8.0, 4.0, 2.0));
    assert_eq!(
        found(&[vec![corner]], Lies::Turned),
        [
            "1 zone-not-empty: lines or surfaces stand in the zone `mark` on page 1: move it 5 mm down"
        ]
    );
    let upper_left = drawn(Ink::Path, Area::at(4.0, 12.0, 4.0, 2.0));
    assert!(found(&[vec![upper_left]], Lies::Turned).is_empty());
}
