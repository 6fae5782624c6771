//! Mailboxes that do as they are told.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use kuori::{
    domain::RecipientId,
    mailbox::{self, Delivery, DeliveryId, Mailbox, MailboxReceipt},
};

use crate::lifecycle::events::Mood;

/// Mailboxes that do as they are told.
pub(super) struct Moody {
    pub(super) inner: Arc<dyn Mailbox>,
    pub(super) mood: Arc<Mutex<Mood>>,
}

#[async_trait]
impl Mailbox for Moody {
    async fn deliver(
        &self,
        page: Vec<Delivery>,
    ) -> Result<Vec<Result<MailboxReceipt, mailbox::Error>>, mailbox::Error> {
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Work => self.inner.deliver(page).await,
            Mood::Silent => {
                self.inner.deliver(page).await?;
                Err(no_room())
            }
            Mood::Fail => Err(no_room()),
            Mood::Broken => Err(mailbox::Error::KeyChanged {
                root: PathBuf::new(),
            }),
        }
    }

    async fn has(&self, id: DeliveryId, recipient: &RecipientId) -> Result<bool, mailbox::Error> {
        self.inner.has(id, recipient).await
    }

    async fn discard(&self, id: DeliveryId, recipient: &RecipientId) -> Result<(), mailbox::Error> {
        self.inner.discard(id, recipient).await
    }
}

fn no_room() -> mailbox::Error {
    mailbox::Error::Sync {
        root: PathBuf::new(),
        source: std::io::ErrorKind::StorageFull.into(),
    }
}
