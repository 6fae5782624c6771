//! Letters of one household go through the house in one envelope.

use std::{
    fmt::Write as _,
    fs,
    io::{Cursor, Write as _},
};

use kuori::{
    domain::{
        BatchId, BundleId, BundleState, Code, DocumentName, Finding, Letter, MessageId, PageRange,
        Place, PostageClass, PostalAddress, PrintFacts, Step,
    },
    print::{self, AddressPageSettings},
    store::{Again, NewBundle, Selection},
};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{
    flow::planned,
    hub::{Hub, because, now},
};

/// Name and kind of service of each letter; all live at one address.
type Letters<'a> = &'a [(&'a str, &'a str)];

const TO_TWO_PEOPLE: Letters<'_> = &[
    ("Maija Mallikas", "ordinary"),
    ("Matti Mallikas", "ordinary"),
    ("MAIJA MALLIKAS", "ordinary"),
];

/// A batch of one-page letters.
fn batch(letters: Letters<'_>) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |name: &str, content: &[u8]| {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    };
    let mut table = "letter_id,name,address,postal_code,city,file,service\n".to_owned();
    for (number, (name, service)) in (1..).zip(letters) {
        let address = "Mallikatu 1 A 1,00100,Helsinki";
        writeln!(table, "K-{number},{name},{address},{number}.pdf,{service}").unwrap();
        add(&format!("{number}.pdf"), &page(name));
    }
    add("batch.csv", table.as_bytes());
    zip.finish().unwrap().into_inner()
}

/// A page with the recipient in its window.
pub(crate) fn page(name: &str) -> Vec<u8> {
    let letter = Letter {
        message: MessageId {
            batch: BatchId(1),
            position: 1,
        },
        pages: PageRange {
            document: DocumentName(String::new()),
            first: 1,
            count: 1,
        },
        address: PostalAddress {
            name: Some(name.into()),
            street: Some("Mallikatu 1 A 1".into()),
            postal_code: Some("00100".into()),
            city: Some("Helsinki".into()),
            country: None,
            additional_name: None,
        },
        recipient: None,
        subject: None,
        postage: PostageClass::Economy,
        registered: false,
        colour: false,
        duplex: true,
        address_page: false,
        shares_envelope: false,
        facts: PrintFacts::default(),
    };
    print::address_page(&letter, &[], &AddressPageSettings::default())
}

fn sharing() -> Hub {
    Hub::with(|sender| sender.household = true)
}

/// The column `messages` of a bundle's piece list.
fn envelopes(hub: &Hub, bundle: &str) -> Vec<String> {
    let file = format!("pickup/{bundle}/{bundle}.pieces.csv");
    let list = fs::read_to_string(hub.print_house_folder().join(file)).unwrap();
    let messages = |row: &str| row.rsplit(',').next().unwrap().to_owned();
    list.lines().skip(1).map(messages).collect()
}

