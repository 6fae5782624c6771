//! The envelope's window.

use proptest::prelude::*;

use super::*;
use crate::domain::{AddressBlock, Private};

const ADDRESS: [&str; 3] = ["Maija Mallikas", "Mallikatu 1 A 1", "00100 HELSINKI"];

/// What is told of a window with these rows.
fn of_rows(rows_there: &[&str]) -> Vec<String> {
    told(&seen(rows(rows_there), &recipient()).findings)
}

fn with(more: Drawn) -> Vec<String> {
    let mut drawn = rows(&ADDRESS);
    drawn.push(more);
    told(&seen(drawn, &recipient()).findings)
}

const NONE: [&str; 0] = [];
const OTHER_CODE: &str =
    "1 address-mismatch: the postal code in the window is another than the control data's";
const OTHER_NAME: &str =
    "1 address-mismatch: no word of the name in the window is in the control data's name";
const NO_ADDRESS: &str =
    "1 address-missing: what stands in the window is not the recipient's address";

#[test]
fn the_recipients_address_is_found_however_it_is_written() {
    for rows in [
        &ADDRESS[..],
        &["MALLIKAS MAIJA", "MALLIKATU 1 A 1", "FI-00100 HELSINKI"],
        &[
            "12345 1 0001",
            "Maija Mallikas",
            "Mallikatu 1 A 1",
            "00100 Helsinki",
        ],
        &["Mallikas M.", "c/o Virtanen", "00100 HELSINKI", "FINLAND"],
        &["Maija  Mällikäs", "Mallikatu 1 A 1, 00100 Helsinki"],
        &[
            "M A I J A  M A L L I K A S",
            "Mallikatu 1",
            "0 0 1 0 0 HELSINKI",
        ],
        &["Mai ja Mal likas", "00 100 HELSINKI"],
        // Only its street is in the window: there is nothing to compare.
        &["Mallikatu 1 A 1", "00100 HELSINKI"],
        &["Maija Mallikas", "Mallikatu 1 A 1"],
    ] {
        assert_eq!(of_rows(rows), NONE, "{rows:?}");
    }
}

#[test]
fn letters_that_are_drawn_one_by_one_are_read_once_each() {
    let mut letters = Vec::new();
    for (row, baseline_mm) in ADDRESS.iter().zip([60.0, 65.0, 70.0]) {
        for (at, letter) in (0..).map(f64::from).zip(row.chars().map(String::from)) {
            let once = text(22.0 + 2.0 * at, baseline_mm, &letter);
            let mut again = once.clone();
            again.area = Area::at(once.area.left_mm + 0.1, once.area.top_mm, 2.0, 4.3);
            // Bold letters are often drawn twice, beside themselves; and boxes may touch.
            letters.extend([once, again]);
        }
    }
    let bold = seen(letters, &recipient());
    assert_eq!(told(&bold.findings), NONE);
    assert!(!bold.lacks_address);
    let letters = "00100".chars().map(String::from);
    let mut touching: Vec<_> = (0..)
        .zip(letters)
        .map(|(at, digit)| text(22.0 + 1.9 * f64::from(at), 65.0, &digit))
        .collect();
    touching.push(text(33.0, 65.0, "HELSINKI"));
    touching.push(text(22.0, 60.0, "Pekka Toinen"));
    assert_eq!(told(&seen(touching, &recipient()).findings), [OTHER_NAME]);
}

#[test]
fn text_by_the_thousand_is_not_read_and_costs_no_time() {
    let scattered = (0..20_000).map(|at| {
        let mut tiny = text(30.0, 56.0 + 0.001 * f64::from(at), "x");
        if let Ink::Text(shown) = &mut tiny.ink {
            shown.size_mm = 0.001;
        }
        tiny
    });
    assert_eq!(
        told(&seen(scattered.collect(), &recipient()).findings),
        ["1 address-unread: there is more text in the window than is read"]
    );
}

