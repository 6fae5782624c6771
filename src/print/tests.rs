use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::{
    domain::{
        BatchId, BundleId, Code, DocumentName, EnvelopeName, Letter, MessageId, PageRange,
        PostageClass, PostalAddress, PrintFacts, Private,
    },
    pdf::DigestKey,
};

pub(super) fn letter(position: u32, pages: u32) -> Letter {
    Letter {
        message: MessageId {
            batch: BatchId(7),
            position,
        },
        pages: PageRange {
            document: DocumentName("letters.pdf".to_owned()),
            first: 1,
            count: pages,
        },
        address: PostalAddress {
            name: Some("Maija Mallikas".into()),
            street: Some("Mallikatu 1 A 1".into()),
            postal_code: Some("00100".into()),
            city: Some("Helsinki".into()),
            ..PostalAddress::default()
        },
        subject: None,
        postage: PostageClass::Economy,
        registered: false,
        colour: false,
        duplex: true,
        address_page: false,
        facts: PrintFacts::default(),
    }
}

pub(super) fn identity() -> BundleIdentity {
    BundleIdentity {
        bundle: BundleId(31),
        sender: "example-city".parse().unwrap(),
        print_house: "example-print".parse().unwrap(),
        created: "2026-03-01T06:12:09Z".parse().unwrap(),
        due: Some("2026-03-03".parse().unwrap()),
        test: false,
        digest_key: DigestKey([7; 32]),
        return_address: vec!["Example City".to_owned(), "PL 1, 00099 HELSINKI".to_owned()],
    }
}

fn posted_to(letter: Letter, code: &str, country: &str) -> Letter {
    Letter {
        address: PostalAddress {
            postal_code: Some(Private::new(code.to_owned())),
            country: country.parse().ok(),
            ..letter.address.clone()
        },
        ..letter
    }
}

fn positions(bundle: &BundlePlan) -> Vec<u32> {
    let letters = bundle.pieces.iter();
    letters.map(|piece| piece.letter.message.position).collect()
}

