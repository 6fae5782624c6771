//! What failed, in one batch or in many, is found by its cause and set back.

use jiff::SignedDuration;
use kuori::{
    domain::{BatchId, Code, MessageState, Step},
    sample::Spec,
    store::{Blocked, Error, MessageFilter, Reprocess},
};

use super::{FIRST, all, done, failed, letters, message, only, plans, slip};
use crate::hub::{Hub, now, sample_bytes};

/// A house with two batches in which a letter is refused, and one in which none is.
async fn three_batches() -> Hub {
    let hub = Hub::new();
    for (seed, faults) in [
        (1, vec![slip(2)]),
        (2, vec![slip(1), slip(3)]),
        (3, Vec::new()),
    ] {
        let spec = Spec {
            seed,
            faults,
            ..letters(3)
        };
        hub.process(&format!("{seed}.zip"), &sample_bytes(&spec))
            .await;
    }
    hub
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_found_in_all_batches_by_its_finding_its_time_and_its_sender() {
    let hub = three_batches().await;
    let found = |change: &dyn Fn(&mut MessageFilter)| {
        let mut filter = failed().messages;
        change(&mut filter);
        let rows = hub.store.messages_with(&filter, None, 100).unwrap();
        rows.into_iter()
            .map(|row| row.id.to_string())
            .collect::<Vec<_>>()
    };
    let both = ["B-0001-2", "B-0002-1", "B-0002-3"];
    assert_eq!(found(&|_| ()), both);
    assert_eq!(
        found(&|filter| filter.findings = vec![Code::RecipientIdInvalid]),
        both
    );
    assert_eq!(
        found(&|filter| filter.findings = vec![Code::PageSize]),
        [""; 0]
    );
    assert_eq!(found(&|filter| filter.since = Some(now())), both);
    assert_eq!(found(&|filter| filter.until = Some(now())), [""; 0]);
    assert_eq!(
        found(&|filter| filter.senders = vec!["example-city".parse().unwrap()]),
        both
    );
    assert_eq!(
        found(&|filter| filter.batches = vec![BatchId(2)]),
        both[1..]
    );
    let after = Some(message(2, 1));
    let rest = hub.store.messages_with(&failed().messages, after, 100);
    assert_eq!(rest.unwrap().len(), 1);
    let page = hub.store.messages_with(&failed().messages, None, 2);
    assert_eq!(page.unwrap().len(), 2);
    let nobody = MessageFilter {
        senders: vec!["nobody".parse().unwrap()],
        ..MessageFilter::default()
    };
    assert!(matches!(
        hub.store.batches_with(&nobody),
        Err(Error::NoSender { .. })
    ));

    let plans = plans(&hub, &failed());
    let numbers: Vec<_> = plans
        .iter()
        .map(|plan| (plan.batch.0, plan.messages))
        .collect();
    assert_eq!(numbers, [(1, 1), (2, 2)]);
    assert!(done(&hub, &failed()).is_done);
    hub.run().await;
    // The cause is still there: they are refused again, and told again.
    assert_eq!(found(&|_| ()), both);
    assert!(
        hub.receipt("B-0002.processing-2")
            .contains("recipient-id-invalid")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_failed_as_a_whole_is_found_though_no_message_of_it_is_there() {
    let hub = Hub::new();
    hub.process("nonsense.zip", b"this is no ZIP").await;
    let batches = |filter: &MessageFilter| hub.store.batches_with(filter).unwrap();
    assert_eq!(batches(&failed().messages), [FIRST]);
    let by_finding = MessageFilter {
        findings: vec![Code::ArchiveUnreadable],
        ..failed().messages
    };
    assert_eq!(batches(&by_finding), [FIRST]);
    let by_another = MessageFilter {
        findings: vec![Code::PageSize],
        ..failed().messages
    };
    assert_eq!(batches(&by_another), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_of_one_call_are_all_set_back_or_none() {
    let hub = three_batches().await;
    let lease = now() + SignedDuration::from_secs(60);
    let second = only(message(2, 1));
    assert!(done(&hub, &second).is_done);
    hub.store.claim_due_batch(now(), lease).unwrap().unwrap();
    let outcome = done(&hub, &failed());
    assert!(!outcome.is_done);
    assert_eq!(outcome.plans[1].blocked, [Blocked::Working(BatchId(2))]);
    // What was done to the first one was undone.
    let first = hub.store.message(message(1, 2)).unwrap();
    assert_eq!(first.state, MessageState::Refused);
    assert_eq!(hub.store.batch(FIRST).unwrap().due_at, None);
    hub.store.release_leases().unwrap();
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_failed_in_two_batches_goes_once() {
    let hub = Hub::new();
    let spec = Spec {
        faults: vec![slip(2)],
        ..letters(3)
    };
    hub.process("one.zip", &sample_bytes(&spec)).await;
    let mut again = sample_bytes(&spec);
    // The same letters in a file of other bytes: the comment of the ZIP.
    let length = again.len() - 2;
    again[length] = 1;
    again.push(b'x');
    hub.process("two.zip", &again).await;
    assert_eq!(hub.store.batches(9).unwrap().len(), 2);
    let ids = [message(1, 2), message(2, 2)];
    let wanted = Reprocess {
        from: Some(Step::Route),
        ..all(MessageFilter {
            messages: ids.to_vec(),
            ..MessageFilter::default()
        })
    };
    let outcome = done(&hub, &wanted);
    assert!(!outcome.is_done);
    assert_eq!(
        outcome.plans[1].blocked,
        [Blocked::SentAnew(ids[1], ids[0])]
    );
}
