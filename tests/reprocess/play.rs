//! Anything that can be asked for, in any order: what is done is what was planned.

use std::collections::{BTreeMap, BTreeSet};

use kuori::{
    domain::{Channel, MessageId, MessageState, Step},
    sample::Spec,
    store::{Again, MessageFilter, Reprocess, ReprocessPlan},
};
use proptest::{prelude::*, test_runner::TestRunner};

use super::{FIRST, all, done, forced, hands, letters, message, plan, slip};
use crate::{
    hub::{Hub, sample_bytes, sender},
    program::InHands,
};

/// What is asked for, out of all that can be.
#[derive(Debug, Clone)]
struct Wish {
    from: Option<Step>,
    channel: Option<Channel>,
    again: Again,
    states: Vec<MessageState>,
    positions: BTreeSet<u32>,
    /// The daemon goes on before the wish is carried out, and whether bundles are handed over.
    runs: Option<bool>,
    consents: Option<bool>,
}

fn wish() -> impl Strategy<Value = Wish> {
    let step = prop::sample::select(Step::ALL.to_vec());
    let channel = prop::sample::select(vec![Channel::Print, Channel::Mailbox]);
    let states = prop::sample::subsequence(MessageState::ALL.to_vec(), 0..4);
    (
        prop::option::of(step),
        prop::option::weighted(0.3, channel),
        (any::<bool>(), any::<bool>()),
        states,
        prop::collection::btree_set(1_u32..=6, 0..4),
        prop::option::weighted(0.8, any::<bool>()),
        prop::option::weighted(0.3, any::<bool>()),
    )
        .prop_map(
            |(from, channel, (print, deliver), states, positions, runs, consents)| Wish {
                from: from.filter(|step| channel.is_none() || *step <= Step::Route),
                channel,
                again: Again { print, deliver },
                states,
                positions,
                runs,
                consents,
            },
        )
}

/// What a plan says, to be compared.
fn said(plan: &ReprocessPlan) -> String {
    format!("{plan:?}")
}

fn states(hub: &Hub) -> BTreeMap<MessageId, MessageState> {
    let rows = hub.store.messages(FIRST, &[], 0, 1_000).unwrap();
    rows.into_iter().map(|row| (row.id, row.state)).collect()
}

async fn play(spec: &Spec, wishes: &[Wish]) {
    let hub = Hub::new();
    hub.consent(spec);
    hub.upload("batch.zip", &sample_bytes(spec));
    hub.run_without_hand_over().await;
    let settings = sender();
    for wish in wishes {
        match wish.consents {
            Some(true) => hub.consent(spec),
            Some(false) => hub.withdraw_consents(spec),
            None => {}
        }
        match wish.runs {
            Some(true) => drop(hub.run().await),
            Some(false) => hub.run_without_hand_over().await,
            None => {}
        }
        let wanted = Reprocess {
            from: wish.from,
            again: wish.again,
            ..all(MessageFilter {
                batches: vec![FIRST],
                messages: wish
                    .positions
                    .iter()
                    .map(|&position| message(1, position))
                    .collect(),
                states: wish.states.clone(),
                ..MessageFilter::default()
            })
        };
        let before = (hands(&hub), states(&hub));
        let plan = match wish.channel {
            None => exactly_as_planned(&hub, &wanted),
            Some(channel) => forced(&hub.store, &settings, channel, |way| {
                exactly_as_planned(&hub, &Reprocess { way, ..wanted })
            }),
        };
        hub.run().await;
        nothing_twice_that_nobody_named(&hub, &plan, &before.0);
    }
    hub.run().await;
    let counts = hub.counts();
    assert!(counts.is_settled(), "{counts:?}");
}

/// Carries out what is wished for and holds what happened to what the plan said.
fn exactly_as_planned(hub: &Hub, wanted: &Reprocess<'_>) -> ReprocessPlan {
    let was = states(hub);
    let planned = plan(hub, wanted);
    let mut outcome = done(hub, wanted);
    let carried_out = outcome.plans.remove(0);
    assert_eq!(said(&planned), said(&carried_out));
    assert_eq!(outcome.is_done, planned.blocked.is_empty());
    let is = states(hub);
    let mut expected = was.clone();
    if outcome.is_done {
        for step in &planned.moves {
            assert_eq!(was[&step.message], step.was);
            expected.insert(step.message, step.to);
        }
        assert_eq!(planned.moves.len() as u64, planned.messages);
    }
    // Letters of bundles that were taken back are where they were before they were composed.
    let differ = is.iter().filter(|(id, state)| expected[*id] != **state);
    let freed = differ
        .filter(|(id, _)| was[*id] == MessageState::Composed)
        .count() as u64;
    let others = is
        .iter()
        .filter(|(id, state)| expected[*id] != **state)
        .count() as u64;
    assert_eq!(freed, others, "{was:?}\n{is:?}\n{planned:?}");
    assert!(freed <= planned.freed);
    planned
}

fn nothing_twice_that_nobody_named(hub: &Hub, plan: &ReprocessPlan, before: &InHands) {
    let after = hands(hub);
    let is_done = plan.blocked.is_empty();
    for (id, _) in states(hub) {
        let name = id.to_string();
        let step = plan.moves.iter().find(|step| is_done && step.message == id);
        let of = |hands: &BTreeMap<String, u32>| hands.get(&name).copied().unwrap_or(0);
        let (delivered, printed) = (of(&before.in_mailboxes), of(&before.in_piece_lists));
        let (delivers, prints) = (
            of(&after.in_mailboxes) - delivered,
            of(&after.in_piece_lists) - printed,
        );
        assert!(delivers <= 1 && prints <= 1, "{name}: {plan:?}");
        let again = step.is_some_and(|step| step.delivers_again || step.prints_again);
        if delivered + printed > 0 && delivers + prints > 0 {
            assert!(again, "{name} came a second time: {plan:?}");
        }
        assert!(delivers + prints <= 1, "{name} went both ways: {plan:?}");
    }
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    }
}

fn plays() -> impl Strategy<Value = (Spec, Vec<Wish>)> {
    let spec = (
        0_u64..1_000,
        prop::sample::select(vec![0.0, 0.5, 1.0]),
        prop::collection::btree_set(1_u32..=6, 0..3),
    );
    let spec = spec.prop_map(|(seed, digital_share, faults)| Spec {
        seed,
        digital_share,
        pages: 1..=1,
        faults: faults.into_iter().map(slip).collect(),
        ..letters(6)
    });
    (spec, prop::collection::vec(wish(), 1..4))
}

fn play_any(cases: u32) {
    let played = TestRunner::new(config(cases)).run(&plays(), |(spec, wishes)| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(play(&spec, &wishes));
        Ok(())
    });
    if let Err(failed) = played {
        panic!("{failed}");
    }
}

#[test]
fn what_is_done_is_what_was_planned_and_nothing_goes_twice() {
    play_any(8);
}

#[test]
#[ignore = "takes a minute"]
fn what_is_done_is_what_was_planned_many_times() {
    play_any(100);
}
