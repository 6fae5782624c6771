use std::sync::Arc;

use rayon::prelude::*;
use tokio::sync::{mpsc, oneshot};

use super::{
    super::{
        Error,
        documents::{Documents, Letters},
    },
    desk::Desk,
    parcel::{self, Cut},
};
use crate::{
    domain::BatchId,
    store::{BatchRow, PutBack, QueuedRow},
};

/// A batch whose documents are open, on a thread of its own that lasts for as long as this.
///
/// Opening a large batch takes seconds, and batches take turns: it is done once.
#[derive(Debug)]
pub(super) struct OpenBatch {
    batch: BatchId,
    orders: mpsc::Sender<Order>,
}

/// Begins that many messages.
struct Order {
    limit: u32,
    answer: oneshot::Sender<Result<Vec<(QueuedRow, Cut)>, Error>>,
}

impl OpenBatch {
    pub(super) fn open(desk: &Arc<Desk>, row: BatchRow) -> Self {
        let (orders, taken) = mpsc::channel(1);
        let (batch, desk) = (row.id, Arc::clone(desk));
        tokio::task::spawn_blocking(move || serve(&desk, &row, taken));
        Self { batch, orders }
    }

    pub(super) fn batch(&self) -> BatchId {
        self.batch
    }

    /// Begins the next messages in order of position, at most `limit` of them; none where none waits.
    pub(super) async fn begin(&self, limit: u32) -> Result<Vec<(QueuedRow, Cut)>, Error> {
        let (answer, answered) = oneshot::channel();
        let order = Order { limit, answer };
        // Where its thread has panicked, the log has the place.
        self.orders.send(order).await.map_err(|_| Error::Panicked)?;
        answered.await.unwrap_or(Err(Error::Panicked))
    }
}

fn serve(desk: &Desk, row: &BatchRow, mut orders: mpsc::Receiver<Order>) {
    let house = &desk.house;
    let served = house.sender(&row.sender).and_then(|sender| {
        let documents = Documents::load(house, row, &sender.batch.limits)?;
        documents.lend(|letters| {
            while let Some(order) = orders.blocking_recv() {
                let begun = begin(desk, row, letters, order.limit);
                if let Err(Ok(unwanted)) = order.answer.send(begun) {
                    put_back(desk, row, unwanted.iter().map(|(queued, _)| queued))?;
                }
            }
            Ok(())
        })
    });
    if let (Err(error), Some(order)) = (served, orders.blocking_recv()) {
        let _ = order.answer.send(Err(error));
    }
}

fn begin(
    desk: &Desk,
    batch: &BatchRow,
    letters: &Letters<'_>,
    limit: u32,
) -> Result<Vec<(QueuedRow, Cut)>, Error> {
    let store = &desk.house.store;
    let begun = store.begin_sending(batch.id, &desk.service, limit)?;
    let fresh_since = desk.fresh_since();
    let cut_one = |queued: &QueuedRow| {
        let cut = parcel::cut(&desk.house, batch, letters, queued, fresh_since)?;
        Ok((queued.clone(), cut))
    };
    let cut: Result<Vec<_>, Error> = begun.par_iter().map(cut_one).collect();
    if cut.is_err() {
        put_back(desk, batch, begun.iter())?;
    }
    cut
}

fn put_back<'a>(
    desk: &Desk,
    batch: &BatchRow,
    begun: impl Iterator<Item = &'a QueuedRow>,
) -> Result<(), Error> {
    let not_sent = |queued: &QueuedRow| (queued.id.position, PutBack::NotSent);
    let begun: Vec<_> = begun.map(not_sent).collect();
    Ok(desk.house.store.put_back(batch.id, &begun)?)
}
