//! Holds that come in the middle of a delivery, or before it.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock},
};

use async_trait::async_trait;
use kuori::{
    domain::{
        BatchState, Channel, Decision, HoldCause, Reason, RecipientId, Route, StatedRecipient,
    },
    mailbox::{self, Delivery, DeliveryId, Mailbox, MailboxReceipt},
    pipeline::HoldPolicy,
    store::{CannotCancel, CannotRelease, Extent, Routed, StepOutcome, Store},
};

use super::{FIRST, assert_nothing_left, counts, letters, release, state};
use crate::hub::{Hub, because, now, sample_bytes};

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
    let plan = hub
        .store
        .plan_cancel_of(FIRST, Extent::Whole, now())
        .unwrap();
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