#[test]
fn somebody_elses_address_is_a_mismatch() {
    assert_eq!(
        of_rows(&["Maija Mallikas", "Toistie 2", "33100 TAMPERE"]),
        [OTHER_CODE]
    );
    assert_eq!(
        of_rows(&["Pekka Toinen", "Toistie 2", "33100 TAMPERE"]),
        [OTHER_CODE]
    );
    assert_eq!(
        of_rows(&["Pekka Toinen", "Mallikatu 2", "00100 HELSINKI"]),
        [OTHER_NAME]
    );
}

#[test]
fn a_return_address_under_the_recipients_code_vouches_for_nobody() {
    let return_address = "Kaupunki, PL 1, 00100 HELSINKI";
    assert_eq!(
        of_rows(&[return_address, "Pekka Toinen", "Toistie 2", "33100 TAMPERE"]),
        [OTHER_CODE]
    );
    let own = ["Maija Mallikas", "Mallikatu 1 A 1", "00100 HELSINKI"];
    assert_eq!(of_rows(&[&[return_address], &own[..]].concat()), NONE);
    let other_city = ["Toinen kaupunki, PL 1", "33101 TAMPERE"];
    assert_eq!(of_rows(&[&other_city, &own[..]].concat()), NONE);
}

#[test]
fn product_numbers_are_no_postal_codes() {
    for rows in [
        &[
            "Tilatut tuotteet",
            "10451 Omenamehu",
            "10452 Ruisleipä",
            "10453 Kahvi",
        ][..],
        &["Tuote", "10452 Ruisleipä 2 kpl 3,50"],
    ] {
        assert_eq!(of_rows(rows), [NO_ADDRESS], "{rows:?}");
    }
    assert_eq!(
        of_rows(&["Pekka Toinen", "Toistie 2", "SF-00500 HELSINKI 50"]),
        [OTHER_CODE]
    );
}

#[test]
fn only_the_first_column_of_a_printers_line_is_the_address() {
    let address = of_rows(&[
        "Maija Mallikas      12",
        "Mallikatu 1",
        "00100 HELSINKI      7 8",
    ]);
    assert_eq!(address, NONE);
    let other = of_rows(&[
        "Pekka Toinen      1",
        "Toistie 2",
        "33100 TAMPERE      345 6",
    ]);
    assert!(other.contains(&OTHER_CODE.to_owned()), "{other:?}");
}

#[test]
fn a_street_called_after_somebody_is_nobodys_name() {
    let address = PostalAddress {
        name: Some("Aleksis Virtanen".into()),
        street: Some("Aleksis Kiven katu 7".into()),
        ..recipient()
    };
    let of = |rows_there: &[&str]| told(&seen(rows(rows_there), &address).findings);
    assert_eq!(
        of(&["Pekka Toinen", "Aleksis Kiven katu 9", "00100 HELSINKI"]),
        [OTHER_NAME]
    );
    let address_of_maija = PostalAddress {
        street: address.street.clone(),
        ..recipient()
    };
    let neighbour = rows(&["Aleksis Toinen", "Aleksis Kiven katu 7", "00100 HELSINKI"]);
    assert_eq!(
        told(&seen(neighbour, &address_of_maija).findings),
        [OTHER_NAME]
    );
    assert_eq!(
        of(&["Aleksis V.", "Aleksis Kiven katu 7", "00100 HELSINKI"]),
        NONE
    );
}

#[test]
fn letters_that_stand_apart_spell_a_name_beside_an_additional_one() {
    let address = PostalAddress {
        additional_name: Some("c/o Esimerkki Oy".into()),
        ..recipient()
    };
    let apart = [
        "M A I J A  M A L L I K A S",
        "c / o",
        "Mallikatu 1",
        "00100 HELSINKI",
    ];
    assert_eq!(told(&seen(rows(&apart), &address).findings), NONE);
}

