//! One turn of one batch: a chain of stages with little room between them.
//!
//! ```text
//! begin ─► upload, several at once ─► wait for the bucket ─► send, in order ─► record
//! ```
//!
//! Whatever ends the turn, each message that was begun comes out at its end.

use std::{
    collections::BTreeSet,
    future::pending,
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    task::JoinSet,
};

use super::{
    bucket::Bucket,
    calls::{self, Note, Upload},
    desk::Desk,
    ending::Ended,
    open_batch::OpenBatch,
    parcel::{Cut, Parcel},
    record::Group,
    suspects,
};
use crate::{
    mailbox::suomifi,
    pipeline::Error,
    store::{PutBack, QueuedRow},
};

/// What has come in is recorded together, up to so many.
const MOST_RECORDED: usize = 256;

/// How a turn came to its end.
#[derive(Debug, Default)]
pub(super) struct RoundEnd {
    /// Messages that have left the queue.
    pub(super) gone: u64,
    /// Messages wait by themselves, and the others may go.
    pub(super) has_put_off: bool,
    /// None of the batch waits any more, but for those.
    pub(super) is_drained: bool,
    /// The service does not work.
    pub(super) trouble: Option<suomifi::Error>,
    /// The house does not: its store, or the batch's file.
    pub(super) failure: Option<Error>,
}

pub(super) struct Round<'a> {
    desk: &'a Arc<Desk>,
    batch: &'a OpenBatch,
    /// Messages that may be begun.
    hands: Arc<Semaphore>,
    /// Messages that may be under way: one while it is not known whether the service works again.
    places: Arc<Semaphore>,
    is_on_trial: AtomicBool,
    closing: watch::Sender<bool>,
    /// Begun, and not recorded yet.
    in_hand: Mutex<BTreeSet<u32>>,
    end: Mutex<RoundEnd>,
}

/// Begun, with the permit that it keeps until it has ended.
struct Begun {
    hand: OwnedSemaphorePermit,
    parcel: Box<Parcel>,
}

/// On its way up.
struct Rising {
    permits: [OwnedSemaphorePermit; 2],
    upload: Upload,
}

impl<'a> Round<'a> {
    pub(super) fn new(desk: &'a Arc<Desk>, batch: &'a OpenBatch, is_on_trial: bool) -> Self {
        let in_flight = desk.settings.in_flight.max(1);
        let places = if is_on_trial { 1 } else { in_flight };
        let hands = desk.settings.begun_at_once(places);
        Self {
            desk,
            batch,
            hands: Arc::new(Semaphore::new(hands)),
            places: Arc::new(Semaphore::new(places)),
            is_on_trial: AtomicBool::new(is_on_trial),
            closing: watch::channel(false).0,
            in_hand: Mutex::default(),
            end: Mutex::default(),
        }
    }

