use std::collections::HashSet;

use jiff::SignedDuration;
use kuori::{
    domain::{BatchId, BatchState, MessageId},
    suomifi_stub::{Misdeed, Trouble},
};

use super::town::{NO_LIMIT, SENDERS, Town, of_sender};

#[tokio::test(flavor = "multi_thread")]
async fn every_message_of_a_batch_reaches_the_service_once_and_its_batch_is_reported() {
    let town = Town::new(NO_LIMIT).await;
    let letters = town.upload("example-city", "letters.zip", 60);
    town.run().await;
    town.assert_once(&letters);
    let batch = town.store().batch(BatchId(1)).unwrap();
    assert_eq!(batch.state, BatchState::Reported);
    // A PDF each, and none was uploaded twice.
    assert_eq!(town.stub.counts().uploads, letters.len() as u64);
    town.assert_at_rest();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_shown_with_its_letter_and_remembered_by_the_services_number() {
    let town = Town::with(
        NO_LIMIT,
        kuori::suomifi_stub::Settings {
            keeps_bodies: true,
            ..kuori::suomifi_stub::Settings::default()
        },
    )
    .await;
    town.upload("example-city", "letters.zip", 1);
    town.run().await;
    let taken = town.stub.accepted().remove(0);
    let upload = town.stub.upload(&taken.attachments[0]).unwrap();
    assert_eq!(
        (upload.0.as_str(), upload.1.as_str()),
        ("B-0001-1.pdf", "application/pdf")
    );
    assert!(upload.2.starts_with(b"%PDF-"));
    let number = town
        .store()
        .message(MessageId {
            batch: BatchId(1),
            position: 1,
        })
        .unwrap();
    assert_eq!(number.mailbox_reference, Some(taken.message_id.to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_messages_of_a_batch_arrive_in_their_order() {
    let town = Town::new(NO_LIMIT).await;
    let letters = town.upload("example-city", "letters.zip", 40);
    // One of them takes its time, and another one is not taken at first.
    town.stub.trouble(slow().skip(5).times(1));
    let fails = Trouble::status(503).on("/v2/messages");
    town.stub.trouble(fails.skip(17).times(1));
    town.run().await;
    town.run_after(SignedDuration::from_mins(15)).await;
    assert_eq!(town.taken_by_batch()[&1], letters);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_a_batch_outlives_a_long_outage() {
    let town = Town::new(NO_LIMIT).await;
    let letters = town.upload("example-city", "letters.zip", 12);
    let too_many = Trouble::status(429).on("/v2/messages");
    town.stub.trouble(too_many.skip(2).times(20));
    for hour in 0..24 {
        town.run_after(SignedDuration::from_hours(hour)).await;
    }
    assert_eq!(town.taken_by_batch()[&1], letters);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_order_one_that_takes_its_time_holds_up_no_other() {
    let town = Town::new(&format!("in_order = false\n{NO_LIMIT}")).await;
    let letters = town.upload("example-city", "letters.zip", 40);
    town.stub.trouble(slow().skip(20).times(1));
    town.run().await;
    assert_ne!(town.taken_by_batch()[&1], letters);
    town.assert_once(&letters);
}

fn slow() -> Trouble {
    Trouble::new(Misdeed::Slow(500)).on("/v2/messages")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_batch_does_not_wait_for_a_large_one_and_senders_take_turns() {
    let town = Town::new("rate_per_sec = 40.0\nturn_secs = 1\nin_flight = 2").await;
    town.upload("example-city", "large.zip", 200);
    town.upload("hospital", "large-too.zip", 200);
    let small = town.upload("hospital", "small.zip", 5);
    let works = town.open();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let working = tokio::spawn(async move { works.run_until_idle_or(&stopped).await.map(drop) });
    while town.stub.accepted().len() < 240 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    stop.send_replace(true);
    working.await.unwrap().unwrap();
    let taken = town.stub.accepted();
    let first: Vec<_> = taken.iter().take(240).cloned().collect();
    for sender in SENDERS {
        // Six turns of 40: each has had two or more.
        let had = of_sender(&first, sender);
        assert!(had >= 70, "{sender}: {had} of 240");
    }
    let batches = town.taken_by_batch();
    assert_eq!(batches.len(), 3);
    assert!(batches.values().any(|positions| *positions == small));
    // What a turn leaves is begun first in the next one, and nothing is sent twice.
    let once: HashSet<_> = town.taken().into_iter().collect();
    assert_eq!(once.len(), taken.len());
}
