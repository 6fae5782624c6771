use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinSet};

use super::{Error, Works, handing_over::hand_over, polling::poll};
use crate::{config::Config, pipeline::Clock, sftp_server::Server, store::Store};

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
            let inbox = Arc::clone(inbox);
            loops.spawn(poll(&self.works, inbox, self.poll_interval, halted.clone()));
        }
        loops.spawn(hand_over(&self.works, halted.clone()));
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
}

/// Turns `halt` true when `stop` does, and ends once it is true, whoever turned it.
async fn pass_on(mut stop: watch::Receiver<bool>, halt: watch::Sender<bool>) {
    let mut halted = halt.subscribe();
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => { halt.send_replace(true); }
        _ = halted.wait_for(|halted| *halted) => {}
    }
}
