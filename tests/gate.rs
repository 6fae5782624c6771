//! Batches that wait for an operator before they are routed.

use kuori::{
    domain::{BatchId, BatchState, HoldCause, SenderId, Step},
    pipeline::{Gate, HoldPolicy},
    sample::{Fault, FaultKind, Spec},
    store::{Again, BatchRow, CannotApprove, Selection},
};

use crate::hub::{Hub, because, now, sample_bytes};

const FIRST: BatchId = BatchId(1);

fn letters(letters: u32) -> Spec {
    Spec {
        letters,
        ..Spec::default()
    }
}

/// Ten letters of which the first `bad` have a wrong check character.
fn with_bad_ids(bad: u32) -> Vec<u8> {
    let slip = |letter| Fault {
        letter,
        kind: FaultKind::IdentityCodeSlip,
    };
    sample_bytes(&Spec {
        faults: (1..=bad).map(slip).collect(),
        ..letters(10)
    })
}

fn of_another_seed(seed: u64) -> Vec<u8> {
    sample_bytes(&Spec { seed, ..letters(5) })
}

fn approve(hub: &Hub, batch: BatchId) {
    let approval = hub.store.approve(batch, &because("looked at")).unwrap();
    assert_eq!(approval.blocked, None);
}

fn city() -> SenderId {
    "example-city".parse().unwrap()
}

fn causes(hub: &Hub, batch: BatchId) -> Vec<HoldCause> {
    let holds = hub.store.holds(batch).unwrap();
    holds.into_iter().map(|hold| hold.cause).collect()
}

fn state(hub: &Hub, batch: BatchId) -> BatchState {
    hub.store.batch(batch).unwrap().state
}

fn assert_nothing_left(hub: &Hub) {
    assert!(hub.mailbox_messages().is_empty());
    assert_eq!(hub.names("print-house/pickup"), [""; 0]);
    assert!(hub.store.bundles(None, 9).unwrap().is_empty());
}

fn with_defaults() -> Hub {
    Hub::with(|sender| sender.holds = HoldPolicy::default())
}

