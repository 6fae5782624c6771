use std::sync::Arc;

use jiff::Timestamp;

use super::Settings;
use crate::{
    domain::{BatchId, ServiceName},
    mailbox::suomifi::Suomifi,
    pipeline::{Error, House},
    store::{BatchRow, QueueTurn, ServiceState},
};

/// What all who bring messages to a service work with.
pub(super) struct Desk {
    pub(super) house: Arc<House>,
    pub(super) service: ServiceName,
    pub(super) client: Arc<Suomifi>,
    pub(super) settings: Settings,
}

impl Desk {
    /// What was uploaded before that is uploaded again.
    pub(super) fn fresh_since(&self) -> Timestamp {
        let now = self.house.clock.now();
        now.saturating_sub(self.settings.uploads_last)
            .unwrap_or(Timestamp::MIN)
    }

    /// Does something with the store where waiting for the disk holds nobody up.
    pub(super) async fn apart<T: Send + 'static>(
        self: &Arc<Self>,
        deed: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let desk = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || deed(&desk)).await;
        done.unwrap_or(Err(Error::Panicked))
    }

    pub(super) async fn state(self: &Arc<Self>) -> Result<ServiceState, Error> {
        self.apart(|desk| Ok(desk.house.store.service_state(&desk.service)?))
            .await
    }

    /// Whose turn it is; batches of `last` come after all others.
    pub(super) async fn turn(
        self: &Arc<Self>,
        last: Vec<BatchId>,
    ) -> Result<Option<QueueTurn>, Error> {
        self.apart(move |desk| Ok(desk.house.store.queue_turn(&desk.service, &last)?))
            .await
    }

    /// Lets what was left in hand wait again. Between two turns nothing is.
    pub(super) async fn release_in_hand(self: &Arc<Self>) -> Result<(), Error> {
        self.apart(|desk| Ok(desk.house.store.release_in_hand(&desk.service)?))
            .await
    }

    /// Lets messages go with the others again that were put off, where their time has come.
    pub(super) async fn end_put_offs(self: &Arc<Self>) -> Result<(), Error> {
        self.apart(|desk| {
            let now = desk.house.clock.now();
            Ok(desk.house.store.end_put_offs(&desk.service, now)?)
        })
        .await
    }

    pub(super) async fn batch(self: &Arc<Self>, batch: BatchId) -> Result<BatchRow, Error> {
        self.apart(move |desk| Ok(desk.house.store.batch(batch)?))
            .await
    }

    /// Why the batch could not be brought in its turn, for those who wait for it.
    pub(super) async fn note_turn(
        self: &Arc<Self>,
        batch: BatchId,
        error: Option<String>,
    ) -> Result<(), Error> {
        self.apart(move |desk| {
            let (store, now) = (&desk.house.store, desk.house.clock.now());
            Ok(store.note_turn(&desk.service, batch, error.as_deref(), now)?)
        })
        .await
    }

    /// Nothing is sent before, by this process or another.
    pub(super) async fn write_turn(self: &Arc<Self>, at: Timestamp) -> Result<(), Error> {
        self.apart(move |desk| Ok(desk.house.store.set_next_turn_at(&desk.service, at)?))
            .await
    }

    /// Lets batches go on for messages that have left the queue. Answers whether any is due now.
    pub(super) async fn settle(self: &Arc<Self>) -> Result<bool, Error> {
        self.apart(|desk| {
            let now = desk.house.clock.now();
            Ok(!desk.house.store.settle_queues(now)?.is_empty())
        })
        .await
    }
}
