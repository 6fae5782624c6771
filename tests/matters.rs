//! Recipients who want letters of a matter on paper, at another address than their senders know.

use std::{
    fs,
    io::{Cursor, Write as _},
};

use kuori::{
    consents::address_of_rows,
    domain::{BatchId, Channel, MessageId, MessageState, Reason},
    pipeline::SenderSettings,
    store::{ConsentChange, ConsentStatus, MatterWish, MessageRow},
};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::hub::{Hub, because, now};

const FIRST: &str = "010190-999W";
const SECOND: &str = "010190-900P";
const ELSEWHERE: [&str; 3] = ["Edunvalvonta Oy", "Toinenkatu 5", "33100 Tampere"];

/// A batch of one-page letters: id, whose, and of which matter.
fn batch(letters: &[(&str, &str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |name: &str, content: &[u8]| {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    };
    let mut table = "letter_id,recipient_id,name,address,postal_code,city,file,matter\n".to_owned();
    for (letter, id, matter) in letters {
        let address = "Maija Mallikas,Mallikatu 1 A 1,00100,Helsinki";
        let file = format!("{letter}.pdf");
        let row = [letter, id, address, file.as_str(), matter];
        table.extend([row.join(",").as_str(), "\n"]);
        add(
            &format!("{letter}.pdf"),
            &crate::households::page("Maija Mallikas"),
        );
    }
    add("batch.csv", table.as_bytes());
    zip.finish().unwrap().into_inner()
}

/// Both have consented; the first one wants letters of the school elsewhere.
fn house(change: impl FnOnce(&mut SenderSettings)) -> Hub {
    let hub = Hub::with(change);
    let change = |id: &str| ConsentChange {
        recipient: id.parse().unwrap(),
        status: ConsentStatus::Granted,
        since: "2026-01-01T00:00:00Z".parse().unwrap(),
    };
    let page = [FIRST, SECOND].map(change);
    hub.store.record_consents(&page, "a test", now()).unwrap();
    set(&hub, true);
    hub
}

fn set(hub: &Hub, elsewhere: bool) {
    let wish = MatterWish {
        matter: "school".parse().unwrap(),
        print_only: elsewhere,
        address: elsewhere.then(|| address_of_rows(&ELSEWHERE).unwrap()),
    };
    let first = FIRST.parse().unwrap();
    hub.store
        .set_matter_by(&first, &wish, &because("they asked for it"))
        .unwrap();
}

fn message(hub: &Hub, position: u32) -> MessageRow {
    let batch = BatchId(1);
    hub.store.message(MessageId { batch, position }).unwrap()
}

/// Pages, and postal code, of each piece of the first bundle.
fn pieces(hub: &Hub) -> Vec<(String, String)> {
    let file = "pickup/P-0001/P-0001.pieces.csv";
    let list = fs::read_to_string(hub.print_house_folder().join(file)).unwrap();
    let piece = |row: &str| {
        let fields: Vec<_> = row.split(',').collect();
        (fields[3].to_owned(), fields[8].to_owned())
    };
    list.lines().skip(1).map(piece).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_of_a_matter_go_to_the_address_that_their_recipient_wants() {
    let hub = house(|sender| sender.household = true);
    let letters = [
        ("a", FIRST, "school"),
        ("b", FIRST, "tax"),
        ("c", SECOND, "school"),
    ];
    hub.process("batch.zip", &batch(&letters)).await;
    let first = message(&hub, 1);
    assert_eq!(first.channel, Some(Channel::Print));
    assert_eq!(first.reason, Some(Reason::MatterIsPrintOnly));
    assert_eq!((hub.counts().delivered, hub.counts().printed), (2, 1));
    // Two sheets: the letter behind a page that shows the other address.
    assert_eq!(pieces(&hub), [("4".to_owned(), "33100".to_owned())]);
    for position in [2, 3] {
        assert_eq!(message(&hub, position).other_address, None);
    }
    let told = format!("{:?}", hub.store.message(first.id).unwrap());
    assert!(!told.contains("Toinenkatu"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_is_planned_with_the_address_of_its_decision_and_routed_anew_without_it() {
    let hub = house(|_| {});
    hub.upload("batch.zip", &batch(&[("a", FIRST, "school")]));
    hub.poll().await;
    while message_state(&hub) != Some(MessageState::Routed) {
        assert!(hub.run_one_step().await);
    }
    // Too late for this letter, and heeded by the next one.
    set(&hub, false);
    hub.run().await;
    assert_eq!(pieces(&hub), [("4".to_owned(), "33100".to_owned())]);
    hub.process(
        "next.zip",
        &batch(&[("b", FIRST, "school"), ("c", SECOND, "tax")]),
    )
    .await;
    assert_eq!(hub.counts().delivered, 2);
}

fn message_state(hub: &Hub) -> Option<MessageState> {
    let batch = BatchId(1);
    let found = hub.store.message(MessageId { batch, position: 1 }).ok()?;
    Some(found.state)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_address_goes_with_what_else_a_message_says_of_a_person() {
    let hub = house(|_| {});
    hub.process("batch.zip", &batch(&[("a", FIRST, "school")]))
        .await;
    assert!(message(&hub, 1).other_address.is_some());
    let id = message(&hub, 1).id;
    let erased = hub.store.erase(id, &because("they asked for it")).unwrap();
    assert_eq!(erased.kept, None);
    assert_eq!(message(&hub, 1).other_address, None);
}
