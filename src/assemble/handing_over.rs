use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::Works;
use crate::telemetry;

/// How often the outbox looks for rows that another process made due.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Hands over what is due until `stop` turns true.
pub(super) fn hand_over(
    works: &Works,
    mut stop: watch::Receiver<bool>,
) -> impl Future<Output = ()> + Send + use<> {
    let (outbox, clock) = (Arc::clone(&works.outbox), works.clock.clone());
    let (stepped, arrived) = (Arc::clone(&works.stepped), Arc::clone(&works.arrived));
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
