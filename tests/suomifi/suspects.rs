//! One message that the service does not take, while it takes others; and a service that takes none.

use jiff::SignedDuration;
use kuori::{
    domain::{BatchId, Code, MessageId, Step},
    store::{Again, Selection},
    suomifi_stub::Trouble,
};

use super::{
    town::{NO_LIMIT, Town},
    troubles::SEND,
};
use crate::hub::because;

const SET_ASIDE_SOON: &str = "set_aside_after_tries = 2\nset_aside_after_hours = 24";

async fn town() -> Town {
    Town::new(&format!("{NO_LIMIT}\n{SET_ASIDE_SOON}")).await
}

/// Works once at each of these hours from now.
async fn run_at(town: &Town, hours: impl IntoIterator<Item = i64>) {
    for hour in hours {
        town.run_after(SignedDuration::from_hours(hour)).await;
    }
}

/// A batch whose first message always meets with the trouble. Returns its messages.
fn with_one_that_meets(town: &Town, trouble: Trouble) -> (u32, Vec<u32>) {
    let letters = town.upload("example-city", "letters.zip", 8);
    let (first, others) = letters.split_first().unwrap();
    town.stub
        .trouble(trouble.on(SEND).about(&format!(".B-0001-{first}-")));
    (*first, others.to_vec())
}

/// The service takes others before a second try that counts, and after a day before a third one.
async fn pass_a_day(town: &Town) {
    run_at(town, 0..4).await;
    town.upload("hospital", "more.zip", 2);
    run_at(town, 4..6).await;
    assert_eq!(town.counts(1).held, 0);
    run_at(town, [30]).await;
    assert_eq!(town.counts(1).held, 0, "it took nobody else since");
    town.upload("hospital", "further.zip", 2);
    run_at(town, 31..34).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_not_taken_while_others_are_costs_them_little_and_is_set_aside_in_the_end()
 {
    let town = town().await;
    let (first, others) = with_one_that_meets(&town, Trouble::status(403));
    // Nobody knows whether it is the service, until that takes others.
    run_at(&town, 0..2).await;
    town.upload("hospital", "first.zip", 2);
    run_at(&town, 2..5).await;
    let mut taken = town.taken_by_batch()[&1].clone();
    taken.sort_unstable();
    assert_eq!(taken, others);
    // From then on nobody else waits for it.
    let queue = town.queue();
    assert_eq!((queue.waiting, queue.state.failing_since), (1, None));
    let (batch, position) = (BatchId(1), first);
    let message = MessageId { batch, position };
    let row = town.store().queued(message).unwrap().unwrap();
    assert!(row.refusals > 0 && row.retry_at.is_some(), "{row:?}");
    pass_a_day(&town).await;
    assert_eq!(town.counts(1).held, 1);
    assert_eq!(town.counts(1).delivered, others.len() as u64);
    let found = town.store().findings_between(batch, first, first).unwrap();
    let found = found
        .iter()
        .find(|it| it.code == Code::MailboxServiceRefused);
    let words = &found.unwrap().detail;
    assert!(words.contains("403, Forbidden"), "{words}");
    town.assert_at_rest();
    // What held it up is mended, and it goes under the same id.
    town.stub.end_troubles();
    let again = Selection {
        batch,
        positions: vec![first],
        from: Some(Step::Deliver),
        again: Again::default(),
    };
    let action = because("it was mended");
    let plan = town.store().reprocess(&again, &action).unwrap();
    assert_eq!(plan.blocked, []);
    run_at(&town, [35]).await;
    assert_eq!(town.counts(1).held, 0);
    assert!(town.taken_by_batch()[&1].contains(&first));
    town.assert_at_rest();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_taken_in_spite_of_its_answers_is_asked_about_and_not_set_aside() {
    let town = town().await;
    let trouble = Trouble::status(500).after_effect();
    let (first, mut letters) = with_one_that_meets(&town, trouble);
    pass_a_day(&town).await;
    let repeats = town.stub.counts().repeats;
    assert!(repeats >= 4, "it was tried again {repeats} times");
    let counts = town.counts(1);
    letters.insert(0, first);
    assert_eq!((counts.held, counts.delivered), (0, letters.len() as u64));
    let mut taken = town.taken_by_batch()[&1].clone();
    taken.sort_unstable();
    assert_eq!(taken, letters);
    town.assert_at_rest();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_service_takes_nobody_for_a_day_nothing_is_set_aside_and_then_all_goes() {
    let town = town().await;
    town.upload("hospital", "before.zip", 2);
    town.run().await;
    let down = || Trouble::status(503).on("/v2");
    // Some were refused before, and others taken since.
    let letters = town.upload("example-city", "letters.zip", 10);
    town.stub.trouble(down().times(3));
    run_at(&town, [1]).await;
    town.stub.trouble(down());
    run_at(&town, (2..=32).step_by(3)).await;
    let queue = town.queue();
    assert!(queue.waiting > 0 && queue.state.failing_since.is_some());
    town.stub.end_troubles();
    run_at(&town, 33..37).await;
    let counts = town.counts(2);
    assert_eq!((counts.held, counts.delivered), (0, letters.len() as u64));
    let mut taken = town.taken_by_batch()[&2].clone();
    taken.sort_unstable();
    assert_eq!(taken, letters);
    town.assert_at_rest();
}
