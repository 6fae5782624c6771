//! The lifecycle: its page in the documents, and that any sequence of events keeps to it.

mod events;
mod page;
mod play;

use proptest::prelude::*;

use self::{events::Event, play::Play};

/// Few enough for every run of the tests; `PROPTEST_CASES` asks for more.
const CASES: u32 = 24;

fn config() -> ProptestConfig {
    let asked = ProptestConfig::default();
    let is_asked = std::env::var_os("PROPTEST_CASES").is_some();
    ProptestConfig {
        cases: if is_asked { asked.cases } else { CASES },
        failure_persistence: None,
        max_shrink_iters: 200,
        ..asked
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_sequence_of_events_keeps_every_rule_and_comes_to_rest(
        cautious in any::<bool>(),
        events in prop::collection::vec(events::event(), 10..40),
    ) {
        play(cautious, &events);
    }
}

/// Plays events in a house, and holds it to the rules after each.
fn play(cautious: bool, events: &[Event]) {
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
        play.settle().await;
    });
}
