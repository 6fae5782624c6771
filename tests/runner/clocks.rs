//! Clocks that are set back or forward, while the house works and between two runs.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use jiff::{SignedDuration, Timestamp};
use kuori::{
    domain::{BackOff, BatchState},
    pipeline::Settings,
};

use super::{Guarded, Yard, away, letters, one_place};
use crate::{hub::now, program::Dice};

/// Waits of at most ten minutes.
fn patient() -> Settings {
    Settings {
        back_off: BackOff {
            first: SignedDuration::from_mins(10),
            longest: SignedDuration::from_mins(10),
        },
        max_attempts: 1_000,
        ..one_place()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn however_the_clock_is_set_nothing_waits_for_longer_than_it_was_meant_to_and_nothing_goes_twice()
 {
    for seed in 0..4 {
        waits_as_long_as_meant(seed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute"]
async fn however_often_the_clock_is_set_nothing_waits_for_longer() {
    for seed in 4..40 {
        waits_as_long_as_meant(seed).await;
    }
}

/// Delivery fails again and again while the clock is set at random. After each try, the time that the
/// longest wait takes passes: then it has been tried again.
async fn waits_as_long_as_meant(seed: u64) {
    let yard = Yard::new();
    let batch = yard.receive("example-city", &letters(6, seed));
    let (tries, works) = (
        Arc::new(AtomicU32::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let guard = || {
        let (tries, works) = (Arc::clone(&tries), Arc::clone(&works));
        Guarded::with(move |_| {
            tries.fetch_add(1, Ordering::SeqCst);
            if works.load(Ordering::SeqCst) {
                Ok(())
            } else {
                Err(away())
            }
        })
    };
    let runner = yard.runner_with(patient(), guard());
    let mut dice = Dice(seed);
    let mut time = now();
    runner.run_until_idle().await.unwrap();
    for round in 0..8 {
        let before = tries.load(Ordering::SeqCst);
        let hours = i64::try_from(dice.below(200)).unwrap() - 100;
        time += SignedDuration::from_hours(hours);
        works.store(round == 7, Ordering::SeqCst);
        yard.set_clock(time);
        runner.run_until_idle().await.unwrap();
        // A set clock is followed to the minute.
        for _ in 0..11 {
            time += SignedDuration::from_mins(1);
            yard.set_clock(time);
            runner.run_until_idle().await.unwrap();
        }
        let after = tries.load(Ordering::SeqCst);
        assert!(
            after > before,
            "seed {seed}, round {round}: set by {hours} h"
        );
    }
    assert_eq!(yard.state(batch), BatchState::Reported, "seed {seed}");
    yard.assert_all_gone(&[batch]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_set_back_between_two_runs_is_noticed_by_the_second() {
    let yard = Yard::new();
    let batch = yard.receive("example-city", &letters(6, 1));
    let first = yard.runner_with(patient(), Guarded::with(|_| Err(away())));
    first.run_until_idle().await.unwrap();
    drop(first);
    let earlier = now() - SignedDuration::from_hours(5);
    yard.set_clock(earlier);
    let second = yard.runner(patient());
    second.run_until_idle().await.unwrap();
    let due = yard.store.batch(batch).unwrap().due_at;
    let within = earlier + SignedDuration::from_mins(10);
    assert!(due.is_none_or(|due| due <= within), "{due:?}");
    yard.set_clock(within);
    second.run_until_idle().await.unwrap();
    yard.assert_all_gone(&[batch]);
}

#[test]
fn what_is_handed_over_and_told_follows_the_clock_too() {
    let yard = Yard::new();
    let batch = yard.receive("example-city", &letters(6, 1));
    let (at, store) = (now(), &yard.store);
    let minutes = SignedDuration::from_mins;
    assert_eq!(store.notice_time(at).unwrap(), None);
    let path = yard.folder.path().join("data/kuori.sqlite");
    let db = rusqlite::Connection::open(path).unwrap();
    let millis = |time: Timestamp| time.as_millisecond();
    let (soon, id) = (millis(at + minutes(10)), batch.0);
    let rows = format!(
        "UPDATE batches SET due_at = {soon}, lease_until = {soon};
         INSERT INTO delivery_reports (batch, due_at, lease_until, untold_since)
            VALUES ({id}, {soon}, {soon}, {now});
         INSERT INTO outgoing (batch, kind, place, state, due_at, lease_until, awaits_pickup, overdue_at)
            VALUES ({id}, 'processing', 'sender:example-city', 'due', {soon}, {soon}, 1, {soon});
         INSERT INTO outgoing_places (place, since, next_try, alerted_at)
            VALUES ('sender:example-city', {now}, {soon}, {now});
         INSERT INTO alerts (code, subject, since, begun_at, told_at, text)
            VALUES ('place-down', 'sender:example-city', {now}, {now}, {now}, 'away');",
        now = millis(at)
    );
    db.execute_batch(&rows).unwrap();
    // Less than a minute is no trouble.
    assert_eq!(
        store
            .notice_time(at - SignedDuration::from_secs(59))
            .unwrap(),
        None
    );
    let back = at - minutes(180);
    assert_eq!(store.notice_time(back).unwrap(), Some(minutes(180)));
    assert_eq!(store.notice_time(back).unwrap(), None);
    let soon = millis(back + minutes(10));
    for column in [
        "due_at FROM batches",
        "lease_until FROM batches",
        "due_at FROM delivery_reports",
        "lease_until FROM delivery_reports",
        "due_at FROM outgoing",
        "lease_until FROM outgoing",
        "overdue_at FROM outgoing",
        "next_try FROM outgoing_places",
    ] {
        let sql = format!("SELECT {column}");
        let found: i64 = db.query_row(&sql, [], |row| row.get(0)).unwrap();
        assert_eq!(found, soon, "{column}");
    }
    for column in [
        "untold_since FROM delivery_reports",
        "alerted_at FROM outgoing_places",
        "since FROM alerts",
        "begun_at FROM alerts",
        "told_at FROM alerts",
    ] {
        let sql = format!("SELECT {column}");
        let found: i64 = db.query_row(&sql, [], |row| row.get(0)).unwrap();
        assert_eq!(found, millis(back), "{column}");
    }
}