#[test]
fn a_locality_is_no_name_and_neither_is_a_legal_form() {
    let salo = PostalAddress {
        name: Some("Pekka Salo".into()),
        postal_code: Some("24100".into()),
        ..recipient()
    };
    let of = |rows_there: &[&str], address| told(&seen(rows(rows_there), address).findings);
    assert_eq!(of(&["Maija Toinen", "24100 SALO"], &salo), [OTHER_NAME]);
    let company = PostalAddress {
        name: Some("Malli Oy Ab".into()),
        ..recipient()
    };
    assert_eq!(
        of(&["Toinen Oy Ab", "00100 HELSINKI"], &company),
        [OTHER_NAME]
    );
    assert_eq!(of(&["Oy Malli Ab", "00100 HELSINKI"], &company), NONE);
}

#[test]
fn addresses_abroad_are_compared_by_the_form_of_their_own_code() {
    let abroad = |country: &str, code: &str| PostalAddress {
        postal_code: Some(Private::new(code.to_owned())),
        country: country.parse().ok(),
        ..recipient()
    };
    let of = |rows_there: &[&str], address| told(&seen(rows(rows_there), &address).findings);
    let london = || abroad("GB", "SW1A 2AA");
    assert_eq!(
        of(
            &["Maija Mallikas", "LONDON SW1A2AA", "UNITED KINGDOM"],
            london()
        ),
        NONE
    );
    assert_eq!(
        of(&["Pekka Toinen", "LONDON SW1A 2AA"], london()),
        [OTHER_NAME]
    );
    assert_eq!(
        of(&["Maija Mallikas", "00100 HELSINKI"], london()),
        [OTHER_CODE]
    );
    let stockholm = || abroad("SE", "SE-113 46");
    assert_eq!(
        of(
            &["Maija Mallikas", "113 46 STOCKHOLM", "SVERIGE"],
            stockholm()
        ),
        NONE
    );
    assert_eq!(
        of(&["Maija Mallikas", "11347 STOCKHOLM"], stockholm()),
        [OTHER_CODE]
    );
    // A house number before its street is no code.
    for code in ["10001", "10001-1234"] {
        let new_york = PostalAddress {
            street: Some("12345 Main Street".into()),
            ..abroad("US", code)
        };
        assert_eq!(
            of(
                &["Maija Mallikas", "12345 Main St", "NEW YORK NY 10001"],
                new_york
            ),
            NONE
        );
    }
}

#[test]
fn a_window_without_an_address_asks_for_an_address_page() {
    let empty = seen(Vec::new(), &recipient());
    assert!(empty.lacks_address);
    assert_eq!(
        told(&empty.findings),
        ["1 address-missing: nothing stands in the window"]
    );
    let other = seen(rows(&["Hyvä vastaanottaja,", "tervetuloa"]), &recipient());
    assert!(other.lacks_address);
    assert_eq!(told(&other.findings), [NO_ADDRESS]);
    assert!(!seen(rows(&ADDRESS), &recipient()).lacks_address);
}

#[test]
fn white_or_hidden_text_is_not_what_a_window_shows() {
    for paint in [Paint::White, Paint::Invisible] {
        let mut hidden = rows(&["tervetuloa"]);
        hidden[0].paint = paint;
        assert!(seen(hidden, &recipient()).lacks_address, "{paint:?}");
    }
}

#[test]
fn what_cannot_be_read_is_told_and_stops_nothing() {
    let picture = drawn(Ink::Picture, Area::at(0.0, 0.0, 210.0, 297.0));
    let unread = "1 address-unread: a picture stands in the window";
    let scan = seen(vec![picture.clone()], &recipient());
    assert_eq!(told(&scan.findings), [unread]);
    assert!(!scan.lacks_address);
    let mut garbled = rows(&ADDRESS);
    for drawn in &mut garbled {
        let Ink::Text(shown) = &mut drawn.ink else {
            panic!()
        };
        (shown.text, shown.was_read) = (None, false);
    }
    let told_of = |drawn| told(&seen(drawn, &recipient()).findings);
    assert_eq!(
        told_of(garbled),
        ["1 address-unread: there is text in the window that cannot be read"]
    );
    let outline = |at: f64| drawn(Ink::Path, Area::at(22.0 + 2.0 * at, 60.0, 1.5, 3.0));
    let outlines = |count: u32| {
        (0..count)
            .map(|at| outline(f64::from(at)))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        told_of(outlines(8)),
        ["1 address-unread: lines stand in the window that may be drawn letters"]
    );
    assert_eq!(
        told_of(outlines(7)),
        ["1 address-missing: nothing stands in the window"]
    );
}

