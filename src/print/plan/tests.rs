mod properties;

use std::collections::BTreeMap;

use crate::{
    domain::{Code, EnvelopeName, Letter, PostageClass, PostalAddress, PrintFacts},
    print::{
        BundlePlan, Contents, Destination, EnvelopeRule, Error, PlannedPiece, Planner, Settings,
        lay_out,
        tests::{Planned, letter, plan, plan_by_size, postage_table, posted_to},
    },
};

fn positions(bundle: &BundlePlan) -> Vec<u32> {
    let letters = bundle.pieces.iter().flat_map(PlannedPiece::letters);
    letters.map(|letter| letter.message.position).collect()
}

fn envelope_of(pages: u32, duplex: bool) -> Result<String, Code> {
    let letter = Letter {
        duplex,
        ..letter(1, pages)
    };
    let mut plan = plan(&[letter], &Settings::default());
    match plan.bundles.pop() {
        Some(bundle) => Ok(bundle.pieces[0].envelope.0.clone()),
        None => Err(plan.refused[&1]),
    }
}

#[test]
fn a_letter_gets_the_smallest_envelope_that_holds_it() {
    let c5 = Ok("C5".to_owned());
    assert_eq!(envelope_of(9, false), c5);
    assert_eq!(envelope_of(10, false), Ok("C4".to_owned()));
    assert_eq!(envelope_of(18, true), c5);
    assert_eq!(envelope_of(19, true), Ok("C4".to_owned()));
    assert_eq!(envelope_of(60, false), Ok("C4".to_owned()));
    assert_eq!(envelope_of(61, false), Ok("box".to_owned()));
    assert_eq!(envelope_of(500, false), Ok("box".to_owned()));
    assert_eq!(envelope_of(501, false), Err(Code::TooManySheets));
}

#[test]
fn the_address_page_counts_as_a_sheet_of_the_envelope() {
    let with_page = Letter {
        address_page: true,
        ..letter(1, 18)
    };
    let plan = plan(&[with_page], &Settings::default());
    let piece = &plan.bundles[0].pieces[0];
    assert_eq!((piece.sheets, piece.pages), (10, 20));
    assert_eq!(piece.envelope, EnvelopeName("C4".to_owned()));
}

#[test]
fn no_envelope_holds_more_sheets_than_a_mark_can_count() {
    let settings = Settings {
        envelopes: vec![EnvelopeRule::new("crate", 5_000, 0)],
        ..Settings::default()
    };
    let plan = plan(&[letter(1, 1_998), letter(2, 1_999)], &settings);
    assert_eq!(positions(&plan.bundles[0]), [1]);
    assert_eq!(plan.refused, BTreeMap::from([(2, Code::TooManySheets)]));
}

#[test]
fn weight_is_sheets_and_envelope_rounded_up() {
    let plan = plan(&[letter(1, 4)], &Settings::default());
    // 2 × 4.99 g + 7.00 g
    assert_eq!(plan.bundles[0].pieces[0].weight_grams, 17);
}

#[test]
fn letters_are_sorted_by_postal_code_and_foreign_ones_come_last() {
    let letters = vec![
        posted_to(letter(1, 1), "12345", "SE"),
        posted_to(letter(2, 1), "90100", "FI"),
        posted_to(letter(3, 1), "99999", "NO"),
        posted_to(letter(4, 1), "00100", "FI"),
    ];
    let plan = plan(&letters, &Settings::default());
    let order: Vec<_> = plan.bundles.iter().map(positions).collect();
    assert_eq!(order, [vec![4, 2], vec![3, 1]]);
    assert_eq!(plan.bundles[1].group.destination, Destination::Foreign);
}

#[test]
fn a_bundle_is_full_at_its_limit_of_pieces() {
    let settings = Settings {
        max_pieces: 3,
        ..Settings::default()
    };
    let bundles_of = |count| {
        let letters: Vec<_> = (1..=count).map(|position| letter(position, 1)).collect();
        plan(&letters, &settings).bundles.len()
    };
    assert_eq!((bundles_of(3), bundles_of(4)), (1, 2));
}

#[test]
fn a_bundle_is_full_at_its_limit_of_bytes_and_a_large_letter_travels_alone() {
    let settings = Settings {
        max_bundle_bytes: 100,
        ..Settings::default()
    };
    let bundles_of = |sizes: &[u64]| {
        let letters = (1..).zip(sizes).map(|(position, _)| letter(position, 1));
        let bytes_of = |letter: &Letter| sizes[letter.message.position as usize - 1];
        plan_by_size(&letters.collect::<Vec<_>>(), bytes_of, &settings)
            .bundles
            .len()
    };
    assert_eq!((bundles_of(&[50, 50]), bundles_of(&[50, 51])), (1, 2));
    assert_eq!(bundles_of(&[101]), 1);
}

