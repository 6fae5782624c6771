use std::{net::SocketAddr, sync::Arc};

use tokio::sync::watch;

use super::{
    Error, Works,
    accounts::accounts_of_settings,
    auditing::tell_heads,
    consent_feeds::take_consents,
    couriers::bring,
    doors::Doors,
    forgetting::forget_daily,
    handing_over::hand_over,
    loops::Loops,
    polling::{pass_requests_on, poll},
    read_marks::look_for_reads,
    reload,
    resting::rest,
    service_events::hear,
    timers::watch_timers,
    watching::Watching,
};
use crate::{config::Config, pipeline::Clock, store::Store, telemetry};

/// Other settings to take over; `None` before the first.
pub type Newer = watch::Receiver<Option<Arc<Config>>>;

/// The house with its doors open: works until it is told to stop.
pub struct Daemon {
    works: Works,
    doors: Option<Arc<Doors>>,
    watching: Watching,
    config: Config,
}

impl Daemon {
    /// Builds the house and opens the embedded server where the settings want one.
    pub async fn start(config: &Config, clock: Clock) -> Result<Self, Error> {
        let works = Works::open(config, clock)?;
        works.store.know_accounts(&accounts_of_settings(config))?;
        let doors = Doors::open(config, &works.store, &works.clock).await?;
        let pulse = works.pulse.clone();
        let watching = Watching::begin(config, &works.store, &works.clock, pulse).await?;
        Ok(Self {
            works,
            doors: doors.map(Arc::new),
            watching,
            config: config.clone(),
        })
    }

    /// Where the embedded server listens.
    pub fn address(&self) -> Option<SocketAddr> {
        self.doors.as_deref().map(Doors::address)
    }

    /// Where `/metrics`, `/healthz` and `/readyz` are asked for.
    pub fn monitor_address(&self) -> Option<SocketAddr> {
        self.watching.address()
    }

    /// The fingerprints of the embedded server's host keys, for the other side's `known_hosts`.
    pub fn fingerprints(&self) -> Vec<String> {
        let fingerprints = self.doors.as_deref().map(Doors::fingerprints);
        fingerprints.unwrap_or_default()
    }

    /// Accounts of the embedded server that nothing opens.
    pub fn accounts_without_key(&self) -> Result<Vec<String>, Error> {
        let shut = self.doors.as_deref().map(Doors::accounts_without_key);
        shut.unwrap_or(Ok(Vec::new()))
    }

    /// The rows and files that the daemon works on.
    pub fn store(&self) -> Arc<Store> {
        Arc::clone(&self.works.store)
    }

    /// Works until `stop` turns true; then the steps in hand reach their transaction, nothing new is
    /// begun, and the server lets go of its connections. Where steps cannot go on, the rest stops
    /// too.
    pub async fn run(self, stop: watch::Receiver<bool>) -> Result<(), Error> {
        let (_none, newer) = watch::channel(None);
        self.run_and_reload(stop, newer).await
    }

