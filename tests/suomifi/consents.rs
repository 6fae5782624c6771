//! Consent that is withdrawn while a message waits for its service counts at once.

use kuori::{
    domain::RecipientId,
    sample,
    store::{ConsentChange, ConsentStatus, Store},
    suomifi_stub::Trouble,
};

use super::{
    town::{NO_LIMIT, Town, spec},
    troubles::{SEND, run_through},
};

const LETTERS: u32 = 10;

fn recipient(position: u32) -> RecipientId {
    let spec = spec("letters.zip", LETTERS);
    let mut recipients = (1..).zip(sample::recipients(&spec));
    let (_, found) = recipients.find(|(nth, _)| *nth == position).unwrap();
    RecipientId::Person(found.id.unwrap())
}

/// Ten letters of which those that go to a mailbox wait for a service that is down.
async fn waiting() -> (Town, Vec<u32>) {
    let town = Town::new(NO_LIMIT).await;
    let positions = town.upload("example-city", "letters.zip", LETTERS);
    town.stub.trouble(Trouble::status(503).on(SEND));
    town.run().await;
    assert_eq!(town.queue().waiting, positions.len() as u64);
    (town, positions)
}

/// The service is there again: all but the first of these were taken by it, and that one was printed.
async fn assert_first_is_printed(town: &Town, positions: &[u32]) {
    town.stub.end_troubles();
    run_through(town).await;
    let mut taken = town.taken_by_batch().remove(&1).unwrap_or_default();
    taken.sort_unstable();
    assert_eq!(taken, positions[1..]);
    let counts = town.counts(1);
    let sent = positions.len() as u64 - 1;
    assert_eq!(
        (counts.delivered, counts.printed),
        (sent, u64::from(LETTERS) - sent)
    );
    town.assert_at_rest();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_withdraws_while_the_message_waits_gets_paper() {
    let (town, positions) = waiting().await;
    let now = jiff::Timestamp::now();
    let withdrawn = ConsentChange {
        recipient: recipient(positions[0]),
        status: ConsentStatus::Withdrawn,
        since: now,
    };
    let store = Store::open(&town.path("data")).unwrap();
    store.record_consents(&[withdrawn], "test", now).unwrap();
    drop(store);
    assert_first_is_printed(&town, &positions).await;
}
