//! What holds of any plan.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// Few people, so that some of them get several letters.
fn any_letter() -> impl Strategy<Value = Letter> {
    let flags = any::<[bool; 6]>();
    let people = (0..3_usize, 0..2_usize, 0..3_usize);
    let seldom = prop::bool::weighted(0.2);
    (1..140_u32, flags, people, (0..3_u32, seldom)).prop_map(|(pages, flags, people, rest)| {
        let [priority, colour, duplex, address_page, foreign, shares] = flags;
        let (code, name, id) = people;
        let (colour_pages, registered) = rest;
        let mut letter = sharing(
            0,
            pages,
            ["Matti Mallikas", "Maija Mallikas"][name],
            [None, Some(SENIOR), Some(JUNIOR)][id],
        );
        letter.facts.colour_pages = colour_pages;
        if priority {
            letter.postage = PostageClass::Priority;
        }
        let country = if foreign { "SE" } else { "FI" };
        Letter {
            registered,
            colour,
            duplex,
            address_page,
            shares_envelope: shares,
            ..posted_to(letter, ["00100", "33100", "90100"][code], country)
        }
    })
}

/// Letters with ids of their own, and the same letters in another order.
fn letters_twice() -> impl Strategy<Value = (Vec<Letter>, Vec<Letter>)> {
    prop::collection::vec(any_letter(), 0..60)
        .prop_map(|mut letters| {
            for (position, letter) in (1..).zip(&mut letters) {
                letter.message.position = position;
            }
            letters
        })
        .prop_flat_map(|letters| (Just(letters.clone()), Just(letters).prop_shuffle()))
}

/// Tables and limits, each there or not.
fn any_settings() -> impl Strategy<Value = Settings> {
    let limits = (
        prop::option::of(20..90_u32),
        prop::option::of(3..70_u32),
        prop::option::of(30..400_u32),
    );
    (limits, any::<[bool; 2]>()).prop_map(|(limits, [has_postage, grey_saves])| {
        let (max_bundle_sheets, household_max_sheets, max_grams) = limits;
        let mut settings = small_settings();
        for envelope in &mut settings.envelopes {
            envelope.max_grams = max_grams;
        }
        if has_postage {
            settings.postage = postage_table();
        }
        Settings {
            max_bundle_bytes: BYTES * 3,
            max_bundle_sheets,
            household_max_sheets,
            grey_saves,
            ..settings
        }
    })
}

/// Of every letter.
const BYTES: u64 = 1_000;

fn planned(letters: &[Letter], settings: &Settings) -> Planned {
    plan_by_size(letters, |_| BYTES, settings)
}