#[test]
fn the_hidden_text_of_a_scan_is_compared() {
    let scan = |rows_there: &[&str]| {
        let mut page = vec![drawn(Ink::Picture, Area::at(0.0, 0.0, 210.0, 297.0))];
        page.extend(rows(rows_there).into_iter().map(|text| Drawn {
            paint: Paint::Invisible,
            ..text
        }));
        told(&seen(page, &recipient()).findings)
    };
    assert_eq!(scan(&ADDRESS), NONE);
    assert_eq!(scan(&["Pekka Toinen", "33100 TAMPERE"]), [OTHER_CODE]);
    // One digit that was misread is no other person.
    let misread = scan(&["Maija Mallikas", "Mallikatu 1 A 1", "00700 HELSINKI"]);
    assert!(misread[0].contains("address-unread"), "{misread:?}");
}

#[test]
fn a_letter_whose_sender_does_not_want_it_is_not_compared() {
    let address = recipient();
    let letter = LetterToCheck {
        compares_address: false,
        ..letter(&address)
    };
    let other = page(rows(&["Pekka Toinen", "Toistie 2", "33100 TAMPERE"]));
    let seen = window::judge(&other, &WINDOW, &letter);
    assert_eq!(told(&seen.findings), NONE);
    assert!(!seen.lacks_address);
    assert_eq!(window::mismatch(&other, &WINDOW, &letter), None);
}

#[test]
fn a_letter_without_an_address_of_its_own_is_compared_as_far_as_that_goes() {
    let nobody = PostalAddress::default();
    assert_eq!(told(&seen(rows(&ADDRESS), &nobody).findings), NONE);
    let named = PostalAddress {
        name: Some("Pekka Toinen".into()),
        ..PostalAddress::default()
    };
    assert_eq!(told(&seen(rows(&ADDRESS), &named).findings), [OTHER_NAME]);
    let other_script = PostalAddress {
        name: Some("Майя Малликас".into()),
        ..recipient()
    };
    assert_eq!(told(&seen(rows(&ADDRESS), &other_script).findings), NONE);
}

#[test]
fn behind_an_address_page_only_another_address_is_told() {
    let address = recipient();
    let letter = letter(&address);
    let mismatch = |drawn| {
        let found = window::mismatch(&page(drawn), &WINDOW, &letter);
        told(&found.into_iter().collect::<Vec<_>>())
    };
    assert_eq!(mismatch(Vec::new()), NONE);
    assert_eq!(mismatch(rows(&["Asia: päätös"])), NONE);
    assert_eq!(
        mismatch(rows(&["Pekka Toinen", "00100 HELSINKI"])),
        [OTHER_NAME]
    );
}

#[test]
fn what_stands_beside_the_address_is_told_in_millimetres() {
    insta::assert_snapshot!(with(drawn(Ink::Path, Area::at(80.0, 70.0, 30.0, 0.2))).join("\n"), @"1 address-zone-crowded: lines or surfaces stand beside the address: move it 13 mm to the right");
    insta::assert_snapshot!(with(text(22.0, 82.0, "Asia: päätös")).join("\n"), @"1 address-zone-crowded: text stands under the address: move it 7 mm down");
    insta::assert_snapshot!(with(text(70.0, 56.5, "12.3.2026")).join("\n"), @"1 address-zone-crowded: the window cuts text, 2 mm beyond its edge: move it 2 mm down");
    insta::assert_snapshot!(with(text(85.0, 64.0, "Liite 1 ja 2")).join("\n"), @"1 address-zone-crowded: the window cuts text, 16 mm beyond its edge: move it 16 mm to the left");
    insta::assert_snapshot!(with(drawn(Ink::Path, Area::at(0.0, 0.0, 210.0, 100.0))).join("\n"), @"1 address-zone-crowded: the window's ground is not white");
    let frame = drawn(Ink::Picture, Area::at(0.0, 0.0, 210.0, 297.0));
    assert_eq!(with(frame), NONE);
    let beyond = drawn(Ink::Path, Area::at(21.0, 85.0, 72.0, 0.2));
    assert_eq!(with(beyond), NONE);
}