fn with_share() -> Hub {
    Hub::with(|sender| {
        sender.holds = HoldPolicy {
            first_batch: false,
            ..HoldPolicy::default()
        };
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_batch_of_a_sender_waits_to_be_approved_and_the_next_does_not() {
    let hub = with_defaults();
    let spec = letters(10);
    hub.consent(&spec);
    hub.process("first.zip", &sample_bytes(&spec)).await;
    assert_eq!(state(&hub, FIRST), BatchState::Held);
    assert_eq!(causes(&hub, FIRST), [HoldCause::FirstBatch]);
    assert_nothing_left(&hub);
    let report = hub.receipt("processing");
    assert!(report.contains("state=\"held\"") && report.contains("first batch"));

    approve(&hub, FIRST);
    hub.run().await;
    assert_eq!(state(&hub, FIRST), BatchState::Reported);
    assert_eq!(hub.counts().delivered + hub.counts().printed, 10);
    hub.process("second.zip", &of_another_seed(2)).await;
    assert_eq!(state(&hub, BatchId(2)), BatchState::Reported);
}

#[tokio::test(flavor = "multi_thread")]
async fn until_one_is_approved_every_batch_of_a_new_sender_waits() {
    let hub = with_defaults();
    hub.process("first.zip", &of_another_seed(1)).await;
    hub.process("second.zip", &of_another_seed(2)).await;
    assert_eq!(causes(&hub, BatchId(2)), [HoldCause::FirstBatch]);
    approve(&hub, BatchId(2));
    hub.run().await;
    // Each was held for itself, and an operator looks at each.
    assert_eq!(state(&hub, FIRST), BatchState::Held);
    assert_eq!(state(&hub, BatchId(2)), BatchState::Reported);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_test_nor_a_batch_of_which_nothing_goes_opens_the_gate() {
    let hub = with_defaults();
    let test = Spec {
        is_test: true,
        ..letters(5)
    };
    hub.process("test.zip", &sample_bytes(&test)).await;
    assert_eq!(state(&hub, FIRST), BatchState::Reported);
    let all_bad = Spec {
        faults: vec![Fault {
            letter: 1,
            kind: FaultKind::IdentityCodeSlip,
        }],
        ..letters(1)
    };
    hub.process("bad.zip", &sample_bytes(&all_bad)).await;
    assert_eq!(state(&hub, BatchId(2)), BatchState::Reported);
    hub.process("first.zip", &of_another_seed(3)).await;
    assert_eq!(causes(&hub, BatchId(3)), [HoldCause::FirstBatch]);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_large_a_share_of_refused_messages_holds_the_others() {
    let hub = with_share();
    hub.process("two.zip", &with_bad_ids(2)).await;
    assert_eq!(state(&hub, FIRST), BatchState::Reported);

    let hub = with_share();
    hub.process("three.zip", &with_bad_ids(3)).await;
    assert_eq!(causes(&hub, FIRST), [HoldCause::RefusedShare]);
    assert_nothing_left(&hub);
    let why = "3 of 10 messages are refused, which is over 20 %";
    assert_eq!(hub.store.batch(FIRST).unwrap().reason.as_deref(), Some(why));
    assert!(hub.receipt("processing").contains(why));
    approve(&hub, FIRST);
    hub.run().await;
    assert_eq!((hub.counts().refused, hub.counts().printed), (3, 7));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_with_more_letters_than_agreed_waits() {
    let with = |limit| {
        Hub::with(move |sender| {
            sender.holds = HoldPolicy {
                above_letters: Some(limit),
                ..HoldPolicy::NONE
            };
        })
    };
    for (limit, expected) in [(5, BatchState::Reported), (4, BatchState::Held)] {
        let hub = with(limit);
        hub.process("batch.zip", &of_another_seed(1)).await;
        assert_eq!(state(&hub, FIRST), expected, "{limit}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_approved_does_not_hold_again_and_what_was_not_does() {
    let hub = with_share();
    hub.process("batch.zip", &with_bad_ids(3)).await;
    let again = Selection {
        batch: FIRST,
        positions: Vec::new(),
        from: None,
        again: Again::default(),
    };
    let from = |from| Selection {
        from: Some(from),
        ..again.clone()
    };
    // No way around the gate.
    for selection in [
        again.clone(),
        from(Step::Route),
        from(Step::Deliver),
        from(Step::Compose),
        from(Step::Report),
    ] {
        hub.store.reprocess(&selection, &because("a try")).unwrap();
        hub.run().await;
        assert_eq!(
            causes(&hub, FIRST),
            [HoldCause::RefusedShare],
            "{selection:?}"
        );
        assert_nothing_left(&hub);
    }
    approve(&hub, FIRST);
    hub.store.reprocess(&again, &because("once more")).unwrap();
    hub.run().await;
    assert_eq!(state(&hub, FIRST), BatchState::Reported);
    assert_eq!((hub.counts().refused, hub.counts().printed), (3, 7));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_gate_holds_can_be_approved() {
    let hub = Hub::new();
    hub.process("batch.zip", &of_another_seed(1)).await;
    let refused = hub.store.approve(FIRST, &because("a try")).unwrap();
    let not_held = CannotApprove::NotHeld(FIRST, BatchState::Reported);
    assert_eq!(refused.blocked, Some(not_held));

    // Held by a failure, with a hold at the gate before it.
    let hub = with_share();
    hub.process("batch.zip", &with_bad_ids(3)).await;
    let all = Selection {
        batch: FIRST,
        positions: Vec::new(),
        from: None,
        again: Again::default(),
    };
    hub.store.reprocess(&all, &because("a try")).unwrap();
    let file = hub
        .store
        .spool()
        .path(&hub.store.batch(FIRST).unwrap().spool);
    let whole = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, b"damaged").unwrap();
    hub.run().await;
    let refused = hub.store.approve(FIRST, &because("a try")).unwrap();
    assert_eq!(refused.blocked, Some(CannotApprove::StepFailed(FIRST)));
    assert_eq!(state(&hub, FIRST), BatchState::Held);
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, whole).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_senders_batches_are_opened_and_go_on_when_it_is_released() {
    let hub = Hub::new();
    hub.process("before.zip", &of_another_seed(1)).await;
    let bundles = hub.names("print-house/pickup");
    hub.store
        .hold_sender(&city(), &because("old letters"))
        .unwrap();
    hub.process("second.zip", &of_another_seed(2)).await;
    hub.process("third.zip", &of_another_seed(3)).await;
    for batch in [BatchId(2), BatchId(3)] {
        assert_eq!(causes(&hub, batch), [HoldCause::Sender]);
    }
    assert_eq!(hub.names("print-house/pickup"), bundles);
    assert_eq!(hub.counts().received, 5, "it is opened");
    let report = hub.receipt("B-0003.processing");
    assert!(report.contains("the sender is on hold: old letters"));
    assert!(hub.receipt("B-0003.acknowledgement").contains("B-0003"));

    let plan = hub.store.plan_release(&city()).unwrap();
    assert_eq!(plan.freed, [BatchId(2), BatchId(3)]);
    assert_eq!(state(&hub, BatchId(2)), BatchState::Held);
    hub.store
        .release_sender(&city(), &because("mended"))
        .unwrap();
    hub.run().await;
    for batch in [BatchId(2), BatchId(3)] {
        assert_eq!(state(&hub, batch), BatchState::Reported);
        assert_eq!(hub.store.counts(batch).unwrap().printed, 5);
    }
    let told = hub.store.sender_events(&city()).unwrap();
    let told: Vec<_> = told.iter().map(|event| event.what.as_str()).collect();
    assert_eq!(told, ["held", "released"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_frees_only_what_waits_for_nothing_else() {
    let hub = with_share();
    hub.store
        .hold_sender(&city(), &because("a look"))
        .unwrap_err();
    hub.store.know_senders([&city()]).unwrap();
    hub.store.hold_sender(&city(), &because("a look")).unwrap();
    hub.process("batch.zip", &with_bad_ids(3)).await;
    assert_eq!(causes(&hub, FIRST).len(), 2);
    let release = hub
        .store
        .release_sender(&city(), &because("mended"))
        .unwrap();
    assert_eq!(
        (&release.freed[..], &release.still_held[..]),
        (&[][..], &[FIRST][..])
    );
    let row = hub.store.batch(FIRST).unwrap();
    assert_eq!(
        row.reason.as_deref(),
        Some("3 of 10 messages are refused, which is over 20 %")
    );
    hub.run().await;
    assert_nothing_left(&hub);
    approve(&hub, FIRST);
    hub.run().await;
    assert_eq!(hub.counts().printed, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_batch_of_a_held_sender_can_be_approved_alone() {
    let hub = Hub::new();
    hub.store.know_senders([&city()]).unwrap();
    hub.store.hold_sender(&city(), &because("a look")).unwrap();
    hub.process("first.zip", &of_another_seed(1)).await;
    hub.process("second.zip", &of_another_seed(2)).await;
    approve(&hub, FIRST);
    hub.run().await;
    assert_eq!(state(&hub, FIRST), BatchState::Reported);
    assert_eq!(state(&hub, BatchId(2)), BatchState::Held);
}

/// A held batch that is approved while its report is still being written, as the writer knows it.
async fn approved_under_the_pen() -> (Hub, BatchRow) {
    let hub = with_defaults();
    hub.upload("batch.zip", &of_another_seed(1));
    hub.run_without_hand_over().await;
    let row = hub.store.batch(FIRST).unwrap();
    hub.store.retry_step(&row, "", now()).unwrap();
    let claimed = hub
        .store
        .claim_due_batch(now(), in_hours(6))
        .unwrap()
        .unwrap();
    approve(&hub, FIRST);
    (hub, claimed)
}

fn in_hours(hours: i64) -> jiff::Timestamp {
    now() + jiff::SignedDuration::from_hours(hours)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_approved_while_its_sender_is_told_goes_on_all_the_same() {
    let (hub, claimed) = approved_under_the_pen().await;
    let again = hub.store.claim_due_batch(now(), in_hours(6)).unwrap();
    assert!(again.is_none());
    let told = kuori::store::StepOutcome {
        state: BatchState::Held,
        due_at: None,
        reason: claimed.reason.clone(),
    };
    hub.store.finish_step(&claimed, &told, now()).unwrap();
    hub.run().await;
    assert_eq!(state(&hub, FIRST), BatchState::Reported);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_of_the_sender_stops_a_batch_that_is_opened_or_approved_and_not_routed() {
    let hub = with_defaults();
    hub.process("batch.zip", &of_another_seed(1)).await;
    approve(&hub, FIRST);
    hub.store.hold_sender(&city(), &because("a look")).unwrap();
    hub.run().await;
    // What was approved holds it no more; what came since does.
    assert_eq!(causes(&hub, FIRST), [HoldCause::Sender]);
    assert_nothing_left(&hub);
    hub.store
        .release_sender(&city(), &because("mended"))
        .unwrap();
    hub.run().await;
    assert_eq!(state(&hub, FIRST), BatchState::Reported);
    assert_eq!(hub.counts().printed, 5);
}

/// A house whose letters to paper are refused when they are routed: nobody prints for the sender.
async fn routed_without_print_house(gate: Gate) -> Hub {
    let spec = letters(20);
    let hub = Hub::with(|sender| {
        sender.gate = gate;
        sender.print_house = None;
        sender.holds = HoldPolicy::default();
    });
    hub.consent(&spec);
    hub.process("batch.zip", &sample_bytes(&spec)).await;
    approve(&hub, FIRST);
    hub.run().await;
    hub
}

#[tokio::test(flavor = "multi_thread")]
async fn all_or_nothing_holds_for_letters_that_are_refused_when_they_are_routed() {
    let hub = routed_without_print_house(Gate::Partial).await;
    assert!(hub.counts().delivered > 0 && hub.counts().refused > 0);

    let hub = routed_without_print_house(Gate::AllOrNothing).await;
    assert_eq!(state(&hub, FIRST), BatchState::Refused);
    assert_eq!(hub.counts().refused, 20);
    assert_nothing_left(&hub);
    let report = hub.receipt("processing-2");
    assert!(report.contains("whole or not at all") && report.contains("no-print-contract"));

    // Its ids are free, and it has opened the gate to no other.
    hub.process("next.zip", &sample_bytes(&letters(19))).await;
    assert_eq!(hub.counts().refused, 0);
    assert_eq!(causes(&hub, BatchId(2)), [HoldCause::FirstBatch]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_approved_while_its_sender_cannot_be_told_is_not_put_off() {
    let (hub, claimed) = approved_under_the_pen().await;
    // The report fails, and is to be tried again in an hour.
    hub.store
        .retry_step(&claimed, "no disk", in_hours(1))
        .unwrap();
    hub.run().await;
    assert_eq!(state(&hub, FIRST), BatchState::Reported);
}
