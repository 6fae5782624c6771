//! The lifecycle: its page in the documents, and that any sequence of events keeps to it.

mod events;
mod page;
mod play;

use std::sync::Mutex;

use proptest::{prelude::*, test_runner::TestRunner};

use self::{
    events::Event,
    play::{Play, Seen},
};

/// Few enough for every run of the tests; `PROPTEST_CASES` asks for more.
const CASES: u32 = 10;

fn config(cases: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    let is_asked = std::env::var_os("PROPTEST_CASES").is_some();
    ProptestConfig {
        cases: if is_asked { asked.cases } else { cases },
        failure_persistence: None,
        max_shrink_iters: 200,
        ..asked
    }
}

#[test]
fn any_sequence_of_events_keeps_every_rule_and_comes_to_rest() {
    play_any(CASES);
}

#[test]
#[ignore = "takes a minute"]
fn many_sequences_of_events_keep_every_rule_and_do_all_there_is_to_do() {
    let seen = play_any(10 * CASES);
    // Else the rules would hold for want of anything that could break them.
    let often = [
        seen.delivered,
        seen.printed,
        seen.refused,
        seen.reprocessed,
        seen.held_batches,
        seen.moved_messages,
        seen.purged,
    ];
    assert!(often.iter().all(|&times| times > 0), "{seen:?}");
}

fn play_any(cases: u32) -> Seen {
    let seen = Mutex::new(Seen::default());
    let events = prop::collection::vec(events::event(), 10..40);
    let plays = (any::<bool>(), events::upload(), events);
    let played = TestRunner::new(config(cases)).run(&plays, |(cautious, first, mut events)| {
        events.insert(0, Event::Upload(first));
        let came_of_it = play(cautious, &events);
        seen.lock().unwrap().add(&came_of_it);
        Ok(())
    });
    if let Err(failed) = played {
        panic!("{failed}");
    }
    let seen = seen.into_inner().unwrap();
    eprintln!("{seen:?}");
    seen
}

/// Plays events in a house, and holds it to the rules after each.
fn play(cautious: bool, events: &[Event]) -> Seen {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut play = Play::begin(cautious);
        for event in events {
            let told = play.happen(event).await;
            play.check(&format!("{event:?} ({told})"));
        }
        play.settle().await
    })
}
