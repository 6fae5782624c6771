//! Brings what waits in the queue of a mailbox service to it: one courier a service.
//!
//! Comes in: rows of the queue, in the order in which the store gives turns to batches. Goes out: messages that
//! the service has, and what became of the others. It does not know how a message came into the queue,
//! nor what its batch does next; it says only that there may be something to do for it.
//!
//! The pace is the service's ([`Settings::rate_per_sec`]): a row says from when on the next message may
//! go, over restarts too. A service that does not work is put off as a whole, its messages wait, and no batch
//! fails for it. A message whose answer was lost is sent again under the same id, which the service knows.

mod bucket;
mod calls;
mod desk;
mod ending;
mod last;
mod open_batch;
mod parcel;
mod record;
mod round;
mod send_time;
mod settings;
mod suspects;
mod trouble;

use std::{collections::VecDeque, sync::Arc};

use jiff::Timestamp;
use tokio::sync::watch;

use self::{
    bucket::Bucket,
    desk::Desk,
    last::Last,
    open_batch::OpenBatch,
    round::{Round, RoundEnd},
};
use super::{Error, House, Wake};
use crate::{
    domain::{BatchId, Disposition, ServiceName},
    mailbox::suomifi::Suomifi,
    telemetry::{self, OnceAMinute},
};

pub use settings::{SetAside, Settings};

/// Brings messages to one service, for as long as it is asked to.
pub struct Courier {
    desk: Arc<Desk>,
    /// Rung when a batch may go on for what was brought.
    brought: Wake,
}

/// What a courier knows from one turn to the next.
struct Bag {
    bucket: Bucket,
    /// The last one used stands last.
    open: VecDeque<OpenBatch>,
    last: Last,
    telling: OnceAMinute,
}

/// How a look into the queue ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Looked {
    /// Messages have left the queue.
    Brought,
    /// None has; what was tried waits by itself now, and others may go.
    PutOff,
    /// Nothing waits, or nothing of it may go now.
    Idle,
    /// Something of this batch waits, and the house could not bring it.
    Failed(BatchId),
}

impl Courier {
    /// `None` where the house has no such service.
    pub fn new(
        house: &Arc<House>,
        service: &ServiceName,
        settings: Settings,
        brought: Wake,
    ) -> Option<Self> {
        let client: Arc<Suomifi> = Arc::clone(house.services.get(service)?);
        let desk = Arc::new(Desk {
            house: Arc::clone(house),
            service: service.clone(),
            client,
            settings,
        });
        Some(Self { desk, brought })
    }

