//! From which step on something is done again.

use kuori::{
    domain::{BundleId, Step},
    sample::Spec,
    store::{Blocked, MessageFilter, Reprocess},
};

use super::{FIRST, PRINT_AGAIN, all, done, hands, letters, message, only, plan, plans, slip};
use crate::hub::{Hub, because, sample_bytes};

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_the_print_house_lost_is_printed_once_more_and_nothing_else() {
    let hub = Hub::new();
    hub.process("batch.zip", &sample_bytes(&letters(6))).await;
    let before = hands(&hub);
    let lost = Reprocess {
        from: Some(Step::Compose),
        ..all(MessageFilter {
            bundle: Some(BundleId(1)),
            ..MessageFilter::default()
        })
    };
    let plan = plan(&hub, &lost);
    assert_eq!(plan.hindrances, plan.blocked.len() as u64);
    assert!(
        plan.blocked
            .iter()
            .all(|blocked| matches!(blocked, Blocked::HandedOver(_, BundleId(1)))),
        "{plan:?}"
    );
    let named = Reprocess {
        again: PRINT_AGAIN,
        ..lost
    };
    assert!(done(&hub, &named).is_done);
    hub.run().await;
    let after = hands(&hub);
    let of_bundle = before.in_piece_lists.len();
    assert!(of_bundle > 0);
    assert_eq!(after.in_mailboxes, before.in_mailboxes);
    assert!(after.in_piece_lists.values().all(|&times| times == 2));
    assert_eq!(after.in_piece_lists.len(), of_bundle);
    // Its letters are in another bundle by now: nobody prints them a third time by its name.
    assert!(plans(&hub, &named).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_not_for_a_message_is_refused_with_those_that_are() {
    let hub = Hub::new();
    let spec = Spec {
        faults: vec![slip(2)],
        ..letters(3)
    };
    hub.upload("batch.zip", &sample_bytes(&spec));
    hub.run_without_hand_over().await;
    let told = |position, step| {
        let wanted = Reprocess {
            from: Some(step),
            ..only(message(1, position))
        };
        let plan = plan(&hub, &wanted);
        assert_eq!(plan.messages, 0);
        plan.blocked[0].to_string()
    };
    let printed =
        "the step `deliver` is not for message B-0001-1: `open`, `route` and `compose` are";
    assert_eq!(told(1, Step::Deliver), printed);
    let refused = "the step `compose` is not for message B-0001-2: `open` and `route` are";
    assert_eq!(told(2, Step::Compose), refused);
    // Of a whole batch, those that the step is for are meant.
    let whole = Reprocess {
        from: Some(Step::Compose),
        ..all(MessageFilter::of_batch(FIRST))
    };
    let plan = plan(&hub, &whole);
    assert_eq!(
        (plan.messages, plan.passed_over, plan.hindrances),
        (2, 1, 0)
    );
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_sent_again_as_a_new_revision_and_nothing_else_happens() {
    let hub = Hub::new();
    hub.process("batch.zip", &sample_bytes(&letters(3))).await;
    let before = hands(&hub);
    let report = Reprocess {
        from: Some(Step::Report),
        ..all(MessageFilter::of_batch(FIRST))
    };
    let plan = plan(&hub, &report);
    assert_eq!((plan.messages, plan.report), (0, 2));
    assert!(done(&hub, &report).is_done);
    hub.run().await;
    assert_eq!(hands(&hub), before);
    let receipts = hub.names("sender/receipts");
    assert!(
        receipts.contains(&"batch.B-0001.processing-2.xml".to_owned()),
        "{receipts:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_again_replaces_findings_and_keeps_letter_ids() {
    let hub = Hub::new();
    let spec = Spec {
        faults: vec![slip(2)],
        ..letters(3)
    };
    hub.upload("batch.zip", &sample_bytes(&spec));
    hub.run_without_hand_over().await;
    let findings = || {
        let of = |position| {
            hub.store
                .message_findings(message(1, position))
                .unwrap()
                .len()
        };
        [1, 2, 3].map(of)
    };
    let before = findings();
    let opened = Reprocess {
        from: Some(Step::Open),
        ..all(MessageFilter::of_batch(FIRST))
    };
    assert!(done(&hub, &opened).is_done);
    hub.run().await;
    assert_eq!(findings(), before);
    assert_eq!(hub.counts().refused, 1);
    assert_eq!(hands(&hub).letters(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_go_on_is_told_by_the_batch() {
    let hub = Hub::new();
    hub.process("batch.zip", &sample_bytes(&letters(3))).await;
    let wanted = all(MessageFilter::of_batch(FIRST));
    let gone = Reprocess {
        senders: Some(vec!["hospital".parse().unwrap()]),
        ..wanted.clone()
    };
    assert_eq!(plan(&hub, &gone).blocked, [Blocked::SenderGone(FIRST)]);
    let known = Reprocess {
        senders: Some(vec!["example-city".parse().unwrap()]),
        from: Some(Step::Report),
        ..wanted.clone()
    };
    assert_eq!(plan(&hub, &known).blocked, []);
    let changed = hub
        .store
        .reprocess_all(&[(FIRST, Some(7))], &known, &because("a test"));
    let changed = changed.unwrap();
    assert!(!changed.is_done);
    assert_eq!(
        changed.plans[0].blocked[0].to_string(),
        "0 messages of batch B-0001 would be set back by now, not 7"
    );
    let database = rusqlite::Connection::open(hub.path().join("data/kuori.sqlite")).unwrap();
    database
        .execute("UPDATE batches SET payload_purged_at = 1", [])
        .unwrap();
    assert_eq!(plan(&hub, &wanted).blocked, [Blocked::Purged(FIRST)]);
    database
        .execute("UPDATE batches SET payload_purged_at = NULL", [])
        .unwrap();
}