fn envelope_of(pages: u32, duplex: bool) -> Result<String, Code> {
    let letter = Letter {
        duplex,
        ..letter(1, pages)
    };
    let mut plan = plan(vec![letter], &Settings::default());
    match plan.bundles.pop() {
        Some(bundle) => Ok(bundle.pieces[0].envelope.0.clone()),
        None => Err(plan.refused[0].1.code),
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
    let plan = plan(vec![with_page], &Settings::default());
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
    let plan = plan(vec![letter(1, 1_998), letter(2, 1_999)], &settings);
    assert_eq!(positions(&plan.bundles[0]), [1]);
    assert_eq!(plan.refused[0].0.position, 2);
}

#[test]
fn weight_is_sheets_and_envelope_rounded_up() {
    let plan = plan(vec![letter(1, 4)], &Settings::default());
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
    let plan = plan(letters, &Settings::default());
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
        let letters = (1..=count).map(|position| letter(position, 1)).collect();
        plan(letters, &settings).bundles.len()
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
        plan_by_size(letters.collect(), bytes_of, &settings)
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
    let plan = plan(vec![unreadable, letter(2, 1)], &Settings::default());
    assert_eq!(plan.refused[0].1.code, Code::AddressCharacter);
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

#[test]
fn the_piece_list_has_one_row_a_piece_and_names_nobody() {
    let letters = vec![
        letter(12, 3),
        posted_to(letter(3, 1), "=HYPERLINK(\"x\")", "FI"),
    ];
    let plan = plan(letters, &Settings::default());
    let mut list = Vec::new();
    write_piece_list(&plan.bundles[0], &mut list).unwrap();
    let list = String::from_utf8(list).unwrap().replace("\r\n", "\n");
    insta::assert_snapshot!(list, @r#"
    sequence,piece,first_page,pages,sheets,envelope,postage,weight_grams,postal_code,country,colour,duplex,registered
    1,B-0007-12,1,4,2,C5,economy,17,00100,FI,false,true,false
    2,B-0007-3,5,2,1,C5,economy,12,HYPERLINKx,FI,false,true,false
    "#);
}

#[test]
fn the_job_ticket_says_how_to_produce_the_bundle() {
    let plan = &plan(vec![letter(12, 3), letter(3, 1)], &Settings::default()).bundles[0];
    let file = |name: &str, bytes, digit: &str| FileDigest {
        name: name.to_owned(),
        bytes,
        sha256: digit.repeat(64),
    };
    let ticket = JobTicket {
        plan,
        identity: &identity(),
        settings: &Settings::default(),
        composed: &Composed {
            pages: plan.pages(),
            sheets: plan.sheets(),
            bytes: 12_345,
        },
        pdf: &file("P-0031.pdf", 12_345, "a"),
        piece_list: &file("P-0031.pieces.csv", 222, "b"),
    };
    let mut xml = Vec::new();
    write_job_ticket(&ticket, &mut xml).unwrap();
    insta::assert_snapshot!(String::from_utf8(xml).unwrap(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <jobTicket xmlns="urn:kuori:job-ticket:1" bundle="P-0031" test="false">
      <sender>example-city</sender>
      <printHouse>example-print</printHouse>
      <created>2026-03-01T06:12:09Z</created>
      <due>2026-03-03</due>
      <production envelope="C5" postage="economy" destination="domestic" registered="false" colour="false" duplex="true" paper="A4" sheetCentigrams="499"/>
      <counts pieces="2" pages="6" sheets="3" weightGrams="29"/>
      <mark symbology="DataMatrix ECC 200" digits="24" xMm="4" yMm="12" moduleMm="0.5"/>
      <pdf name="P-0031.pdf" bytes="12345" sha256="aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"/>
      <pieceList name="P-0031.pieces.csv" bytes="222" sha256="bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"/>
    </jobTicket>
    "#);
}

fn any_letter() -> impl Strategy<Value = Letter> {
    let flags = any::<[bool; 5]>();
    let place = (0..4_usize, 0..3_usize);
    (1..140_u32, flags, place).prop_map(|(pages, flags, (code, country))| {
        let [priority, registered, colour, duplex, address_page] = flags;
        let code = ["00100", "33100", "90100", "99800"][code];
        let country = ["FI", "SE", "DE"][country];
        Letter {
            postage: if priority {
                PostageClass::Priority
            } else {
                PostageClass::Economy
            },
            registered,
            colour,
            duplex,
            address_page,
            ..posted_to(letter(0, pages), code, country)
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

proptest! {
    #[test]
    fn every_letter_is_in_exactly_one_bundle_or_refused((letters, _) in letters_twice()) {
        let plan = plan(letters.clone(), &small_settings());
        let planned = plan.bundles.iter().flat_map(positions);
        let refused = plan.refused.iter().map(|(message, _)| message.position);
        let mut seen: Vec<u32> = planned.chain(refused).collect();
        seen.sort_unstable();
        prop_assert_eq!(seen, (1..).take(letters.len()).collect::<Vec<u32>>());
    }

    #[test]
    fn the_order_of_the_letters_does_not_matter((letters, shuffled) in letters_twice()) {
        let settings = small_settings();
        prop_assert_eq!(plan(letters, &settings), plan(shuffled, &settings));
    }

    #[test]
    fn bundles_keep_their_limits_and_add_up((letters, _) in letters_twice()) {
        let settings = small_settings();
        for bundle in plan(letters, &settings).bundles {
            prop_assert!((1..=4).contains(&bundle.pieces.len()));
            let mut next_page = 1;
            for (sequence, piece) in (1..).zip(&bundle.pieces) {
                prop_assert_eq!(piece.sequence, sequence);
                prop_assert_eq!(piece.first_page, next_page);
                prop_assert_eq!(&piece.envelope, &bundle.group.envelope);
                let rule = settings.envelopes.iter().find(|rule| rule.name == piece.envelope);
                prop_assert!(piece.sheets <= rule.unwrap().max_sheets);
                let sides = if piece.letter.duplex { 2 } else { 1 };
                prop_assert_eq!(piece.pages, piece.sheets * sides);
                next_page += piece.pages;
            }
            prop_assert_eq!(bundle.pages(), next_page - 1);
        }
    }

    #[test]
    fn a_planned_bundle_laid_out_again_is_the_same((letters, _) in letters_twice()) {
        let settings = small_settings();
        for bundle in plan(letters, &settings).bundles {
            let letters = bundle.pieces.iter().map(|piece| piece.letter.clone()).collect();
            prop_assert_eq!(lay_out(letters, &settings).unwrap(), bundle);
        }
    }

    #[test]
    fn letters_of_one_bundle_are_produced_alike((letters, _) in letters_twice()) {
        for bundle in plan(letters, &small_settings()).bundles {
            let kinds: BTreeSet<_> = bundle.pieces.iter().map(|piece| {
                let letter = &piece.letter;
                (letter.postage, letter.registered, letter.colour, letter.duplex)
            }).collect();
            prop_assert_eq!(kinds.len(), 1);
        }
    }
}
