use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinSet};

use super::{Error, Works};
use crate::{
    config::Config,
    inbox::Inbox,
    pipeline::{Clock, Wake},
    sftp_server::Server,
    store::Store,
    telemetry,
};

/// How often the outbox looks for rows that another process made due.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The house with its doors open: works until it is told to stop.
pub struct Daemon {
    works: Works,
    server: Option<Server>,
    poll_interval: Duration,
}

impl Daemon {
    /// Builds the house and opens the embedded server where the settings want one.
    pub async fn start(config: &Config, clock: Clock) -> Result<Self, Error> {
        let works = Works::open(config, clock)?;
        let server = match &config.server {
            None => None,
            Some(server) => {
                let started = Server::start(server.settings.clone(), config.accounts()).await;
                Some(started.map_err(Error::Server)?)
            }
        };
        Ok(Self {
            works,
            server,
            poll_interval: Duration::from_secs(config.poll_interval_secs.into()),
        })
    }

    /// Where the embedded server listens.
    pub fn address(&self) -> Option<SocketAddr> {
        self.server.as_ref().map(Server::local_addr)
    }

    /// The fingerprints of the embedded server's host keys, for the other side's `known_hosts`.
    pub fn fingerprints(&self) -> Vec<String> {
        self.server
            .as_ref()
            .map(Server::fingerprints)
            .unwrap_or_default()
    }

    /// The rows and files that the daemon works on.
    pub fn store(&self) -> Arc<Store> {
        Arc::clone(&self.works.store)
    }

    /// Works until `stop` turns true; then the steps in hand reach their transaction, nothing new is
    /// begun, and the server lets go of its connections. Where steps cannot go on, the rest stops
    /// too.
    pub async fn run(self, stop: watch::Receiver<bool>) -> Result<(), Error> {
        let (halt, halted) = watch::channel(false);
        let mut loops = JoinSet::new();
        for inbox in &self.works.inboxes {
            loops.spawn(self.poll(Arc::clone(inbox), halted.clone()));
        }
        loops.spawn(self.hand_over(halted.clone()));
        let passed_on = pass_on(stop, halt.clone());
        let (ran, ()) = tokio::join!(
            async {
                let ran = self.works.runner.run(halted).await;
                halt.send_replace(true);
                ran
            },
            passed_on
        );
        while loops.join_next().await.is_some() {}
        if let Some(server) = self.server {
            server.stop().await;
        }
        Ok(ran?)
    }

    fn poll(
        &self,
        inbox: Arc<Inbox>,
        mut stop: watch::Receiver<bool>,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (clock, arrived) = (self.works.clock.clone(), Arc::clone(&self.works.arrived));
        let interval = self.poll_interval;
        async move {
            while !*stop.borrow() {
                poll_once(&inbox, &clock, &arrived).await;
                tokio::select! {
                    () = tokio::time::sleep(interval) => {}
                    _ = stop.changed() => {}
                }
            }
        }
    }

    fn hand_over(
        &self,
        mut stop: watch::Receiver<bool>,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (outbox, clock) = (Arc::clone(&self.works.outbox), self.works.clock.clone());
        let (stepped, arrived) = (
            Arc::clone(&self.works.stepped),
            Arc::clone(&self.works.arrived),
        );
        async move {
            while !*stop.borrow() {
                match outbox.hand_over_next(clock.now()).await {
                    // What is handed over is to be told.
                    Ok(true) => {
                        arrived.notify_one();
                        continue;
                    }
                    Ok(false) => {}
                    Err(error) => {
                        tracing::error!(error = telemetry::with_causes(&error), "outbox");
                    }
                }
                tokio::select! {
                    () = stepped.notified() => {}
                    () = tokio::time::sleep(LOOK_INTERVAL) => {}
                    _ = stop.changed() => {}
                }
            }
        }
    }
}

/// Turns `halt` true when `stop` does, and ends once it is true, whoever turned it.
async fn pass_on(mut stop: watch::Receiver<bool>, halt: watch::Sender<bool>) {
    let mut halted = halt.subscribe();
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => { halt.send_replace(true); }
        _ = halted.wait_for(|halted| *halted) => {}
    }
}

async fn poll_once(inbox: &Inbox, clock: &Clock, arrived: &Wake) {
    match inbox.poll(clock.now()).await {
        Ok(received) if received.is_empty() => {}
        Ok(received) => {
            tracing::info!(
                inbox = inbox.settings().place,
                batches = received.len(),
                "received"
            );
            arrived.notify_one();
        }
        Err(error) => {
            let error = telemetry::with_causes(&error);
            tracing::warn!(
                inbox = inbox.settings().place,
                error,
                "cannot look into the inbox"
            );
        }
    }
}
