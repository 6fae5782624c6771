//! Who withdraws consent while the messages of others are delivered.

use std::sync::Arc;

use async_trait::async_trait;
use kuori::{
    domain::{BatchState, RecipientId},
    mailbox::{self, Delivery, DeliveryId, Mailbox, MailboxReceipt},
    sample::{self, Spec},
    store::{ConsentChange, ConsentStatus, Store},
};

use crate::hub::{Hub, now};

/// Mailboxes during whose first answer these recipients withdraw.
struct Withdrawing {
    inner: Arc<dyn Mailbox>,
    store: Arc<Store>,
    recipients: Vec<RecipientId>,
}

fn withdraw(store: &Store, recipients: &[RecipientId]) {
    let withdrawn = recipients.iter().map(|recipient| ConsentChange {
        recipient: recipient.clone(),
        status: ConsentStatus::Withdrawn,
        since: now(),
    });
    let page: Vec<_> = withdrawn.collect();
    store.record_consents(&page, "test", now()).unwrap();
}

#[async_trait]
impl Mailbox for Withdrawing {
    async fn deliver(
        &self,
        page: Vec<Delivery>,
    ) -> Result<Vec<Result<MailboxReceipt, mailbox::Error>>, mailbox::Error> {
        self.inner.deliver(page).await
    }

    async fn has(&self, id: DeliveryId, recipient: &RecipientId) -> Result<bool, mailbox::Error> {
        withdraw(&self.store, &self.recipients);
        self.inner.has(id, recipient).await
    }

    async fn discard(&self, id: DeliveryId, recipient: &RecipientId) -> Result<(), mailbox::Error> {
        self.inner.discard(id, recipient).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_withdraws_after_the_page_was_asked_about_gets_paper() {
    let spec = Spec {
        letters: 20,
        ..Spec::default()
    };
    let with_mailbox = sample::recipients(&spec).filter(|it| it.has_mailbox);
    let mut recipients: Vec<_> = with_mailbox
        .filter_map(|it| it.id.map(RecipientId::Person))
        .collect();
    let stays = recipients.pop().unwrap();
    assert!(recipients.len() > 3 && !recipients.contains(&stays));
    let all = recipients.clone();
    let hub = Hub::with_house(|house| {
        house.mailbox = Arc::new(Withdrawing {
            inner: Arc::clone(&house.mailbox),
            store: Arc::clone(&house.store),
            recipients: all,
        });
    });
    hub.consent(&spec);
    hub.upload_sample("letters.zip", &spec);
    hub.poll().await;
    while hub.store.batches(1).unwrap()[0].state != BatchState::Routed {
        assert!(hub.run_one_step().await);
    }
    // Found at the beginning of the page, upon which the mailboxes are asked, and the others withdraw.
    withdraw(&hub.store, &recipients[..1]);
    hub.run().await;
    assert_eq!(hub.mailbox_messages().len(), 1);
    let counts = hub.counts();
    assert_eq!((counts.delivered, counts.printed), (1, 19));
}
