//! What operators hold, release and cancel, of batches and of messages, until it has left the house.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock},
};

use async_trait::async_trait;
use jiff::SignedDuration;
use kuori::{
    domain::{
        BatchId, BatchState, BundleState, Channel, Code, Decision, Finding, HoldCause, MessageId,
        MessageState, Place, Reason, RecipientId, Route, StatedRecipient, Step,
    },
    mailbox::{self, Delivery, DeliveryId, Mailbox, MailboxReceipt},
    pipeline::HoldPolicy,
    print,
    sample::{Fault, FaultKind, Spec},
    store::{
        Again, Blocked, CannotApprove, CannotCancel, CannotHold, CannotMove, CannotRelease, Counts,
        Extent, MessageDeed, MessagePlan, PurgeRule, ReprocessPlan, Routed, Selection, Standing,
        StepOutcome, Store, Waiting,
    },
};

use crate::hub::{Hub, because, now, sample_bytes};

const FIRST: BatchId = BatchId(1);

fn letters(letters: u32) -> Spec {
    Spec {
        letters,
        ..Spec::default()
    }
}

fn message(position: u32) -> MessageId {
    MessageId {
        batch: FIRST,
        position,
    }
}

fn state(hub: &Hub) -> BatchState {
    hub.store.batch(FIRST).unwrap().state
}

fn counts(hub: &Hub) -> Counts {
    hub.store.counts(FIRST).unwrap()
}

fn hold(hub: &Hub) {
    let plan = hub.store.hold_batch(FIRST, &because("a wrong logo"));
    assert_eq!(plan.unwrap().blocked, None);
}

fn release(hub: &Hub) {
    let plan = hub.store.release_batch(FIRST, &because("it was right"));
    assert_eq!(plan.unwrap().blocked, None);
}

fn reason(hub: &Hub) -> Option<String> {
    hub.store.batch(FIRST).unwrap().reason
}

fn assert_nothing_left(hub: &Hub) {
    assert!(hub.mailbox_messages().is_empty());
    assert_eq!(hub.names("print-house/pickup"), [""; 0]);
}

/// Where the bundles of the batch stand.
fn bundles_stand(hub: &Hub) -> Vec<Standing> {
    let all = hub.store.outgoing_of(FIRST).unwrap();
    let bundles = all.iter().filter(|row| row.bundle.is_some());
    bundles.map(kuori::store::Outgoing::standing).collect()
}

