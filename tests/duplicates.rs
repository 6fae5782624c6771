//! The same file again, the same letter again, and tests, which are neither.

use std::{
    fs,
    io::{Cursor, Read, Write},
    sync::Arc,
    thread,
};

use kuori::{
    domain::{BatchId, BatchState, DuplicateLetterIds, Step},
    inbox::Inbox,
    pipeline::HoldPolicy,
    sample::Spec,
    store::{Again, Received, Selection},
    transport::DirectoryFolder,
};

use crate::hub::{Hub, because, now, sample_bytes};

const FIRST: BatchId = BatchId(1);

fn letters(letters: u32) -> Spec {
    Spec {
        letters,
        ..Spec::default()
    }
}

fn test_of(spec: &Spec) -> Spec {
    Spec {
        is_test: true,
        ..spec.clone()
    }
}

fn from(step: Step, again: Again) -> Selection {
    Selection {
        batch: FIRST,
        positions: Vec::new(),
        from: Some(step),
        again,
    }
}

/// Fetches all receipts away, sends the same bytes again, and holds what comes back to the first.
async fn assert_answered_again(hub: &Hub, bytes: &[u8]) {
    let folder = hub.sender_folder().join("receipts");
    let names = hub.names("sender/receipts");
    for name in &names {
        fs::remove_file(folder.join(name)).unwrap();
    }
    let (state, bundles) = (
        hub.store.batch(FIRST).unwrap().state,
        hub.names("print-house/pickup"),
    );
    hub.upload("again.zip", bytes);
    assert_eq!(hub.run().await, [Received::Again(FIRST)]);
    assert_eq!(hub.names("sender/receipts"), names);
    assert_eq!(hub.names("print-house/pickup"), bundles);
    assert_eq!(hub.store.batch(FIRST).unwrap().state, state);
    assert_eq!(hub.store.came_again(FIRST).unwrap(), [now()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_are_answered_with_the_receipts_whatever_became_of_the_first() {
    let bytes = sample_bytes(&letters(5));
    let hub = Hub::new();
    hub.process("batch.zip", &bytes).await;
    assert_answered_again(&hub, &bytes).await;

    let hub = Hub::new();
    hub.process("batch.zip", b"no ZIP").await;
    assert_eq!(hub.store.batch(FIRST).unwrap().state, BatchState::Refused);
    assert_answered_again(&hub, b"no ZIP").await;

    let hub = Hub::with(|sender| sender.holds = HoldPolicy::default());
    hub.process("batch.zip", &bytes).await;
    assert_eq!(hub.store.batch(FIRST).unwrap().state, BatchState::Held);
    assert_answered_again(&hub, &bytes).await;

    let hub = Hub::with(|sender| sender.holds = HoldPolicy::default());
    hub.process("batch.zip", &bytes).await;
    hub.store.cancel(FIRST, &because("a mistake")).unwrap();
    hub.run().await;
    assert_answered_again(&hub, &bytes).await;
}

/// A second door of the same sender: another inbox under another place.
fn second_door(hub: &Hub) -> Inbox {
    let folder = hub.path().join("second-door");
    fs::create_dir_all(folder.join("inbox")).unwrap();
    let settings = kuori::inbox::Settings {
        place: "second-door".to_owned(),
        ..hub.inbox_through(hub.sender_door()).settings().clone()
    };
    Inbox::new(
        Arc::clone(&hub.store),
        Arc::new(DirectoryFolder::new(folder)),
        settings,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_at_once_under_two_names_and_through_two_doors_are_one_batch() {
    let bytes = sample_bytes(&letters(5));
    for round in 0..10 {
        let hub = Hub::new();
        let doors = [hub.inbox_through(hub.sender_door()), second_door(&hub)];
        for name in ["a.zip", "b.zip"] {
            hub.upload(name, &bytes);
            fs::write(hub.path().join("second-door/inbox").join(name), &bytes).unwrap();
        }
        let runtime = tokio::runtime::Handle::current();
        let received: Vec<Received> = thread::scope(|scope| {
            let polls = doors
                .iter()
                .map(|door| scope.spawn(|| runtime.block_on(door.poll(now())).unwrap()));
            let polls: Vec<_> = polls.collect();
            polls
                .into_iter()
                .flat_map(|poll| poll.join().unwrap())
                .collect()
        });
        let is_new = |received: &&Received| matches!(received, Received::New(_));
        assert_eq!(received.len(), 4, "round {round}");
        assert_eq!(received.iter().filter(is_new).count(), 1, "round {round}");
        assert_eq!(hub.store.came_again(FIRST).unwrap().len(), 3);
        hub.run().await;
        assert_eq!(hub.store.batches(9).unwrap().len(), 1);
        assert_eq!((hub.counts().received, hub.counts().printed), (5, 5));
        assert_eq!(hub.names("print-house/pickup").len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_batches_with_the_same_ids_at_once_send_each_letter_once() {
    let hub = Hub::new();
    hub.upload("five.zip", &sample_bytes(&letters(5)));
    hub.upload("six.zip", &sample_bytes(&letters(6)));
    hub.run().await;
    let counts = [FIRST, BatchId(2)].map(|batch| hub.store.counts(batch).unwrap());
    let sent = counts.map(|counts| counts.printed).iter().sum::<u64>();
    let refused = counts.map(|counts| counts.refused).iter().sum::<u64>();
    assert_eq!((sent, refused), (6, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_may_send_the_same_ids_again_where_its_settings_let_it() {
    let hub = Hub::with(|sender| sender.duplicate_letter_ids = DuplicateLetterIds::Accept);
    hub.process("one.zip", &sample_bytes(&letters(5))).await;
    hub.process("two.zip", &sample_bytes(&letters(6))).await;
    assert_eq!((hub.counts().refused, hub.counts().printed), (0, 6));
    let report = hub.receipt("B-0002.processing");
    assert_eq!(report.matches("message-repeated").count(), 5, "{report}");
    // The second letters stand on their own: the first ones do not keep them from being set back.
    let again = Again {
        print: true,
        deliver: false,
    };
    let second = Selection {
        batch: BatchId(2),
        ..from(Step::Compose, again)
    };
    let plan = hub
        .store
        .plan_reprocess_of(second.batch, &(&second).into(), now())
        .unwrap();
    assert_eq!((plan.blocked.len(), plan.moves.len()), (0, 6));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_letter_that_came_again_keeps_its_first_one_from_going() {
    let hub = Hub::with(|sender| sender.print_house = None);
    hub.process("one.zip", &sample_bytes(&letters(5))).await;
    assert_eq!(hub.counts().refused, 5);
    hub.process("two.zip", &sample_bytes(&letters(6))).await;
    // Refused for the same reason, and not as duplicates: the ids were free.
    assert!(
        !hub.receipt("B-0002.processing")
            .contains("message-duplicate")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_is_told_of_no_duplicates_in_earnest_and_makes_none() {
    let hub = Hub::new();
    let spec = letters(5);
    hub.process("earnest.zip", &sample_bytes(&spec)).await;
    hub.process("test.zip", &sample_bytes(&test_of(&spec)))
        .await;
    assert_eq!((hub.counts().refused, hub.counts().printed), (0, 5));
    assert!(
        !hub.receipt("B-0002.processing")
            .contains("message-duplicate")
    );
    // Nor did the test take the ids from those who have them.
    hub.process("more.zip", &sample_bytes(&letters(6))).await;
    assert_eq!(hub.counts().refused, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_lets_a_test_out_of_the_house() {
    let hub = Hub::with(|sender| sender.holds = HoldPolicy::default());
    let spec = letters(20);
    hub.consent(&spec);
    let test = sample_bytes(&test_of(&spec));
    hub.process("test.zip", &test).await;
    assert_eq!(hub.counts().delivered + hub.counts().printed, 20);
    let again = Again {
        print: true,
        deliver: true,
    };
    for step in Step::ALL {
        hub.store
            .reprocess(&from(step, again), &because("a try"))
            .unwrap();
        hub.run().await;
        let refused = hub.store.approve(FIRST, &because("a try")).unwrap();
        assert!(refused.blocked.is_some());
    }
    hub.upload("again.zip", &test);
    hub.run().await;
    hub.store.cancel(FIRST, &because("a try")).unwrap();
    hub.run().await;
    assert!(hub.mailbox_messages().is_empty());
    assert_eq!(hub.names("print-house/pickup"), [""; 0]);
    assert!(hub.names("test-shelf/pickup").len() > 1);
    // Its letters go in earnest, as if it had never been.
    hub.process("earnest.zip", &sample_bytes(&spec)).await;
    assert_eq!(hub.counts().refused, 0);
    assert_eq!(
        hub.store.batch(BatchId(2)).unwrap().state,
        BatchState::Held,
        "a test opens no gate"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_stays_one_where_it_is_refused_before_it_says_so_again() {
    let hub = Hub::new();
    let test = sample_bytes(&test_of(&letters(5)));
    hub.upload("test.zip", &test);
    hub.run_without_hand_over().await;
    let row = hub.store.batch(FIRST).unwrap();
    let unreadable = kuori::store::OpenOutcome {
        shape: None,
        is_test: false,
        print_only: false,
        findings: Vec::new(),
    };
    let same = kuori::store::StepOutcome {
        state: row.state,
        due_at: None,
        reason: None,
    };
    hub.store
        .finish_open(&row, &unreadable, &same, now())
        .unwrap();
    assert!(hub.store.batch(FIRST).unwrap().is_test);
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_does_not_say_clearly_whether_it_is_a_test_does_not_go() {
    let hub = Hub::new();
    hub.process("batch.zip", &with_test_flag("ture")).await;
    assert_eq!(hub.store.batch(FIRST).unwrap().state, BatchState::Refused);
    assert!(hub.receipt("processing").contains("control-data-value"));
}

/// A sample whose `isTest` says something else.
fn with_test_flag(flag: &str) -> Vec<u8> {
    let bytes = sample_bytes(&test_of(&letters(2)));
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut rewritten = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        if let Some(text) = String::from_utf8(bytes.clone())
            .ok()
            .filter(|text| text.contains("isTest=\"true\""))
        {
            bytes = text
                .replace("isTest=\"true\"", &format!("isTest=\"{flag}\""))
                .into_bytes();
        }
        let options = zip::write::SimpleFileOptions::default();
        rewritten.start_file(name, options).unwrap();
        rewritten.write_all(&bytes).unwrap();
    }
    rewritten.finish().unwrap().into_inner()
}
