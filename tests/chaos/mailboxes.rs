//! Mailboxes that have what they did not say that they have.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use kuori::{
    domain::RecipientId,
    mailbox::{self, Delivery, DeliveryId, Mailbox, MailboxReceipt},
    sample::Spec,
    store::{Again, CannotCancel, NewEvent, Selection},
};

use crate::hub::{Hub, now};

/// Mailboxes that take the first page of messages and do not get round to saying so, nor to answering
/// when they are asked next.
struct SilentOnce {
    inner: Arc<dyn Mailbox>,
    has_been: AtomicBool,
    has_been_asked: AtomicBool,
}

#[async_trait]
impl Mailbox for SilentOnce {
    async fn deliver(
        &self,
        page: Vec<Delivery>,
    ) -> Result<Vec<Result<MailboxReceipt, mailbox::Error>>, mailbox::Error> {
        let receipts = self.inner.deliver(page).await?;
        if self.has_been.swap(true, Ordering::SeqCst) {
            return Ok(receipts);
        }
        Err(mailbox::Error::Sync {
            root: PathBuf::new(),
            source: io::ErrorKind::StorageFull.into(),
        })
    }

    async fn has(&self, id: DeliveryId, recipient: &RecipientId) -> Result<bool, mailbox::Error> {
        if self.has_been_asked.swap(true, Ordering::SeqCst) {
            return self.inner.has(id, recipient).await;
        }
        Err(mailbox::Error::Find {
            message: id.message,
            source: io::ErrorKind::TimedOut.into(),
        })
    }

    async fn discard(&self, id: DeliveryId, recipient: &RecipientId) -> Result<(), mailbox::Error> {
        self.inner.discard(id, recipient).await
    }
}

/// Twenty letters, of which those with a mailbox lie in it, and no row tells of it.
async fn delivered_unrecorded() -> (Hub, Spec) {
    let hub = Hub::with_mailbox(|inner| {
        Arc::new(SilentOnce {
            inner,
            has_been: AtomicBool::new(false),
            has_been_asked: AtomicBool::new(false),
        })
    });
    let spec = Spec {
        letters: 20,
        ..Spec::default()
    };
    hub.consent(&spec);
    hub.upload_sample("letters.zip", &spec);
    hub.run().await;
    (hub, spec)
}

#[tokio::test(flavor = "multi_thread")]
async fn consent_withdrawn_after_an_unrecorded_delivery_sends_nothing_on_paper_too() {
    let (hub, spec) = delivered_unrecorded().await;
    let in_mailboxes = hub.mailbox_messages().len() as u64;
    assert!(in_mailboxes > 5 && hub.counts().delivered == 0);

    hub.withdraw_consents(&spec);
    hub.try_again_now();
    hub.run().await;
    let counts = hub.counts();
    assert_eq!(
        (counts.delivered, counts.printed),
        (in_mailboxes, 20 - in_mailboxes)
    );
    assert_eq!(hub.mailbox_messages().len() as u64, in_mailboxes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_not_cancelled_while_nobody_knows_what_lies_in_mailboxes() {
    let (hub, _) = delivered_unrecorded().await;
    assert!(hub.counts().delivered == 0 && !hub.mailbox_messages().is_empty());
    let batch = hub.store.batches(1).unwrap()[0].id;
    let action = NewEvent {
        at: now(),
        actor: "maija".to_owned(),
        why: "a try".to_owned(),
    };
    let begun = [CannotCancel::DeliveryBegun(batch)];
    assert_eq!(hub.store.cancel(batch, &action).unwrap().blocked, begun);
    // Nor after it was set back to its first step.
    let all = Selection {
        batch,
        positions: Vec::new(),
        from: None,
        again: Again::default(),
    };
    hub.store.reprocess(&all, &action).unwrap();
    assert_eq!(hub.store.cancel(batch, &action).unwrap().blocked, begun);
    hub.run().await;
    let counts = hub.counts();
    assert_eq!(counts.delivered + counts.printed, 20);
}