#[test]
fn a_letter_whose_address_page_could_not_be_read_is_refused() {
    let unreadable = Letter {
        address: PostalAddress {
            name: Some("東京".into()),
            ..letter(1, 1).address
        },
        address_page: true,
        ..letter(1, 1)
    };
    let plan = plan(&[unreadable, letter(2, 1)], &Settings::default());
    assert_eq!(plan.refused[&1], Code::AddressCharacter);
    assert_eq!(positions(&plan.bundles[0]), [2]);
}

#[test]
fn a_bundle_laid_out_again_keeps_its_order() {
    let letters = vec![
        posted_to(letter(2, 1), "90100", "FI"),
        posted_to(letter(1, 1), "00100", "FI"),
    ];
    let bundle = lay_out(letters, &Settings::default()).unwrap();
    assert_eq!(positions(&bundle), [2, 1]);
    assert_eq!(bundle.pieces[1].sequence, 2);
}

#[test]
fn letters_that_do_not_belong_together_are_not_laid_out() {
    let settings = Settings {
        max_pieces: 2,
        ..Settings::default()
    };
    let lay_out = |letters| lay_out(letters, &settings).unwrap_err();
    assert!(matches!(lay_out(vec![]), Error::NoLetters));
    let too_many = (1..=3).map(|position| letter(position, 1)).collect();
    assert!(matches!(lay_out(too_many), Error::TooManyPieces { .. }));
    let mixed = vec![letter(1, 1), letter(2, 19)];
    assert!(matches!(
        lay_out(mixed),
        Error::MixedGroup { message } if message.position == 2
    ));
    let too_thick = vec![letter(1, 2_000)];
    assert!(matches!(lay_out(too_thick), Error::NotPrintable { .. }));
}

/// A letter that shares envelopes, to somebody of that name and id.
fn sharing(position: u32, pages: u32, name: &str, id: Option<&str>) -> Letter {
    let mut letter = letter(position, pages);
    letter.shares_envelope = true;
    letter.address.name = Some(name.into());
    letter.recipient = id.map(|id| id.parse().unwrap());
    letter
}

/// The positions in each envelope, in the order of the bundles.
fn envelopes(letters: &[Letter], settings: &Settings) -> Vec<Vec<u32>> {
    let bundles = plan(letters, settings).bundles;
    let pieces = bundles.iter().flat_map(|bundle| &bundle.pieces);
    let positions = |piece: &PlannedPiece| {
        let letters = piece.letters();
        letters.map(|letter| letter.message.position).collect()
    };
    pieces.map(positions).collect()
}

const SENIOR: &str = "010190-900P";
const JUNIOR: &str = "010190-901R";

#[test]
fn letters_of_one_household_share_an_envelope_in_the_order_of_the_batch() {
    let letters = [
        sharing(3, 3, "Matti Mallikas", Some(SENIOR)),
        sharing(1, 2, "MATTI MALLIKAS", None),
        letter(2, 1),
        sharing(4, 1, "Maija Mallikas", None),
    ];
    let shared = envelopes(&letters, &Settings::default());
    assert_eq!(shared, [vec![1, 3], vec![2], vec![4]]);
}

#[test]
fn father_and_son_of_one_name_do_not_share_and_nobody_guesses_who_is_meant() {
    let letters = [
        sharing(1, 1, "Matti Mallikas", Some(SENIOR)),
        sharing(2, 1, "Matti Mallikas", None),
        sharing(3, 1, "Matti Mallikas", Some(JUNIOR)),
        sharing(4, 1, "Matti Mallikas", Some(SENIOR)),
        sharing(5, 1, "Matti Mallikas", None),
    ];
    let shared = envelopes(&letters, &Settings::default());
    assert_eq!(shared, [vec![1, 4], vec![2, 5], vec![3]]);
}

#[test]
fn one_id_under_two_names_shares_but_a_letter_without_an_id_does_not_join_another_name() {
    let letters = [
        sharing(1, 1, "Matti Mallikas", Some(SENIOR)),
        sharing(2, 1, "M. Mallikas", Some(SENIOR)),
        sharing(3, 1, "M. Mallikas", None),
    ];
    let shared = envelopes(&letters, &Settings::default());
    assert_eq!(shared, [vec![3], vec![1, 2]]);
}

