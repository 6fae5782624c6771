//! Puts the watch over a running house: alerts, answers over HTTP, and what systemd hears.

use std::{net::SocketAddr, sync::Arc};

use jiff::Timestamp;
use tokio::{sync::watch, task::JoinSet, time::interval};

use super::{Error, systemd::Systemd};
use crate::{
    config::Config,
    monitor::{AlertSettings, Desk, Door, Vitals, Watch},
    pipeline::Clock,
    store::{Start, Store},
    telemetry::{self, Pulse},
};

/// What watches the house, from its start to its end, whatever settings come meanwhile.
pub(super) struct Watching {
    store: Arc<Store>,
    clock: Clock,
    start: Start,
    vitals: Vitals,
    alerts: watch::Sender<AlertSettings>,
    desk: Arc<Desk>,
    door: Option<Arc<Door>>,
    systemd: Option<Arc<Systemd>>,
}

impl Watching {
    /// Records the start, and opens the door where the settings want one.
    pub(super) async fn begin(
        config: &Config,
        store: &Arc<Store>,
        clock: &Clock,
        pulse: Pulse,
    ) -> Result<Self, Error> {
        let door = match config.monitor.listen {
            Some(address) => Some(Arc::new(Door::open(address).await?)),
            None => None,
        };
        let version = env!("CARGO_PKG_VERSION");
        let start = store.record_start(version, std::process::id(), clock.now())?;
        let vitals = Vitals::of(pulse);
        let (alerts, newer) = watch::channel(config.alerts.clone());
        let desk = Desk::new(
            Arc::clone(store),
            now(clock),
            (vitals.clone(), start.clone()),
            newer,
            config.monitor.limits,
        );
        Ok(Self {
            store: Arc::clone(store),
            clock: clock.clone(),
            start,
            vitals,
            alerts,
            desk: Arc::new(desk),
            door,
            systemd: Systemd::from_environment().map(Arc::new),
        })
    }

    /// Where `/metrics` is asked for.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.door.as_deref().map(Door::address)
    }

    /// Watches until `stop` turns true.
    pub(super) fn keep(&self, stop: &watch::Receiver<bool>) -> JoinSet<()> {
        let mut loops = JoinSet::new();
        let watch = Watch::new(Arc::clone(&self.store), now(&self.clock));
        loops.spawn(Arc::new(watch).run(self.alerts.subscribe(), stop.clone()));
        if let Some(door) = &self.door {
            let (door, desk, stop) = (Arc::clone(door), Arc::clone(&self.desk), stop.clone());
            loops.spawn(async move { door.keep(desk, stop).await });
        }
        if let Some(systemd) = &self.systemd {
            systemd.tell("READY=1");
            let (systemd, desk, stop) = (Arc::clone(systemd), Arc::clone(&self.desk), stop.clone());
            loops.spawn(async move { tell_alive(&systemd, &desk, stop).await });
        }
        loops
    }

    /// Alerts are told by other settings from now on. The door stays where it is.
    pub(super) fn take_over(&self, config: &Config) {
        self.alerts.send_replace(config.alerts.clone());
    }

    /// The house takes no more work.
    pub(super) fn stopping(&self) {
        self.vitals.stop();
        if let Some(systemd) = &self.systemd {
            systemd.tell("STOPPING=1");
        }
    }

    /// The house ends because it was told to.
    pub(super) fn end(&self) {
        if let Err(error) = self.store.record_stop(&self.start, self.clock.now()) {
            let error = telemetry::with_causes(&error);
            tracing::warn!(error, "cannot record that the daemon ends");
        }
    }
}

fn now(clock: &Clock) -> impl Fn() -> Timestamp + Send + Sync + use<> {
    let clock = clock.clone();
    move || clock.now()
}

/// As long as it is healthy; systemd ends and starts anew who is silent.
async fn tell_alive(systemd: &Systemd, desk: &Desk, mut stop: watch::Receiver<bool>) {
    let Some(every) = systemd.watchdog() else {
        return;
    };
    let mut ticks = interval(every);
    while !*stop.borrow() {
        tokio::select! {
            _ = ticks.tick() => {
                if desk.is_healthy().await {
                    systemd.tell("WATCHDOG=1");
                }
            }
            _ = stop.changed() => {}
        }
    }
}
