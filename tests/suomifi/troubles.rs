use std::time::{Duration, Instant};

use kuori::{
    domain::{BatchId, Channel, MessageId, Reason},
    monitor::{AlertSettings, Weight, troubles},
    store::NewEvent,
    suomifi_stub::{Misdeed, Trouble},
};

use super::town::{NO_LIMIT, Town};
use crate::hub::because;

pub(super) const SEND: &str = "/v2/messages/electronic";
const UPLOAD: &str = "/v2/attachments";
const PATIENCE: Duration = Duration::from_mins(2);

/// Works, and waits while the service is left alone, until nothing waits any more.
pub(super) async fn run_through(town: &Town) {
    let since = Instant::now();
    loop {
        town.run().await;
        let queue = town.queue();
        if queue.waiting + queue.sending == 0 {
            return;
        }
        assert!(since.elapsed() < PATIENCE, "{queue:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn comes_through(letters: u32, troubles: impl IntoIterator<Item = Trouble>) -> Town {
    let town = Town::new(NO_LIMIT).await;
    let letters = town.upload("example-city", "letters.zip", letters);
    troubles.into_iter().for_each(|it| town.stub.trouble(it));
    run_through(&town).await;
    town.assert_once(&letters);
    assert!(town.stub.counts().mishaps > 0, "nothing went wrong");
    assert_eq!(town.queue().state.failing_since, None);
    town.assert_at_rest();
    town
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_5xx_and_429_are_waited_out() {
    comes_through(
        20,
        [
            Trouble::status(502).on(SEND).skip(4).times(2),
            Trouble::status(503).on(UPLOAD).skip(7).times(1),
            Trouble::status(429).on(SEND).skip(9).times(1),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_answer_was_lost_is_sent_again_and_stays_one() {
    let town = comes_through(
        20,
        [
            Trouble::new(Misdeed::Cut)
                .on(SEND)
                .after_effect()
                .skip(3)
                .times(2),
            Trouble::new(Misdeed::CutMiddle).on(SEND).skip(8).times(1),
            Trouble::new(Misdeed::BrokenJson).on(SEND).skip(9).times(1),
            Trouble::status(500)
                .on(SEND)
                .after_effect()
                .skip(12)
                .times(1),
        ],
    )
    .await;
    assert!(town.stub.counts().repeats >= 3, "{:?}", town.stub.counts());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_whose_answer_was_lost_is_made_again() {
    let cut = Trouble::new(Misdeed::Cut).on(UPLOAD).after_effect();
    let town = comes_through(10, [cut.skip(2).times(2)]).await;
    let uploads = town.stub.counts().uploads;
    assert!((11..=20).contains(&uploads), "{uploads}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_end_in_the_middle_and_slow_answers_harm_nothing() {
    comes_through(
        30,
        [
            Trouble::new(Misdeed::ExpireToken).on(SEND).skip(5).times(3),
            Trouble::new(Misdeed::Unauthorized)
                .on(UPLOAD)
                .skip(9)
                .times(1),
            Trouble::new(Misdeed::Slow(700)).on(SEND).skip(4).times(4),
            Trouble::new(Misdeed::UnknownFields),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_at_random_harms_nothing() {
    let town = Town::new(NO_LIMIT).await;
    let letters = town.upload("example-city", "letters.zip", 40);
    for misdeed in [
        Misdeed::Cut,
        Misdeed::CutMiddle,
        Misdeed::WrongType,
        Misdeed::ExpireToken,
    ] {
        town.stub
            .trouble(Trouble::new(misdeed).on("/v2").share(0.02).times(4));
    }
    town.stub.trouble(
        Trouble::status(500)
            .on("/v2")
            .share(0.05)
            .after_effect()
            .times(4),
    );
    run_through(&town).await;
    town.assert_once(&letters);
    town.assert_at_rest();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_down_holds_nothing_and_goes_on_by_itself() {
    let town = Town::new(NO_LIMIT).await;
    let letters = town.upload("example-city", "letters.zip", 10);
    town.stub.trouble(Trouble::new(Misdeed::Cut).on("/v2"));
    town.run().await;
    let queue = town.queue();
    assert_eq!((queue.waiting, queue.sending), (letters.len() as u64, 0));
    assert!(queue.state.failing_since.is_some() && queue.state.retry_at.is_some());
    assert!(
        queue
            .state
            .last_error
            .unwrap()
            .contains("cannot be reached")
    );
    assert_eq!(town.counts(1).held, 0);
    town.stub.end_troubles();
    run_through(&town).await;
    town.assert_once(&letters);
    town.assert_at_rest();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_lets_nobody_in_is_left_alone_for_a_while() {
    let town = Town::new("rate_per_sec = 0.0\nfirst_wait_secs = 1\nlongest_wait_secs = 100").await;
    town.upload("example-city", "letters.zip", 3);
    town.stub
        .trouble(Trouble::new(Misdeed::NotListed).on("/v2"));
    town.run().await;
    let state = town.queue().state;
    let wait = state.retry_at.unwrap() - state.failing_since.unwrap();
    assert!(wait.total(jiff::Unit::Second).unwrap() >= 55.0, "{wait}");
    let asked = town.stub.counts().requests;
    town.run().await;
    assert_eq!(town.stub.counts().requests, asked, "it was asked again");
    // Unless an operator says so.
    let name = "letters".parse().unwrap();
    let action = because("it was mended");
    town.store().retry_service(&name, &action).unwrap();
    town.run().await;
    assert_ne!(town.stub.counts().requests, asked, "it was not asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_status_is_asked_about_as_soon_as_the_service_answers_again() {
    let town = Town::new(NO_LIMIT).await;
    town.upload("example-city", "letters.zip", 3);
    town.stub.trouble(Trouble::new(Misdeed::NotListed));
    let works = town.open();
    works.run_until_idle().await.unwrap();
    assert_eq!(town.counts(1).waiting, 3);
    let now = jiff::Timestamp::now();
    let status = town.store().status(now).unwrap();
    let found = troubles(&status, &AlertSettings::default(), now);
    let down = found.iter().find(|it| it.code.as_str() == "service-down");
    assert_eq!(down.unwrap().weight, Weight::Operator, "{down:?}");
    // Nobody waits for the ten minutes after which they would be asked about anyway.
    town.stub.end_troubles();
    let action = NewEvent {
        at: now,
        ..because("it was mended")
    };
    let name = "letters".parse().unwrap();
    town.store().retry_service(&name, &action).unwrap();
    works.run_until_idle().await.unwrap();
    let counts = town.counts(1);
    assert_eq!((counts.waiting, counts.delivered), (0, 3));
    town.assert_at_rest();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_batch_that_is_answered_ends_the_wait_of_the_others() {
    let town = Town::new(NO_LIMIT).await;
    town.upload("example-city", "letters.zip", 3);
    town.stub.trouble(Trouble::status(503).on("/v1/mailboxes"));
    town.run().await;
    assert_eq!(town.counts(1).waiting, 3);
    town.stub.end_troubles();
    // As if the wait were over for which it is left alone.
    let rows = rusqlite::Connection::open(town.path("data/kuori.sqlite")).unwrap();
    let over = "UPDATE mailbox_services SET retry_at = retry_at - 3600000";
    assert_eq!(rows.execute(over, []).unwrap(), 1);
    town.upload("hospital", "more.zip", 2);
    town.run().await;
    assert_eq!(town.counts(2).delivered, 2);
    assert_eq!(town.counts(1).delivered, 3);
    town.assert_at_rest();
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_the_service_has_thrown_away_are_uploaded_again_once() {
    let town = Town::new(NO_LIMIT).await;
    let letters = town.upload("example-city", "letters.zip", 4);
    // Uploaded, and then the service is down for a day.
    town.stub.trouble(Trouble::status(503).on(SEND));
    town.run().await;
    town.stub.put_clock_forward(Duration::from_hours(25));
    town.stub.end_troubles();
    run_through(&town).await;
    town.assert_once(&letters);
    town.assert_at_rest();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_refuses_waits_for_the_operator_with_its_words() {
    let town = Town::new(NO_LIMIT).await;
    town.upload("example-city", "letters.zip", 3);
    town.stub.trouble(Trouble::status(400).on(SEND).times(1));
    run_through(&town).await;
    let counts = town.counts(1);
    assert_eq!((counts.delivered, counts.held), (2, 1));
    town.assert_at_rest();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_that_is_said_to_be_in_use_and_takes_nothing_ends_on_paper() {
    let town = Town::new(NO_LIMIT).await;
    let letters = town.upload("example-city", "letters.zip", 10);
    town.stub.trouble(Trouble::new(Misdeed::Cut).on("/v2"));
    town.run().await;
    let (batch, now) = (BatchId(1), jiff::Timestamp::now());
    let (refused, others) = letters.split_first().unwrap();
    town.store()
        .record_no_mailbox(batch, &[*refused], now)
        .unwrap();
    town.stub.end_troubles();
    run_through(&town).await;
    town.run().await;
    let position = *refused;
    let message = town.store().message(MessageId { batch, position });
    let message = message.unwrap();
    assert_eq!(message.channel, Some(Channel::Print));
    assert_eq!(message.reason, Some(Reason::MailboxInactive));
    town.assert_once(others);
    town.assert_at_rest();
}