#[test]
fn a_shared_envelope_grows_along_the_table_and_no_further() {
    let pages = |pages: [u32; 2]| {
        let [one, other] = pages;
        let letters = [
            sharing(1, one, "Matti Mallikas", None),
            sharing(2, other, "Matti Mallikas", None),
        ];
        let bundles = plan(&letters, &small_settings()).bundles;
        let of = |bundle: &BundlePlan| (bundle.group.envelope.0.clone(), positions(bundle));
        bundles.iter().map(of).collect::<Vec<_>>()
    };
    let envelope = |name: &str, positions: &[u32]| (name.to_owned(), positions.to_vec());
    assert_eq!(pages([10, 8]), [envelope("C5", &[1, 2])]);
    assert_eq!(pages([10, 9]), [envelope("C4", &[1, 2])]);
    let sheets = |pages: [u32; 2]| {
        let letters = [1, 2].map(|at| sharing(at, pages[at as usize - 1], "Matti Mallikas", None));
        envelopes(&letters, &small_settings())
    };
    assert_eq!(sheets([60, 60]), [[1, 2]]);
    assert_eq!(sheets([60, 61]), [[1], [2]]);
}

#[test]
fn a_shared_envelope_keeps_the_limit_set_for_it_which_binds_no_single_letter() {
    let settings = Settings {
        household_max_sheets: Some(3),
        ..Settings::default()
    };
    let of = |pages: &[u32]| {
        let letters = (1..).zip(pages);
        let letters = letters.map(|(at, &pages)| sharing(at, pages, "Matti Mallikas", None));
        envelopes(&letters.collect::<Vec<_>>(), &settings)
    };
    assert_eq!(of(&[2, 4]), [vec![1, 2]]);
    assert_eq!(of(&[4, 4]), [vec![1], vec![2]]);
    assert_eq!(of(&[2, 8, 2, 2]), [vec![1], vec![2], vec![3, 4]]);
}

#[test]
fn letters_in_one_envelope_have_one_address_page_in_front() {
    let mut letters = [
        sharing(1, 1, "Matti Mallikas", None),
        sharing(2, 3, "Matti Mallikas", None),
    ];
    for letter in &mut letters {
        letter.address_page = true;
    }
    let plan = plan(&letters, &Settings::default());
    let piece = &plan.bundles[0].pieces[0];
    assert_eq!((piece.sheets, piece.pages), (4, 8));
    let starts: Vec<_> = piece.letters_by_page().map(|(_, page)| page).collect();
    assert_eq!(starts, [2, 4]);
}

#[test]
fn letters_that_must_not_share_are_not_laid_out_together() {
    let one = sharing(1, 1, "Matti Mallikas", Some(SENIOR));
    let refused = |other: Letter| {
        let contents = Contents {
            letter: one.clone(),
            others: vec![sharing(2, 1, "Matti Mallikas", None), other],
        };
        let laid_out = lay_out(vec![contents], &small_settings());
        matches!(laid_out, Err(Error::NotShared { message }) if message.position == 3)
    };
    assert!(!refused(sharing(3, 1, "Matti Mallikas", Some(SENIOR))));
    assert!(refused(sharing(3, 1, "Matti Mallikas", Some(JUNIOR))));
    assert!(refused(sharing(3, 1, "Maija Mallikas", None)));
    assert!(refused(sharing(3, 119, "Matti Mallikas", None)));
    assert!(refused(Letter {
        shares_envelope: false,
        ..sharing(3, 1, "Matti Mallikas", None)
    }));
}

#[test]
fn an_envelope_is_full_at_its_weight() {
    // 7.00 g and 4.99 g a sheet.
    let c5_up_to = |max_grams| Settings {
        envelopes: vec![
            EnvelopeRule {
                max_grams: Some(max_grams),
                ..EnvelopeRule::new("C5", 9, 700)
            },
            EnvelopeRule::new("C4", 10, 1_800),
        ],
        ..Settings::default()
    };
    let envelope = |pages, settings: &Settings| {
        let bundle = plan(&[letter(1, pages)], settings).bundles.pop();
        bundle.map(|bundle| bundle.group.envelope.0)
    };
    assert_eq!(envelope(4, &c5_up_to(17)).as_deref(), Some("C5"));
    assert_eq!(envelope(4, &c5_up_to(16)).as_deref(), Some("C4"));
    let mut settings = c5_up_to(17);
    assert_eq!(settings.max_sheets(), Some(10));
    settings.envelopes.pop();
    assert_eq!(settings.max_sheets(), Some(2));
    let plan = plan(&[letter(1, 4), letter(2, 5)], &settings);
    assert_eq!(plan.refused, BTreeMap::from([(2, Code::TooManySheets)]));
}

