use std::sync::Arc;

use rayon::prelude::*;
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};

use super::{
    super::{
        Error,
        documents::{Documents, Letters},
        statuses::AtSendTime,
    },
    calls,
    desk::Desk,
    ending::{self, Ending},
    parcel::{self, Cut},
    send_time::SendTime,
};
use crate::{
    domain::BatchId,
    mailbox::suomifi::{Error as ServiceError, SentMessage},
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
        documents.lend(|letters| serve_from(desk, row, letters, &mut orders))
    });
    if let (Err(error), Some(order)) = (served, orders.blocking_recv()) {
        let _ = order.answer.send(Err(error));
    }
}

fn serve_from(
    desk: &Desk,
    row: &BatchRow,
    letters: &Letters<'_>,
    orders: &mut mpsc::Receiver<Order>,
) -> Result<(), Error> {
    let mut send_time = SendTime::default();
    while let Some(order) = orders.blocking_recv() {
        let begun = begin(desk, row, letters, &mut send_time, order.limit);
        if let Err(Ok(unwanted)) = order.answer.send(begun) {
            put_back(desk, row, unwanted.iter().map(|(queued, _)| queued))?;
        }
    }
    Ok(())
}

fn begin(
    desk: &Desk,
    batch: &BatchRow,
    letters: &Letters<'_>,
    send_time: &mut SendTime,
    limit: u32,
) -> Result<Vec<(QueuedRow, Cut)>, Error> {
    let store = &desk.house.store;
    let begun = store.begin_sending(batch.id, &desk.service, limit)?;
    let cut = cut_all(desk, batch, letters, send_time, &begun);
    if cut.is_err() {
        put_back(desk, batch, begun.iter())?;
    }
    Ok(begun.into_iter().zip(cut?).collect())
}

/// What becomes of each, in their order.
fn cut_all(
    desk: &Desk,
    batch: &BatchRow,
    letters: &Letters<'_>,
    send_time: &mut SendTime,
    begun: &[QueuedRow],
) -> Result<Vec<Cut>, Error> {
    let stored = begun
        .iter()
        .map(|queued| desk.house.store.message(queued.id));
    let mut stored: Vec<_> = stored.collect::<Result<_, _>>()?;
    let at_send_time = send_time.may_still_go(desk, batch, &mut stored)?;
    let (fresh_since, runtime) = (desk.fresh_since(), Handle::current());
    let cut_one = |((queued, stored), at_send_time)| {
        let cut = match at_send_time {
            AtSendTime::MayGo => {
                parcel::cut(&desk.house, batch, letters, (queued, stored), fresh_since)?
            }
            AtSendTime::NoMailbox => Cut::Ended(Ending::NoMailbox),
            AtSendTime::NotWanted => Cut::Ended(Ending::NotWanted),
        };
        Ok::<_, Error>(match cut {
            Cut::Ended(ending) => unless_sent(desk, &runtime, queued, ending),
            other => other,
        })
    };
    let begun = begun.par_iter().zip(&stored).zip(at_send_time);
    begun.map(cut_one).collect()
}

/// What becomes of a message that is to leave the queue unsent: of one that the service may have since
/// an earlier try, it is asked. On paper too, or set aside, it would come twice.
fn unless_sent(desk: &Desk, runtime: &Handle, queued: &QueuedRow, ending: Ending) -> Cut {
    if !queued.is_in_doubt {
        return Cut::Ended(ending);
    }
    let was_sent = runtime.block_on(calls::was_sent(&desk.client, queued));
    heed(queued, ending, was_sent)
}

/// Where the service refuses to say whether it has a message, an operator has to find out: it is a matter
/// of this one, and holds nothing else up.
fn heed(
    queued: &QueuedRow,
    ending: Ending,
    was_sent: Result<Option<SentMessage>, ServiceError>,
) -> Cut {
    match was_sent {
        Ok(Some(sent)) => Cut::Ended(Ending::Sent(sent)),
        Ok(None) => Cut::Ended(ending),
        Err(error) if error.is_of_message() => {
            Cut::Ended(Ending::SetAside(ending::nobody_knows(queued.id, &error)))
        }
        Err(error) => Cut::Unanswered(error),
    }
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{
        domain::{Code, MessageId},
        store::Door,
    };

    fn in_doubt() -> QueuedRow {
        QueuedRow {
            id: MessageId {
                batch: BatchId(7),
                position: 12,
            },
            service: "city-letters".parse().unwrap(),
            door: Door::Electronic,
            external_id: "kuori.example-city.B-0007-12-0123abcd".to_owned(),
            queued_at: Timestamp::UNIX_EPOCH,
            is_sending: true,
            is_in_doubt: true,
            tries: 2,
            uploads: Vec::new(),
            uploaded_at: None,
            refusals: 0,
            last_refusal: None,
            retry_at: None,
        }
    }

    #[test]
    fn what_the_service_says_of_a_message_in_doubt_decides_what_becomes_of_it() {
        let heed = |was_sent| heed(&in_doubt(), Ending::NoMailbox, was_sent);
        let sent = SentMessage {
            message_id: 9,
            was_sent_before: true,
        };
        let known = heed(Ok(Some(sent)));
        assert!(matches!(known, Cut::Ended(Ending::Sent(_))), "{known:?}");
        let unknown = heed(Ok(None));
        assert!(
            matches!(unknown, Cut::Ended(Ending::NoMailbox)),
            "{unknown:?}"
        );
        let refusal = ServiceError::Refused {
            status: 403,
            reason: "not yours".to_owned(),
        };
        let Cut::Ended(Ending::SetAside(finding)) = heed(Err(refusal)) else {
            panic!("printed, though the service may have it");
        };
        assert_eq!(finding.code, Code::MailboxServiceRefused);
        assert!(finding.detail.contains("not yours"), "{}", finding.detail);
        let down = heed(Err(ServiceError::Busy {
            status: 503,
            retry_after: None,
            reason: String::new(),
        }));
        assert!(matches!(down, Cut::Unanswered(_)), "{down:?}");
    }
}