/// Five letters whose bundle waits for the print house.
async fn composed() -> Hub {
    let hub = Hub::new();
    hub.upload("batch.zip", &sample_bytes(&letters(5)));
    hub.run_without_hand_over().await;
    assert_eq!(counts(&hub).composed, 5);
    hub
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_nobody_has_opened_is_held_and_opened_when_it_is_released() {
    let hub = Hub::new();
    let spec = letters(20);
    hub.consent(&spec);
    hub.upload("batch.zip", &sample_bytes(&spec));
    let inbox = hub.inbox_through(hub.sender_door());
    inbox.poll(now()).await.unwrap();
    hold(&hub);
    hub.run().await;
    assert_eq!((state(&hub), counts(&hub).received), (BatchState::Held, 0));
    assert_nothing_left(&hub);
    let report = hub.receipt("processing");
    assert!(report.contains("state=\"held\"") && report.contains("a wrong logo"));

    release(&hub);
    hub.run().await;
    assert_eq!(state(&hub), BatchState::Reported);
    assert_eq!(counts(&hub).delivered + counts(&hub).printed, 20);
    let report = hub.receipt("processing-2");
    assert!(report.contains("state=\"reported\"") && !report.contains("Stopped"));
}

#[tokio::test(flavor = "multi_thread")]
async fn bundles_of_a_held_batch_wait_and_its_receipts_go() {
    let hub = composed().await;
    let plan = hub.store.plan_batch_hold(FIRST, now()).unwrap();
    assert_eq!((plan.bundles.len(), plan.going.len()), (1, 0));
    hold(&hub);
    hub.run().await;
    assert_nothing_left(&hub);
    assert_eq!(bundles_stand(&hub), [Standing::Held]);
    assert!(hub.receipt("processing-2").contains("state=\"held\""));
    // No way around: neither by its hand-over, nor by setting it back.
    let all = [None, Some(Waiting::Batch(FIRST))];
    for what in &all {
        let retry = hub.store.retry_waiting(what.as_ref(), &because("a try"));
        let retry = retry.unwrap();
        assert_eq!((retry.rows.len(), retry.on_hold.len()), (0, 1));
    }
    let selection = Selection {
        batch: FIRST,
        positions: vec![1],
        from: None,
        again: Again::default(),
    };
    let plan = hub.store.reprocess(&selection, &because("a try")).unwrap();
    assert!(plan.blocked.contains(&Blocked::OnHold(FIRST)));
    // A restart lets nothing go either.
    hub.store.release_leases().unwrap();
    hub.run().await;
    assert_nothing_left(&hub);

    release(&hub);
    hub.run().await;
    assert_eq!(bundles_stand(&hub), [Standing::HandedOver]);
    assert_eq!(
        (state(&hub), counts(&hub).printed),
        (BatchState::Reported, 5)
    );
    let again = hub
        .store
        .release_batch(FIRST, &because("once more"))
        .unwrap();
    let not_held = CannotRelease::NotHeld(FIRST, BatchState::Reported);
    assert_eq!(again.blocked, Some(not_held));
    let gone = hub.store.hold_batch(FIRST, &because("too late")).unwrap();
    assert_eq!(gone.blocked, Some(CannotHold::AllGone(FIRST)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gates_causes_and_an_operators_hold_stand_side_by_side() {
    for approve_first in [true, false] {
        let hub = Hub::with(|sender| sender.holds = HoldPolicy::default());
        hub.process("batch.zip", &sample_bytes(&letters(5))).await;
        hold(&hub);
        let causes: Vec<_> = hub.store.holds(FIRST).unwrap();
        let causes: Vec<_> = causes.iter().map(|hold| hold.cause).collect();
        assert_eq!(causes, [HoldCause::FirstBatch, HoldCause::Operator]);
        let told = reason(&hub).unwrap();
        assert!(
            told.contains("first batch") && told.contains("a wrong logo"),
            "{told}"
        );
        let already = hub.store.hold_batch(FIRST, &because("again")).unwrap();
        assert!(matches!(already.blocked, Some(CannotHold::Already(..))));

        if approve_first {
            hub.store.approve(FIRST, &because("looked at")).unwrap();
            assert_eq!(
                (state(&hub), reason(&hub).unwrap().as_str()),
                (BatchState::Held, "a wrong logo")
            );
            let plan = hub.store.approve(FIRST, &because("again")).unwrap();
            assert_eq!(plan.blocked, Some(CannotApprove::OnHold(FIRST)));
            release(&hub);
        } else {
            release(&hub);
            assert_eq!(state(&hub), BatchState::Held);
            assert!(!reason(&hub).unwrap().contains("logo"));
            let plan = hub.store.release_batch(FIRST, &because("again")).unwrap();
            assert_eq!(plan.blocked, Some(CannotRelease::ByGate(FIRST)));
            hub.store.approve(FIRST, &because("looked at")).unwrap();
        }
        hub.run().await;
        assert_eq!(
            (state(&hub), counts(&hub).printed),
            (BatchState::Reported, 5)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_does_not_set_a_batch_on_that_a_failed_step_holds() {
    let hub = Hub::with(|sender| sender.print_house = Some("nobody".parse().unwrap()));
    hub.process("batch.zip", &sample_bytes(&letters(5))).await;
    let failed = reason(&hub).unwrap();
    assert!(failed.contains("failed"), "{failed}");
    let plan = hub.store.release_batch(FIRST, &because("a try")).unwrap();
    assert_eq!(plan.blocked, Some(CannotRelease::StepFailed(FIRST)));
    hold(&hub);
    assert_eq!(reason(&hub).unwrap(), format!("a wrong logo; {failed}"));
    release(&hub);
    assert_eq!(
        (state(&hub), reason(&hub).unwrap()),
        (BatchState::Held, failed)
    );
    hub.run().await;
    assert_nothing_left(&hub);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_on_its_way_out_is_not_stopped_and_one_that_comes_back_is() {
    let hub = composed().await;
    let hour = now() + SignedDuration::from_hours(1);
    let mut bundle = None;
    while let Some(row) = hub.store.claim_due_outgoing(now(), hour).unwrap() {
        if row.bundle.is_some() {
            bundle = Some(row);
        }
    }
    let bundle = bundle.unwrap();
    let plan = hub.store.hold_batch(FIRST, &because("at the same moment"));
    assert_eq!(plan.unwrap().blocked, Some(CannotHold::HandingOver(FIRST)));
    let plan = move_messages(&hub, MessageDeed::Hold, &[1]);
    let handing_over = CannotMove::HandingOver(bundle.bundle.unwrap());
    assert_eq!(plan.blocked, [handing_over]);

    let city = "example-city".parse().unwrap();
    let plan = hub.store.hold_sender(&city, &because("all of it")).unwrap();
    assert_eq!((plan.bundles.len(), plan.going.len()), (0, 1));
    // The place did not work, or the outbox let go of it: it would wait again.
    hub.store
        .retry_outgoing(&bundle, "nobody is there", hour)
        .unwrap();
    assert_eq!(bundles_stand(&hub), [Standing::Held]);
    hub.store.release_leases().unwrap();
    hub.run().await;
    assert_nothing_left(&hub);
    hub.store.release_sender(&city, &because("mended")).unwrap();
    hub.run().await;
    assert_eq!(counts(&hub).printed, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn bundles_of_a_sender_on_hold_wait_and_two_holds_want_two_releases() {
    let hub = composed().await;
    let city = "example-city".parse().unwrap();
    let plan = hub.store.hold_sender(&city, &because("a look")).unwrap();
    assert_eq!((plan.bundles.len(), plan.going.len()), (1, 0));
    hold(&hub);
    hub.run().await;
    assert_nothing_left(&hub);
    release(&hub);
    hub.run().await;
    assert_nothing_left(&hub);
    let plan = hub.store.release_sender(&city, &because("mended")).unwrap();
    assert_eq!(plan.bundles.len(), 1);
    hub.run().await;
    assert_eq!(
        (state(&hub), counts(&hub).printed),
        (BatchState::Reported, 5)
    );
}

/// What happens as the mailboxes are given a page; an error comes after they have taken it.
type AtDelivery = Box<dyn FnMut() -> Option<mailbox::Error> + Send>;

struct Moody {
    inner: Arc<dyn Mailbox>,
    mood: Mutex<AtDelivery>,
}

#[async_trait]
impl Mailbox for Moody {
    async fn deliver(
        &self,
        page: Vec<Delivery>,
    ) -> Result<Vec<Result<MailboxReceipt, mailbox::Error>>, mailbox::Error> {
        let receipts = self.inner.deliver(page).await?;
        let failed = (self.mood.lock().unwrap())();
        failed.map_or(Ok(receipts), Err)
    }

    async fn has(&self, id: DeliveryId, recipient: &RecipientId) -> Result<bool, mailbox::Error> {
        self.inner.has(id, recipient).await
    }

    async fn discard(&self, id: DeliveryId, recipient: &RecipientId) -> Result<(), mailbox::Error> {
        self.inner.discard(id, recipient).await
    }
}

/// A house whose mailboxes do something of their own, with a batch of twenty letters, most of them
/// for mailboxes.
async fn moody(mood: impl FnMut(&Store) -> Option<mailbox::Error> + Send + 'static) -> Hub {
    let store = Arc::new(OnceLock::<Arc<Store>>::new());
    let (its, mut mood) = (Arc::clone(&store), mood);
    let mood: AtDelivery = Box::new(move || its.get().and_then(|store| mood(store)));
    let hub = Hub::with_mailbox(|inner| {
        Arc::new(Moody {
            inner,
            mood: Mutex::new(mood),
        })
    });
    let _ = store.set(Arc::clone(&hub.store));
    let spec = letters(20);
    hub.consent(&spec);
    hub.upload("batch.zip", &sample_bytes(&spec));
    hub.run().await;
    hub
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_held_in_the_middle_of_a_step_stops_at_its_next_page_and_loses_nothing() {
    let mut held = false;
    let hub = moody(move |store| {
        if !std::mem::replace(&mut held, true) {
            let plan = store.hold_batch(FIRST, &because("stop")).unwrap();
            assert!(plan.is_worked_on && plan.blocked.is_none());
        }
        None
    })
    .await;
    let delivered = hub.mailbox_messages().len() as u64;
    assert!(delivered > 5);
    assert_eq!(
        (state(&hub), counts(&hub).delivered),
        (BatchState::Held, delivered)
    );
    assert!(hub.store.bundles(None, 9).unwrap().is_empty());
    let plan = hub.store.plan_cancel(FIRST, now()).unwrap();
    let messages = delivered;
    assert_eq!(plan.blocked, [CannotCancel::Delivered { messages }]);

    release(&hub);
    hub.run().await;
    assert_eq!(counts(&hub).printed, 20 - delivered);
    assert_eq!(hub.mailbox_messages().len() as u64, delivered);
}

fn away() -> mailbox::Error {
    mailbox::Error::Sync {
        root: PathBuf::new(),
        source: io::ErrorKind::StorageFull.into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_breaks_off_leaves_no_doubt_about_what_lies_in_mailboxes() {
    let hub = moody(|_| Some(away())).await;
    let delivered = hub.mailbox_messages().len() as u64;
    assert_eq!(
        (state(&hub), counts(&hub).delivered),
        (BatchState::Routed, delivered)
    );
    let plan = hub.store.cancel_of(FIRST, Extent::Rest, &because("enough"));
    assert_eq!(plan.unwrap().blocked, []);
    hub.run().await;
    let counts = counts(&hub);
    assert_eq!(
        (counts.delivered, counts.cancelled),
        (delivered, 20 - delivered)
    );
    assert_eq!(hub.names("print-house/pickup"), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_does_not_begin_while_its_sender_is_on_hold() {
    let hub = Hub::with(|sender| sender.holds = HoldPolicy::default());
    let spec = letters(20);
    hub.consent(&spec);
    hub.process("batch.zip", &sample_bytes(&spec)).await;
    hub.store.approve(FIRST, &because("looked at")).unwrap();
    // Routed when the hold comes.
    let active = Decision {
        route: Route::To(Channel::Mailbox),
        reason: Reason::MailboxActive,
        asked: None,
        registered: false,
    };
    let with_id = hub.store.messages(FIRST, &[], 0, 99).unwrap();
    let with_id = with_id
        .iter()
        .filter(|row| matches!(row.message.recipient.id, StatedRecipient::Valid(_)));
    let routed: Vec<_> = with_id
        .map(|row| Routed {
            position: row.id.position,
            decision: active,
        })
        .collect();
    hub.store.record_decisions(FIRST, &routed, now()).unwrap();
    let row = hub.store.batch(FIRST).unwrap();
    let next = StepOutcome::next(BatchState::Routed, now());
    hub.store.finish_step(&row, &next, now()).unwrap();
    let city = "example-city".parse().unwrap();
    hub.store.know_senders([&city]).unwrap();
    hub.store.hold_sender(&city, &because("a look")).unwrap();
    hub.run().await;
    assert_nothing_left(&hub);
    let holds = hub.store.holds(FIRST).unwrap();
    assert_eq!(holds[0].cause, HoldCause::Sender);
    let plan = hub.store.release_batch(FIRST, &because("a try")).unwrap();
    assert_eq!(plan.blocked, Some(CannotRelease::ForSender(FIRST)));

    hub.store.release_sender(&city, &because("mended")).unwrap();
    hub.run().await;
    assert_eq!(counts(&hub).delivered + counts(&hub).printed, 20);
    assert_eq!(hub.mailbox_messages().len() as u64, counts(&hub).delivered);
}

fn move_messages(hub: &Hub, deed: MessageDeed, positions: &[u32]) -> MessagePlan {
    let messages: Vec<_> = positions
        .iter()
        .map(|&position| message(position))
        .collect();
    hub.store
        .move_messages(deed, &messages, &because("the wrong person"))
        .unwrap()
}

fn states(hub: &Hub) -> Vec<MessageState> {
    let messages = hub.store.messages(FIRST, &[], 0, 99).unwrap();
    messages.iter().map(|message| message.state).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_letter_leaves_its_bundle_and_goes_in_another_when_it_is_released() {
    let hub = composed().await;
    let plan = move_messages(&hub, MessageDeed::Hold, &[2]);
    assert_eq!((plan.blocked.len(), plan.withdrawn.len()), (0, 1));
    hub.run().await;
    let held = counts(&hub);
    assert_eq!((held.printed, held.held), (4, 1));
    let why = hub.store.message_hold(message(2)).unwrap();
    assert_eq!(why.as_deref(), Some("the wrong person"));
    // What the sender is told, in the morning.
    let morning = now() + SignedDuration::from_hours(12);
    hub.run_at(morning).await;
    let report = hub.receipt("delivery");
    assert!(report.contains("what=\"held\"") && report.contains("why=\"the wrong person\""));
    assert!(hub.receipt("processing-2").contains("state=\"held\""));
    // Nobody sets it back unless it is released.
    let failed = |positions| Selection {
        batch: FIRST,
        positions,
        from: None,
        again: Again::default(),
    };
    let plan = hub
        .store
        .reprocess(&failed(Vec::new()), &because("all that failed"));
    assert!(plan.unwrap().moves.is_empty());
    let plan = hub
        .store
        .reprocess(&failed(vec![2]), &because("a try"))
        .unwrap();
    assert_eq!(plan.blocked, [Blocked::MessageOnHold(message(2))]);
    hub.run().await;
    assert_eq!(counts(&hub).held, 1);

    let plan = move_messages(&hub, MessageDeed::Release, &[2]);
    assert_eq!(plan.blocked, []);
    hub.run().await;
    assert_eq!(counts(&hub).printed, 5);
    let live = hub.store.bundles(None, 9).unwrap();
    let live: Vec<_> = live
        .iter()
        .filter(|bundle| bundle.state == BundleState::HandedOver)
        .map(|bundle| bundle.letters)
        .collect();
    assert_eq!(live, [1, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_letter_is_told_and_its_id_is_free() {
    let hub = composed().await;
    let plan = move_messages(&hub, MessageDeed::Cancel, &[3]);
    assert_eq!(plan.blocked, []);
    hub.run().await;
    let cancelled = counts(&hub);
    assert_eq!((cancelled.printed, cancelled.cancelled), (4, 1));
    assert_eq!(states(&hub)[2], MessageState::Cancelled);
    let report = hub.receipt("delivery");
    assert!(report.contains("what=\"cancelled\"") && report.contains("why=\"the wrong person\""));
    assert!(report.contains("final=\"true\""), "{report}");
    let again = move_messages(&hub, MessageDeed::Release, &[3]);
    let not_held = CannotMove::NotHeld(message(3), MessageState::Cancelled);
    assert_eq!(again.blocked, [not_held]);

    // The same five, of which the third may go.
    hub.process("corrected.zip", &sample_bytes(&letters(6)))
        .await;
    let second = hub.counts();
    assert_eq!((second.refused, second.printed), (4, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_left_the_house_is_neither_held_nor_cancelled() {
    let hub = Hub::new();
    let spec = letters(20);
    hub.consent(&spec);
    hub.process("batch.zip", &sample_bytes(&spec)).await;
    let bundle = hub.store.bundles(None, 1).unwrap()[0].id;
    for message in hub.store.messages(FIRST, &[], 0, 99).unwrap() {
        let expected = match message.state {
            MessageState::Delivered => CannotMove::Delivered(message.id),
            _ => CannotMove::HandedOver(message.id, bundle),
        };
        for deed in [MessageDeed::Hold, MessageDeed::Cancel] {
            let plan = move_messages(&hub, deed, &[message.id.position]);
            assert_eq!(plan.blocked, [expected]);
        }
    }
    let plan = move_messages(&hub, MessageDeed::Hold, &[21]);
    assert_eq!(plan.blocked, [CannotMove::Unknown(message(21))]);
    let nothing = hub
        .store
        .cancel_of(FIRST, Extent::Rest, &because("too late"));
    assert_eq!(nothing.unwrap().blocked, [CannotCancel::NothingLeft(FIRST)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_messages_are_moved_or_none() {
    let hub = composed().await;
    let plan = move_messages(&hub, MessageDeed::Hold, &[1, 9]);
    assert_eq!(plan.blocked, [CannotMove::Unknown(message(9))]);
    assert_eq!(counts(&hub).composed, 5);
    hub.run().await;
    assert_eq!(counts(&hub).printed, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_a_batch_in_hand_is_left_alone_until_the_step_has_ended() {
    let hub = Hub::with(|sender| sender.holds = HoldPolicy::default());
    hub.process("batch.zip", &sample_bytes(&letters(5))).await;
    // While the gate holds its batch it can be held and released, and the batch stays where it is.
    move_messages(&hub, MessageDeed::Hold, &[1, 2]);
    move_messages(&hub, MessageDeed::Release, &[2]);
    assert_eq!(state(&hub), BatchState::Held);
    hub.store.approve(FIRST, &because("looked at")).unwrap();
    let hour = now() + SignedDuration::from_hours(1);
    hub.store.claim_due_batch(now(), hour).unwrap().unwrap();
    for deed in [MessageDeed::Hold, MessageDeed::Release, MessageDeed::Cancel] {
        let plan = move_messages(&hub, deed, &[1]);
        assert_eq!(plan.blocked, [CannotMove::Working(FIRST)]);
    }
    hub.store.release_leases().unwrap();
    hub.run().await;
    assert_eq!((counts(&hub).printed, counts(&hub).held), (4, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_letter_for_both_channels_the_paper_half_is_held_and_let_go() {
    let hub = Hub::with(|sender| sender.holds = HoldPolicy::default());
    let spec = letters(20);
    hub.consent(&spec);
    hub.process("batch.zip", &sample_bytes(&spec)).await;
    let db = rusqlite::Connection::open(hub.path().join("data/kuori.sqlite")).unwrap();
    db.execute("UPDATE messages SET deny_only = 1", []).unwrap();
    hub.store.approve(FIRST, &because("looked at")).unwrap();
    hub.run_without_hand_over().await;
    let both = counts(&hub).also_to_print;
    assert!(both > 5);
    let messages = hub.store.messages(FIRST, &[], 0, 99).unwrap();
    let first = messages
        .iter()
        .find(|row| row.delivered_at.is_some())
        .unwrap();
    let position = first.id.position;
    assert_eq!(
        move_messages(&hub, MessageDeed::Hold, &[position]).blocked,
        []
    );
    let plan = move_messages(&hub, MessageDeed::Cancel, &[position]);
    assert_eq!(plan.blocked, [CannotMove::Delivered(first.id)]);
    hub.run_without_hand_over().await;
    assert_eq!(
        (counts(&hub).held, counts(&hub).also_to_print),
        (1, both - 1)
    );
    assert_eq!(
        move_messages(&hub, MessageDeed::Release, &[position]).blocked,
        []
    );
    hub.run_without_hand_over().await;
    assert_eq!((counts(&hub).held, counts(&hub).also_to_print), (0, both));

    // The rest of it is cancelled: all that lies in mailboxes stays there, and has no paper half more.
    let plan = hub
        .store
        .cancel_of(FIRST, Extent::Rest, &because("no paper"));
    assert_eq!(plan.unwrap().blocked, []);
    hub.run().await;
    let counts = counts(&hub);
    assert_eq!((counts.delivered, counts.also_to_print), (both, 0));
    assert_eq!(counts.cancelled, 20 - both);
    assert_eq!(hub.names("print-house/pickup"), [""; 0]);
    assert_eq!(hub.mailbox_messages().len() as u64, both);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_once_and_was_to_go_again_is_held_and_not_told_to_be_cancelled() {
    let hub = Hub::new();
    hub.process("batch.zip", &sample_bytes(&letters(5))).await;
    let again = Selection {
        batch: FIRST,
        positions: vec![2],
        from: Some(kuori::domain::Step::Compose),
        again: Again {
            print: true,
            deliver: false,
        },
    };
    hub.store
        .reprocess(&again, &because("it was lost"))
        .unwrap();
    hub.run_without_hand_over().await;
    let plan = move_messages(&hub, MessageDeed::Cancel, &[2]);
    assert!(matches!(plan.blocked[..], [CannotMove::HandedOver(..)]));
    let plan = hub
        .store
        .cancel_of(FIRST, Extent::Rest, &because("it was found"));
    let plan = plan.unwrap();
    assert_eq!((plan.messages, plan.repeats, plan.gone), (0, 1, 5));
    hub.run().await;
    let counts = counts(&hub);
    assert_eq!((counts.printed, counts.held, counts.cancelled), (4, 1, 0));
    assert_eq!(hub.names("print-house/pickup").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_a_batch_is_cancelled_and_what_has_gone_is_reported() {
    let print = print::Settings {
        max_pieces: 2,
        ..print::Settings::default()
    };
    let hub = Hub::with_print(print);
    hub.upload("batch.zip", &sample_bytes(&letters(5)));
    hub.run_without_hand_over().await;
    // One bundle of three goes.
    while let Some(row) = hub
        .store
        .claim_due_outgoing(now(), now() + SignedDuration::from_hours(1))
        .unwrap()
    {
        if row.bundle.is_some() {
            hub.store.release_outgoing(&row).unwrap();
            break;
        }
        hub.store.release_leases().unwrap();
        hub.store
            .record_handed_over(&row, kuori::store::Await::Nothing, now())
            .unwrap();
    }
    let first = hub
        .store
        .claim_due_outgoing(now(), now() + SignedDuration::from_hours(1));
    let first = first.unwrap().unwrap();
    hub.store
        .record_handed_over(&first, kuori::store::Await::Nothing, now())
        .unwrap();
    let printed = counts(&hub).printed;
    assert!(printed > 0 && printed < 5);
    let whole = hub.store.cancel(FIRST, &because("a mistake")).unwrap();
    assert_eq!(
        whole.blocked,
        [CannotCancel::HandedOver(first.bundle.unwrap())]
    );
    let rest = hub
        .store
        .cancel_of(FIRST, Extent::Rest, &because("a mistake"))
        .unwrap();
    assert_eq!(
        (rest.blocked.len(), rest.messages, rest.gone),
        (0, 5 - printed, printed)
    );
    hub.run().await;
    let counts = counts(&hub);
    assert_eq!((counts.printed, counts.cancelled), (printed, 5 - printed));
    assert_eq!(state(&hub), BatchState::Reported);
    let report = hub.receipt("processing-2");
    assert!(report.contains("a mistake") && report.contains("state=\"cancelled\""));
    assert!(hub.store.check_audit().unwrap().broken.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_was_held_in_the_middle_of_its_hand_over_gets_no_marker_and_stays_held() {
    let hub = Hub::new();
    hub.upload("batch.zip", &sample_bytes(&letters(5)));
    hub.run_without_hand_over().await;
    // The claim has run out, as after a machine has slept; the outbox does not know it yet.
    let mut bundle = None;
    while let Some(row) = hub.store.claim_due_outgoing(now(), now()).unwrap() {
        if row.bundle.is_some() {
            bundle = Some(row);
            break;
        }
        hub.store
            .record_handed_over(&row, kuori::store::Await::Nothing, now())
            .unwrap();
    }
    let bundle = bundle.unwrap();
    let held = hub.store.hold_batch(FIRST, &because("wait")).unwrap();
    assert_eq!((held.blocked, held.bundles.len()), (None, 1));
    let refused = hub.store.intend_marker(&bundle).unwrap_err();
    let is_lost = matches!(refused, kuori::store::Error::LeaseLost(FIRST));
    assert!(is_lost, "{refused}");
    hub.store
        .retry_outgoing(&bundle, "nobody is there", now())
        .unwrap();
    hub.store
        .hold_outgoing(&bundle, "nobody is there", now())
        .unwrap();
    hub.run().await;
    assert_eq!(hub.names("print-house/pickup"), [""; 0]);
    hub.store.release_batch(FIRST, &because("go on")).unwrap();
    hub.run().await;
    assert_eq!(counts(&hub).printed, 5);
}

/// All messages of the batch, or those.
fn set_back(hub: &Hub, positions: &[u32], from: Step, again: bool) -> ReprocessPlan {
    let selection = Selection {
        batch: FIRST,
        positions: positions.to_vec(),
        from: Some(from),
        again: Again {
            print: again,
            deliver: again,
        },
    };
    let action = because("new rules");
    hub.store.reprocess(&selection, &action).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_be_opened_again_is_opened_though_it_was_on_hold_in_between() {
    let hub = composed().await;
    assert_eq!(set_back(&hub, &[], Step::Open, false).blocked, []);
    hold(&hub);
    release(&hub);
    assert_eq!(state(&hub), BatchState::Received);
    hub.run().await;
    assert_eq!(counts(&hub).printed, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_holds_or_called_off_stays_where_all_else_is_set_back() {
    let hub = Hub::new();
    hub.upload("batch.zip", &sample_bytes(&letters(5)));
    hub.poll().await;
    while state(&hub) != BatchState::Routed {
        assert!(hub.run_one_step().await);
    }
    let finding = Finding::new(Code::LetterNotComposable, Place::message(4), "as it is");
    hub.store.hold_message(message(4), &finding).unwrap();
    assert_eq!(move_messages(&hub, MessageDeed::Hold, &[2]).blocked, []);
    assert_eq!(move_messages(&hub, MessageDeed::Cancel, &[3]).blocked, []);
    // To the second message's row nothing is other than to the fourth's, but who holds it.
    let plan = set_back(&hub, &[], Step::Route, false);
    assert_eq!(
        (plan.blocked.len(), plan.messages, plan.passed_over),
        (0, 3, 2)
    );
    let (accepted, held, cancelled) = (
        MessageState::Accepted,
        MessageState::Held,
        MessageState::Cancelled,
    );
    assert_eq!(
        states(&hub),
        [accepted, held, cancelled, accepted, accepted]
    );
    // Whoever names them is told.
    let named = |position| set_back(&hub, &[position], Step::Route, false).blocked;
    assert_eq!(named(2), [Blocked::MessageOnHold(message(2))]);
    assert!(matches!(named(3)[..], [Blocked::Illegal(..)]));
    hub.run().await;
    assert_eq!((counts(&hub).printed, counts(&hub).held), (3, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_whom_nothing_was_to_be_kept_nothing_comes_back() {
    let hub = Hub::new();
    hub.upload("batch.zip", &sample_bytes(&letters(5)));
    hub.run().await;
    let erased = hub.store.erase(message(2), &because("asked for")).unwrap();
    assert_eq!(erased.kept, None);
    let plan = set_back(&hub, &[2], Step::Open, true);
    assert_eq!(plan.blocked, [Blocked::Erased(message(2))]);
    let plan = set_back(&hub, &[], Step::Open, true);
    assert_eq!(
        (plan.blocked.len(), plan.messages, plan.passed_over),
        (0, 4, 1)
    );
    hub.run().await;
    let stored = hub.store.message(message(2)).unwrap();
    assert_eq!(stored.state, MessageState::HandedOver);
    let recipient = stored.message.recipient;
    assert!(recipient.id == StatedRecipient::Absent, "it stays erased");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_letters_are_gone_stays_what_it_is() {
    let hub = Hub::new();
    let slip = Fault {
        letter: 1,
        kind: FaultKind::IdentityCodeSlip,
    };
    let spec = Spec {
        faults: vec![slip],
        ..letters(1)
    };
    hub.upload("batch.zip", &sample_bytes(&spec));
    hub.run().await;
    assert_eq!(counts(&hub).refused, 1);
    let was = state(&hub);
    let rule = PurgeRule {
        batch: Some(FIRST),
        payload_before: Some(now() + SignedDuration::from_secs(1)),
        ..PurgeRule::default()
    };
    let purged = hub.store.purge(&rule, FIRST, &because("tests")).unwrap();
    assert!(purged.is_ok(), "{purged:?}");
    let cancelled = hub.store.cancel(FIRST, &because("too late")).unwrap();
    assert_eq!(cancelled.blocked, [CannotCancel::Purged(FIRST)]);
    let held = hub.store.hold_batch(FIRST, &because("too late")).unwrap();
    assert!(held.blocked.is_some());
    for deed in [MessageDeed::Hold, MessageDeed::Release, MessageDeed::Cancel] {
        assert_eq!(move_messages(&hub, deed, &[1]).moves, []);
    }
    let plan = set_back(&hub, &[], Step::Open, true);
    assert_eq!(plan.blocked, [Blocked::Purged(FIRST)]);
    assert_eq!(state(&hub), was);
}