#[test]
fn postage_follows_from_class_destination_and_weight() {
    let settings = Settings {
        postage: postage_table(),
        ..Settings::default()
    };
    let abroad = |letter| posted_to(letter, "12345", "SE");
    let told = |letter: Letter| {
        let bundle = plan(&[letter], &settings).bundles.pop();
        bundle.and_then(|bundle| Some(bundle.group.postage_code?.0))
    };
    // 7.00 g and 4.99 g a sheet; from the tenth sheet on 18.00 g.
    assert_eq!(told(letter(1, 16)).as_deref(), Some("E-50"));
    assert_eq!(told(letter(1, 18)).as_deref(), Some("E-250"));
    assert_eq!(told(abroad(letter(1, 16))).as_deref(), Some("EX-50"));
    let priority = Letter {
        postage: PostageClass::Priority,
        ..letter(3, 1)
    };
    let refused = [letter(1, 94), abroad(letter(2, 18)), priority];
    let mut planner = Planner::new(&settings);
    let details = refused.map(|letter| planner.add(&letter, 0).unwrap_err().detail);
    insta::assert_snapshot!(details.join("\n"), @r"
    the piece weighs 253 g; the print house's postage for domestic economy letters ends at 250 g
    the piece weighs 52 g; the print house's postage for foreign economy letters ends at 50 g
    the print house has no postage for domestic priority letters
    ");
    assert_eq!(planner.finish().count(), 0);
}

#[test]
fn letters_of_different_postage_are_in_different_bundles() {
    let settings = Settings {
        postage: postage_table(),
        ..Settings::default()
    };
    let plan = plan(&[letter(1, 18), letter(2, 1), letter(3, 16)], &settings);
    let order: Vec<_> = plan.bundles.iter().map(positions).collect();
    assert_eq!(order, [vec![2, 3], vec![1]]);
}

#[test]
fn an_envelope_is_shared_only_while_the_postage_holds() {
    let settings = Settings {
        postage: postage_table(),
        ..Settings::default()
    };
    let abroad = |position, pages| {
        let letter = sharing(position, pages, "Matti Mallikas", None);
        posted_to(letter, "12345", "SE")
    };
    assert_eq!(
        envelopes(&[abroad(1, 8), abroad(2, 8)], &settings),
        [[1, 2]]
    );
    assert_eq!(
        envelopes(&[abroad(1, 8), abroad(2, 9)], &settings),
        [[1], [2]]
    );
}

#[test]
fn a_letter_without_colour_goes_grey_where_that_saves() {
    let letters = [0, 1].map(|colour_pages| Letter {
        colour: true,
        facts: PrintFacts {
            colour_pages,
            ..PrintFacts::default()
        },
        ..letter(colour_pages + 1, 1)
    });
    let colours = |grey_saves| {
        let settings = Settings {
            grey_saves,
            ..Settings::default()
        };
        let bundles = plan(&letters, &settings).bundles;
        let told = |bundle: &BundlePlan| {
            let letters: Vec<_> = bundle
                .pieces
                .iter()
                .map(|piece| piece.letter.colour)
                .collect();
            (bundle.group.colour, letters)
        };
        bundles.iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(colours(false), [(true, vec![true, true])]);
    assert_eq!(colours(true), [(false, vec![false]), (true, vec![true])]);
}

#[test]
fn a_bundle_is_full_at_its_limit_of_sheets_and_a_thick_letter_travels_alone() {
    let settings = Settings {
        max_bundle_sheets: Some(4),
        ..Settings::default()
    };
    let bundles_of = |pages: &[u32]| {
        let letters = (1..).zip(pages).map(|(at, &pages)| letter(at, pages));
        plan(&letters.collect::<Vec<_>>(), &settings).bundles.len()
    };
    assert_eq!((bundles_of(&[4, 4]), bundles_of(&[4, 5])), (1, 2));
    assert_eq!((bundles_of(&[10]), bundles_of(&[10, 2, 2])), (1, 2));
}

fn small_settings() -> Settings {
    Settings {
        envelopes: vec![
            EnvelopeRule::new("C5", 9, 700),
            EnvelopeRule::new("C4", 60, 1_800),
        ],
        max_pieces: 4,
        ..Settings::default()
    }
}