#[test]
fn an_address_that_the_window_cuts_is_told() {
    let high = ADDRESS.iter().zip([56.0, 61.0, 66.0]);
    let high = high
        .map(|(row, baseline)| text(20.0, baseline, row))
        .collect();
    insta::assert_snapshot!(told(&seen(high, &recipient()).findings).join("\n"), @"1 address-zone-crowded: the window cuts text, 3 mm beyond its edge: move it 3 mm down");
}

#[test]
fn what_is_told_names_nobody() {
    let findings = seen(
        rows(&["Pekka Toinen", "Toistie 2", "33100 TAMPERE"]),
        &recipient(),
    )
    .findings;
    let said = format!("{findings:?} {:?}", rows(&ADDRESS));
    for private in ["Pekka", "Toinen", "33100", "TAMPERE", "Maija", "00100"] {
        assert!(!said.contains(private), "{private}");
    }
}

#[test]
fn words_of_one_row_may_come_one_by_one_and_in_any_order() {
    let drawn = vec![
        text(30.0, 70.0, "HELSINKI"),
        text(35.0, 60.3, "Mallikas"),
        text(22.0, 60.0, "Maija"),
        text(22.0, 70.0, "001"),
        text(27.9, 70.0, "00"),
    ];
    // The digits touch, so that they are one number.
    assert_eq!(told(&seen(drawn, &recipient()).findings), NONE);
}

prop_compose! {
    /// Names of two words, streets, and codes that are no year or house number.
    pub(super) fn person()(
        first in "[A-ZÅÄÖ][a-zåäö]{3,9}",
        last in "[A-ZÅÄÖ][a-zåäö]{4,12}(-[A-Z][a-z]{3,8})?",
        street in "[A-Z][a-zäö]{4,10}(tie|katu|polku) [1-9]{1,2}",
        code in "[0-9]{5}",
        city in "[A-Z][a-zäö]{3,10}",
    ) -> PostalAddress {
        PostalAddress {
            name: Some(Private::new(format!("{first} {last}"))),
            street: Some(Private::new(street)),
            postal_code: Some(Private::new(code)),
            city: Some(Private::new(city)),
            ..PostalAddress::default()
        }
    }
}

fn block(address: &PostalAddress) -> Vec<Drawn> {
    let block = AddressBlock::of(address);
    rows(&block.rows().collect::<Vec<_>>())
}

fn words(address: &PostalAddress) -> Vec<String> {
    folded::words(address.name.as_ref().unwrap().expose())
}

proptest! {
    #[test]
    fn everybody_gets_their_own_letter(address in person()) {
        prop_assert_eq!(told(&seen(block(&address), &address).findings), NONE);
    }

    #[test]
    fn nobody_gets_somebody_elses(one in person(), other in person(), same_code in any::<bool>()) {
        let other = PostalAddress {
            postal_code: if same_code { one.postal_code.clone() } else { other.postal_code.clone() },
            ..other
        };
        prop_assume!(words(&one).iter().all(|word| !words(&other).contains(word)));
        let findings = seen(block(&other), &one).findings;
        prop_assert_eq!(findings.len(), 1);
        prop_assert_eq!(findings[0].code, Code::AddressMismatch);
    }

    #[test]
    fn any_rows_are_judged(rows_there in prop::collection::vec("\\PC{0,40}", 0..8)) {
        let rows_there: Vec<&str> = rows_there.iter().map(String::as_str).collect();
        seen(rows(&rows_there), &recipient());
    }
}
