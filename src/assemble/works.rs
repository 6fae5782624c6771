use std::sync::Arc;

use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};

use super::{
    Error, adapters,
    consent_feeds::{self, ConsentFeed},
    couriers,
    lock::Lock,
    order::put_in_order,
    timers::timer_rules,
};
use crate::{
    config::Config,
    inbox::Inbox,
    outbox::Outbox,
    pipeline::{self, Clock, Courier, House, Notifier, ReadLooks, Runner, Wake},
    store::{Received, Store},
    telemetry::Pulse,
    transport::SftpServers,
};

/// The house without its doors: inboxes, steps and outbox, which do something when asked.
pub struct Works {
    pub store: Arc<Store>,
    pub(super) clock: Clock,
    pub(super) house: Arc<House>,
    pub(super) runner: Arc<Runner>,
    pub(super) inboxes: Vec<Arc<Inbox>>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) couriers: Vec<Arc<Courier>>,
    /// Where others bring files of consents.
    pub(super) consent_feeds: Vec<ConsentFeed>,
    /// Sees which messages in Maildirs were read.
    pub(super) read_looks: Arc<ReadLooks>,
    /// Where recipients are told by e-mail.
    pub(super) notifier: Option<Arc<Notifier>>,
    /// Rung when a batch has arrived.
    pub(super) arrived: Wake,
    /// Rung when a step has ended.
    pub(super) stepped: Wake,
    /// Of the steps, whoever runs them.
    pub(super) pulse: Pulse,
    _lock: Lock,
}

impl Works {
    /// Takes the data folder, clears what a crash left, and builds what the settings ask for.
    ///
    /// # Errors
    ///
    /// [`Error::InUse`] where another process works in the folder, [`Error::Restored`] where it was
    /// brought back from a backup and nobody has said that it may go on.
    pub fn open(config: &Config, clock: Clock) -> Result<Self, Error> {
        let lock = Lock::take(&config.data_folder)?;
        let store = Arc::new(Store::open(&config.data_folder)?);
        put_in_order(&store)?;
        let (arrived, stepped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let pulse = Pulse::default();
        let parts = Parts::build(config, &store, &clock, (&arrived, &stepped, &pulse))?;
        Ok(Self {
            house: parts.house,
            runner: parts.runner,
            inboxes: parts.inboxes,
            outbox: parts.outbox,
            couriers: parts.couriers,
            consent_feeds: parts.consent_feeds,
            read_looks: parts.read_looks,
            notifier: parts.notifier,
            store,
            clock,
            arrived,
            stepped,
            pulse,
            _lock: lock,
        })
    }

    /// Builds inboxes, steps and outbox anew, as other settings want them; the data folder stays.
    ///
    /// # Errors
    ///
    /// Where they cannot be built, those that there are stay.
    pub(super) fn rebuild(&mut self, config: &Config) -> Result<(), Error> {
        let bells = (&self.arrived, &self.stepped, &self.pulse);
        let parts = Parts::build(config, &self.store, &self.clock, bells)?;
        self.house = parts.house;
        self.runner = parts.runner;
        self.inboxes = parts.inboxes;
        self.outbox = parts.outbox;
        self.couriers = parts.couriers;
        self.consent_feeds = parts.consent_feeds;
        self.read_looks = parts.read_looks;
        self.notifier = parts.notifier;
        Ok(())
    }

    /// Takes what is in the inboxes, runs every step that is due, brings messages to their services and
    /// hands over what is due, until there is nothing left to do now. Returns what was received.
    pub async fn run_until_idle(&self) -> Result<Vec<Received>, Error> {
        self.run_until_idle_or(&watch::channel(false).1).await
    }

    /// As [`Works::run_until_idle`], or until `stop` turns true: steps in hand then reach their next
    /// transaction, and what has begun to be handed over is.
    pub async fn run_until_idle_or(
        &self,
        stop: &watch::Receiver<bool>,
    ) -> Result<Vec<Received>, Error> {
        self.outbox.begin()?;
        let mut received = Vec::new();
        for inbox in &self.inboxes {
            received.extend(inbox.poll(self.clock.now()).await?);
        }
        loop {
            self.runner.run_until_idle_or(stop).await?;
            // What is brought may go on, and what is handed over is to be told.
            let is_brought = self.bring_all(stop).await?;
            if !self.hand_over_all(stop).await? && !is_brought {
                break;
            }
        }
        if let Some(notifier) = &self.notifier {
            notifier.run_until_idle(stop).await?;
        }
        Ok(received)
    }

    /// Whether there was anything to bring. Services do not wait for each other.
    async fn bring_all(&self, stop: &watch::Receiver<bool>) -> Result<bool, Error> {
        let mut couriers = JoinSet::new();
        for courier in &self.couriers {
            let (courier, stop) = (Arc::clone(courier), stop.clone());
            couriers.spawn(async move { courier.run_until_idle_or(&stop).await });
        }
        let mut any = false;
        while let Some(brought) = couriers.join_next().await {
            any |= brought.unwrap_or(Err(pipeline::Error::Panicked))?;
        }
        Ok(any && !*stop.borrow())
    }

    /// Whether there was anything to hand over.
    async fn hand_over_all(&self, stop: &watch::Receiver<bool>) -> Result<bool, Error> {
        let mut any = false;
        while !*stop.borrow() && self.outbox.hand_over_next(self.clock.now()).await? {
            any = true;
        }
        Ok(any && !*stop.borrow())
    }
}

/// What is built from settings and store alone, and anew for other settings.
struct Parts {
    house: Arc<House>,
    runner: Arc<Runner>,
    inboxes: Vec<Arc<Inbox>>,
    outbox: Arc<Outbox>,
    couriers: Vec<Arc<Courier>>,
    consent_feeds: Vec<ConsentFeed>,
    read_looks: Arc<ReadLooks>,
    notifier: Option<Arc<Notifier>>,
}

impl Parts {
    fn build(
        config: &Config,
        store: &Arc<Store>,
        clock: &Clock,
        (arrived, stepped, pulse): (&Wake, &Wake, &Pulse),
    ) -> Result<Self, Error> {
        let house = Arc::new(adapters::house(config, store, clock)?);
        let servers = SftpServers::default();
        let places = adapters::places(config, &servers)?;
        store.know_senders(config.senders.iter().map(|sender| &sender.settings.id))?;
        store.know_timers(&timer_rules(config))?;
        store.know_services(&couriers::known(config))?;
        let inboxes = adapters::inboxes(config, &servers, store, &places)?;
        let names = inboxes.iter().map(|inbox| inbox.settings().place.as_str());
        store.keep_looks(&names.collect::<Vec<_>>())?;
        let couriers = couriers::couriers(config, &house, arrived);
        let (arrived, stepped) = (Arc::clone(arrived), Arc::clone(stepped));
        let runner = Runner::new(Arc::clone(&house), config.runner, arrived, stepped);
        let read_looks = adapters::read_looks(config, &house);
        Ok(Self {
            house,
            notifier: adapters::notifier(config, store, clock),
            runner: Arc::new(runner.with_pulse(pulse.clone())),
            inboxes,
            couriers,
            consent_feeds: consent_feeds::consent_feeds(config, store, clock)?,
            read_looks: Arc::new(read_looks),
            outbox: Arc::new(Outbox::new(
                Arc::clone(store),
                places,
                adapters::outbox_settings(config),
            )),
        })
    }
}
