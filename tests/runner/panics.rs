//! Bugs, and a store that fails: what they stop, and what they do not.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use kuori::{domain::BatchState, pipeline::Settings};

use super::{Guarded, Running, Yard, away, clock, letters, one_place, quick, until};
use crate::hub::now;

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_panics_holds_its_batch_and_no_other() {
    let yard = Yard::new();
    let batches: Vec<_> = (0..3)
        .map(|seed| yard.receive("example-city", &letters(20, seed)))
        .collect();
    let broken = batches[0];
    let guard = Guarded::with(move |of| {
        assert!(!of.contains(&broken), "a bug");
        Ok(())
    });
    let runner = yard.runner_with(one_place(), guard);
    runner.run_until_idle().await.unwrap();
    let row = yard.store.batch(broken).unwrap();
    let reason = row.reason.unwrap();
    assert_eq!(row.state, BatchState::Held);
    assert!(
        reason.contains("`deliver`") && reason.contains("panicked"),
        "{reason}"
    );
    for other in &batches[1..] {
        assert_eq!(yard.state(*other), BatchState::Reported);
    }
    // The sender is told.
    assert_eq!(row.reports, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_fails_for_good_holds_its_batch_after_its_last_try() {
    let yard = Yard::new();
    let batch = yard.receive("example-city", &letters(20, 1));
    let tries = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&tries);
    let settings = Settings {
        max_attempts: 3,
        ..one_place()
    };
    let runner = yard.runner_with(
        settings,
        Guarded::with(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            Err(away())
        }),
    );
    for second in 0..10 {
        yard.set_clock(now() + SignedDuration::from_secs(second));
        runner.run_until_idle().await.unwrap();
    }
    assert_eq!(tries.load(Ordering::SeqCst), 3);
    assert_eq!(yard.state(batch), BatchState::Held);
}

/// A clock that panics when it is asked for the `at`-th time stands for a bug anywhere in the
/// runner.
#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_the_runner_itself_ends_nothing_but_what_it_was_at() {
    for few in (1..=16).collect::<Vec<_>>().chunks(4) {
        let houses = few.iter().map(|at| tokio::spawn(gets_over_a_panic(*at)));
        for house in houses.collect::<Vec<_>>() {
            house.await.unwrap();
        }
    }
}

async fn gets_over_a_panic(at: u32) {
    let yard = Yard::new();
    let first = yard.receive("example-city", &letters(1, 1));
    let (asked, began) = (AtomicU32::new(0), Instant::now());
    let settings = Settings {
        lease: SignedDuration::from_secs(1),
        ..quick()
    };
    let runner = yard.runner_with(settings, |house| {
        house.clock = clock(move || {
            assert_ne!(asked.fetch_add(1, Ordering::SeqCst) + 1, at, "a bug");
            now() + SignedDuration::try_from(began.elapsed()).unwrap()
        });
    });
    let running = Running::start(runner);
    let is_told = |batch| {
        let row = yard.store.batch(batch).unwrap();
        let ends = [BatchState::Reported, BatchState::Held];
        ends.contains(&row.state) && row.reports == 1
    };
    until(&format!("the batch comes to an end: panic {at}"), || {
        is_told(first)
    })
    .await;
    let second = yard.receive("example-city", &letters(1, 2));
    until(&format!("the next one is reported: panic {at}"), || {
        yard.state(second) == BatchState::Reported
    })
    .await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_busy_when_a_step_ends_keeps_that_end_and_holds_up_nobody_for_long() {
    let yard = Arc::new(Yard::new());
    let batch = yard.receive("example-city", &letters(20, 1));
    let running = {
        let yard = Arc::clone(&yard);
        Running::start(Arc::clone(&yard).runner(quick()))
    };
    until("it is reported", || {
        yard.state(batch) == BatchState::Reported
    })
    .await;
    // Somebody else writes, for longer than the store waits.
    let path = yard.folder.path().join("data/kuori.sqlite");
    let other = rusqlite::Connection::open(path).unwrap();
    other.busy_timeout(Duration::from_mins(1)).unwrap();
    let next = yard.receive("example-city", &letters(20, 2));
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    tokio::time::sleep(Duration::from_secs(7)).await;
    other.execute_batch("COMMIT").unwrap();
    until("the next one is reported", || {
        yard.state(next) == BatchState::Reported
    })
    .await;
    running.stop().await;
    yard.assert_all_gone(&[batch, next]);
}
