//! Who holds a batch, and what somebody can do who holds it no more.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use jiff::SignedDuration;
use kuori::{
    domain::BatchState,
    pipeline::Settings,
    store::{Again, Claim, Error, Selection, StepOutcome},
};

use super::{Guarded, Running, Yard, clock, letters, one_place, quick, until, wait_until};
use crate::hub::{because, now};

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

fn claim(in_hand: &[kuori::domain::BatchId]) -> Claim<'_> {
    Claim {
        states: &BatchState::ALL,
        max_bytes: u64::MAX,
        min_crashes: 0,
        in_hand,
    }
}

#[test]
fn a_step_that_lost_its_batch_changes_nothing() {
    let yard = Yard::new();
    let batch = yard.receive("example-city", &letters(2, 1));
    let store = &yard.store;
    let first = store.claim_due_batch(now(), now() + minutes(5)).unwrap();
    let first = first.unwrap();
    // Its lease runs out, and another one takes it.
    let later = now() + minutes(6);
    let second = store.claim_due_batch(later, later + minutes(5)).unwrap();
    let second = second.unwrap();
    let next = StepOutcome::next(BatchState::Opened, later);
    for ended in [
        store.finish_step(&first, &next, later),
        store.retry_step(&first, "too late", later),
        store.put_down(&first, "too late", later),
        store.give_way(&first, 7),
        store.record_report(&first, None, &next, later),
        store.finish_delivery(&first, &next, later),
    ] {
        assert!(
            matches!(ended, Err(Error::LeaseLost(id)) if id == batch),
            "{ended:?}"
        );
    }
    assert!(!store.renew_step(&first, later + minutes(9)).unwrap());
    let row = store.batch(batch).unwrap();
    assert_eq!(
        (row.lease, row.lease_until),
        (second.lease, second.lease_until)
    );
    assert_eq!(
        (row.state, row.last_error, row.reports),
        (BatchState::Received, None, 0)
    );
    store.finish_step(&second, &next, later).unwrap();
    assert_eq!(yard.state(batch), BatchState::Opened);
}

#[test]
fn a_step_in_hand_keeps_its_batch_until_it_lets_go_of_it_itself() {
    let yard = Yard::new();
    let batch = yard.receive("example-city", &letters(2, 1));
    let store = &yard.store;
    let first = store.claim_due_batch(now(), now() + minutes(5)).unwrap();
    // The clock is set forward.
    let later = now() + minutes(60 * 24);
    let until = later + minutes(5);
    let again = |in_hand: &[_]| store.claim_step(&claim(in_hand), later, until).unwrap();
    assert!(again(&[batch]).is_none());
    assert_eq!(store.steps_waiting(&[batch], later).unwrap(), []);
    // The step has moved the batch on, and its end is still to be looked at.
    let next = StepOutcome::next(BatchState::Opened, later);
    store.finish_step(&first.unwrap(), &next, later).unwrap();
    assert_eq!(store.steps_waiting(&[batch], later).unwrap().len(), 1);
    assert_eq!(again(&[batch]).unwrap().state, BatchState::Opened);
}

#[test]
fn a_batch_that_an_operator_took_is_not_begun_while_its_step_still_runs_here() {
    let yard = Yard::new();
    let batch = yard.receive("example-city", &letters(2, 1));
    let store = &yard.store;
    let first = store.claim_due_batch(now(), now() + minutes(5)).unwrap();
    let mut action = because("it hangs");
    action.at = now() + minutes(10);
    let all = Selection {
        batch,
        positions: Vec::new(),
        from: None,
        again: Again::default(),
    };
    let plan = store.reprocess(&all, &action).unwrap();
    assert!(plan.blocked.is_empty(), "{plan:?}");
    let again = |in_hand: &[_]| {
        let until = action.at + minutes(5);
        store.claim_step(&claim(in_hand), action.at, until).unwrap()
    };
    assert!(again(&[batch]).is_none());
    let next = StepOutcome::next(BatchState::Opened, action.at);
    let ended = store.finish_step(&first.unwrap(), &next, action.at);
    assert!(matches!(ended, Err(Error::LeaseLost(_))), "{ended:?}");
    assert_eq!(again(&[]).unwrap().id, batch);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_whose_lease_runs_out_by_a_clock_set_forward_runs_once() {
    let yard = Arc::new(Yard::new());
    let mut spec = letters(3, 1);
    spec.digital_share = 1.0;
    let batch = yard.receive("example-city", &spec);
    let (looks, deliveries) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let guard = {
        let (yard, looks, deliveries) = (Arc::clone(&yard), looks.clone(), deliveries.clone());
        Guarded::with(move |_| {
            deliveries.fetch_add(1, Ordering::SeqCst);
            yard.set_clock(now() + minutes(3 * 24 * 60));
            let seen = looks.load(Ordering::SeqCst);
            wait_until("the runner does not look", || {
                looks.load(Ordering::SeqCst) > seen + 30
            });
            Ok(())
        })
    };
    let runner = yard.runner_with(quick(), |house| {
        guard(house);
        let (time, looks) = (Arc::clone(&yard.time), looks.clone());
        house.clock = clock(move || {
            looks.fetch_add(1, Ordering::SeqCst);
            *time.lock().unwrap()
        });
    });
    let running = Running::start(runner);
    until("it is reported", || {
        yard.state(batch) == BatchState::Reported
    })
    .await;
    running.stop().await;
    assert_eq!(deliveries.load(Ordering::SeqCst), 1);
    yard.assert_all_gone(&[batch]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_renewed_while_a_step_runs() {
    let yard = Arc::new(Yard::new());
    let mut spec = letters(3, 1);
    spec.digital_share = 1.0;
    let batch = yard.receive("example-city", &spec);
    let guard = {
        let yard = Arc::clone(&yard);
        Guarded::with(move |_| {
            let lease = || yard.store.batch(batch).unwrap().lease_until.unwrap();
            let first = lease();
            yard.set_clock(now() + minutes(1));
            wait_until("nobody renews it", || lease() > first);
            Ok(())
        })
    };
    let settings = Settings {
        lease: SignedDuration::from_millis(150),
        ..one_place()
    };
    let runner = yard.runner_with(settings, guard);
    runner.run_until_idle().await.unwrap();
    yard.assert_all_gone(&[batch]);
}
