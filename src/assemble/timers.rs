use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::Works;
use crate::{
    config::Config,
    pipeline::{House, SenderSettings, fire_timers},
    store::TimerRule,
    telemetry,
};

/// How often it is looked whether timers are over.
const LOOK_INTERVAL: Duration = Duration::from_mins(1);

/// What the settings want of messages that nobody reads, a rule a sender.
pub(super) fn timer_rules(config: &Config) -> Vec<TimerRule> {
    let rule = |settings: &SenderSettings| TimerRule {
        sender: settings.id.clone(),
        acknowledge_within_days: settings.patience.acknowledge_within_days,
        print_if_unread_days: settings.patience.print_if_unread_days,
    };
    let senders = config.senders.iter();
    senders.map(|sender| rule(&sender.settings)).collect()
}

/// Sends on paper what nobody has read or confirmed in time, until `stop` turns true.
pub(super) fn watch_timers(
    works: &Works,
    mut stop: watch::Receiver<bool>,
) -> impl Future<Output = ()> + Send + use<> {
    let (house, arrived) = (Arc::clone(&works.house), Arc::clone(&works.arrived));
    async move {
        while !*stop.borrow() {
            let (house, stop_now) = (Arc::clone(&house), stop.clone());
            let work = move || {
                let has_settled = settle(&house);
                look(&house, &stop_now) || has_settled
            };
            // A panic is told by its own line.
            if let Ok(true) = tokio::task::spawn_blocking(work).await {
                arrived.notify_one();
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
                _ = stop.changed() => {}
            }
        }
    }
}

/// Couriers let batches go on for what has left their queues; where the settings have no service any
/// more, there are none. Whether a batch goes on.
fn settle(house: &House) -> bool {
    match house.store.settle_queues(house.clock.now()) {
        Ok(batches) => !batches.is_empty(),
        Err(error) => {
            let error = telemetry::with_causes(&error);
            tracing::error!(error, "cannot let batches go on for what has left a queue");
            false
        }
    }
}

/// Whether there is something to compose.
fn look(house: &House, stop: &watch::Receiver<bool>) -> bool {
    match fire_timers(house, &|| *stop.borrow()) {
        Ok(fired) => fired.printed > 0,
        Err(error) => {
            let error = telemetry::with_causes(&error);
            tracing::error!(error, "cannot see which messages nobody has read");
            false
        }
    }
}
