//! Looks at the house at its interval, and tells what has begun, is on still, or is over.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use super::{AlertSettings, Trouble, command, rules::troubles};
use crate::{
    store::{self, Alert, Store, Telling},
    telemetry::{self, meters},
};

/// What is told and not carried to the command yet; what comes on top of it is in the log alone.
const WAITING: usize = 100;

/// Tells operators of what is in trouble, until it is told to stop.
pub struct Watch {
    store: Arc<Store>,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Watch {
    pub fn new(store: Arc<Store>, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self {
            store,
            clock: Box::new(clock),
        }
    }

    /// Looks again and again, by the settings as they are then. The command runs beside it, one at
    /// a time: one that is slow keeps nobody waiting.
    pub async fn run(
        self: Arc<Self>,
        settings: watch::Receiver<AlertSettings>,
        mut stop: watch::Receiver<bool>,
    ) {
        let (pager, alerts) = mpsc::channel(WAITING);
        let paging = tokio::spawn(page_each(alerts, settings.clone()));
        while !*stop.borrow() {
            let now_settings = settings.borrow().clone();
            let every = now_settings.look_every;
            self.look_apart(now_settings, &pager).await;
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                _ = stop.changed() => {}
            }
        }
        paging.abort();
    }

    /// On a thread of its own, for the store may take its time.
    async fn look_apart(
        self: &Arc<Self>,
        settings: AlertSettings,
        pager: &mpsc::Sender<(Telling, Alert)>,
    ) {
        let watch = Arc::clone(self);
        let looked = tokio::task::spawn_blocking(move || watch.look(&settings)).await;
        match looked {
            Ok(Ok(told)) => told.into_iter().for_each(|it| tell(it, pager)),
            Ok(Err(error)) => {
                let error = telemetry::with_causes(&error);
                tracing::warn!(error, "cannot see whether anything is in trouble");
            }
            Err(_) => tracing::error!("a bug in kuori: the look for troubles panicked"),
        }
    }

    /// Looks once, and records what is to be told.
    pub fn look(&self, settings: &AlertSettings) -> Result<Vec<(Telling, Alert)>, store::Error> {
        let now = (self.clock)();
        let status = self.store.status(now)?;
        let troubles = troubles(&status, settings, now);
        let on: Vec<_> = troubles.iter().filter_map(Trouble::alert).collect();
        self.store.take_alerts(&on, settings.repeat, now)
    }
}

/// What is told of an alert, as the log, the metrics and the command say it.
pub(super) fn word(what: Telling) -> &'static str {
    match what {
        Telling::Begun => "begun",
        Telling::Again => "again",
        Telling::Over => "over",
    }
}

fn tell((what, alert): (Telling, Alert), pager: &mpsc::Sender<(Telling, Alert)>) {
    let Alert {
        code,
        subject,
        since,
        text,
        ..
    } = &alert;
    let word = word(what);
    meters::ALERTS_TOLD.one(&[code, word]);
    if what == Telling::Over {
        tracing::info!(target: "kuori::alert", what = word, code, subject, %since, "{text}");
    } else {
        tracing::warn!(target: "kuori::alert", what = word, code, subject, %since, "{text}");
    }
    if pager.try_send((what, alert)).is_err() {
        meters::ALERT_COMMANDS.one(&["dropped"]);
        tracing::error!(target: "kuori::alert", "too many alerts wait for the command: this one is only here");
    }
}

async fn page_each(
    mut paged: mpsc::Receiver<(Telling, Alert)>,
    settings: watch::Receiver<AlertSettings>,
) {
    while let Some((what, alert)) = paged.recv().await {
        let (line, time): (Vec<String>, Duration) = {
            let settings = settings.borrow();
            (settings.command.clone(), settings.command_time)
        };
        if line.is_empty() {
            continue;
        }
        match command::page(&line, word(what), &alert, time).await {
            Ok(()) => meters::ALERT_COMMANDS.one(&["done"]),
            Err(error) => {
                meters::ALERT_COMMANDS.one(&["failed"]);
                let error = telemetry::with_causes(&error);
                tracing::error!(error, code = alert.code, "the command of `[alerts]` failed");
            }
        }
    }
}
