//! Who is served when.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use kuori::{
    domain::{BatchId, BatchState},
    pipeline::Settings,
    sample::Shape,
    store::OutgoingKind,
};

use super::{Guarded, Yard, letters, one_place, quick, wait_until};

#[tokio::test(flavor = "multi_thread")]
async fn small_batches_go_through_while_a_large_one_fills_its_places() {
    let yard = Yard::new();
    let large = yard.receive("example-city", &letters(400, 1));
    let small: Vec<_> = (0..10)
        .map(|seed| yard.receive("example-county", &letters(4, 100 + seed)))
        .collect();
    let settings = Settings {
        batches_at_once: 1,
        small_batch_bytes: yard.store.batch(large).unwrap().bytes - 1,
        ..quick()
    };
    // The large one is delivered when all small ones are through: were one of them to wait for it,
    // nothing would move any more.
    let (store, others) = (Arc::clone(&yard.store), small.clone());
    let is_through = move |batch: &BatchId| {
        let row = store.batch(*batch).unwrap();
        row.state == BatchState::Reported
    };
    let guard = Guarded::with(move |batches| {
        if batches.contains(&large) {
            wait_until("small ones wait for the large one", || {
                others.iter().all(&is_through)
            });
        }
        Ok(())
    });
    yard.runner_with(settings, guard)
        .run_until_idle()
        .await
        .unwrap();
    let mut all = small;
    all.push(large);
    assert_eq!(yard.reported().last(), Some(&large));
    yard.assert_all_gone(&all);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_batch_gives_its_place_to_small_ones_and_is_through_in_the_end() {
    let yard = Yard::new();
    let mut spec = letters(1_200, 1);
    (spec.shape, spec.digital_share) = (Shape::Csv, 1.0);
    let large = yard.receive("example-city", &spec);
    let small = [2, 3].map(|seed| yard.receive("example-county", &letters(4, seed)));
    let of_same = yard.receive("example-city", &letters(4, 4));
    yard.runner(one_place()).run_until_idle().await.unwrap();
    let reported = yard.reported();
    assert_eq!(reported.last(), Some(&large), "{reported:?}");
    yard.assert_all_gone(&[large, small[0], small[1], of_same]);
    assert_eq!(yard.store.batch(large).unwrap().resume_after, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_of_two_senders_take_turns_and_those_of_one_keep_their_order() {
    let yard = Yard::new();
    let of = |sender, seeds: std::ops::Range<u64>| {
        let received = seeds.map(|seed| yard.receive(sender, &letters(3, seed)));
        received.collect::<Vec<_>>()
    };
    let (city, county) = (of("example-city", 0..5), of("example-county", 5..10));
    let settings = Settings {
        turn: Duration::from_hours(1),
        ..one_place()
    };
    yard.runner(settings).run_until_idle().await.unwrap();
    let in_turn = city.iter().zip(&county).flat_map(|(a, b)| [*a, *b]);
    assert_eq!(yard.reported(), in_turn.collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_who_comes_late_does_not_wait_for_the_line_of_another() {
    let yard = Yard::new();
    let first: Vec<_> = (0..6)
        .map(|seed| yard.receive("example-city", &letters(3, seed)))
        .collect();
    let yard = Arc::new(yard);
    let late = Arc::new(Mutex::new(None));
    let guard = {
        let (yard, late, second) = (Arc::clone(&yard), Arc::clone(&late), first[1]);
        Guarded::with(move |batches| {
            let mut late = late.lock().unwrap();
            if batches.contains(&second) && late.is_none() {
                *late = Some(yard.receive("example-port", &letters(3, 99)));
            }
            Ok(())
        })
    };
    let mut settings = one_place();
    settings.turn = Duration::from_hours(1);
    let runner = yard.runner_with(settings, guard);
    runner.run_until_idle().await.unwrap();
    let (reported, late) = (yard.reported(), late.lock().unwrap().unwrap());
    let place = reported.iter().position(|batch| *batch == late).unwrap();
    assert!(
        place <= 4,
        "{late} was reported as number {place} of {reported:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn delivery_reports_are_written_while_a_delivery_takes_its_time() {
    let yard = Yard::new();
    // Its letters on paper stay in the house, so that the rest is told in the morning.
    let told = yard.receive("example-county", &letters(20, 1));
    yard.runner(one_place()).run_until_idle().await.unwrap();
    let morning = yard.store.next_delivery_report_due().unwrap().unwrap();
    yard.set_clock(morning);
    let large = yard.receive("example-city", &letters(30, 2));
    let store = Arc::clone(&yard.store);
    let guard = Guarded::with(move |_| {
        let is_told = || {
            let outgoing = store.outgoing_of(told).unwrap();
            outgoing
                .iter()
                .any(|row| row.kind == OutgoingKind::DeliveryReport)
        };
        wait_until("the report waits for the delivery", is_told);
        Ok(())
    });
    let runner = yard.runner_with(one_place(), guard);
    runner.run_until_idle().await.unwrap();
    yard.assert_all_gone(&[told, large]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn what_giving_way_costs() {
    for turn in [
        Duration::ZERO,
        Duration::from_secs(1),
        Duration::from_hours(1),
    ] {
        let yard = Yard::new();
        let mut spec = letters(10_000, 1);
        (spec.shape, spec.digital_share) = (Shape::Csv, 1.0);
        let first = yard.receive("example-city", &spec);
        spec.seed = 2;
        let second = yard.receive("example-county", &spec);
        let settings = Settings {
            turn,
            ..one_place()
        };
        let began = Instant::now();
        yard.runner(settings).run_until_idle().await.unwrap();
        eprintln!(
            "2 x 10000 letters, turns of {turn:?}: {:?}",
            began.elapsed()
        );
        yard.assert_all_gone(&[first, second]);
    }
}