    /// Works until the batch has none left, its time is over, the service or the house fails, or
    /// `stop` turns true. What is under way then is waited for and recorded, but not for ever.
    pub(super) async fn run(
        self,
        bucket: &mut Bucket,
        stop: &mut watch::Receiver<bool>,
    ) -> RoundEnd {
        tokio::select! {
            () = self.work(bucket) => {}
            () = self.too_long(stop) => {}
        }
        self.give_up_what_is_left().await;
        self.end
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the turn when its time is over or `stop` turns true, and ends when the latter is too long ago.
    async fn too_long(&self, stop: &mut watch::Receiver<bool>) {
        let turn = self.desk.settings.longest_turn();
        if tokio::time::timeout(turn, until_told(stop)).await.is_err() {
            self.close();
            until_told(stop).await;
        }
        self.close();
        tokio::time::sleep(self.desk.settings.stop_within).await;
    }

    async fn work(&self, bucket: &mut Bucket) {
        let (begun, to_upload) = mpsc::channel(1);
        let (rising, to_send) = mpsc::channel(self.desk.settings.in_flight.max(1));
        let (notes, to_record) = mpsc::channel(MOST_RECORDED);
        tokio::join!(
            self.begin(begun, notes.clone()),
            self.upload(to_upload, rising, notes.clone()),
            self.send(to_send, notes, bucket),
            self.record(to_record),
        );
    }

    async fn begin(&self, begun: mpsc::Sender<Begun>, notes: mpsc::Sender<Note>) {
        loop {
            let first = Arc::clone(&self.hands).acquire_owned();
            let Some(Ok(hand)) = self.unless_closing(first).await else {
                return;
            };
            let more = u32::try_from(self.hands.available_permits()).unwrap_or(u32::MAX);
            let page = match self.batch.begin(more.saturating_add(1)).await {
                Ok(page) => page,
                Err(error) => return self.fail(error),
            };
            locked(&self.in_hand).extend(page.iter().map(|(queued, _)| queued.id.position));
            if page.is_empty() {
                locked(&self.end).is_drained = true;
                return;
            }
            self.pass_on(hand, page, &begun, &notes).await;
        }
    }

    async fn pass_on(
        &self,
        hand: OwnedSemaphorePermit,
        page: Vec<(QueuedRow, Cut)>,
        begun: &mpsc::Sender<Begun>,
        notes: &mpsc::Sender<Note>,
    ) {
        let mut hand = Some(hand);
        for (queued, cut) in page {
            let note = match cut {
                Cut::Parcel(parcel) => {
                    // Only this stage takes any: there were as many as messages were begun.
                    let further = || Arc::clone(&self.hands).try_acquire_owned().ok();
                    if let Some(hand) = hand.take().or_else(further) {
                        let _ = begun.send(Begun { hand, parcel }).await;
                    }
                    continue;
                }
                Cut::Ended(ending) => Note::unasked(Ended::of(&queued, ending)),
                Cut::Unanswered(trouble) => {
                    let ended = Ended::unanswered(&queued);
                    suspects::judge(self.desk, &queued, ended, trouble).await
                }
            };
            hand_in(note, notes, &self.closing).await;
        }
    }

    async fn upload(
        &self,
        mut begun: mpsc::Receiver<Begun>,
        rising: mpsc::Sender<Rising>,
        notes: mpsc::Sender<Note>,
    ) {
        while let Some(Begun { hand, parcel }) = begun.recv().await {
            let place = Arc::clone(&self.places).acquire_owned();
            let Some(Ok(place)) = self.unless_closing(place).await else {
                let _ = notes.send(Note::unasked(Ended::put_back(&parcel))).await;
                continue;
            };
            let upload = Upload::begin(self.desk, parcel);
            let permits = [hand, place];
            let _ = rising.send(Rising { permits, upload }).await;
        }
    }

    /// In the order in which they were begun, however long each upload takes.
    async fn send(
        &self,
        mut rising: mpsc::Receiver<Rising>,
        notes: mpsc::Sender<Note>,
        bucket: &mut Bucket,
    ) {
        let mut sends = JoinSet::new();
        while let Some(Rising { permits, upload }) = rising.recv().await {
            while sends.try_join_next().is_some() {}
            let parcel = match upload.end().await {
                Some(Ok(parcel)) => parcel,
                Some(Err(note)) => {
                    hand_in(note, &notes, &self.closing).await;
                    continue;
                }
                None => continue,
            };
            while self.desk.settings.in_order && sends.join_next().await.is_some() {}
            if !self.may_send(bucket).await {
                let _ = notes.send(Note::unasked(Ended::put_back(&parcel))).await;
                continue;
            }
            let (desk, notes) = (Arc::clone(self.desk), notes.clone());
            let closing = self.closing.clone();
            sends.spawn(async move {
                let note = calls::send(&desk, &parcel).await;
                drop(permits);
                hand_in(note, &notes, &closing).await;
            });
        }
        while sends.join_next().await.is_some() {}
    }

    /// Waits for the bucket; `false` where nothing is to be sent any more.
    async fn may_send(&self, bucket: &mut Bucket) -> bool {
        match self.unless_closing(self.take_turn(bucket)).await {
            Some(Ok(())) => true,
            Some(Err(error)) => {
                self.fail(error);
                false
            }
            None => false,
        }
    }

    async fn take_turn(&self, bucket: &mut Bucket) -> Result<(), Error> {
        loop {
            if let Some((row, until)) = bucket.to_write(self.desk.house.clock.now()) {
                self.desk.write_turn(row).await?;
                bucket.cover(until);
            }
            bucket.wait().await;
            if bucket.may_send() {
                bucket.take();
                return Ok(());
            }
            bucket.reach_further();
        }
    }

    async fn record(&self, mut notes: mpsc::Receiver<Note>) {
        let mut some = Vec::new();
        while notes.recv_many(&mut some, MOST_RECORDED).await > 0 {
            let works = some.iter().any(|note| note.is_answer);
            let mut ended = Vec::with_capacity(some.len());
            for note in some.drain(..) {
                if let Some(trouble) = note.trouble {
                    locked(&self.end).trouble.get_or_insert(trouble);
                }
                ended.push(note.ended);
            }
            self.record_group(ended).await;
            if works {
                self.trust().await;
            }
        }
    }

    /// Again and again while the store does not work: what the service has taken is known here alone.
    async fn record_group(&self, ended: Vec<Ended>) {
        let gone = ended.iter().filter(|ended| ended.is_gone()).count();
        let has_put_off = ended.iter().any(Ended::is_put_off);
        let positions: Vec<_> = ended.iter().map(|ended| ended.message.position).collect();
        let (group, batch) = (Arc::new(Group::of(ended)), self.batch.batch());
        loop {
            let group = Arc::clone(&group);
            let recorded = self.desk.apart(move |desk| group.record(desk, batch)).await;
            let Err(error) = recorded else { break };
            self.fail(error);
            tokio::time::sleep(self.desk.settings.look_interval).await;
        }
        locked(&self.in_hand).retain(|position| !positions.contains(position));
        let mut end = locked(&self.end);
        end.gone += gone as u64;
        end.has_put_off |= has_put_off;
    }

    /// The service works, whatever it was before.
    async fn trust(&self) {
        if !self.is_on_trial.swap(false, Ordering::Relaxed) {
            return;
        }
        if let Err(error) = self.desk.tell_it_works().await {
            self.fail(error);
        }
        let more = self.desk.settings.in_flight.saturating_sub(1);
        self.places.add_permits(more);
        self.hands.add_permits(more);
    }

    fn close(&self) {
        self.closing.send_replace(true);
    }

    /// `None` once nothing new is to be done.
    async fn unless_closing<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut closing = self.closing.subscribe();
        tokio::select! {
            biased;
            _ = closing.wait_for(|closing| *closing) => None,
            done = work => Some(done),
        }
    }

    fn fail(&self, error: Error) {
        self.close();
        locked(&self.end).failure.get_or_insert(error);
    }

    /// What was not waited for to the end: the service may have it.
    async fn give_up_what_is_left(&self) {
        let left = mem::take(&mut *locked(&self.in_hand));
        if left.is_empty() {
            return;
        }
        let left: Vec<_> = left.into_iter().map(|it| (it, PutBack::InDoubt)).collect();
        let batch = self.batch.batch();
        let put_back = move |desk: &Desk| Ok(desk.house.store.put_back(batch, &left)?);
        if let Err(error) = self.desk.apart(put_back).await {
            self.fail(error);
        }
    }
}

/// Ends the turn first where the service is in trouble: no message is to overtake the one that met it.
async fn hand_in(note: Note, notes: &mpsc::Sender<Note>, closing: &watch::Sender<bool>) {
    if note.trouble.is_some() {
        closing.send_replace(true);
    }
    let _ = notes.send(note).await;
}

/// Never, where there is nobody any more who could tell.
async fn until_told(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        pending::<()>().await;
    }
}

/// A panic in between leaves what can be used.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