    /// Works until `stop` turns true; what is under way then is recorded. A store that fails is asked
    /// again until it works.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        let mut bag = None;
        while !*stop.borrow() {
            match self.look(&mut bag, &mut stop).await {
                Ok(Looked::Brought | Looked::PutOff) => continue,
                Ok(Looked::Idle | Looked::Failed(_)) => {}
                Err(error) => self.complain(bag.as_ref(), &error),
            }
            tokio::select! {
                () = tokio::time::sleep(self.desk.settings.look_interval) => {}
                _ = stop.changed() => {}
            }
        }
        if let Some(bag) = &bag {
            self.leave(bag).await;
        }
    }

    /// Works until nothing waits that may go now, or `stop` turns true. Answers whether anything was brought.
    ///
    /// # Errors
    ///
    /// Any failure of the store, and documents of a batch that cannot be opened.
    pub async fn run_until_idle_or(&self, stop: &watch::Receiver<bool>) -> Result<bool, Error> {
        let (mut stop, mut bag, mut any) = (stop.clone(), None, false);
        let mut failed = Vec::new();
        while !*stop.borrow() {
            match self.look(&mut bag, &mut stop).await? {
                Looked::Brought => any = true,
                Looked::PutOff => {}
                // The others go before it has its next turn.
                Looked::Failed(batch) if !failed.contains(&batch) => failed.push(batch),
                Looked::Failed(_) | Looked::Idle => break,
            }
        }
        if let Some(bag) = &bag {
            self.leave(bag).await;
        }
        Ok(any)
    }

    /// Gives the batch whose turn it is its turn.
    async fn look(
        &self,
        bag: &mut Option<Bag>,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Looked, Error> {
        let state = self.desk.state().await?;
        let bag = match bag {
            Some(bag) => bag,
            none => none.insert(self.pack(state.next_turn_at)),
        };
        self.desk.release_in_hand().await?;
        self.desk.end_put_offs().await?;
        self.settle().await?;
        let now = self.desk.house.clock.now();
        if state.retry_at.is_some_and(|retry_at| retry_at > now) {
            return Ok(Looked::Idle);
        }
        let Some(turn) = self.desk.turn(bag.last.batches()).await? else {
            bag.open.clear();
            return Ok(Looked::Idle);
        };
        let batch = self.open(bag, turn.batch).await?;
        if state.is_wanted_again() {
            self.desk.client.knock_again().await;
        }
        let is_on_trial = state.failing_since.is_some();
        let round = Round::new(&self.desk, &batch, is_on_trial);
        let end = round.run(&mut bag.bucket, stop).await;
        self.conclude(bag, batch, end).await
    }

    fn pack(&self, next_turn_at: Option<Timestamp>) -> Bag {
        let (rate, now) = (self.desk.settings.rate_per_sec, self.desk.house.clock.now());
        Bag {
            bucket: Bucket::new(rate, next_turn_at, now),
            open: VecDeque::new(),
            last: Last::default(),
            telling: OnceAMinute::default(),
        }
    }

    /// One that is open already, if there is.
    async fn open(&self, bag: &mut Bag, batch: BatchId) -> Result<OpenBatch, Error> {
        let known = bag.open.iter().position(|open| open.batch() == batch);
        if let Some(open) = known.and_then(|known| bag.open.remove(known)) {
            return Ok(open);
        }
        let row = self.desk.batch(batch).await?;
        Ok(OpenBatch::open(&self.desk, row))
    }

    async fn conclude(
        &self,
        bag: &mut Bag,
        batch: OpenBatch,
        end: RoundEnd,
    ) -> Result<Looked, Error> {
        let id = batch.batch();
        if end.trouble.is_some() || end.failure.is_some() {
            bag.last.add(id);
        }
        if end.failure.is_none() && !end.is_drained {
            bag.open.push_back(batch);
            let too_many = bag
                .open
                .len()
                .saturating_sub(self.desk.settings.batches_open);
            bag.open.drain(..too_many);
        }
        if end.gone > 0 {
            tracing::info!(batch = %id, service = %self.desk.service, messages = end.gone, "brought");
            self.settle().await?;
        }
        if let Some(trouble) = &end.trouble {
            self.desk.put_off(trouble).await?;
        }
        match end.failure {
            Some(error) if error.disposition() == Disposition::Retry => Err(error),
            Some(error) => {
                self.complain(Some(bag), &error);
                let told = telemetry::with_causes(&error);
                self.desk.note_turn(id, Some(told)).await?;
                Ok(Looked::Failed(id))
            }
            None => {
                self.desk.note_turn(id, None).await?;
                Ok(match end.gone {
                    0 if end.has_put_off && end.trouble.is_none() => Looked::PutOff,
                    0 => Looked::Idle,
                    _ => Looked::Brought,
                })
            }
        }
    }

    /// Lets batches go on for what was brought.
    async fn settle(&self) -> Result<(), Error> {
        if self.desk.settle().await? {
            self.brought.notify_one();
        }
        Ok(())
    }

    /// The next start need not wait for longer than the rate asks for.
    async fn leave(&self, bag: &Bag) {
        let Some(row) = bag.bucket.at_rest(self.desk.house.clock.now()) else {
            return;
        };
        if let Err(error) = self.desk.write_turn(row).await {
            self.complain(Some(bag), &error);
        }
    }

    fn complain(&self, bag: Option<&Bag>, error: &Error) {
        if bag.is_none_or(|bag| bag.telling.is_due()) {
            let (service, error) = (&self.desk.service, telemetry::with_causes(error));
            tracing::error!(%service, error, "messages cannot be brought; it is tried again");
        }
    }
}