fn reprocess(hub: &Hub, positions: &[u32], from: Option<Step>, print: bool) {
    let selection = Selection {
        batch: BatchId(1),
        positions: positions.to_vec(),
        from,
        again: Again {
            print,
            deliver: false,
        },
    };
    let plan = hub.store.reprocess(&selection, &because("a test")).unwrap();
    assert!(plan.blocked.is_empty(), "{:?}", plan.blocked);
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_to_one_recipient_go_in_one_envelope_and_each_is_told() {
    let hub = sharing();
    hub.process("batch.zip", &batch(TO_TWO_PEOPLE)).await;
    assert_eq!(hub.counts().printed, 3);
    assert_eq!(envelopes(&hub, "P-0001"), ["B-0001-1 B-0001-3", "B-0001-2"]);
    let row = hub.store.bundle(BundleId(1)).unwrap();
    assert_eq!((row.pieces, row.letters, row.pages), (2, 3, 6));
    let pieces = hub.store.pieces(BundleId(1)).unwrap();
    let places = pieces
        .iter()
        .map(|row| (row.message.position, row.sequence, row.first_page));
    assert_eq!(
        places.collect::<Vec<_>>(),
        [(1, 1, 1), (3, 1, 3), (2, 2, 5)]
    );
    let report = hub.receipt("delivery");
    let told = report.matches(r#"bundle="P-0001" piece="1""#).count();
    assert_eq!(
        told,
        report.matches(r#"bundle="P-0001" piece="2""#).count() * 2
    );
    assert!(told > 0, "{report}");
    let third = hub.store.message(pieces[1].message).unwrap();
    assert_eq!(
        hub.store.messages_beside(&third).unwrap(),
        [pieces[0].message]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_letter_has_an_envelope_of_its_own_unless_the_sender_wants_otherwise() {
    let hub = Hub::new();
    hub.process("batch.zip", &batch(TO_TWO_PEOPLE)).await;
    let row = hub.store.bundle(BundleId(1)).unwrap();
    assert_eq!((row.pieces, row.letters), (3, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verifiable_letter_goes_alone() {
    let hub = sharing();
    let letters = [
        ("Maija Mallikas", "ordinary"),
        ("Maija Mallikas", "verifiable"),
        ("Maija Mallikas", "ordinary"),
    ];
    hub.process("batch.zip", &batch(&letters)).await;
    let mut told = envelopes(&hub, "P-0001");
    told.extend(envelopes(&hub, "P-0002"));
    assert_eq!(told, ["B-0001-1 B-0001-3", "B-0001-2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_letter_of_a_shared_envelope_set_back_takes_the_bundle_back_and_shares_again() {
    let hub = sharing();
    hub.upload("batch.zip", &batch(TO_TWO_PEOPLE));
    hub.run_without_hand_over().await;
    reprocess(&hub, &[3], Some(Step::Compose), false);
    hub.run().await;
    let withdrawn = hub.store.bundle(BundleId(1)).unwrap();
    assert_eq!(withdrawn.state, BundleState::Withdrawn);
    assert_eq!(hub.names("print-house/pickup"), ["P-0002"]);
    assert_eq!(envelopes(&hub, "P-0002"), ["B-0001-1 B-0001-3", "B-0001-2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_of_a_shared_envelope_is_printed_again_alone_or_with_those_named_beside_it() {
    let hub = sharing();
    hub.process("batch.zip", &batch(TO_TWO_PEOPLE)).await;
    reprocess(&hub, &[3], Some(Step::Compose), true);
    hub.run().await;
    assert_eq!(envelopes(&hub, "P-0002"), ["B-0001-3"]);
    let first = hub.store.message(MessageId {
        batch: BatchId(1),
        position: 1,
    });
    assert_eq!(first.unwrap().bundle, Some(BundleId(1)));
    reprocess(&hub, &[1, 3], Some(Step::Compose), true);
    hub.run().await;
    assert_eq!(envelopes(&hub, "P-0003"), ["B-0001-1 B-0001-3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_shared_envelope_only_the_letter_that_cannot_be_composed_is_held() {
    let hub = sharing();
    hub.upload("batch.zip", &batch(TO_TWO_PEOPLE));
    hub.run_without_hand_over().await;
    let composed = hub.store.bundle(BundleId(1)).unwrap();
    let pieces = hub.store.pieces(composed.id).unwrap();
    reprocess(&hub, &[1, 2, 3], Some(Step::Compose), false);
    // Planned once more, and found at composing.
    let again = NewBundle {
        print_house: composed.print_house,
        group: composed.group,
        pieces: pieces.iter().map(planned).collect(),
    };
    hub.store
        .record_plan(composed.batch, [again], now())
        .unwrap();
    let bundle = hub.store.bundle(BundleId(2)).unwrap();
    let finding = Finding::new(Code::LetterNotComposable, Place::message(3), "a test");
    let third = pieces[1].message;
    hub.store.hold_letter_of(&bundle, third, &finding).unwrap();
    hub.run().await;
    assert_eq!(hub.counts().held, 1);
    assert_eq!(envelopes(&hub, "P-0003"), ["B-0001-1", "B-0001-2"]);
}