proptest! {
    #[test]
    fn every_letter_is_in_exactly_one_envelope_or_refused(
        (letters, _) in letters_twice(),
        settings in any_settings(),
    ) {
        let plan = planned(&letters, &settings);
        let placed = plan.bundles.iter().flat_map(positions);
        let mut seen: Vec<u32> = placed.chain(plan.refused.keys().copied()).collect();
        seen.sort_unstable();
        prop_assert_eq!(seen, (1..).take(letters.len()).collect::<Vec<u32>>());
    }

    #[test]
    fn the_order_of_the_letters_does_not_matter(
        (letters, shuffled) in letters_twice(),
        settings in any_settings(),
    ) {
        prop_assert_eq!(planned(&letters, &settings), planned(&shuffled, &settings));
    }

    #[test]
    fn sequences_and_pages_are_unbroken(
        (letters, _) in letters_twice(),
        settings in any_settings(),
    ) {
        for bundle in planned(&letters, &settings).bundles {
            let mut next_page = 1;
            for (sequence, piece) in (1..).zip(&bundle.pieces) {
                prop_assert_eq!(piece.sequence, sequence);
                prop_assert_eq!(piece.first_page, next_page);
                let sides = if piece.letter.duplex { 2 } else { 1 };
                prop_assert_eq!(piece.pages, piece.sheets * sides);
                next_page += piece.pages;
            }
            prop_assert_eq!(bundle.pages(), next_page - 1);
        }
    }

    #[test]
    fn envelopes_hold_their_sheets_and_grams_and_no_smaller_one_would(
        (letters, _) in letters_twice(),
        settings in any_settings(),
    ) {
        for bundle in planned(&letters, &settings).bundles {
            for piece in &bundle.pieces {
                let holds = |rule: &&EnvelopeRule| {
                    let centigrams = piece.sheets * settings.sheet_centigrams + rule.centigrams;
                    piece.sheets <= rule.max_sheets
                        && rule.max_grams.is_none_or(|most| centigrams <= most * 100)
                };
                let smallest = settings.envelopes.iter().find(holds).unwrap();
                prop_assert_eq!(&piece.envelope, &smallest.name);
                let centigrams = piece.sheets * settings.sheet_centigrams + smallest.centigrams;
                prop_assert_eq!(piece.weight_grams, centigrams.div_ceil(100));
            }
        }
    }

    #[test]
    fn bundles_keep_their_limits_unless_they_are_one_piece(
        (letters, _) in letters_twice(),
        settings in any_settings(),
    ) {
        for bundle in planned(&letters, &settings).bundles {
            let letters = positions(&bundle).len() as u64;
            prop_assert!((1..=4).contains(&bundle.pieces.len()));
            if bundle.pieces.len() > 1 {
                prop_assert!(letters * BYTES <= settings.max_bundle_bytes);
                prop_assert!(settings.max_bundle_sheets.is_none_or(|most| bundle.sheets() <= most));
            }
        }
    }

    #[test]
    fn pieces_of_one_bundle_are_produced_and_posted_alike(
        (letters, _) in letters_twice(),
        settings in any_settings(),
    ) {
        for bundle in planned(&letters, &settings).bundles {
            let group = &bundle.group;
            for piece in &bundle.pieces {
                prop_assert_eq!(&piece.envelope, &group.envelope);
                prop_assert_eq!(&piece.postage_code, &group.postage_code);
                let row = settings.postage.iter().find(|row| {
                    (row.class, row.destination) == (group.postage, group.destination)
                        && piece.weight_grams <= row.max_grams
                });
                prop_assert_eq!(row.map(|row| &row.code), group.postage_code.as_ref());
                for letter in piece.letters() {
                    prop_assert_eq!(letter.postage, group.postage);
                    prop_assert_eq!(letter.registered, group.registered);
                    prop_assert_eq!(letter.colour, group.colour);
                    prop_assert_eq!(letter.duplex, group.duplex);
                    prop_assert_eq!(Destination::of(&letter.address), group.destination);
                }
            }
        }
    }

    #[test]
    fn pieces_stand_in_posting_order(
        (letters, _) in letters_twice(),
        settings in any_settings(),
    ) {
        for bundle in planned(&letters, &settings).bundles {
            let key = |piece: &PlannedPiece| {
                let address = &piece.letter.address;
                let code = address.postal_code.clone();
                (address.country_or_home(), code, address.name.clone(), piece.letter.message)
            };
            prop_assert!(bundle.pieces.is_sorted_by_key(key));
        }
    }

    #[test]
    fn only_letters_to_one_recipient_share_an_envelope(
        (letters, _) in letters_twice(),
        settings in any_settings(),
    ) {
        let plan = planned(&letters, &settings);
        let pieces = plan.bundles.iter().flat_map(|bundle| &bundle.pieces);
        for piece in pieces.filter(|piece| !piece.others.is_empty()) {
            let ids: BTreeSet<_> = piece.letters().filter_map(|it| it.recipient.as_ref()).collect();
            prop_assert!(ids.len() <= 1);
            prop_assert!(settings.household_max_sheets.is_none_or(|most| piece.sheets <= most));
            let first = &piece.letter;
            for letter in piece.letters() {
                prop_assert!(letter.shares_envelope && !letter.registered);
                prop_assert_eq!(&letter.address.postal_code, &first.address.postal_code);
                let is_known = letter.recipient.is_some() && letter.recipient == first.recipient;
                prop_assert!(is_known || letter.address.name == first.address.name);
            }
        }
    }
}