    /// As [`Daemon::run`], and takes over each of the settings that come: accounts and limits of the
    /// server at once, the rest when the steps in hand have reached their transaction. Meanwhile the
    /// server keeps its connections. Settings with which the house cannot be built change nothing.
    pub async fn run_and_reload(
        mut self,
        stop: watch::Receiver<bool>,
        mut newer: Newer,
    ) -> Result<(), Error> {
        let (shut, closing) = watch::channel(false);
        let keeping = self.doors.clone().map(|doors| {
            let closing = closing.clone();
            tokio::spawn(async move { doors.keep(closing).await })
        });
        let mut watched = self.watching.keep(&closing);
        let worked = loop {
            match self.work(stop.clone(), &mut newer).await {
                Ok(Some(config)) => self.take_over(&config),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        shut.send_replace(true);
        while watched.join_next().await.is_some() {}
        if let Some(keeping) = keeping {
            let _ = keeping.await;
        }
        if let Some(doors) = self.doors.and_then(Arc::into_inner) {
            doors.close().await;
        }
        if worked.is_ok() {
            self.watching.end();
        }
        worked
    }

    /// Works until `stop` turns true, or until there are settings to take over.
    async fn work(
        &self,
        stop: watch::Receiver<bool>,
        newer: &mut Newer,
    ) -> Result<Option<Arc<Config>>, Error> {
        let (halt, halted) = watch::channel(false);
        let loops = self.loops(&halt);
        let told = self.until_told(stop.clone(), newer, halt.clone());
        let (ran, told, ()) = tokio::join!(
            async {
                let ran = self.run_steps(halted, stop.clone()).await;
                halt.send_replace(true);
                ran
            },
            told,
            loops.keep(halt.subscribe())
        );
        ran?;
        Ok(told)
    }

    /// What goes on beside the steps, until `halt` turns true.
    fn loops<'a>(&'a self, halt: &'a watch::Sender<bool>) -> Loops<'a> {
        let mut loops = Loops::default();
        let (works, stop) = (&self.works, || halt.subscribe());
        for inbox in &works.inboxes {
            loops.begin("inbox", move || poll(works, Arc::clone(inbox), stop()));
        }
        for feed in &works.consent_feeds {
            loops.begin("consents", move || take_consents(feed, stop()));
        }
        loops.begin("requests", move || pass_requests_on(works, stop()));
        loops.begin("outbox", move || hand_over(works, stop()));
        for courier in &works.couriers {
            loops.begin("courier", move || bring(Arc::clone(courier), stop()));
        }
        if let Some(notifier) = &works.notifier {
            loops.begin("notices", move || Arc::clone(notifier).run(stop()));
        }
        loops.begin("retention", move || {
            forget_daily(works, &self.config, stop())
        });
        loops.begin("resting", move || rest(works, stop()));
        for service in &self.config.services {
            loops.begin("service events", move || hear(works, service, stop()));
        }
        loops.begin("timers", move || watch_timers(works, stop()));
        loops.begin("reads", move || look_for_reads(works, &self.config, stop()));
        loops.begin("audit", move || tell_heads(works, stop()));
        loops
    }

    /// Runs steps until `halted` turns true and they have reached their transaction. Where the program
    /// is to end it does not wait for that without bound; other settings wait for all of them.
    async fn run_steps(
        &self,
        halted: watch::Receiver<bool>,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), Error> {
        let within = self.works.runner.stop_within();
        let too_long = async {
            let _ = stop.wait_for(|stop| *stop).await;
            tokio::time::sleep(within).await;
        };
        tokio::select! {
            ran = self.works.runner.run(halted) => Ok(ran?),
            () = too_long => {
                let secs = within.as_secs();
                tracing::warn!(secs, "steps are left in the middle: the next start does them again");
                Ok(())
            }
        }
    }

    /// Turns `halt` true when `stop` does or other settings come, and ends once it is true, whoever
    /// turned it. What of the settings can be is taken over here, at once.
    async fn until_told(
        &self,
        mut stop: watch::Receiver<bool>,
        newer: &mut Newer,
        halt: watch::Sender<bool>,
    ) -> Option<Arc<Config>> {
        let mut halted = halt.subscribe();
        loop {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => {
                    self.watching.stopping();
                    halt.send_replace(true);
                    return None;
                }
                _ = halted.wait_for(|halted| *halted) => return None,
                Ok(()) = newer.changed() => {}
            }
            let given = newer.borrow_and_update().clone();
            if let Some(config) = given.and_then(|given| self.let_in(&given)) {
                halt.send_replace(true);
                return Some(Arc::new(config));
            }
        }
    }

    /// Takes over at the doors what of other settings concerns them; `None` where they cannot be used.
    fn let_in(&self, given: &Config) -> Option<Config> {
        let config = reload::usable(&self.config, given.clone())?;
        let taken = self.doors.as_deref().map(|doors| doors.take_over(&config));
        match taken {
            Some(Err(error)) => {
                let error = telemetry::with_causes(&error);
                tracing::error!(error, "cannot use the settings: the old ones stay");
                None
            }
            Some(Ok(())) | None => Some(config),
        }
    }

    /// Tells of accounts that were not there before, and that nobody can log in to yet.
    fn tell_who_is_shut_out(&self) {
        let before = self.config.accounts();
        match self.accounts_without_key() {
            Ok(mut shut) => {
                shut.retain(|name| before.iter().all(|account| account.name != *name));
                reload::tell_shut(&shut);
            }
            Err(error) => {
                let error = telemetry::with_causes(&error);
                tracing::warn!(error, "cannot see which accounts have no key");
            }
        }
    }

    fn take_over(&mut self, config: &Config) {
        let rebuilt = self.works.rebuild(config).and_then(|()| {
            let accounts = accounts_of_settings(config);
            Ok(self.works.store.know_accounts(&accounts)?)
        });
        match rebuilt {
            Ok(()) => {
                reload::tell(&self.config, config);
                self.watching.take_over(config);
                self.tell_who_is_shut_out();
                self.config = config.clone();
            }
            Err(error) => {
                let error = telemetry::with_causes(&error);
                tracing::error!(error, "cannot use the settings: the old ones stay");
                let back = self
                    .doors
                    .as_deref()
                    .map(|doors| doors.take_over(&self.config));
                if let Some(Err(error)) = back {
                    tracing::error!(error = telemetry::with_causes(&error), "accounts");
                }
            }
        }
    }
}
